package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/deploy/bench/load"
	"github.com/leadmesh/leadmesh/deploy/bench/product"
	"github.com/leadmesh/leadmesh/deploy/sample/people"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	jobPoll     = 50 * time.Millisecond
	pastSignals = 60 // known of the person of a past lead, at most
)

// working measures the long work of Scoring: everybody scored anew, and a table learned from leads of
// the past and held against them, each beside leads that keep coming in.
func (b *bench) working(ctx context.Context) (rows []Row, err error) {
	h, err := b.jobHouse(ctx)
	if h != nil {
		defer func() { err = errors.Join(err, h.close()) }()
	}
	if err != nil {
		return nil, err
	}
	persons, err := h.know(ctx, amount(b, 2_000, 1_250_000))
	if err != nil {
		return nil, err
	}
	scored, err := h.rescored(ctx, persons, amount(b, 60, 1_000))
	if err != nil {
		return nil, err
	}
	if b.small { // to learn from few leads takes seconds all the same, and tells nothing of many
		return append(scored, Row{What: "learn from past leads", Skipped: "only in the long run"}), nil
	}
	if err := h.happened(ctx, 100_000); err != nil {
		return nil, err
	}
	learned, err := h.learned(ctx)
	return append(scored, learned...), err
}

// jobHouse is an installation whose Scoring works for long.
type jobHouse struct {
	stage      *stage
	conn, mesh *grpc.ClientConn
	maker      *load.Maker
	began      time.Time // leads of the past came before, those sent beside a re-scoring after
}

func (b *bench) jobHouse(ctx context.Context) (*jobHouse, error) {
	s, err := b.stage(ctx)
	if err != nil {
		return nil, err
	}
	h := &jobHouse{stage: s, began: time.Now()}
	if h.conn, err = s.process.Dial(); err != nil {
		return h, err
	}
	if h.mesh, err = s.process.DialAs("capture"); err != nil {
		return h, err
	}
	h.maker, err = load.NewMaker("p12", uint64(time.Now().UnixNano()))
	return h, err
}

func (h *jobHouse) close() error {
	var errs []error
	for _, conn := range []*grpc.ClientConn{h.conn, h.mesh} {
		if conn != nil {
			errs = append(errs, conn.Close())
		}
	}
	return errors.Join(append(errs, h.stage.close())...)
}

// know has Identity know the persons of so many records, and what they did.
func (h *jobHouse) know(ctx context.Context, records int) (persons int, err error) {
	p, err := people.New(people.Options{Seed: uint64(records), Count: records, Repeat: 1.25})
	if err != nil {
		return 0, err
	}
	const stretch = 20_000 // encoded at once
	for from := 0; from < records; from += stretch {
		to := min(from+stretch, records)
		asked, err := load.Watched(p, from, to, 1_000)
		if err != nil {
			return 0, err
		}
		r, err := load.Resolve(ctx, h.mesh, asked, resolveCallers, 0)
		if err != nil {
			return 0, fmt.Errorf("%w; the product said: %s", err, h.stage.process.LastWords())
		}
		persons += r.Created
		signals, err := load.Owned(p, from, to, 2_000, time.Now())
		if err != nil {
			return 0, err
		}
		for i := range signals {
			var answer load.Frame
			if err := h.conn.Invoke(ctx, identityv1.IdentityService_BatchCreateSignals_FullMethodName, &signals[i], &answer, load.Frames()); err != nil {
				return 0, fmt.Errorf("tell what persons did: %w", err)
			}
		}
	}
	_, err = h.stage.db.Exec(ctx, "VACUUM (ANALYZE, SKIP_LOCKED)")
	return persons, err
}

// rescored scores everybody three times: to warm up, alone, and beside leads that come one after another.
func (h *jobHouse) rescored(ctx context.Context, persons, leads int) ([]Row, error) {
	begin := func() (look, error) {
		client := scoringv1.NewRescoringServiceClient(h.conn)
		resp, err := client.StartRescoring(ctx, &scoringv1.StartRescoringRequest{})
		id := resp.GetRescoring().GetRescoringId()
		return func() (bool, error) {
			resp, err := client.GetRescoring(ctx, &scoringv1.GetRescoringRequest{RescoringId: id})
			r := resp.GetRescoring()
			if s := r.GetState(); err != nil || s == scoringv1.RescoringState_RESCORING_STATE_RUNNING {
				return false, err
			} else if s != scoringv1.RescoringState_RESCORING_STATE_DONE || r.GetPersonCount() < int64(persons)*9/10 {
				return false, fmt.Errorf("the re-scoring of %d persons ended as %s with %d: %s", persons, s, r.GetPersonCount(), r.GetProblem())
			}
			return true, nil
		}, err
	}
	if _, err := h.work(ctx, begin); err != nil {
		return nil, err
	}
	w, err := h.work(ctx, begin)
	if err != nil {
		return nil, err
	}
	n := time.Duration(persons)
	alone, err := h.send(ctx, leads, nil)
	if err != nil {
		return nil, err
	}
	over, err := begin()
	if err != nil {
		return nil, err
	}
	beside, err := h.send(ctx, leads, over)
	if err != nil {
		return nil, err
	}
	return []Row{
		{What: fmt.Sprintf("score each of %d persons anew", persons), Figure: fmt.Sprintf("%s product, %s Postgres", took(w.spent.product/n), took(w.spent.server/n)),
			Note: fmt.Sprintf("%s in all; the product rests as long as it works; %.0f bytes of log a person", took(w.clock), float64(w.spent.wal)/float64(persons))},
		{What: "memory the product takes for it", Figure: fmt.Sprintf("%d MB", w.memory>>20), Limit: fmt.Sprintf("of %d MB", w.peak>>20)},
		{What: "one lead over REST beside it, p50", Figure: took(load.Quantile(beside, 0.5)), Limit: took(load.Quantile(alone, 0.5)) + " alone",
			Ratio: rangeOf([]float64{ratioAt(beside, alone, 0.5)}), Note: fmt.Sprintf("%d leads beside it", len(beside))},
	}, nil
}

