package analyst

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/core/scoring/train"
	"github.com/leadmesh/leadmesh/services/internal/dataset"
	"github.com/leadmesh/leadmesh/services/internal/output"
)

// TrainOptions say what to learn from and where to write what was learned.
type TrainOptions struct {
	Source
	Label   string
	Answers dataset.Answers
	Time    string // column that puts rows in order; "" for none
	Decided string // column that says when the outcome was known; "" for none
	Group   string // column whose rows of one value stay on one side of a split; "" for none
	// Segments are columns by whose values the figures on unseen rows are told apart; they may be
	// learned from or left out.
	Segments []string
	Exclude  []string
	Allow    []string // denied columns to learn from all the same
	Because  string   // why
	Prior    string   // points table to start from; "" for none
	Seed     uint64
	Out      string
	Report   string // page; "" for none

	// Planned, if not nil, is told what becomes of each column, before the work begins.
	Planned func(*Plan)
}

// Plan is what a table was taken for.
type Plan struct {
	Set     *dataset.Set
	Outcome *dataset.Outcome
	Missing []string
	Uses    []Use // of the set's columns
	Rows    int   // learned from
	Open    int   // rows without an outcome that are left out
	Late    int   // rows without a time, left out
}

// Use is what becomes of a column.
type Use struct {
	Role   Role
	Why    string
	Denied string   // the attribute that its name speaks of, if any
	Codes  []string // which of its numbers are read as codes, in words
}

// Role is what a column is for.
type Role uint8

// The values of Role.
const (
	Signal Role = iota
	Label
	Time
	Decided
	Group
	HeldBack
)

// String is the word for people.
func (r Role) String() string {
	return [...]string{"signal", "outcome", "order of time", "when decided", "group", "held back"}[r]
}

// Trained is what was learned.
type Trained struct {
	Plan
	Card   *card.Card
	Report *train.Report
	// Unseen is how good a table that was learned in the same way from the other rows is on rows kept
	// unseen; nil where they are too few.
	Unseen *assess.Report
	// Override is the same without the columns that are denied and were allowed; nil if none were.
	Override *Override
	Took     time.Duration

	moved []card.Wider // limits of the table to start from
	times *moments     // nil without --time
}

// Train learns a points table and writes it. Nothing is written unless all is.
func Train(ctx context.Context, o TrainOptions) (_ *Trained, err error) {
	start := time.Now()
	outputs := output.Set{Stdout: o.Stdout}
	outputs.Read(o.Data, o.Prior)
	defer outputs.Discard()
	page, err := open(&outputs, o.Report)
	if err != nil {
		return nil, err
	}
	model, err := open(&outputs, o.Out)
	if err != nil {
		return nil, err
	}
	if len(o.Allow) > 0 && strings.TrimSpace(o.Because) == "" {
		return nil, usagef("--allow-denied %s: say why with --because; the reason is kept in the points table", strings.Join(o.Allow, ","))
	}
	w := &training{TrainOptions: o}
	if err := w.prior(); err != nil {
		return nil, err
	}
	set, err := o.read(ctx, nil, append([]string{o.Label, o.Group}, o.Segments...)...)
	if err != nil {
		return nil, err
	}
	defer set.File.Close()
	t := &Trained{Plan: Plan{Set: set, Missing: o.Missing}}
	if t.Missing == nil {
		t.Missing = dataset.DefaultMissing()
	}
	if err := w.plan(t); err != nil {
		return nil, err
	}
	if o.Planned != nil {
		o.Planned(&t.Plan)
	}
	if err := w.learn(ctx, t); err != nil {
		return nil, err
	}
	t.Took = time.Since(start)
	if _, err := model.Write(t.Card.Marshal()); err != nil {
		return nil, err
	}
	if err := t.show(page); err != nil {
		return nil, err
	}
	return t, outputs.Commit()
}

// training is one call of Train.
type training struct {
	TrainOptions
	start *card.Card

	frame    *frame.Frame
	outcomes []train.Outcome
	groups   []int32        // of each row, -1 for none; nil without --group
	segments []frame.Column // by which figures are told apart
	options  train.Options

	learnt, unseen []int32 // rows that the figures come from
	parted         []card.Group
	moved          []card.Wider // by what was learned last
}

func (w *training) prior() (err error) {
	if w.Prior == "" {
		return nil
	}
	w.start, err = Load(w.Prior)
	return err
}

// plan decides what each column is for and makes the frame.
func (w *training) plan(t *Trained) error {
	set := t.Set
	t.Uses = make([]Use, len(set.Columns))
	for i := range set.Columns {
		c := &set.Columns[i]
		u := &t.Uses[i]
		u.Denied, _ = train.Denied(c.Name)
		if c.Held != "" {
			*u = Use{Role: HeldBack, Why: c.Held, Denied: u.Denied}
		}
	}
	for _, named := range []struct {
		flag, name string
		role       Role
	}{{"label", w.Label, Label}, {"time", w.Time, Time}, {"decided", w.Decided, Decided}, {"group", w.Group, Group}} {
		if named.name == "" {
			continue
		}
		i, err := find(set, named.flag, named.name)
		if err != nil {
			return err
		}
		if r := t.Uses[i].Role; r != Signal && r != HeldBack {
			return usagef("--%s %s: the column is the %s already", named.flag, named.name, r)
		}
		t.Uses[i] = Use{Role: named.role}
	}
	for _, name := range w.Exclude {
		i, err := find(set, "exclude", name)
		if err != nil {
			return err
		}
		if t.Uses[i].Role <= Signal || t.Uses[i].Role == HeldBack {
			t.Uses[i] = Use{Role: HeldBack, Why: "left out by --exclude"}
		}
	}
	if err := w.allow(t); err != nil {
		return err
	}
	var err error
	if t.Outcome, err = set.Outcome(w.Label, w.Answers); err != nil {
		return usage(err)
	}
	return w.rows(t)
}

