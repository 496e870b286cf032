package scoreconv

import (
	"math"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// Indices writes what the indices of a playbook say of inputs, every contribution included. They are
// evaluated here, where somebody reads them, and not where leads are decided: a receipt's inputs give
// the same indices at any time.
func Indices(pb *playbook.Playbook, in *scoring.Inputs) []*leadv1.IndexScore {
	var out []*leadv1.IndexScore
	for code := lead.Index(1); int(code) < scoring.NumIndices; code++ {
		if r, ok := pb.Scoring.Read(code, in); ok {
			out = append(out, index(pb, &r))
		}
	}
	return out
}

func index(pb *playbook.Playbook, r *scoring.Reading) *leadv1.IndexScore {
	strongest := r.Reasons(math.MaxInt)
	s := &leadv1.IndexScore{
		Index: leadv1.Index(r.Code), Label: IndexLabel(r.Code),
		Points: r.Points, Band: r.Band,
		Reasons: words(strongest), Contributions: contributions(r.Contributions, strongest),
	}
	if scoring.Money(r.Code) {
		money := func(minor int64) *leadv1.Money { return &leadv1.Money{Minor: minor, Currency: pb.Currency} }
		s.ExpectedRevenue, s.Months = money(r.Expected), scoring.ValueMonths
		if r.Bounded {
			s.RevenueInterval = &leadv1.RevenueInterval{Low: money(r.Low), High: money(r.High)}
		}
	} else {
		s.ProbabilityPpm = int32(r.Expected)
		if r.Bounded {
			s.ProbabilityInterval = &leadv1.ProbabilityInterval{LowPpm: int32(r.Low), HighPpm: int32(r.High)}
		}
	}
	for _, g := range r.Groups {
		s.Groups = append(s.Groups, group(g))
		if g.NoConsent {
			s.NoConsentGroups = append(s.NoConsentGroups, g.Group.String())
		}
	}
	return s
}

// IndexLabel is an index in words.
func IndexLabel(code lead.Index) string { return lead.Label(language, "index", code.String()) }
