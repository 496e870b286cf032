package playbook_test

import (
	"bytes"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/playbook"
)

func TestPackRoundTrip(t *testing.T) {
	for _, files := range []playbook.Files{{}, {"a": nil}, {"a": []byte("x"), "b/c": {}, "": []byte("y")}, small(t)} {
		packed := playbook.Pack(files)
		got, err := playbook.Unpack(packed)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.EqualFunc(files, got, bytes.Equal) {
			t.Errorf("got %v, want %v", got, files)
		}
		if again := playbook.Pack(got); !bytes.Equal(packed, again) {
			t.Error("packing again gives other bytes")
		}
	}
}

// Content may not move between a path and its neighbour without a new revision.
func TestRevision(t *testing.T) {
	seen := map[string]playbook.Files{}
	for _, files := range []playbook.Files{
		{}, {"": nil}, {"ab": []byte("c")}, {"a": []byte("bc")}, {"a": []byte("b"), "c": nil}, {"a": nil, "b": []byte("c")}, {"a": []byte("bc"), "c": nil},
	} {
		r := playbook.Revision(files)
		if other, twice := seen[r]; twice || len(r) != 64 {
			t.Errorf("%v and %v have the revision %s", files, other, r)
		}
		seen[r] = files
	}
	p, _ := playbook.Read(small(t))
	loaded, err := playbook.Load(playbook.Pack(small(t)))
	if err != nil {
		t.Fatal(err)
	}
	if want := playbook.Revision(small(t)); p.Revision != want || loaded.Revision != want || p.Routing.Revision != want {
		t.Errorf("revisions %s, %s, %s; want %s", p.Revision, loaded.Revision, p.Routing.Revision, want)
	}
}

func TestLoadNamesTheFirstMistake(t *testing.T) {
	files := small(t)
	files["signals.yaml"] = []byte("half_life: soon\n")
	_, err := playbook.Load(playbook.Pack(files))
	if err == nil {
		t.Fatal("loaded")
	}
	want := `1 mistakes, the first: signals.yaml:1:12: half_life: must be a time such as 15m, 4h, 14d or 18 months, is "soon"`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(playbook.Pack(playbook.Files{"a": []byte("x"), "b": nil}))
	f.Add([]byte("leadmesh playbook 1\n\x00\x00\x00\x01a\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		files, err := playbook.Unpack(b)
		if err == nil && !bytes.Equal(playbook.Pack(files), b) {
			t.Errorf("unpacked what Pack does not write: %q", b)
		}
	})
}
