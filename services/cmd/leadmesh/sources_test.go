package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSourcesCheck(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("sources.yaml", "sources:\n  - {name: site, kind: form, auth: {by: none}, fields: [{question: q1, field: vehicle.model}]}\n  - {name: ads, kind: meta, app_secret: a, verify_token: b, pages: [{token: c}]}\n")
	sample := write("sample.txt", "correo=ada%40byron.example.com&q1=Lomvi+5&shoe_size=44")
	notice := write("notice.json", `{"entry":[{"changes":[{"field":"leadgen","value":{"leadgen_id":"7"}}]}]}`)
	wrong := write("wrong.yaml", "sources:\n  - {name: site, kind: form}\n")
	for name, tt := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"sound":      {[]string{file}, 0, []string{"POST /v1/forms/site", "POST /v1/meta/ads", "sound"}},
		"a mistake":  {[]string{wrong}, 1, []string{"line 2: a source of kind form needs auth"}},
		"a sample":   {[]string{file, "--source", "site", "--try", sample}, 0, []string{"ada@byron.example.com", "Lomvi 5", "nothing is known of: shoe_size"}},
		"a notice":   {[]string{file, "--source", "ads", "--try", notice}, 0, []string{"parked until its form is fetched"}},
		"which one?": {[]string{file, "--try", sample}, 1, []string{"--source names the source of the sample; there are site, ads"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := run(append([]string{"sources", "check"}, tt.args...), &out, &errs)
			text := out.String() + errs.String()
			if code != tt.code {
				t.Errorf("exit %d: %s", code, text)
			}
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in %s", want, text)
				}
			}
		})
	}
}
