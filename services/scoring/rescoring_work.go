package scoring

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/signal"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	profilePage  = 1000 // persons that Identity answers at once: about a megabyte
	profileLimit = 20 * time.Second
)

// Profiles is the part of Identity that knows everybody.
type Profiles interface {
	ListProfiles(ctx context.Context, in *identityv1.ListProfilesRequest, opts ...grpc.CallOption) (*identityv1.ListProfilesResponse, error)
}

// rescorer works on one re-scoring, for one job.
type rescorer struct {
	s          *Service
	force      *playbook.Playbook // compiled at the first page
	trial      *playbook.Playbook // with the model held against what is in force; nil without one
	beforeSlot int16              // of the scores counted against; -1 without any

	profile signal.Profile // its room serves one person after the other
	inputs  scoring.Inputs
	result  scoring.Result
}

// rescoringArgs are a re-scoring in River's table.
type rescoringArgs struct {
	RescoringID string `json:"rescoring_id"`
}

// Kind names the job in River's table.
func (rescoringArgs) Kind() string { return "rescoring" }

func (a rescoringArgs) name() string { return a.RescoringID }

// newRescorings is the work on re-scorings.
func newRescorings(s *Service) *runs[*store.Rescoring, store.RescoringChange] {
	return &runs[*store.Rescoring, store.RescoringChange]{
		chore: &chore{
			name:  "rescoring",
			begin: func() step { return (&rescorer{s: s}).step },
			args:  func(id lead.ID) named { return rescoringArgs{id.String()} },
			touch: s.store.TouchRescoring, stalled: s.store.TakeStalledRescoring,
		},
		words: "re-scoring", now: s.now, get: s.store.Rescoring, change: s.store.ChangeRescoring,
	}
}

// step scores one page of persons, counts them and keeps both in one transaction with the place; more
// is false when nothing is left to do. Two processes that are at the same page do it once: who comes
// second finds the place moved.
func (w *rescorer) step(ctx context.Context, id lead.ID) (more bool, err error) {
	r, err := w.s.store.Rescoring(ctx, id)
	if err != nil || r.State != store.Running {
		return false, err
	}
	if w.force == nil {
		if err := w.compile(ctx, r); err != nil {
			if errors.Is(err, errUnfit) {
				err = w.s.rescorings.fail(ctx, id, errUnfit.Error())
			}
			return false, err
		}
	}
	call, cancel := context.WithTimeout(ctx, profileLimit)
	defer cancel()
	page, err := w.s.profiles.ListProfiles(call, &identityv1.ListProfilesRequest{At: timestamppb.New(r.AsOf), PageSize: profilePage, PageToken: r.NextPage})
	if err != nil {
		return false, err
	}
	c := newCensus(w.force)
	if len(r.Report) > 0 {
		if c, err = readCensus(r.Report); err != nil {
			return false, err
		}
	}
	cares, err := w.s.openCares(call, page.GetProfiles())
	if err != nil {
		return false, err
	}
	persons, err := w.score(ctx, r, page, cares, c)
	if err != nil {
		return false, err
	}
	done := page.GetNextPageToken() == ""
	report, err := c.stored(done)
	if err != nil {
		return false, err
	}
	_, err = w.s.store.ChangeRescoring(ctx, id, func(now *store.Rescoring) (*store.RescoringChange, error) {
		if more = now.State == store.Running; !more || now.NextPage != r.NextPage {
			return nil, nil
		}
		now.Persons += int64(len(persons))
		now.NextPage, now.Progress, now.Report, now.UpdatedAt = page.GetNextPageToken(), page.GetProgressPpm(), report, w.s.now()
		if len(persons) > 0 {
			now.Last = persons[len(persons)-1].ID
		}
		if done {
			now.State, now.Progress, more = store.Done, wholeProgress, false
		}
		return &store.RescoringChange{Persons: persons, First: r.NextPage == ""}, nil
	})
	return more, err
}

// compile makes what scores, as it was in force when the re-scoring began, and what it is held against.
func (w *rescorer) compile(ctx context.Context, r *store.Rescoring) error {
	w.beforeSlot = -1
	if !r.Before.IsZero() {
		before, err := w.s.store.Rescoring(ctx, r.Before)
		if err != nil {
			return err
		}
		w.beforeSlot = before.Slot
	}
	force, err := w.s.pastPlaybook(ctx, r.Playbook, r.Scorer)
	if err != nil {
		return err
	}
	if r.Revision != "" {
		if w.trial, err = w.s.withModel(ctx, force, r.Revision); err != nil {
			return err
		}
	}
	w.force = force
	return nil
}

// pastPlaybook compiles a playbook with the models that scored beside it.
func (s *Service) pastPlaybook(ctx context.Context, revision, scorer string) (*playbook.Playbook, error) {
	stored, err := s.store.Get(ctx, revision)
	if err != nil {
		return nil, err
	}
	models, err := s.past(ctx, playbook.ScorerModels(revision, scorer))
	if err != nil {
		return nil, err
	}
	p, err := playbook.Load(stored.Bundle)
	if err != nil {
		return nil, errors.Join(errUnfit, err)
	}
	if p, err = effective(p, models); err != nil {
		return nil, errors.Join(errUnfit, err)
	}
	return p, nil
}

