package scoring_test

import (
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	corescoring "github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/signal"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
)

// checkCensus holds a report against the laws that every report keeps.
func checkCensus(t *testing.T, r *scoringv1.RescoringReport) {
	t.Helper()
	if r.GetBeforePersonCount()+r.GetEnteredCount()-r.GetLeftCount() != r.GetPersonCount() {
		t.Errorf("%d persons before, %d entered, %d left, %d are there", r.GetBeforePersonCount(), r.GetEnteredCount(), r.GetLeftCount(), r.GetPersonCount())
	}
	for _, l := range r.GetLines() {
		var points, staged, pointsBefore, stagedBefore, up, down int64
		stage := map[leadv1.Stage]int64{}
		for _, p := range l.GetPoints() {
			points, pointsBefore = points+p.GetPersonCount(), pointsBefore+p.GetBeforePersonCount()
		}
		for _, s := range l.GetStages() {
			staged, stagedBefore = staged+s.GetPersonCount(), stagedBefore+s.GetBeforePersonCount()
			stage[s.GetStage()] = s.GetPersonCount() - s.GetBeforePersonCount()
		}
		for _, m := range l.GetMoves() {
			if m.GetPersonCount() <= 0 || m.GetBefore() == m.GetNow() {
				t.Errorf("%v has the move %v", l.GetLine(), m)
			}
			stage[m.GetBefore()] += m.GetPersonCount()
			stage[m.GetNow()] -= m.GetPersonCount()
			switch {
			case m.GetBefore() == 0 || m.GetNow() == 0:
			case m.GetNow() > m.GetBefore():
				up += m.GetPersonCount()
			default:
				down += m.GetPersonCount()
			}
		}
		delete(stage, 0)
		for s, n := range stage {
			if n != 0 {
				t.Errorf("%v %v: the moves lack %d persons", l.GetLine(), s, n)
			}
		}
		everybody := staged == r.GetPersonCount()
		if l.GetLine() == leadv1.Line_LINE_CARE { // only who waits for an answer
			everybody = staged <= r.GetPersonCount()
		}
		if points != staged || !everybody || pointsBefore != stagedBefore || up != l.GetUpCount() || down != l.GetDownCount() {
			t.Errorf("%v: %d persons, %d by points, %d by stage, %d and %d before, %d up, %d down", l.GetLine(), r.GetPersonCount(), points, staged, pointsBefore, stagedBefore, up, down)
		}
	}
	active, next := int64(0), int64(0)
	for _, s := range r.GetSegments() {
		active += s.GetActiveCount()
		if s.GetBeforePersonCount()+s.GetEnteredCount()-s.GetLeftCount() != s.GetPersonCount() {
			t.Errorf("%v does not add up", s)
		}
		sum := int64(0)
		for _, l := range s.GetLevels() {
			if sum += l.GetPersonCount(); l.GetBeforePersonCount()+l.GetEnteredCount()-l.GetLeftCount() != l.GetPersonCount() {
				t.Errorf("%v: %v does not add up", s.GetSegment(), l)
			}
		}
		if sum != s.GetPersonCount() {
			t.Errorf("%v has %d persons, %d in levels", s.GetSegment(), s.GetPersonCount(), sum)
		}
	}
	for _, n := range r.GetNextLines() {
		next += n.GetPersonCount()
	}
	for _, x := range r.GetIndices() {
		now, before := int64(0), int64(0)
		for _, b := range x.GetBands() {
			now, before = now+b.GetPersonCount(), before+b.GetBeforePersonCount()
		}
		if now != r.GetPersonCount() || before != r.GetBeforePersonCount() {
			t.Errorf("%v has %d persons, %d before", x.GetIndex(), now, before)
		}
	}
	if active > r.GetPersonCount() || next != r.GetPersonCount() {
		t.Errorf("%d persons, %d with an active play, %d by the line to work for", r.GetPersonCount(), active, next)
	}
}

func segmentOf(r *scoringv1.RescoringReport, code leadv1.Segment) *scoringv1.RescoredSegment {
	for _, s := range r.GetSegments() {
		if s.GetSegment() == code {
			return s
		}
	}
	return nil
}

func levels(s *scoringv1.RescoredSegment) map[string]int64 {
	out := map[string]int64{}
	for _, l := range s.GetLevels() {
		if l.GetPersonCount() > 0 {
			out[l.GetLevel()] = l.GetPersonCount()
		}
	}
	return out
}

// wantScores works the scores of a person who complains of nothing out from what Identity answered, without
// the service.
func wantScores(p *playbook.Playbook, person *identityv1.PersonProfile, at time.Time, t *testing.T) (map[leadv1.Line]int32, []*leadv1.IndexScore) {
	t.Helper()
	profile, err := signal.Unmarshal(person.GetProfile())
	if err != nil {
		t.Fatal(err)
	}
	l := lead.Lead{Trigger: true, Market: p.Market, Parties: []lead.Party{{Address: lead.Address{Country: person.GetCountry(), Region: person.GetRegion(), Postal: person.GetPostalCode()}}}}
	if person.GetHasEmail() {
		l.Parties[0].Emails = []lead.Email{{Address: "x@example.com"}}
	}
	if person.GetHasPhone() {
		l.Parties[0].Phones = []lead.Phone{{E164: "+15125550163"}}
	}
	facts := corescoring.Facts{Profiling: lead.ConsentStateDenied, Catalogue: p.Catalogue, Currency: p.Currency}
	if person.GetProfiling() {
		facts.Profiling = lead.ConsentStateGranted
	}
	var in corescoring.Inputs
	var res corescoring.Result
	corescoring.Extract(&l, &profile, at, facts, &in)
	p.Scoring.Score(&in, &res)
	want := map[leadv1.Line]int32{}
	for line, stage := range res.Stage {
		if stage != lead.StageUnspecified && lead.Line(line) != lead.LineCare {
			want[leadv1.Line(line)] = res.Points[line]
		}
	}
	indices := scoreconv.Indices(p, &in)
	for _, x := range indices { // the rest is for whoever asks why
		x.Reasons, x.Contributions, x.Groups, x.NoConsentGroups, x.ProbabilityInterval, x.RevenueInterval = nil, nil, nil, nil, nil, nil
	}
	return want, indices
}
