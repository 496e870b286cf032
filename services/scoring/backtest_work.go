package scoring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	corerouting "github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	pastPage  = 500 // leads that Routing looks at per page
	pastLimit = 20 * time.Second
	// mostLeads bounds the memory that a report takes: about 100 bytes per lead.
	mostLeads = 1_000_000
)

// PastDecisions is the part of Routing that knows what was decided.
type PastDecisions interface {
	ListPastDecisions(ctx context.Context, in *routingv1.ListPastDecisionsRequest, opts ...grpc.CallOption) (*routingv1.ListPastDecisionsResponse, error)
}

// What became of a lead, as in scoringv1.BacktestRows.
const (
	outcomeWon = iota + 1
	outcomeLost
	outcomeExpired
	outcomeOpen
)

// trial works on one backtest, for one job.
type trial struct {
	s     *Service
	model *scoring.Model // compiled at the first page
}

// step scores one page of leads, or writes the report once there are no more; more is false when
// nothing is left to do. Two processes that are at the same page do it once: who comes second finds the
// place moved.
func (t *trial) step(ctx context.Context, id lead.ID) (more bool, err error) {
	b, err := t.s.store.Backtest(ctx, id)
	if err != nil || b.State != store.BacktestRunning {
		return false, err
	}
	if b.Progress == wholeProgress {
		return false, t.s.finish(ctx, id)
	}
	if t.model == nil {
		if t.model, err = t.s.compileTrial(ctx, b); err != nil {
			if errors.Is(err, errUnfit) {
				err = t.giveUp(ctx, id)
			}
			return false, err
		}
	}
	call, cancel := context.WithTimeout(ctx, pastLimit)
	defer cancel()
	page, err := t.s.decided.ListPastDecisions(call, &routingv1.ListPastDecisionsRequest{
		Line: leadv1.Line(b.Line), From: timestamppb.New(b.From), To: timestamppb.New(b.To), PageSize: pastPage, PageToken: b.NextPage,
	})
	if err != nil {
		return false, err
	}
	part, err := t.score(b.Line, page.GetDecisions())
	if err != nil {
		return false, err
	}
	_, err = t.s.store.ChangeBacktest(ctx, id, func(now *store.Backtest) ([]byte, bool, error) {
		if more = now.State == store.BacktestRunning; !more || now.NextPage != b.NextPage || now.Progress != b.Progress {
			return nil, false, nil
		}
		now.Leads += int64(len(page.GetDecisions()))
		now.NextPage, now.Progress, now.UpdatedAt = page.GetNextPageToken(), min(page.GetProgressPpm(), wholeProgress-1), t.s.now()
		if now.NextPage == "" {
			now.Progress = wholeProgress // only the report is to do
		}
		if now.Leads > mostLeads {
			now.State, now.Problem, more = store.BacktestFailed, fmt.Sprintf("the period has more than %d leads; give a shorter one", mostLeads), false
			return nil, true, nil
		}
		return part, true, nil
	})
	return more, err
}

// errUnfit is why a model will never score in this version.
var errUnfit = errors.New("the model does not compile beside its playbook in this version")

// giveUp ends a backtest whose model can not score.
func (t *trial) giveUp(ctx context.Context, id lead.ID) error {
	_, err := t.s.store.ChangeBacktest(ctx, id, func(b *store.Backtest) ([]byte, bool, error) {
		if b.State != store.BacktestRunning {
			return nil, false, nil
		}
		b.State, b.Problem, b.UpdatedAt = store.BacktestFailed, errUnfit.Error(), t.s.now()
		return nil, true, nil
	})
	return err
}

// compileTrial makes what scores: the model in place of its line's table in the playbook.
func (s *Service) compileTrial(ctx context.Context, b *store.Backtest) (*scoring.Model, error) {
	stored, err := s.store.Get(ctx, b.Playbook)
	if err != nil {
		return nil, err
	}
	row, err := s.store.Model(ctx, b.Revision)
	if err != nil {
		return nil, err
	}
	p, err := playbook.Load(stored.Bundle)
	if err != nil {
		return nil, errors.Join(errUnfit, err)
	}
	_, m, err := readModel(leadv1.Line(row.Line), row.Card)
	if err != nil {
		return nil, errors.Join(errUnfit, err)
	}
	if p, err = p.WithModels([]playbook.Model{m}); err != nil {
		return nil, errors.Join(errUnfit, err)
	}
	return p.Scoring, nil
}

// score writes a page of leads as a part: what decided and what the model says of the same inputs.
func (t *trial) score(line lead.Line, page []*routingv1.PastDecision) ([]byte, error) {
	if len(page) == 0 {
		return nil, nil
	}
	rows := &scoringv1.BacktestRows{}
	brands := map[string]int32{}
	var res scoring.Result
	for _, d := range page {
		id, err := lead.ParseID(d.GetLeadId())
		if err != nil {
			return nil, problem.Internal(fmt.Errorf("a past decision: %w", err))
		}
		var r corerouting.Receipt
		for _, x := range d.GetInputs() {
			r.Inputs = append(r.Inputs, corerouting.Input{Name: x.GetName(), Value: x.GetValue()})
		}
		in := scoreconv.Inputs(&r)
		t.model.Score(&in, &res)
		brand, ok := brands[d.GetBrand()]
		if !ok {
			brand = int32(len(brands))
			brands[d.GetBrand()], rows.Brands = brand, append(rows.Brands, d.GetBrand())
		}
		rows.LeadIds, rows.Outcomes, rows.BrandOf = append(rows.LeadIds, id[:]...), append(rows.Outcomes, outcomeOf(d.GetState())), append(rows.BrandOf, brand)
		rows.DecidedPoints, rows.DecidedPpm = append(rows.DecidedPoints, d.GetPoints()), append(rows.DecidedPpm, d.GetProbabilityPpm())
		rows.ModelPoints, rows.ModelPpm = append(rows.ModelPoints, res.Points[line]), append(rows.ModelPpm, res.Probability[line])
		rows.DecidedStages, rows.ModelStages = append(rows.DecidedStages, byte(d.GetStage())), append(rows.ModelStages, byte(res.Stage[line]))
	}
	return proto.Marshal(rows)
}

func outcomeOf(s leadv1.State) byte {
	switch s {
	case leadv1.State_STATE_WON:
		return outcomeWon
	case leadv1.State_STATE_LOST:
		return outcomeLost
	case leadv1.State_STATE_EXPIRED:
		return outcomeExpired
	default:
		return outcomeOpen
	}
}
