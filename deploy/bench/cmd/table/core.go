package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/deploy/bench/rules"
)

// scoring compares core/scoring with general rule engines, by the command at the module's root.
func (b *bench) scoring(ctx context.Context) ([]Row, error) {
	dir, err := os.MkdirTemp("", "leadmesh-table-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "compare")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "GOWORK=off") // the comparison is a module of its own
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the comparison of rule engines: %w: %s", err, out)
	}
	args := []string{"--pairs", fmt.Sprint(b.pairs)}
	if b.small {
		args = append(args, "--small")
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends what it started
	cmd.Env = build.Env
	cmd.WaitDelay = 10 * time.Second
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("compare rule engines: %w", err)
	}
	type engine struct {
		Name    string  `json:"name"`
		Median  float64 `json:"ns_median"`
		Ratio   float64 `json:"ratio_to_leadmesh"`
		Min     float64 `json:"ratio_min"`
		Max     float64 `json:"ratio_max"`
		Skipped string  `json:"skipped"`
	}
	var own, fastest engine
	var note string
	for lines := json.NewDecoder(bytes.NewReader(out)); lines.More(); {
		var e engine
		if err := lines.Decode(&e); err != nil {
			return nil, err
		}
		switch {
		case e.Name == "leadmesh":
			own = e
		case e.Skipped != "":
			note += fmt.Sprintf("%s is skipped: %s; ", e.Name, e.Skipped)
		default:
			note += fmt.Sprintf("%s %s (%sx); ", e.Name, nanoseconds(e.Median), short(e.Ratio))
			if fastest.Name == "" || e.Median < fastest.Median {
				fastest = e
			}
		}
	}
	if own.Median == 0 {
		return nil, errors.New("core/scoring was not measured")
	}
	allocations, err := scoringAllocations()
	if err != nil {
		return nil, err
	}
	first := Row{
		What: "score nine lines with contributions", Figure: fmt.Sprintf("%s, %v allocations", nanoseconds(own.Median), allocations),
		Goal: "<= 1 us, 0 allocations", Held: held(own.Median <= 1_000 && allocations == 0),
	}
	if fastest.Name == "" {
		return []Row{first, {What: "the fastest rule engine", Skipped: note}}, nil
	}
	return []Row{first, {
		What: "the same beside the fastest engine", Figure: nanoseconds(own.Median), Limit: nanoseconds(fastest.Median) + " " + fastest.Name,
		Ratio: &Range{Median: fastest.Ratio, Min: fastest.Min, Max: fastest.Max}, Goal: ">= 20x", Held: held(fastest.Ratio >= 20), Note: note,
	}}, nil
}

func scoringAllocations() (float64, error) {
	card, samples := rules.New()
	m, err := card.Compile()
	if err != nil {
		return 0, err
	}
	var result scoring.Result
	i := 0
	return testing.AllocsPerRun(1_000, func() {
		m.Score(&samples[i%rules.Samples], &result)
		i++
	}), nil
}

