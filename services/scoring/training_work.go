package scoring

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/protobuf/proto"
)

// mostTrained is up to how many leads a training keeps; of more it keeps a draw of about so many.
const mostTrained = 1_000_000

// trainingArgs are a training in River's table.
type trainingArgs struct {
	TrainingID string `json:"training_id"`
}

// Kind names the job in River's table.
func (trainingArgs) Kind() string { return "training" }

func (a trainingArgs) name() string { return a.TrainingID }

// newTrainings is the work on trainings.
func newTrainings(s *Service) *runs[*store.Training, store.TrainingChange] {
	return &runs[*store.Training, store.TrainingChange]{
		chore: &chore{
			name:  "training",
			limit: -1, // learning is one step, however long it takes
			begin: func() step { return (&trainer{s: s}).step },
			args:  func(id lead.ID) named { return trainingArgs{id.String()} },
			touch: s.store.TouchTraining, stalled: s.store.TakeStalledTraining,
		},
		words: "training", now: s.now, get: s.store.Training, change: s.store.ChangeTraining,
	}
}

// trainer works on one training, for one job.
type trainer struct {
	s        *Service
	deciding *scoring.Model // compiled at the first page
}

// step reads one page of leads, or learns once there are no more. Two processes that are at the same page
// do it once: who comes second finds the place moved.
func (t *trainer) step(ctx context.Context, id lead.ID) (more bool, err error) {
	x, err := t.s.store.Training(ctx, id)
	if err != nil || x.State != store.Running {
		return false, err
	}
	if x.Step == store.TrainingLearning {
		return false, t.s.learn(ctx, x)
	}
	if t.deciding == nil {
		_, with, err := t.s.compose(ctx, x.Playbook, x.Deciding)
		if errors.Is(err, errUnfit) {
			return false, t.s.trainings.fail(ctx, id, "the table that decides does not compile in this version")
		}
		if err != nil {
			return false, err
		}
		t.deciding = with.Scoring
	}
	page, err := t.s.readPast(ctx, period{x.Line, x.From, x.To}, x.NextPage)
	if err != nil {
		return false, err
	}
	leads := x.Leads + int64(len(page.leads))
	part, err := proto.Marshal(t.pack(x.Line, page, drawBelow(estimated(leads, page.progress))))
	if err != nil {
		return false, err
	}
	_, err = t.s.store.ChangeTraining(ctx, id, func(now *store.Training) (*store.TrainingChange, error) {
		if more = now.State == store.Running; !more || now.Step != x.Step || now.NextPage != x.NextPage || now.Progress != x.Progress {
			return nil, nil
		}
		now.Leads, now.NextPage, now.Progress, now.UpdatedAt = leads, page.next, page.progress, t.s.now()
		if now.NextPage == "" {
			now.Step, now.Progress = store.TrainingLearning, 0
		}
		return &store.TrainingChange{Part: part}, nil
	})
	return more, err
}

// drawBelow is below which number of the draw leads are kept when there are about so many: a part of
// them, so that the next estimate being higher only leaves more out. 0 keeps all.
func drawBelow(leads int64) uint32 {
	if leads <= mostTrained {
		return 0
	}
	return uint32(math.Ceil(math.MaxUint32 * float64(mostTrained) / float64(leads)))
}

// drawn is where a lead stands in the draw: the same place in every training, and evenly spread.
func drawn(id lead.ID) uint32 {
	h := sha256.Sum256(append([]byte("training"), id[:]...))
	return binary.BigEndian.Uint32(h[:])
}

// pack writes leads by columns, without those that the draw leaves out.
func (t *trainer) pack(line lead.Line, page *pastLeads, below uint32) *scoringv1.TrainingRows {
	rows := &scoringv1.TrainingRows{Below: below, UnreadableCount: page.unread}
	var columns [scoring.NumFeatures]*scoringv1.TrainingColumn
	var brands, regions names
	var res scoring.Result
	for i := range page.leads {
		x := &page.leads[i]
		draw := drawn(x.id)
		if below > 0 && draw >= below {
			continue
		}
		t.deciding.Score(&x.inputs, &res)
		row := int32(len(rows.Draws))
		rows.Draws, rows.Outcomes = append(rows.Draws, draw), append(rows.Outcomes, byte(x.outcome))
		rows.Received, rows.Ages = append(rows.Received, x.received.Unix()), append(rows.Ages, int64(x.age.Seconds()))
		rows.DecidingPoints, rows.DecidingPpm = append(rows.DecidingPoints, res.Points[line]), append(rows.DecidingPpm, res.Probability[line])
		rows.BrandOf, rows.RegionOf = append(rows.BrandOf, brands.number(x.brand)), append(rows.RegionOf, regions.number(x.region))
		rows.Segments = append(rows.Segments, byte(res.Segments))
		for f := scoring.FeatureNone + 1; f < scoring.NumFeatures; f++ {
			v := x.inputs.Values[f]
			if v <= scoring.Missing { // or absent for want of consent
				continue
			}
			if columns[f] == nil {
				columns[f] = &scoringv1.TrainingColumn{Feature: f.String()}
				rows.Columns = append(rows.Columns, columns[f])
			}
			columns[f].Rows, columns[f].Values = append(columns[f].Rows, row), append(columns[f].Values, v)
		}
	}
	rows.Brands, rows.Regions = brands.list, regions.list
	return rows
}
