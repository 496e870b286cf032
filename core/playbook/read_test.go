package playbook_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/playbook"
)

var update = flag.Bool("update", false, "write what Read says to the want.txt of the broken bundles")

func small(t testing.TB) playbook.Files {
	t.Helper()
	return readFolder(t, filepath.Join("testdata", "small"))
}

func TestSmallCompiles(t *testing.T) {
	if _, mistakes := playbook.Read(small(t)); len(mistakes) > 0 {
		t.Error(mistakes)
	}
}

// Each folder of testdata/broken holds the files that differ from testdata/small, and in want.txt
// every mistake with file and line.
func TestMistakes(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join("testdata", "broken", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatal("no broken bundles", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			files, changed := small(t), readFolder(t, dir)
			want := changed["want.txt"]
			delete(changed, "want.txt")
			maps.Copy(files, changed)
			p, mistakes := playbook.Read(files)
			if p != nil || len(mistakes) == 0 {
				t.Fatal("no mistakes found")
			}
			var got strings.Builder
			for _, m := range mistakes {
				got.WriteString(m.String() + "\n")
			}
			if *update {
				if err := os.WriteFile(filepath.Join(dir, "want.txt"), []byte(got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMissingFilesAreNamed(t *testing.T) {
	for name := range small(t) {
		files := small(t)
		delete(files, name)
		_, mistakes := playbook.Read(files)
		named := slices.ContainsFunc(mistakes, func(m playbook.Mistake) bool {
			return m.File == name || strings.HasPrefix(name, "scoring/") && m.File == "scoring"
		})
		if !named && !strings.HasPrefix(name, "plays/") && name != "scoring/ev_readiness.yaml" { // an index may be left out
			t.Errorf("%s is missing and nothing says so: %v", name, mistakes)
		}
	}
	if _, mistakes := playbook.Read(nil); len(mistakes) == 0 {
		t.Error("an empty bundle is a playbook")
	}
}

func TestLimits(t *testing.T) {
	for name, files := range map[string]playbook.Files{
		"large file":    {"README.md": make([]byte, playbook.MaxFileBytes+1)},
		"outside":       {"../routing.yaml": nil},
		"absolute":      {"/routing.yaml": nil},
		"other slashes": {`plays\x.md`: nil},
		"no name":       {"": nil},
	} {
		all := small(t)
		maps.Copy(all, files)
		if p, mistakes := playbook.Read(all); p != nil || len(mistakes) != 1 {
			t.Errorf("%s: %v", name, mistakes)
		}
	}
}

// Carriage returns and byte order marks of other editors change nothing but the revision.
func TestOtherEditors(t *testing.T) {
	files := small(t)
	for name, text := range files {
		files[name] = append([]byte("\ufeff"), bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))...)
	}
	p, mistakes := playbook.Read(files)
	if p == nil {
		t.Fatal(mistakes)
	}
	if p.Plays[0].Script != "Call them." {
		t.Errorf("script %q", p.Plays[0].Script)
	}
}

func FuzzRead(f *testing.F) {
	base := small(f)
	for name, text := range base {
		f.Add(name, text)
	}
	f.Add("catalogue.yaml", []byte("brands: [{code: ACME, makes: [Acme]}]\nmodels:\n  - {code: A1, make: Acme, name: Uno, list_price: 1 USD, next: A1, service: {every: 1 year}}\n"+
		"services: [{every: 1 year}]\nresiduals: [{name: x, a_year: 1 mi, distances: [0 km, 9 km], rows: [{age: 0d, shares: [9 %, 8 %]}]}]\n"))
	f.Add("offers.yaml", []byte("offers: [{model: A1, monthly: 3 USD, from: 2026-01-01, until: 2026-02-01}]\n"))
	f.Add("incentives.yaml", []byte("incentives: [{name: x, regions: [CO], models: [A1], buyers: fleet, price_cap: 1 USD}]\n"))
	f.Add("chargers.csv", []byte("chargers;country;postal_prefix\n7;US;80\n\"8\";US;\"8\n1\"\n"))
	f.Add("signals.yaml", []byte("? [a]\n: b\n"))
	f.Add("signals.yaml", []byte("half_life: !!binary x\n"))
	f.Add("plays/x.md", []byte("---\n---\n"))
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		files := maps.Clone(base)
		files[name] = text
		p, mistakes := playbook.Read(files)
		if (p == nil) == (len(mistakes) == 0) {
			t.Errorf("playbook %v with mistakes %v", p != nil, mistakes)
		}
		for _, m := range mistakes {
			if m.Line < 0 || m.Line > bytes.Count(files[m.File], []byte("\n"))+2 || m.Message == "" {
				t.Errorf("a mistake nowhere: %+v", m)
			}
		}
	})
}
