package lead_test

import (
	"bufio"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/lead"
)

func TestParseEmail(t *testing.T) {
	tests := []struct{ raw, address, key string }{
		{" Jo.Doe+cars@GMail.com ", "Jo.Doe+cars@gmail.com", "jodoe@gmail.com"},
		{"jo.doe@googlemail.com", "jo.doe@googlemail.com", "jodoe@gmail.com"},
		{"mailto:Jo@Example.org?subject=x", "Jo@example.org", "jo@example.org"},
		{`"Jo Doe" <jo.doe@example.org>`, "jo.doe@example.org", "jo.doe@example.org"},
		{"jo@example.org.", "jo@example.org", "jo@example.org"},
		{"jürgen@müller.example", "jürgen@müller.example", "jürgen@müller.example"},
		{"अजय@डाटा.भारत", "अजय@डाटा.भारत", "अजय@डाटा.भारत"},
		{"o'neil@example.ie", "o'neil@example.ie", "o'neil@example.ie"},
		{"jo@xn--mller-kva.example", "jo@xn--mller-kva.example", "jo@xn--mller-kva.example"},
		{"jo.@docomo.ne.jp", "jo.@docomo.ne.jp", "jo.@docomo.ne.jp"},
		{"jo@example", "", ""},
		{"jo@@example.org", "", ""},
		{"jo example@example.org", "", ""},
		{".jo@example.org", "", ""},
		{"jo@-example.org", "", ""},
		{"jo@example..org", "", ""},
		{"jo@1.2.3.4", "", ""},
		{"none", "", ""},
		{"{email}", "", ""},
		{"<jo@example.org", "", ""},
		{"a@b.com, c@d.com", "", ""},
		{"", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.raw, func(t *testing.T) {
			want := lead.Email{Raw: tt.raw, Address: tt.address, Key: tt.key, Valid: tt.address != ""}
			if diff := cmp.Diff(want, lead.ParseEmail(tt.raw)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDomainSet(t *testing.T) {
	s := lead.NewDomainSet([]string{"# throw-away", "Mailinator.com", "@x.example ", "", "*.y.example"})
	for domain, want := range map[string]bool{
		"mailinator.com": true, "a.b.mailinator.com": true, "notmailinator.com": false,
		"x.example": true, "y.example": true, "example": false, "": false,
	} {
		if got := s.Has(domain); got != want {
			t.Errorf("Has(%q) = %v, want %v", domain, got, want)
		}
	}
	if s.Len() != 3 {
		t.Errorf("Len = %d, want 3", s.Len())
	}
	if (lead.DomainSet{}).Has("x.example") {
		t.Error("the empty set has a domain")
	}
}

func TestDomainSetHoldsTheSharedList(t *testing.T) {
	lines := sharedLines(t, "data/names/disposable_email_domains.txt")
	s := lead.NewDomainSet(lines)
	for _, line := range lines {
		if !s.Has(line) {
			t.Fatalf("%q is not in the set", line)
		}
	}
	for _, d := range []string{"gmail.com", "gmx.de", "orange.fr", "web.de", "outlook.com", "icloud.com"} {
		if s.Has(d) {
			t.Errorf("%s counts as throw-away", d)
		}
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{"jo@example.org", "Jo <jo@x.de>", "a+b@gmail.com", "mailto:x@y.zz?z", "@", "<>", "ü@ö.de", "a@b\x00.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		e := lead.ParseEmail(raw)
		if e.Raw != raw || e.Valid != (e.Address != "") || e.Valid != (e.Key != "") {
			t.Fatalf("%+v", e)
		}
		if again := lead.ParseEmail(e.Address); e.Valid && (again.Address != e.Address || again.Key != e.Key) {
			t.Fatalf("%+v reads again as %+v", e, again)
		}
	})
}

// sharedLines reads a file of the shared inputs beside the repository, or skips.
func sharedLines(t *testing.T, name string) []string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Skip("not inside the repository: no shared inputs")
		}
	}
	f, err := os.Open(filepath.Join(dir, "..", "shared", name))
	if err != nil {
		t.Skipf("no shared input %s", name)
	}
	defer f.Close()
	var lines []string
	for s := bufio.NewScanner(f); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return lines
}
