package charset_test

import (
	"testing"

	"github.com/leadmesh/leadmesh/core/charset"
)

func TestUTF16(t *testing.T) {
	for _, c := range []struct {
		raw, want string
		ok        bool
	}{
		{"\xff\xfeA\x00\xfc\x00", "Aü", true},
		{"\xfe\xff\x00A\x00\xfc", "Aü", true},
		{"<\x00a\x00d\x00f\x00", "<adf", true},
		{"\x00<\x00a\x00d\x00f", "<adf", true},
		{"<\x00a\x00", "", false}, // too short to tell
		{"<adf></adf>", "", false},
		{"", "", false},
	} {
		if got, ok := charset.UTF16([]byte(c.raw)); string(got) != c.want || ok != c.ok {
			t.Errorf("%q gives %q, %t; want %q, %t", c.raw, got, ok, c.want, c.ok)
		}
	}
}

func TestMend(t *testing.T) {
	for raw, want := range map[string]string{
		"M\xfcller \x80 5": "Müller € 5", "Müller": "Müller", "Müller, M\xfcller": "Müller, Müller", "": "",
	} {
		if got := string(charset.Mend([]byte(raw))); got != want {
			t.Errorf("%q gives %q, want %q", raw, got, want)
		}
	}
}
