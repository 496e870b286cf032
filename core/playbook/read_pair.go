package playbook

import (
	"github.com/leadmesh/leadmesh/core/document"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// readPairs reads the points that two features of a line give together.
func readPairs(o *document.Object) (out []scoring.Pair) {
	o.Objects("pairs", func(p *document.Object) {
		pair := scoring.Pair{Group: p.Text("group"), Label: p.Text("label")}
		pair.First, pair.Second = readSide(p, "first"), readSide(p, "second")
		p.Need("points")
		pair.Points = document.Grid(p, "points", document.Points)
		out = append(out, pair)
	})
	return out
}

func readSide(p *document.Object, key string) (s scoring.Side) {
	o := p.NeedChild(key)
	if o == nil {
		p.Places.Failed[document.Join(p.At(key), "feature")] = true
		return s
	}
	defer o.Close()
	s.Feature, s.In = o.NeedText("feature"), o.Text("in")
	o.Need("parts")
	o.Objects("parts", func(x *document.Object) {
		bin := readRange(x)
		s.Parts = append(s.Parts, scoring.Part{Below: bin.Below, Values: bin.Values, Missing: bin.Missing})
	})
	return s
}
