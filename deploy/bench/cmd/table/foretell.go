package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
)

// outcomeSet is rows whose outcome is known, in the order of time by one of their columns.
type outcomeSet struct {
	name, file string
	label, won string
	others     []string // values of the label that count as lost; nil: all
	time       func(row map[string]string) string
	without    []string // what is written afterwards, or names rows
	denied     []string // both sides go without, but for the figure with an override
	missing    string
	nothing    bool // the outcome is noise
	splits     []int
}

var outcomeSets = []outcomeSet{
	{
		name: "X Education", file: "x_education_older70.csv", label: "Converted", won: "1", missing: "Select",
		time: func(row map[string]string) string { return row["Lead Number"] },
		without: []string{
			"Prospect ID", "Lead Number", "Tags", "Lead Quality", "Lead Profile", "Last Activity", "Last Notable Activity",
			"Asymmetrique Activity Index", "Asymmetrique Profile Index", "Asymmetrique Activity Score", "Asymmetrique Profile Score",
		},
	},
	{
		name: "car insurance", file: "car_insurance.csv", label: "CarInsurance", won: "1", missing: "NA",
		time:    func(row map[string]string) string { return fmt.Sprintf("%08s", row["Id"]) },
		without: []string{"Id", "CallStart", "CallEnd"}, denied: []string{"Age", "Marital"},
	},
	{
		name: "sales of noise", file: "crm_sales/sales_pipeline.csv", label: "deal_stage", won: "Won", others: []string{"Lost"},
		time: func(row map[string]string) string {
			d := strings.Split(row["engage_date"], "-") // day, month, year
			slices.Reverse(d)
			return strings.Join(d, "-")
		},
		without: []string{"opportunity_id", "engage_date", "close_date", "close_value", "engage_quarter", "close_quarter"}, nothing: true,
	},
}

// foretelling measures how well learned tables tell the newest rows of real sets, learned from the
// older ones, beside XGBoost and logistic regression on the same columns; then those of made worlds.
func (b *bench) foretelling(ctx context.Context) (rows []Row, err error) {
	folder, err := outcomeFolder()
	if err != nil {
		return nil, err
	}
	p, err := newPeer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	for _, s := range outcomeSets {
		s.splits = amount(b, splits[len(splits)-1:], splits)
		more, err := s.measure(ctx, p, folder)
		if err != nil {
			return rows, err
		}
		rows = append(rows, more...)
		if len(s.denied) > 0 {
			row, err := s.overridden(ctx, p, folder)
			if err != nil {
				return rows, err
			}
			rows = append(rows, row)
		}
	}
	more, err := b.drifting(ctx, p)
	return append(rows, more...), err
}

// splits are the tenths of the rows that are learned from; the next two are told.
var splits = []int{4, 5, 6, 7, 8}

// rolled is what came of learning from the oldest 40 to 80 % of the rows and telling the fifth that follows,
// for each split.
type rolled struct {
	own, trees, straight []float64         // AUC
	off                  []float64         // calibration error after recalibration
	luck                 []float64         // what that is in the mean where the chances are the true ones
	apart                assess.Difference // of the newest split
	nothing              int               // how often there was nothing to learn
}

// roll learns the set both ways on the same columns.
func (s *outcomeSet) roll(ctx context.Context, p *peer, f *frame.Frame, outcomes []train.Outcome, override map[string]string) (*rolled, error) {
	r := &rolled{}
	for _, tenth := range s.splits {
		from, to := f.Rows*tenth/10, f.Rows*(tenth+2)/10
		c, report, err := train.Learn(f.Slice(0, from), outcomes[:from], train.Options{
			Ordered: true, Target: card.Target{Column: s.label, Positive: s.won}, Workers: runtime.NumCPU(), Seed: 1, Override: override,
		}, func(int, int) bool { return ctx.Err() == nil })
		if err != nil {
			return nil, err
		}
		if report.Nothing {
			r.nothing++
		}
		fresh, came := f.Slice(from, to), outcomes[from:to]
		chances, err := recalibrated(c, fresh, came)
		if err != nil {
			return nil, err
		}
		points, err := scored(c, fresh)
		if err != nil {
			return nil, err
		}
		x, err := p.compare(ctx, f.Slice(0, to), outcomes[:to], from, true)
		if err != nil {
			return nil, err
		}
		r.apart = assess.Compare(sampleOf(x.boosted, came), sampleOf(points, came))
		r.own = append(r.own, assess.AUC(sampleOf(points, came)).Value)
		r.trees = append(r.trees, assess.AUC(sampleOf(x.boosted, came)).Value)
		r.straight = append(r.straight, assess.AUC(sampleOf(x.straight, came)).Value)
		r.off = append(r.off, assess.CalibrationError(sampleOf(chances, came), 10, 1).Error.Value)
		r.luck = append(r.luck, luckOf(chances))
	}
	return r, nil
}

