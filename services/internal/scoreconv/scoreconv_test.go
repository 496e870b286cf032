package scoreconv_test

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
)

func sample(t *testing.T) *playbook.Playbook {
	t.Helper()
	files := playbook.Files{}
	root := os.DirFS(filepath.Join("..", "..", "..", "deploy", "sample", "playbook"))
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
	p, mistakes := playbook.Read(files)
	if p == nil {
		t.Fatal(mistakes)
	}
	return p
}

// However the facts fall, the contributions add up to the points, and the short form says the same
// as the long one.
func TestContributionsAddUp(t *testing.T) {
	p := sample(t)
	r := rand.New(rand.NewPCG(1, 2))
	capped, kept := 0, 0
	for range 2000 {
		var in scoring.Inputs
		in.Reset()
		for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
			switch {
			case r.IntN(3) == 0:
			case f.Unit() == scoring.UnitCategory:
				in.Values[f] = f.FirstValue() + r.Int32N(int32(len(f.Values())))
			case f.Unit() == scoring.UnitSeconds:
				in.Values[f] = r.Int32N(60 * 86400)
			default:
				in.Values[f] = r.Int32N(3000) - 300
			}
		}
		if r.IntN(4) == 0 {
			in.DropTracked()
		}
		var res scoring.Result
		p.Scoring.Score(&in, &res)
		for line := lead.LineSales; line <= lead.LineCare; line++ {
			full := scoreconv.ToProto(p, &in, &res, line, true)
			sum := int32(0)
			for _, c := range full.GetContributions() {
				sum += c.GetPoints()
				if c.GetFeature() == "cap" {
					capped++
				}
			}
			if sum != full.GetPoints() || full.GetPoints() != res.Points[line] {
				t.Fatalf("%s: %d contributed, %d points", line, sum, full.GetPoints())
			}
			groups := int32(0)
			for _, g := range full.GetGroups() {
				groups += g.GetPoints()
				if (g.GetNote() != "") != (g.GetCapPoints() != 0 || slices.Contains(full.GetNoConsentGroups(), g.GetGroup())) {
					t.Fatalf("%s: %v of %v", line, g, full)
				}
			}
			for _, c := range full.GetContributions() {
				if c.GetGroup() == "" {
					groups += c.GetPoints()
				}
			}
			if i := full.GetProbabilityInterval(); groups != full.GetPoints() || i.GetLowPpm() > full.GetProbabilityPpm() || i.GetHighPpm() < full.GetProbabilityPpm() {
				t.Fatalf("%s: groups and the rest add up to %d of %v", line, groups, full)
			}
			short := scoreconv.ToProto(p, &in, &res, line, false)
			if len(short.GetContributions())+len(short.GetGroups()) != 0 || short.GetProbabilityInterval() != nil || len(short.GetReasons()) != len(full.GetReasons()) || short.GetStage() != full.GetStage() {
				t.Fatalf("%s: short %v, full %v", line, short, full)
			}
			if len(full.GetNoConsentGroups()) > 0 {
				kept++
				if !in.NoConsent {
					t.Fatalf("%s: groups left out with consent", line)
				}
			}
		}
	}
	if capped == 0 || kept == 0 {
		t.Errorf("never capped (%d) or never without consent (%d): the test says little", capped, kept)
	}
	if s := scoreconv.ToProto(p, &scoring.Inputs{}, &scoring.Result{}, lead.LineUnspecified, true); s.GetLine() != leadv1.Line_LINE_UNSPECIFIED || s.GetPoints() != 0 {
		t.Errorf("no line: %v", s)
	}
}
