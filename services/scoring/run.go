package scoring

import (
	"context"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	store "github.com/leadmesh/leadmesh/services/scoring/internal/postgres"
	"google.golang.org/protobuf/proto"
)

// wholeProgress is the progress of what is done, in millionths.
const wholeProgress = 1_000_000

// runs is a kind of run with what all kinds do alike. R is a run of the kind, C what is kept with a
// change of one.
type runs[R store.AnyRun, C any] struct {
	*chore
	words  string // what people call one
	now    func() time.Time
	get    func(ctx context.Context, id lead.ID) (R, error)
	change func(ctx context.Context, id lead.ID, change func(R) (*C, error)) (R, error)
}

// newRun is a run that begins.
func newRun(by, note string, now time.Time) store.Run {
	return store.Run{ID: newJobID(), State: store.Running, Note: note, By: by, UpdatedAt: now}
}

// sequence is what the list of a kind is ordered by.
func sequence[R store.AnyRun](run R) int64 { return run.AsRun().Sequence }

// find is the run that a request names.
func (k *runs[R, C]) find(ctx context.Context, name string) (run R, err error) {
	id, err := k.parseID(name)
	if err != nil {
		return run, err
	}
	return k.get(ctx, id)
}

// cancel ends the run that a request names, if it goes on. To cancel it again changes nothing.
func (k *runs[R, C]) cancel(ctx context.Context, name string) (run R, err error) {
	id, err := k.parseID(name)
	if err != nil {
		return run, err
	}
	return k.change(ctx, id, func(run R) (*C, error) {
		switch r := run.AsRun(); r.State {
		case store.Cancelled:
			return nil, nil
		case store.Running:
			r.State, r.UpdatedAt = store.Cancelled, k.now()
			return new(C), nil
		default:
			return nil, wrongState("the " + k.words + " has ended")
		}
	})
}

// fail ends a run that can not go on.
func (k *runs[R, C]) fail(ctx context.Context, id lead.ID, why string) error {
	_, err := k.change(ctx, id, func(run R) (*C, error) {
		r := run.AsRun()
		if r.State != store.Running {
			return nil, nil
		}
		r.State, r.Problem, r.UpdatedAt = store.Failed, why, k.now()
		return new(C), nil
	})
	return err
}

func (k *runs[R, C]) parseID(name string) (lead.ID, error) {
	id, err := lead.ParseID(name)
	if err != nil {
		return id, problem.Invalid(problem.Violation{Field: k.name + "_id", Description: err.Error()})
	}
	return id, nil
}

// readReport decodes what a run found.
func readReport(raw []byte, into proto.Message) error {
	if err := proto.Unmarshal(raw, into); err != nil {
		return problem.Internal(fmt.Errorf("decode a report: %w", err))
	}
	return nil
}

// estimated is about how many leads or persons there are when so many make up a progress; 0 before
// anything can be said.
func estimated(count int64, progress int32) int64 {
	if progress == 0 {
		return 0
	}
	return count * wholeProgress / int64(progress)
}
