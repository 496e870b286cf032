package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
	"github.com/leadmesh/leadmesh/core/scoring/train/traintest"
)

// driftingWorlds are the ways in which made worlds change, one by one and together.
var driftingWorlds = []traintest.Drift{
	traintest.Rate, traintest.Rate | traintest.Calendar, traintest.Rate | traintest.Emerging, traintest.Rate | traintest.Macro,
	traintest.Sources, traintest.Turning, traintest.Rate | traintest.Censored, traintest.Repeats, traintest.Rate | traintest.Counters,
	traintest.Rate | traintest.Calendar | traintest.Emerging | traintest.Censored, traintest.All,
}

// drifting measures how well learned tables tell the newest fifth of made worlds that change much,
// learned from the older rows, beside XGBoost on the same columns.
func (b *bench) drifting(ctx context.Context, p *peer) ([]Row, error) {
	var own, trees, off []float64
	worst, name := math.Inf(1), ""
	rows := amount(b, 10_000, 30_000)
	from := rows * 8 / 10
	for k, ways := range driftingWorlds {
		w := traintest.Make(rows, ways, 1, uint64(k+1))
		c, _, err := train.Learn(w.Frame.Slice(0, from), w.Outcomes[:from], train.Options{
			Ordered: true, Target: card.Target{Column: "won"}, Workers: runtime.NumCPU(), Seed: 1,
		}, func(int, int) bool { return ctx.Err() == nil })
		if err != nil {
			return nil, err
		}
		newest, came := w.Frame.Slice(from, rows), w.Outcomes[from:]
		points, err := scored(c, newest)
		if err != nil {
			return nil, err
		}
		x, err := p.compare(ctx, w.Frame, w.Outcomes, from, true)
		if err != nil {
			return nil, err
		}
		chances, err := following(c, newest, came)
		if err != nil {
			return nil, err
		}
		own = append(own, assess.AUC(sampleOf(points, came)).Value)
		trees = append(trees, assess.AUC(sampleOf(x.boosted, came)).Value)
		off = append(off, assess.CalibrationError(sampleOf(chances, came[rows-from-len(chances):]), 10, 1).Error.Value)
		if d := own[k] - trees[k]; d < worst {
			worst, name = d, ways.String()
		}
	}
	return []Row{{
		What: fmt.Sprintf("%d made worlds with strong drift, oldest 80 %% to newest 20 %%", len(own)), Figure: fmt.Sprintf("AUC %.4f", mean(own)),
		Limit: fmt.Sprintf("%.4f XGBoost", mean(trees)), Goal: ">= XGBoost - 0.002 in each", Held: held(worst >= -0.002),
		Note: fmt.Sprintf("%d rows each; least against XGBoost in %q: %+.4f", rows, name, worst),
	}, {
		What: "made worlds, calibration", Figure: fmt.Sprintf("off by %.4f", mean(off)), Goal: "<= 0.02", Held: held(mean(off) <= 0.02),
		Note: fmt.Sprintf("each tenth of the newest rows recalibrated by those before it, from the third on; %.4f in the worst world", slices.Max(off)),
	}}, nil
}

// following gives the chances of rows but the first fifth, each tenth of the rows recalibrated from the
// outcomes before it.
func following(c *card.Card, f *frame.Frame, outcomes []train.Outcome) ([]float64, error) {
	var out []float64
	for k := 2; k < 10; k++ {
		from, to := f.Rows*k/10, f.Rows*(k+1)/10
		again, err := train.Recalibrate(c, f.Slice(0, from), outcomes[:from], nil, 0)
		if err != nil {
			return nil, err
		}
		results, err := results(again, f.Slice(from, to))
		if err != nil {
			return nil, err
		}
		for _, r := range results {
			out = append(out, float64(r.PPM)/card.Certain)
		}
	}
	return out, nil
}
