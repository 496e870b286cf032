package routing

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leadmesh/leadmesh/core/scoring"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc"
)

// reportEvery is how old the figures of shadows may be; a process that is killed loses as much.
const reportEvery = 2 * time.Second

// shadowLog is the part of Scoring that keeps the figures of shadows.
type shadowLog interface {
	ReportShadow(ctx context.Context, in *scoringv1.ReportShadowRequest, opts ...grpc.CallOption) (*scoringv1.ReportShadowResponse, error)
}

// shadowBook counts what shadow models would have done with the leads decided here. No lead of them is
// kept. Safe for concurrent use.
type shadowBook struct {
	to      shadowLog
	log     *slog.Logger
	replica [16]byte // names this life of the process
	leads   metric.Int64Counter
	same    metric.MeasurementOption
	moved   metric.MeasurementOption

	mu     sync.Mutex
	counts map[shadowOf]*playbookfeed.ShadowCount
	told   bool // nothing was counted since the last report
	result scoring.Result
}

// shadowOf names one time of a model as a shadow.
type shadowOf struct {
	revision string
	episode  int64
}

func newShadowBook(tel *telemetry.Telemetry, to shadowLog) (*shadowBook, error) {
	b := &shadowBook{to: to, log: tel.Log, counts: map[shadowOf]*playbookfeed.ShadowCount{}, told: true}
	if _, err := rand.Read(b.replica[:]); err != nil {
		return nil, fmt.Errorf("name the replica: %w", err)
	}
	outcome := func(name string) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(attribute.String(telemetry.AttrOutcome, name)))
	}
	b.same, b.moved = outcome("same_stage"), outcome("other_stage")
	var err error
	if b.leads, err = tel.Meter.Int64Counter(telemetry.MetricShadowLeads,
		metric.WithDescription("Decided leads that a shadow model scored too, by whether their stage would be the same.")); err != nil {
		return nil, fmt.Errorf("make a counter: %w", err)
	}
	return b, nil
}

// observe scores a decided lead by the shadow of its line and counts what would be different.
func (b *shadowBook) observe(ctx context.Context, shadow *playbookfeed.Shadow, v *verdict) {
	if shadow == nil || int(v.line) >= scoring.NumLines || shadow.Episodes[v.line] == 0 {
		return
	}
	line, of := v.line, shadowOf{shadow.Playbook.Models[v.line], shadow.Episodes[v.line]}
	b.mu.Lock()
	shadow.Playbook.Scoring.Score(&v.inputs, &b.result)
	c := b.counts[of]
	if c == nil {
		c = &playbookfeed.ShadowCount{}
		b.counts[of] = c
	}
	points, stage := b.result.Points[line], b.result.Stage[line]
	c.Add(v.result.Points[line], v.result.Stage[line], points, stage)
	b.told = false
	b.mu.Unlock()
	as := b.same
	if stage != v.result.Stage[line] {
		as = b.moved
	}
	b.leads.Add(ctx, 1, as)
}

// run reports until ctx ends, and once more then.
func (b *shadowBook) run(ctx context.Context) error {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportEvery)
			defer cancel()
			b.report(last)
			return nil
		case <-tick.C:
			b.report(ctx)
		}
	}
}

// report sends all counts, which are absolute: one that is lost is made good by the next.
func (b *shadowBook) report(ctx context.Context) {
	req := &scoringv1.ReportShadowRequest{Replica: b.replica[:]}
	b.mu.Lock()
	if b.told {
		b.mu.Unlock()
		return
	}
	b.told = true
	for of, c := range b.counts {
		p := c.Proto()
		p.Revision, p.Episode = of.revision, of.episode
		req.Counts = append(req.Counts, p)
	}
	b.mu.Unlock()
	slices.SortFunc(req.Counts, func(x, y *scoringv1.ShadowCount) int {
		return cmp.Or(strings.Compare(x.GetRevision(), y.GetRevision()), cmp.Compare(x.GetEpisode(), y.GetEpisode()))
	})
	if _, err := b.to.ReportShadow(ctx, req); err != nil {
		b.mu.Lock()
		b.told = false
		b.mu.Unlock()
		b.log.LogAttrs(ctx, slog.LevelDebug, "figures of shadows not reported yet", slog.String("cause", problem.From(err).Code()))
	}
}
