package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/leadmesh/leadmesh/core/identity/cluster"
)

// cleaned is what one run of "leadmesh match" gave.
type cleaned struct {
	clusters []string // by row
	compared float64  // share of the true pairs that were compared
	took     time.Duration
	worked   time.Duration // of processors
	memory   int64         // bytes at most
}

// match cleans a list by the command a user has, with its own settings unless args say otherwise.
// Truth is the column that says who each row is.
func (b *bench) match(ctx context.Context, list, truth string, args ...string) (cleaned, error) {
	var c cleaned
	out := list + ".clusters"
	cmd := exec.CommandContext(ctx, b.binary, append([]string{"match", "--in", list, "--out", out, "--truth", truth}, args...)...)
	var told, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &told, &errs
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		return c, fmt.Errorf("leadmesh match: %w: %s", err, errs.String())
	}
	c.took = time.Since(begin)
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.memory, c.worked = usage.Maxrss<<10, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	}
	for line := range strings.Lines(told.String()) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "compared" {
			c.compared, _ = strconv.ParseFloat(f[1], 64) // stays 0, and shows, if it is no number
		}
	}
	var err error
	c.clusters, err = readColumn(out, "cluster_id")
	return c, err
}

// truthColumn is the column that says who each row is in the sets with truth, as they are given to the
// command.
const truthColumn = "bench_truth"

// readColumn reads one column of a table.
func readColumn(path, name string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord, r.TrimLeadingSpace = true, true
	head, err := r.Read()
	if err != nil {
		return nil, err
	}
	at := slices.Index(head, name)
	if at < 0 {
		return nil, fmt.Errorf("%s has no column %s", filepath.Base(path), name)
	}
	var out []string
	for {
		row, err := r.Read()
		if row == nil {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, strings.Clone(row[at]))
	}
}

// truthSet is a list of people with the truth of who they are.
type truthSet struct {
	name, file string
	without    []string            // columns that are left out beside those of the truth
	who        string              // the column of the truth
	person     func(string) string // what of it names a person
	peer       string
	goal       float64 // F1; 0: none may be wrong
}

var truthSets = []truthSet{
	{name: "fake_1000", file: "fake_1000.csv", who: "cluster", peer: "Splink's best F1 0.862", goal: 0.862},
	{name: "febrl1", file: "febrl1.csv", who: "rec_id", person: beforeSecondDash, peer: "exact keys F1 0.980", goal: 0.999},
	{name: "febrl2", file: "febrl2.csv", who: "rec_id", person: beforeSecondDash, peer: "exact keys F1 0.964", goal: 0.999},
	{name: "febrl1 as leads come", file: "febrl1.csv", who: "rec_id", person: beforeSecondDash, without: asLeadsCome, peer: "exact keys F1 0.737", goal: 0.95},
	{name: "febrl2 as leads come", file: "febrl2.csv", who: "rec_id", person: beforeSecondDash, without: asLeadsCome, peer: "exact keys F1 0.668", goal: 0.95},
	{name: "households", file: "households.csv", who: "simulant_id", without: []string{"household_id", "relationship_to_reference_person"}, peer: "a careful person"},
}

// asLeadsCome are columns that no lead has.
var asLeadsCome = []string{"soc_sec_id", "date_of_birth"}

func beforeSecondDash(id string) string {
	parts := strings.SplitN(id, "-", 3)
	return strings.Join(parts[:min(2, len(parts))], "-")
}

