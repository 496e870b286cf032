package scoring

import (
	"context"
	"errors"
	"fmt"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/protobuf/proto"
)

// mostLeads bounds the memory that a report takes: about 150 bytes per lead.
const mostLeads = 1_000_000

// trial works on one backtest, for one job.
type trial struct {
	s *Service
	// Compiled at the first page; current is nil where nobody knows what it was.
	model, current *scoring.Model
}

// backtestArgs are a backtest in River's table.
type backtestArgs struct {
	BacktestID string `json:"backtest_id"`
}

// Kind names the job in River's table.
func (backtestArgs) Kind() string { return "backtest" }

func (a backtestArgs) name() string { return a.BacktestID }

// newBacktests is the work on backtests.
func newBacktests(s *Service) *runs[*store.Backtest, store.BacktestChange] {
	return &runs[*store.Backtest, store.BacktestChange]{
		chore: &chore{
			name:  "backtest",
			begin: func() step { return (&trial{s: s}).step },
			args:  func(id lead.ID) named { return backtestArgs{id.String()} },
			touch: s.store.TouchBacktest, stalled: s.store.TakeStalledBacktest,
		},
		words: "backtest", now: s.now, get: s.store.Backtest, change: s.store.ChangeBacktest,
	}
}

// step scores one page of leads, or writes the report once there are no more; more is false when
// nothing is left to do. Two processes that are at the same page do it once: who comes second finds the
// place moved.
func (t *trial) step(ctx context.Context, id lead.ID) (more bool, err error) {
	b, err := t.s.store.Backtest(ctx, id)
	if err != nil || b.State != store.Running {
		return false, err
	}
	if b.Progress == wholeProgress {
		return false, t.s.finish(ctx, id)
	}
	if t.model == nil {
		if err = t.compile(ctx, b); err != nil {
			if errors.Is(err, errUnfit) {
				err = t.s.backtests.fail(ctx, id, errUnfit.Error())
			}
			return false, err
		}
	}
	page, err := t.s.readPast(ctx, period{b.Line, b.From, b.To}, b.NextPage)
	if p := problem.From(err); p != nil && p.Reason == problemv1.Reason_REASON_INVALID_ARGUMENT && b.NextPage != "" {
		return false, t.s.backtests.fail(ctx, id, "another version of Routing does not know the place that it was at; begin it again")
	}
	if err != nil {
		return false, err
	}
	part, err := t.score(b.Line, page)
	if err != nil {
		return false, err
	}
	_, err = t.s.store.ChangeBacktest(ctx, id, func(now *store.Backtest) (*store.BacktestChange, error) {
		if more = now.State == store.Running; !more || now.NextPage != b.NextPage || now.Progress != b.Progress {
			return nil, nil
		}
		now.Leads += int64(len(page.leads))
		now.NextPage, now.Progress, now.UpdatedAt = page.next, page.progress, t.s.now() // at the end only the report is to do
		if now.Leads > mostLeads {
			now.State, now.Problem, more = store.Failed, fmt.Sprintf("the period has more than %d leads; give a shorter one", mostLeads), false
			return &store.BacktestChange{}, nil
		}
		return &store.BacktestChange{Part: part}, nil
	})
	return more, err
}

// errUnfit is why a model will never score in this version.
var errUnfit = errors.New("the model does not compile beside its playbook in this version")

// compile makes what scores: the model and what scored its line when the backtest began.
func (t *trial) compile(ctx context.Context, b *store.Backtest) error {
	_, model, err := t.s.compose(ctx, b.Playbook, b.Revision)
	if err != nil {
		return err
	}
	if b.Scorecard != "" { // one begun by an earlier version does not say
		_, current, err := t.s.compose(ctx, b.Playbook, b.Against)
		if err != nil {
			return err
		}
		t.current = current.Scoring
	}
	t.model = model.Scoring
	return nil
}

// compose is a stored playbook, and the same with a model in place of its line's table, "" for none. The
// error errUnfit says that this version can not take them.
func (s *Service) compose(ctx context.Context, revision, model string) (own, with *playbook.Playbook, err error) {
	stored, err := s.store.Get(ctx, revision)
	if err != nil {
		return nil, nil, err
	}
	if own, err = playbook.Load(stored.Bundle); err != nil {
		return nil, nil, errors.Join(errUnfit, err)
	}
	if model == "" {
		return own, own, nil
	}
	with, err = s.withModel(ctx, own, model)
	return own, with, err
}

// score writes a page of leads as a part: what decided, what the model says of the same inputs, and what
// scored the line when the backtest began.
func (t *trial) score(line lead.Line, page *pastLeads) ([]byte, error) {
	if len(page.leads) == 0 && page.unread == 0 {
		return nil, nil
	}
	rows := &scoringv1.BacktestRows{UnreadableCount: page.unread}
	var brands, regions names
	var res scoring.Result
	for i := range page.leads {
		d := &page.leads[i]
		if t.current != nil {
			t.current.Score(&d.inputs, &res)
			rows.CurrentPoints, rows.CurrentPpm = append(rows.CurrentPoints, res.Points[line]), append(rows.CurrentPpm, res.Probability[line])
		}
		t.model.Score(&d.inputs, &res)
		rows.LeadIds, rows.Outcomes, rows.BrandOf = append(rows.LeadIds, d.id[:]...), append(rows.Outcomes, byte(d.outcome)), append(rows.BrandOf, brands.number(d.brand))
		rows.DecidedPoints, rows.DecidedPpm = append(rows.DecidedPoints, d.points), append(rows.DecidedPpm, d.chance)
		rows.ModelPoints, rows.ModelPpm = append(rows.ModelPoints, res.Points[line]), append(rows.ModelPpm, res.Probability[line])
		rows.DecidedStages, rows.ModelStages = append(rows.DecidedStages, byte(d.stage)), append(rows.ModelStages, byte(res.Stage[line]))
		rows.RegionOf, rows.Segments = append(rows.RegionOf, regions.number(d.region)), append(rows.Segments, byte(res.Segments))
	}
	rows.Brands, rows.Regions = brands.list, regions.list
	return proto.Marshal(rows)
}