// luckOf is the calibration error that chances show in the mean which are true to the last: of outcomes drawn by them.
func luckOf(chances []float64) float64 {
	const draws = 100
	rng := rand.New(rand.NewPCG(1, uint64(len(chances))))
	s := assess.Sample{Probability: chances, Won: make([]bool, len(chances))}
	sum := 0.0
	for range draws {
		for i, p := range chances {
			s.Won[i] = rng.Float64() < p
		}
		sum += assess.CalibrationError(s, 10, 1).Error.Value
	}
	return sum / draws
}

// measure tells the set without denied columns.
func (s *outcomeSet) measure(ctx context.Context, p *peer, folder string) ([]Row, error) {
	f, outcomes, err := s.read(folder, false)
	if err != nil {
		return nil, err
	}
	r, err := s.roll(ctx, p, f, outcomes, nil)
	if err != nil {
		return nil, err
	}
	last := len(s.splits) - 1
	if s.nothing {
		return []Row{{
			What: s.name + ", nothing to learn", Figure: fmt.Sprintf("said so %d of %d times", r.nothing, len(s.splits)),
			Limit: fmt.Sprintf("AUC %.3f XGBoost", mean(r.trees)), Goal: "says so", Held: held(r.nothing == len(s.splits)),
		}}, nil
	}
	auc := func(what string, a, x, l float64) Row {
		return Row{
			What: s.name + ", " + what, Figure: fmt.Sprintf("AUC %.4f", a), Limit: fmt.Sprintf("%.4f XGBoost, %.4f logistic", x, l),
			Goal: ">= XGBoost - 0.002, >= logistic", Held: held(a >= x-0.002 && a >= l),
		}
	}
	first := auc("oldest 80 % to newest 20 %", r.own[last], r.trees[last], r.straight[last])
	first.Note = fmt.Sprintf("trees of depth 4 by histograms, 300 in steps of 0.05, names as columns of zeros and ones; "+
		"the difference from XGBoost is %+.4f (%+.4f to %+.4f at 95 %%)", r.apart.AUC.Value, r.apart.AUC.Low, r.apart.AUC.High)
	rows := []Row{first}
	if last > 0 {
		rows = append(rows, auc(fmt.Sprintf("mean of %d splits", len(s.splits)), mean(r.own), mean(r.trees), mean(r.straight)))
	}
	return append(rows, Row{
		What: s.name + ", calibration", Figure: fmt.Sprintf("off by %.4f", r.off[last]), Goal: "<= 0.02", Held: held(r.off[last] <= 0.02),
		Note: fmt.Sprintf("each half of the newest rows recalibrated by the other, without what chance gives; %.4f in the mean of %d splits; "+
			"true chances of as many rows would show %.4f, %.4f", mean(r.off), len(s.splits), r.luck[last], mean(r.luck)),
	}), nil
}

// overridden measures both sides with the denied columns too: what leaving them out costs.
func (s *outcomeSet) overridden(ctx context.Context, p *peer, folder string) (Row, error) {
	f, outcomes, err := s.read(folder, true)
	if err != nil {
		return Row{}, err
	}
	override := map[string]string{}
	for _, name := range s.denied {
		override[name] = "to measure what it adds"
	}
	r, err := s.roll(ctx, p, f, outcomes, override)
	if err != nil {
		return Row{}, err
	}
	last := len(s.splits) - 1
	return Row{
		What:   fmt.Sprintf("%s, %s allowed by override", s.name, strings.Join(s.denied, " and ")),
		Figure: fmt.Sprintf("AUC %.4f", r.own[last]), Limit: fmt.Sprintf("%.4f XGBoost", r.trees[last]),
		Note: fmt.Sprintf("for both sides, oldest 80 %% to newest 20 %%; mean of %d splits %.4f, XGBoost %.4f; no goal is judged by it", len(s.splits), mean(r.own), mean(r.trees)),
	}, nil
}