func find(set *dataset.Set, flag, name string) (int, error) {
	c, err := set.Column(name)
	if err != nil {
		return 0, usagef("--%s: %w", flag, err)
	}
	return slices.IndexFunc(set.Columns, func(d dataset.Column) bool { return d.Name == c.Name }), nil
}

// allow holds back the columns that are denied, but for those that somebody answers for.
func (w *training) allow(t *Trained) error {
	w.options.Override = map[string]string{}
	for _, name := range w.Allow {
		i, err := find(t.Set, "allow-denied", name)
		if err != nil {
			return err
		}
		if t.Uses[i].Denied == "" {
			return usagef("--allow-denied %s: the column is not denied", t.Set.Columns[i].Name)
		}
		if t.Uses[i].Role == Signal {
			t.Uses[i].Why = fmt.Sprintf("denied (%s), allowed because %s", t.Uses[i].Denied, w.Because)
			w.options.Override[t.Set.Columns[i].Name] = w.Because
		}
	}
	for i := range t.Uses {
		if u := &t.Uses[i]; u.Denied != "" && u.Role == Signal && u.Why == "" {
			*u = Use{Role: HeldBack, Denied: u.Denied, Why: "denied: it speaks of " + u.Denied}
		}
	}
	return nil
}

// learn learns, and gives up at once when it is told to stop: the learner hears of it at its next step.
func (w *training) learn(ctx context.Context, t *Trained) error {
	o := w.options
	o.Target = card.Target{Column: t.Outcome.Column, Positive: t.Outcome.Positive}
	if t.times != nil {
		o.TimeColumn, o.TimeText = t.times.column.Name, t.times.text
	}
	o.Prior, o.Seed, o.Workers = w.start, w.Seed, runtime.GOMAXPROCS(0)
	var err error
	if t.Unseen, err = w.check(ctx, "checking", o); err != nil {
		return err
	}
	if len(o.Override) > 0 {
		t.Override = &Override{Columns: slices.Sorted(maps.Keys(o.Override))}
		without := o
		without.Override = nil
		if t.Override.Without, err = w.check(ctx, "without denied", without); err != nil {
			return err
		}
	}
	if t.Card, t.Report, err = w.run(ctx, "learning", o); err != nil {
		return err
	}
	t.Card.Missing, t.moved = t.Missing, w.moved
	w.note(t)
	return told(w.Out, t.Card.Check())
}

// note keeps in the card what it was learned from.
func (w *training) note(t *Trained) {
	l := t.Card.Learned
	if l == nil {
		return
	}
	l.Held = w.held(t)
	if t.Unseen == nil {
		return
	}
	l.Unseen, l.Groups = figuresOf(t.Unseen), w.parted
	if t.Override != nil && t.Override.Without != nil {
		l.Without = figuresOf(t.Override.Without)
	}
	l.Split = card.Split{Learn: int64(len(w.learnt)), Unseen: int64(len(w.unseen))}
	if t.times != nil && len(w.unseen) > 0 {
		l.Split.Column, l.Split.At = t.times.column.Name, t.times.text(w.options.Time[w.unseen[0]])
	}
}

// held names the columns that were not used: those the learner held back and those it never saw.
func (w *training) held(t *Trained) []card.Held {
	learned := map[string]string{}
	for _, h := range t.Card.Learned.Held {
		learned[h.Column] = h.Why
	}
	var out []card.Held
	for i := range t.Set.Columns {
		name := t.Set.Columns[i].Name
		if why, ok := learned[name]; ok {
			out = append(out, card.Held{Column: name, Why: why})
		} else if t.Uses[i].Role == HeldBack {
			out = append(out, card.Held{Column: name, Why: t.Uses[i].Why})
		}
	}
	return out
}

// compared is what a comparison is made by: the figures without the columns that are denied.
func (t *Trained) compared() *assess.Report {
	if t.Override != nil && t.Override.Without != nil {
		return t.Override.Without
	}
	return t.Unseen
}

func (w *training) run(ctx context.Context, step string, o train.Options) (*card.Card, *train.Report, error) {
	type outcome struct {
		card   *card.Card
		report *train.Report
		err    error
	}
	type progress struct{ done, of int }
	finished := make(chan outcome, 1)
	steps := make(chan progress)
	o.Override = maps.Clone(o.Override)
	var limits card.Limits
	if o.Prior != nil && train.Enough(train.Tally(w.outcomes)) {
		o.Prior = o.Prior.Clone()
		limits = o.Prior.Unbind()
	}
	go func() {
		told := -1
		c, r, err := train.Learn(w.frame, w.outcomes, o, func(done, of int) bool {
			if done == told {
				return ctx.Err() == nil
			}
			told = done
			select {
			case steps <- progress{done, of}:
			case <-ctx.Done():
			}
			return ctx.Err() == nil
		})
		finished <- outcome{c, r, err}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		case p := <-steps:
			w.tell(step, p.done, p.of)
		case f := <-finished:
			if f.err != nil && !errors.Is(f.err, train.ErrCancelled) {
				f.err = usagef("%s: %w", w.Label, f.err)
			}
			if f.err != nil {
				return nil, nil, f.err
			}
			var err error
			w.moved, err = limits.Bind(f.card, w.frame)
			return f.card, f.report, err
		}
	}
}
