package playbook_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/leadmesh/leadmesh/core/playbook"
)

// readFolder reads a folder of the repository into a bundle.
func readFolder(t testing.TB, dir string) playbook.Files {
	t.Helper()
	files := playbook.Files{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(root, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func sampleFolder() string { return filepath.Join("..", "..", "deploy", "sample", "playbook") }

// sample reads the sample playbook, which must be without mistakes.
func sample(t testing.TB) *playbook.Playbook {
	t.Helper()
	p, mistakes := playbook.Read(readFolder(t, sampleFolder()))
	for _, m := range mistakes {
		t.Errorf("%s:%d: %s", m.File, m.Line, m.Message)
	}
	if p == nil {
		t.FailNow()
	}
	return p
}

func TestSampleCompiles(t *testing.T) {
	p := sample(t)
	if len(p.Plays) < 8 || len(p.Revision) != 64 || p.Governor == nil || p.Scoring == nil {
		t.Errorf("the sample is thin: %d plays, revision %q", len(p.Plays), p.Revision)
	}
}