// recalibrated gives the chances of rows, each half recalibrated from the outcomes of the other.
func recalibrated(c *card.Card, f *frame.Frame, outcomes []train.Outcome) ([]float64, error) {
	half := f.Rows / 2
	parts := [2]*frame.Frame{f.Slice(0, half), f.Slice(half, f.Rows)}
	came := [2][]train.Outcome{outcomes[:half], outcomes[half:]}
	var out []float64
	for k := range parts {
		again, err := train.Recalibrate(c, parts[1-k], came[1-k], nil, -1)
		if err != nil {
			return nil, err
		}
		results, err := results(again, parts[k])
		if err != nil {
			return nil, err
		}
		for _, r := range results {
			out = append(out, float64(r.PPM)/card.Certain)
		}
	}
	return out, nil
}

// scored gives the points of rows as shares of the most.
func scored(c *card.Card, f *frame.Frame) ([]float64, error) {
	results, err := results(c, f)
	out := make([]float64, len(results))
	for i, r := range results {
		out[i] = float64(r.Points) / card.MaxPoints
	}
	return out, err
}

func results(c *card.Card, f *frame.Frame) ([]card.Result, error) {
	scorer, problems := card.Compile(c)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	bound, err := scorer.Bind(f)
	if err != nil {
		return nil, err
	}
	out := make([]card.Result, f.Rows)
	bound.ScoreAll(out, 0, f.Rows)
	return out, nil
}

func sampleOf(chances []float64, outcomes []train.Outcome) assess.Sample {
	s := assess.Sample{Probability: chances, Won: make([]bool, len(outcomes))}
	for i, o := range outcomes {
		s.Won[i] = o == train.Won
	}
	return s
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v / float64(len(values))
	}
	return sum
}

// outcomeFolder finds the sets with outcomes beside the repository.
func outcomeFolder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		folder := filepath.Join(dir, "shared", "data", "scoring")
		if _, err := os.Stat(folder); err == nil {
			return folder, nil
		}
	}
	return "", errors.New("the sets with outcomes are not here (../shared/data/scoring beside the repository)")
}

// read reads the set in the order of time. Columns of which every value is a number are numbers.
func (s *outcomeSet) read(folder string, denied bool) (*frame.Frame, []train.Outcome, error) {
	file, err := os.Open(filepath.Join(folder, s.file))
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	all, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", s.file, err)
	}
	head := all[0]
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	var rows []map[string]string
	for _, record := range all[1:] {
		row := make(map[string]string, len(head))
		for j, name := range head {
			row[name] = strings.TrimSpace(record[j])
		}
		if s.others == nil || row[s.label] == s.won || slices.Contains(s.others, row[s.label]) {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b map[string]string) int { return cmp.Compare(s.time(a), s.time(b)) })
	f, outcomes := &frame.Frame{Rows: len(rows)}, make([]train.Outcome, len(rows))
	for i, row := range rows {
		if row[s.label] == s.won {
			outcomes[i] = train.Won
		}
	}
	for _, name := range head {
		if name != s.label && !slices.Contains(s.without, name) && (denied || !slices.Contains(s.denied, name)) {
			f.Columns = append(f.Columns, s.column(name, rows))
		}
	}
	return f, outcomes, nil
}

func (s *outcomeSet) column(name string, rows []map[string]string) frame.Column {
	texts, numbers := make([]string, len(rows)), make([]float64, len(rows))
	numeric := true
	for i, row := range rows {
		numbers[i] = math.NaN()
		if texts[i] = row[name]; texts[i] == s.missing {
			texts[i] = ""
		}
		if texts[i] != "" {
			n, err := strconv.ParseFloat(texts[i], 64)
			numbers[i], numeric = n, numeric && err == nil
		}
	}
	if numeric {
		return frame.Numeric(name, numbers)
	}
	return frame.Categorical(name, texts)
}