// withModel puts a model in the place of its line's table.
func (s *Service) withModel(ctx context.Context, p *playbook.Playbook, revision string) (*playbook.Playbook, error) {
	row, err := s.store.Model(ctx, revision)
	if err != nil {
		return nil, err
	}
	_, m, err := readModel(leadv1.Line(row.Line), row.Card)
	if err != nil {
		return nil, errors.Join(errUnfit, err)
	}
	if p, err = p.WithModels([]playbook.Model{m}); err != nil {
		return nil, errors.Join(errUnfit, err)
	}
	return p, nil
}

// score scores a page of persons and counts them against what was before.
func (w *rescorer) score(
	ctx context.Context, r *store.Rescoring, page *identityv1.ListProfilesResponse, cares map[lead.ID]lead.RequestType, c *census,
) ([]store.PersonScore, error) {
	now := make([]store.PersonScore, 0, len(page.GetProfiles()))
	seen, last := r.Last, r.Last                                          // last is of those who are scored, as the next page goes on from there
	c.report.UnreadableCount += int64(len(page.GetUnreadablePersonIds())) // Identity has named them
	for i, p := range page.GetProfiles() {
		id, err := lead.ParseID(p.GetPersonId())
		if err != nil || !seen.IsZero() && order(seen, id) >= 0 {
			return nil, problem.Internal(fmt.Errorf("person %d of the page is out of order", i))
		}
		seen = id
		if err := w.extract(p, r.AsOf); err != nil {
			// Nobody could ever go beyond it otherwise.
			w.s.log.LogAttrs(ctx, slog.LevelWarn, "what is known of a person can not be read; everybody else is scored", slog.String("person_id", id.String()))
			c.report.UnreadableCount++
			continue
		}
		asked, open := cares[id]
		scores := func(p *playbook.Playbook) store.PersonScore {
			out := w.scores(p, id)
			w.care(p, asked, open, &out)
			return out
		}
		score := scores(w.force)
		if w.trial != nil {
			before := score
			score = scores(w.trial)
			c.add(&before, &score)
		}
		now, last = append(now, score), id
	}
	end := page.GetNextPageToken() == ""
	if w.trial != nil || len(now) == 0 && !end {
		return now, nil
	}
	if end {
		last = lead.ID{}
	}
	return now, w.count(ctx, c, r.Last, last, now)
}

// count holds persons, and all who were there before between one person and another, against before.
func (w *rescorer) count(ctx context.Context, c *census, after, last lead.ID, now []store.PersonScore) error {
	i := 0
	if w.beforeSlot >= 0 {
		err := w.s.store.ScoresUpTo(ctx, w.beforeSlot, after, last, func(before *store.PersonScore) {
			for i < len(now) && order(now[i].ID, before.ID) < 0 {
				c.add(nil, &now[i])
				i++
			}
			if i == len(now) || now[i].ID != before.ID {
				c.add(before, nil)
				return
			}
			c.add(before, &now[i])
			i++
		})
		if err != nil {
			return err
		}
	}
	for ; i < len(now); i++ {
		c.add(nil, &now[i])
	}
	return nil
}

// order is the order in which Identity answers persons.
func order(a, b lead.ID) int {
	return cmp.Or(cmp.Compare(a.Bucket(), b.Bucket()), bytes.Compare(a[:], b[:]))
}

// extract fills the inputs of a person.
func (w *rescorer) extract(p *identityv1.PersonProfile, asOf time.Time) error {
	if err := w.profile.Unmarshal(p.GetProfile()); err != nil {
		return err
	}
	// A model that is tried stands in the same playbook, so what is declared is the same.
	facts := scoring.Facts{Catalogue: w.force.Catalogue, Currency: w.force.Currency}
	if p.GetProfiling() {
		facts.Profiling = lead.ConsentStateGranted
	}
	who := scoring.Person{
		Phone: p.GetHasPhone(), Email: p.GetHasEmail(), Market: w.force.Market, Country: p.GetCountry(), Region: p.GetRegion(), Postal: p.GetPostalCode(),
	}
	scoring.ExtractPerson(who, &w.profile, asOf, facts, &w.inputs)
	return nil
}

// scores scores the inputs at hand by a playbook.
func (w *rescorer) scores(p *playbook.Playbook, id lead.ID) store.PersonScore {
	res := &w.result
	p.Scoring.Score(&w.inputs, res)
	out := store.PersonScore{ID: id, Levels: res.Levels, Active: res.Active, Next: p.Scoring.Triggered(res), NoConsent: res.NoConsent}
	for line := range out.Points {
		out.Points[line], out.Stages[line] = int16(res.Points[line]), uint8(res.Stage[line])
	}
	for code := range out.Indices {
		x := &out.Indices[code]
		r, ok := p.Scoring.Read(lead.Index(code), &w.inputs)
		if !ok {
			x.Points = -1
			continue
		}
		x.Points, x.Expected = int16(r.Points), r.Expected
		for i, band := range p.Scorecards.Indices[lead.Index(code).String()].Bands {
			if band.Name == r.Band {
				x.Band = uint8(i + 1)
			}
		}
	}
	return out
}
