package sources_test

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/form"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/sources"
)

const good = `
graph: {url: "http://127.0.0.1:9/", version: v21.0}
sources:
  - name: meta-ads
    kind: meta
    app_secret: {file: app}
    verify_token: verify-me
    pages:
      - {id: 1084, token: page-token}
      - {token: every-page}
  - name: google-ads
    kind: google
    keys: [{form: 7, key: seven}, {key: others}]
  - name: site
    kind: form
    auth: {by: key, in: header, name: X-Key, secret: {value: open-sesame}}
    set: {source: oem_site, line: sales, request_type: test drive, market: us, dealer: {scheme: nv}, campaign: {name: Spring}}
    fields:
      - {question: "¿Qué coche?", field: vehicle.model, values: {"El grande": Lomvi 5}}
    consents:
      - {question: box1, purpose: marketing, channels: [email, sms], text_version: v7, preticked: true}
`

func write(t *testing.T, content string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"sources.yaml": content, "app": "the-app-secret\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "sources.yaml")
}

func TestRead(t *testing.T) {
	f, err := sources.Read(write(t, good))
	if err != nil {
		t.Fatal(err)
	}
	if f.Graph != (sources.Graph{URL: "http://127.0.0.1:9", Version: "v21.0"}) {
		t.Errorf("graph: %+v", f.Graph)
	}
	m := f.Find("meta-ads")
	if !m.AppSecret.Is("the-app-secret") || m.PageToken("1084").Reveal() != "page-token" || m.PageToken("2").Reveal() != "every-page" {
		t.Error("the secrets of meta-ads are not what the files say")
	}
	g := f.Find("google-ads")
	for _, c := range []struct {
		form, key string
		want      bool
	}{{"7", "seven", true}, {"7", "others", false}, {"8", "others", true}, {"8", "seven", false}, {"8", "", false}} {
		if g.CheckKey(c.form, c.key) != c.want {
			t.Errorf("key %q of form %s: want %v", c.key, c.form, c.want)
		}
	}
	s := f.Find("site").Spec
	if s.Set.Line != lead.LineSales || s.Set.RequestType != lead.RequestTypeTestDrive || s.Set.Market != "US" || s.Fields[lead.Fold("¿Qué coche?")].Field != form.VehicleModel ||
		!s.Consents[0].PreTicked || len(s.Consents[0].Channels) != 2 {
		t.Errorf("spec: %+v", s)
	}
	if text := fmt.Sprintf("%v %+v %#v", f.Find("meta-ads"), *m, *f.Find("site")); strings.Contains(text, "secret\"") || strings.Contains(text, "page-token") || strings.Contains(text, "sesame") {
		t.Errorf("a secret is printed: %s", text)
	}
}

func TestMistakesAreNamedWithTheirLine(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"unknown key":     {"verify_token: verify-me", "verify_tokn: verify-me", "line 7: there is no field verify_tokn"},
		"no token":        {"token: page-token", "token: ''", "line 9: a page needs a token"},
		"unknown field":   {"field: vehicle.model", "field: vehicle.modell", "line 19: there is no field \"vehicle.modell\"; did you mean vehicle.model?"},
		"unknown code":    {"line: sales", "line: sails", "line 17: line has no code \"sails\""},
		"unknown kind":    {"kind: google", "kind: gogle", "line 12: there is no kind \"gogle\""},
		"no auth":         {"auth: {by: key, in: header, name: X-Key, secret: {value: open-sesame}}", "test: true", "line 14: a source of kind form needs auth"},
		"app secret":      {"keys: [{form: 7, key: seven}, {key: others}]", "keys: [{key: seven}]\n    app_secret: x", "line 11: app_secret is for sources of kind meta and linkedin"},
		"linkedin, both":  {"kind: form\n", "kind: linkedin\n    app_secret: x\n", "line 14: give app_secret"},
		"missing file":    {"file: app", "file: nowhere", "line 6: the secret's file cannot be read"},
		"twice":           {"name: google-ads", "name: meta-ads", "line 11: a source named \"meta-ads\" is there already"},
		"bad name":        {"name: google-ads", "name: Google Ads", "line 11: a source needs a name"},
		"bad version":     {"version: v21.0", "version: latest", "line 2: graph.version"},
		"no syntax":       {"kind: form", "kind: [form", "line "},
		"secret not told": {"secret: {value: open-sesame}", "secret: {val: open-sesame}", "line 16: a secret is a text"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sources.Read(write(t, strings.Replace(good, c.from, c.to, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), "sesame") || strings.Contains(err.Error(), "sources.source")) {
				t.Errorf("the error tells a secret or a type: %v", err)
			}
		})
	}
}

func TestFeedKeepsTheLastGoodFile(t *testing.T) {
	path := write(t, good)
	f, err := sources.Open(path, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	change := func(content string) {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		f.Look()
	}
	change("sources: [")
	if f.Current().Find("site") == nil {
		t.Fatal("a broken file took the place of a good one")
	}
	change(strings.Replace(good, "name: site", "name: other", 1))
	if f.Current().Find("site") != nil || f.Current().Find("other") == nil {
		t.Error("a changed file was not read")
	}
}