// happened has leads decided and a year of theirs pass.
func (h *jobHouse) happened(ctx context.Context, leads int) error {
	const stretch = 10_000 // encoded at once
	for done := 0; done < leads; done += stretch {
		var past load.Past
		requests, err := past.Decided(h.maker, min(stretch, leads-done), pastSignals, h.began)
		if err != nil {
			return err
		}
		o, err := load.Decide{Conn: h.mesh, Streams: 4}.Run(ctx, requests, 256, 0)
		if err == nil && o.Refused > 0 {
			err = fmt.Errorf("%d leads were refused, one because of %s", o.Refused, o.Problem)
		}
		if err == nil {
			err = past.Happen(ctx, h.stage.db)
		}
		if err != nil {
			return fmt.Errorf("%w; the product said: %s", err, h.stage.process.LastWords())
		}
	}
	_, err := h.stage.db.Exec(ctx, "VACUUM (ANALYZE, SKIP_LOCKED)")
	return err
}

// learned learns a table for sales from what happened and holds it against the same leads.
func (h *jobHouse) learned(ctx context.Context) ([]Row, error) {
	client := scoringv1.NewModelServiceClient(h.conn)
	var t *scoringv1.Training
	learning, err := h.work(ctx, func() (look, error) {
		resp, err := client.StartTraining(ctx, &scoringv1.StartTrainingRequest{Line: leadv1.Line_LINE_SALES, To: timestamppb.New(h.began)})
		id := resp.GetTraining().GetTrainingId()
		return func() (bool, error) {
			resp, err := client.GetTraining(ctx, &scoringv1.GetTrainingRequest{TrainingId: id})
			t = resp.GetTraining()
			if s := t.GetState(); err != nil || s == scoringv1.TrainingState_TRAINING_STATE_RUNNING {
				return false, err
			} else if s != scoringv1.TrainingState_TRAINING_STATE_DONE || t.GetRevision() == "" {
				return false, fmt.Errorf("the training ended as %s without a model: %s", s, t.GetProblem())
			}
			return true, nil
		}, err
	})
	if err != nil {
		return nil, err
	}
	var b *scoringv1.Backtest
	trying, err := h.work(ctx, func() (look, error) {
		resp, err := client.StartBacktest(ctx, &scoringv1.StartBacktestRequest{Revision: t.GetRevision(), To: timestamppb.New(h.began)})
		id := resp.GetBacktest().GetBacktestId()
		return func() (bool, error) {
			resp, err := client.GetBacktest(ctx, &scoringv1.GetBacktestRequest{BacktestId: id})
			b = resp.GetBacktest()
			if s := b.GetState(); err != nil || s == scoringv1.BacktestState_BACKTEST_STATE_RUNNING {
				return false, err
			} else if s != scoringv1.BacktestState_BACKTEST_STATE_DONE {
				return false, fmt.Errorf("the backtest ended as %s: %s", s, b.GetProblem())
			}
			return true, nil
		}, err
	})
	if err != nil {
		return nil, err
	}
	row := func(what string, leads int64, w *worked) Row {
		n := time.Duration(max(leads, 1))
		return Row{
			What: fmt.Sprintf("%s %d past leads", what, leads), Figure: fmt.Sprintf("%s product, %s Postgres a lead", took(w.spent.product/n), took(w.spent.server/n)),
			Note: fmt.Sprintf("%s in all; %d MB more memory, %d MB at most", took(w.clock), w.memory>>20, w.peak>>20),
		}
	}
	auc := func(f *scoringv1.BacktestFigures) float64 { return float64(f.GetAuc().GetPpm()) / 1e6 }
	rows := []Row{row("learn sales from", t.GetLeadCount(), learning), row("hold it against", b.GetLeadCount(), trying)}
	rows[0].Note += fmt.Sprintf("; AUC %.3f on the newest, of the playbook's table %.3f", auc(t.GetReport().GetLearned()), auc(t.GetReport().GetDeciding()))
	return rows, nil
}

// look asks whether work is over; an error is what went wrong.
type look func() (over bool, err error)

// worked is what work took.
type worked struct {
	clock        time.Duration
	spent        cost
	memory, peak int64 // bytes: more than when it began, and at most
}

// work begins something and waits until it is over.
func (h *jobHouse) work(ctx context.Context, begin func() (look, error)) (*worked, error) {
	before, err := h.stage.reading(ctx)
	if err != nil {
		return nil, err
	}
	w := &worked{}
	start, memory := time.Now(), product.RSS(h.stage.process.PID)
	over, err := begin()
	if err != nil {
		return nil, err
	}
	for done := false; !done; {
		if done, err = over(); err != nil {
			return nil, err
		}
		w.peak = max(w.peak, product.RSS(h.stage.process.PID))
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(jobPoll):
		}
	}
	w.clock, w.memory = time.Since(start), max(w.peak-memory, 0)
	after, err := h.stage.reading(ctx)
	w.spent.add(1, before, after)
	return w, err
}

// send sends leads one after another, and goes on until over says so where there is one.
func (h *jobHouse) send(ctx context.Context, leads int, over look) (times []time.Duration, err error) {
	for done := over == nil; !done || over == nil && len(times) < leads; {
		one, _, err := post(ctx, h.stage, h.maker)
		if err != nil {
			return nil, err
		}
		if times = append(times, one); over != nil && len(times)%10 == 0 {
			if done, err = over(); err != nil {
				return nil, err
			}
		}
	}
	return times, nil
}
