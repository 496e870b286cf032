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
	traintest.Jumping, traintest.Campaigns, traintest.Mixing | traintest.Rate, traintest.Policy, traintest.Jumping | traintest.Calendar | traintest.Campaigns,
}

// unchosen is the first seed of worlds that no way of learning was chosen by.
const unchosen = 7001

// drifting measures how well learned tables tell the newest fifth of made worlds that change much,
// learned from the older rows, beside XGBoost on the same columns.
func (b *bench) drifting(ctx context.Context, p *peer) ([]Row, error) {
	rows, err := b.worlds(ctx, p, "made worlds", 1)
	if err != nil || b.small {
		return rows, err
	}
	more, err := b.worlds(ctx, p, "worlds of seeds that nothing was chosen by", unchosen)
	return append(rows, more...), err
}

// worlds measures made worlds of seeds from first on.
func (b *bench) worlds(ctx context.Context, p *peer, what string, first uint64) ([]Row, error) {
	var own, trees, off, often []float64
	worst, name, below := math.Inf(1), "", 0
	rows := amount(b, 5_000, 30_000)
	from := rows * 8 / 10
	for k, ways := range amount(b, driftingWorlds[:4], driftingWorlds) {
		w := traintest.Make(rows, ways, 1, first+uint64(k))
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
		own = append(own, assess.AUC(sampleOf(points, came)).Value)
		trees = append(trees, assess.AUC(sampleOf(x.boosted, came)).Value)
		for _, each := range []struct {
			parts int
			into  *[]float64
		}{{10, &off}, {50, &often}} {
			chances, err := following(c, newest, came, each.parts)
			if err != nil {
				return nil, err
			}
			*each.into = append(*each.into, assess.CalibrationError(sampleOf(chances, came[rows-from-len(chances):]), 10, 1).Error.Value)
		}
		d := own[k] - trees[k]
		if d < worst {
			worst, name = d, ways.String()
		}
		if d < -0.002 {
			below++
		}
	}
	return []Row{{
		What: fmt.Sprintf("%d %s with strong drift, oldest 80 %% to newest 20 %%", len(own), what), Figure: fmt.Sprintf("AUC %.4f", mean(own)),
		Limit: fmt.Sprintf("%.4f XGBoost", mean(trees)), Goal: ">= XGBoost - 0.002 in each", Held: held(worst >= -0.002),
		Note: fmt.Sprintf("%d rows each; %d below; least against XGBoost in %q: %+.4f", rows, below, name, worst),
	}, {
		What: what + ", calibration", Figure: fmt.Sprintf("off by %.4f", mean(off)), Goal: "<= 0.02", Held: held(mean(off) <= 0.02),
		Note: fmt.Sprintf("each tenth of the newest rows recalibrated by those before it, from the third on; %.4f in the worst world; "+
			"recalibrated five times as often %.4f, %.4f in the worst", slices.Max(off), mean(often), slices.Max(often)),
	}}, nil
}

// following gives the chances of rows but the first fifth, each part of the rows recalibrated from the
// outcomes before it.
func following(c *card.Card, f *frame.Frame, outcomes []train.Outcome, parts int) ([]float64, error) {
	var out []float64
	for k := parts / 5; k < parts; k++ {
		from, to := f.Rows*k/parts, f.Rows*(k+1)/parts
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
