package tree_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/tree"
)

func TestParseKeepsOrderAndPlaces(t *testing.T) {
	src := "\ufeff" + `{ "b": [1, "zwei\n"], "a": {"x": true, "x": null} }`
	n, err := tree.Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range n.Members {
		names = append(names, m.Name)
	}
	if diff := cmp.Diff([]string{"b", "a"}, names); diff != "" {
		t.Error(diff)
	}
	if b := n.Get("b"); src[b.Start:b.End] != `[1, "zwei\n"]` || src[b.Items[1].Start:b.Items[1].End] != `"zwei\n"` {
		t.Errorf("places: %q, %q", src[b.Start:b.End], src[b.Items[1].Start:b.Items[1].End])
	}
	if diff := cmp.Diff([]string{"1", "zwei\n", "true"}, n.Leaves(9)); diff != "" {
		t.Error(diff)
	}
	if len(n.Get("a").Members) != 2 || n.Get("c").Kind != tree.Null {
		t.Errorf("members of a: %v", n.Get("a").Members)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, src := range []string{"", "{", `{"a":1}}`, `{"a" 1}`, "[1,]", `{"a":1} x`, "nul"} {
		if _, err := tree.Parse([]byte(src)); err == nil {
			t.Errorf("%q was read", src)
		}
	}
	if _, err := tree.Parse([]byte(strings.Repeat("[", 200) + strings.Repeat("]", 200))); !errors.Is(err, tree.ErrTooLarge) {
		t.Errorf("nested 200 deep: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"c"}],"d":null}`))
	f.Add([]byte("\ufeff[true]"))
	f.Fuzz(func(t *testing.T, src []byte) {
		n, err := tree.Parse(src)
		if err != nil {
			return
		}
		again, err := tree.Parse(src[n.Start:n.End])
		if err != nil || again.Kind != n.Kind || len(again.Members) != len(n.Members) {
			t.Fatalf("its own part reads as %v, %v", again.Kind, err)
		}
	})
}