// choosing measures the choice among 20 candidates out of two networks, one ten times the other.
func (b *bench) choosing(ctx context.Context) ([]Row, error) {
	const codes = 41_000
	var stores [2]*routing.Snapshot
	var leads [2][]routing.Facts
	for i, dealers := range []int{5_000, 50_000} {
		var err error
		if stores[i], leads[i], err = country(dealers, codes); err != nil {
			return nil, err
		}
	}
	var choice routing.Choice
	var failed error
	measure := func(i int, limit time.Duration) float64 {
		n := 0
		start := time.Now()
		for time.Since(start) < limit {
			for range 1_000 {
				routing.Choose(stores[i], &leads[i][n%len(leads[i])], &choice)
				n++
			}
		}
		if len(choice.Receipt.Candidates) != routing.MaxCandidates {
			failed = fmt.Errorf("measured a choice among %d candidates", len(choice.Receipt.Candidates))
		}
		return float64(time.Since(start).Nanoseconds()) / float64(n)
	}
	for i := range stores { // the first lead of a postal code finds its nearest stores
		for k := range leads[i] {
			routing.Choose(stores[i], &leads[i][k], &choice)
		}
	}
	n := 0
	allocations := testing.AllocsPerRun(1_000, func() {
		routing.Choose(stores[0], &leads[0][n%len(leads[0])], &choice)
		n++
	})
	var near, far, ratios []float64
	for range b.pairs {
		d := amount(b, 200*time.Millisecond, time.Second)
		a, c := measure(0, d), measure(1, d)
		near, far, ratios = append(near, a), append(far, c), append(ratios, c/a)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return []Row{
		{What: "choose among 20 candidates of 5,000 dealers", Figure: fmt.Sprintf("%s, %v allocations", nanoseconds(median(near)), allocations),
			Goal: "<= 1 us, 0 allocations", Held: held(median(near) <= 1_000 && allocations == 0)},
		{What: "the same of 50,000 dealers", Figure: nanoseconds(median(far)), Limit: nanoseconds(median(near)), Ratio: rangeOf(ratios),
			Goal: "<= 1.2x", Held: held(median(ratios) <= 1.2)},
	}, failed
}

func nanoseconds(v float64) string {
	if v >= 10_000 {
		return fmt.Sprintf("%.1f us", v/1_000)
	}
	return fmt.Sprintf("%.0f ns", v)
}

// country is a network over 10 by 10 degrees and leads from its postal codes, whose nearest stores
// compete by their expected result.
func country(dealers, codes int) (*routing.Snapshot, []routing.Facts, error) {
	secret := []byte("thirty-two bytes for the chances")
	r := rand.New(rand.NewPCG(1, uint64(dealers)))
	at := func() (int32, int32) { return 45_000_000 + r.Int32N(10_000_000), 5_000_000 + r.Int32N(10_000_000) }
	n := routing.Network{Revision: "network", Dealers: []routing.Dealer{{
		ID: "desk", Name: "Desk", Kind: routing.KindDesk, Country: "DE", TimeZone: "Europe/Berlin", Status: routing.StatusLive,
	}}}
	for i := range dealers {
		latitude, longitude := at()
		d := routing.Dealer{ID: fmt.Sprintf("dealer-%05d", i), Name: "Store", Kind: routing.KindRooftop, Country: "DE",
			Latitude: latitude, Longitude: longitude, TimeZone: "Europe/Berlin", Status: routing.StatusLive}
		for _, k := range []lead.Department{lead.DepartmentNew, lead.DepartmentService} {
			d.Departments = append(d.Departments, routing.Department{
				Kind: k, Brands: []string{"BRAND"}, PersonSetting: routing.PersonSettingCRM, Languages: []string{"de"},
			})
		}
		n.Dealers = append(n.Dealers, d)
	}
	for i := range codes {
		latitude, longitude := at()
		n.Points = append(n.Points, routing.PostalPoint{Country: "DE", Postal: fmt.Sprintf("%05d", i), Latitude: latitude, Longitude: longitude})
	}
	s, problems := routing.Compile(n, routing.Policy{
		Revision: "playbook", Desk: "desk", Rules: []routing.Rule{routing.DefaultRule()},
		Markets: []routing.Market{{Country: "DE", Policy: routing.MarketPolicyTerritory, K: 3}},
	})
	if len(problems) > 0 {
		return nil, nil, fmt.Errorf("the network does not compile: %v", problems[0])
	}
	live := routing.NewLive(s)
	for u := range s.Units() {
		live.SetOpen(u, r.IntN(3) != 0)
		live.SetPerformance(u, r.Int32N(600_000)-300_000)
		live.SetFree(u, r.Int32N(5)-1)
	}
	inputs := make([]routing.Input, 20)
	for i := range inputs {
		inputs[i] = routing.Input{Name: fmt.Sprintf("input_%02d", i), Value: int64(i)}
	}
	leads := make([]routing.Facts, 1_024)
	for i := range leads {
		id := lead.NewID(secret, fmt.Sprint(i))
		leads[i] = routing.Facts{
			DecidedAt: 1_790_000_000, LeadID: id, Line: lead.LineSales, Brand: "BRAND", Origin: lead.OriginOEM, Choice: lead.DealerChoiceNone,
			Consent: true, Market: "DE", Country: "DE", Postal: fmt.Sprintf("%05d", r.IntN(codes)), Language: "de", WinChance: 80_000,
			Points: 6_500, Stage: lead.StageReady, Scorer: "model", Inputs: inputs, Live: live,
			Chance: routing.Chance(secret, id, routing.PurposeDraw, 0),
		}
	}
	return s, leads, nil
}