// matching measures how well records are matched, on sets with a known truth, by the command a user
// has and with the same settings for all: unsupervised, nothing labelled, nothing tuned.
func (b *bench) matching(ctx context.Context) ([]Row, error) {
	folder, err := truthFolder()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "leadmesh-table-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var rows []Row
	for _, s := range truthSets {
		row, err := b.matchSet(ctx, folder, dir, s)
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (b *bench) matchSet(ctx context.Context, folder, dir string, s truthSet) (Row, error) {
	list := filepath.Join(dir, strings.ReplaceAll(s.name, " ", "_")+".csv")
	table, err := s.write(folder, list)
	if err != nil {
		return Row{}, err
	}
	truth, err := readColumn(list, truthColumn)
	if err != nil {
		return Row{}, err
	}
	params := list + ".yaml"
	c, err := b.match(ctx, list, truthColumn, "--save-params", params)
	if err != nil {
		return Row{}, err
	}
	if len(c.clusters) != len(truth) {
		return Row{}, fmt.Errorf("%s: %d rows came out of %d", s.name, len(c.clusters), len(truth))
	}
	score := cluster.ScoreOf(c.clusters, truth)
	if s.goal == 0 {
		twins := copiesAtHome(table, c.clusters, truth)
		return Row{
			What: s.name, Figure: fmt.Sprintf("%d pairs merged wrongly", score.Wrong), Limit: s.peer,
			Goal: "none but exact copies in name and home", Held: held(score.Wrong == twins),
			Note: fmt.Sprintf("of %d rows, no two of one person; %d of the pairs are exact copies in name, home and date of birth, that nobody could tell apart; %s", len(truth), twins, took(c.took)),
		}, nil
	}
	best, at := score, "the default"
	for _, p := range amount(b, []string{"0.1", "0.9"}, []string{"0.001", "0.01", "0.05", "0.1", "0.2", "0.35", "0.65", "0.8", "0.9", "0.95", "0.99"}) {
		other, err := b.match(ctx, list, truthColumn, "--params", params, "--threshold", p)
		if err != nil {
			return Row{}, err
		}
		if sc := cluster.ScoreOf(other.clusters, truth); sc.F1() > best.F1() {
			best, at = sc, p
		}
	}
	return Row{
		What: s.name, Figure: fmt.Sprintf("F1 %.4f", score.F1()), Limit: s.peer, Goal: fmt.Sprintf(">= %.3f", s.goal), Held: held(score.F1() >= s.goal),
		Note: fmt.Sprintf("precision %.4f, recall %.4f at the default threshold; best F1 %.4f (precision %.4f, recall %.4f) at %s; %.4f of the true pairs compared; %d rows in %s",
			score.Precision(), score.Recall(), best.F1(), best.Precision(), best.Recall(), at, c.compared, len(truth), took(c.took)),
	}, nil
}

// truthFolder finds the sets, which are not part of the project.
func truthFolder() (string, error) {
	for dir := ".."; len(dir) < 60; dir = filepath.Join("..", dir) {
		folder := filepath.Join(dir, "shared", "data", "identity")
		if _, err := os.Stat(folder); err == nil {
			return folder, nil
		}
	}
	return "", errors.New("the sets with truth are not here (../shared/data/identity beside the repository)")
}

// write copies the list to path without the columns that tell who somebody is, and with the truth in
// one of its own. It returns the rows as they were.
func (s *truthSet) write(folder, path string) ([]map[string]string, error) {
	in, err := os.Open(filepath.Join(folder, s.file))
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r := csv.NewReader(in)
	r.TrimLeadingSpace = true
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	var table []map[string]string
	var copied [][]string
	for i, row := range rows {
		cells, out := map[string]string{}, []string(nil)
		for k, column := range rows[0] {
			cells[column] = row[k]
			if column != s.who && !slices.Contains(s.without, column) {
				out = append(out, row[k])
			}
		}
		who := truthColumn
		if i > 0 {
			who = cells[s.who]
			if s.person != nil {
				who = s.person(who)
			}
			table = append(table, cells)
		}
		copied = append(copied, append(out, who))
	}
	out, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return table, errors.Join(csv.NewWriter(out).WriteAll(copied), out.Close())
}

// copiesAtHome counts the pairs in one cluster, of different people, that are the same in name, date
// of birth and home.
func copiesAtHome(table []map[string]string, clusters, truth []string) int {
	groups := map[string][]int{}
	for i, id := range clusters {
		groups[id] = append(groups[id], i)
	}
	n := 0
	for _, rows := range groups {
		for j := range rows {
			for k := range rows[:j] {
				a, b := table[rows[j]], table[rows[k]]
				same := truth[rows[j]] != truth[rows[k]]
				for _, column := range []string{"first_name", "last_name", "date_of_birth", "street_number", "street_name", "unit_number", "city", "state"} {
					same = same && strings.EqualFold(a[column], b[column])
				}
				if same {
					n++
				}
			}
		}
	}
	return n
}

// The limits of cleaning a list of a million records, and what Splink publishes.
const (
	cleanTime   = 2 * time.Minute
	cleanMemory = 4 << 30
)

// cleaning measures how long it takes to clean a large list, and one of a tenth.
func (b *bench) cleaning(ctx context.Context) ([]Row, error) {
	dir, err := os.MkdirTemp("", "leadmesh-table-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	size := amount(b, 100_000, 1_000_000)
	var results [2]cleaned
	var score cluster.Score
	for i, n := range [2]int{size / 10, size} {
		list := filepath.Join(dir, fmt.Sprintf("people%d.csv", n))
		if out, err := exec.CommandContext(ctx, b.binary, "people", "--count", strconv.Itoa(n), "--out", list).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("leadmesh people: %w: %s", err, out)
		}
		if results[i], err = b.match(ctx, list, "truth_person"); err != nil {
			return nil, err
		}
		truth, err := readColumn(list, "truth_person")
		if err != nil {
			return nil, err
		}
		if len(truth) != len(results[i].clusters) {
			return nil, fmt.Errorf("%d rows came out of %d", len(results[i].clusters), len(truth))
		}
		score = cluster.ScoreOf(results[i].clusters, truth)
	}
	few, many := results[0], results[1]
	limit := time.Duration(float64(cleanTime) * float64(size) / 1e6)
	ratio := many.took.Seconds() / few.took.Seconds() / 10
	return []Row{{
		What: fmt.Sprintf("clean a list of %d records", size), Figure: fmt.Sprintf("%s, %.2f GiB", took(many.took), float64(many.memory)/(1<<30)),
		Limit: "Splink about 1 min a million", Goal: fmt.Sprintf("<= %s, <= 4 GiB", limit), Held: held(many.took <= limit && many.memory <= cleanMemory),
		Note: fmt.Sprintf("reading, learning, matching and writing; %s of processors; precision %.4f, recall %.4f; %.4f of the true pairs compared", took(many.worked), score.Precision(), score.Recall(), many.compared),
	}, {
		What: fmt.Sprintf("beside a list of %d, a record", size/10), Figure: perRecord(many.took, size), Limit: perRecord(few.took, size/10),
		Ratio: rangeOf([]float64{ratio}), Goal: "<= 1.5x", Held: held(ratio <= 1.5),
	}}, nil
}

func perRecord(d time.Duration, n int) string { return took(d/time.Duration(n)) + " a record" }
