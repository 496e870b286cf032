package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/leadmesh/leadmesh/services/internal/analyst"
	"github.com/leadmesh/leadmesh/services/internal/dataset"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

// modelCmd learns points tables and puts them to use without a server.
type modelCmd struct {
	Train     modelTrainCmd     `cmd:"" help:"Learn a points table from a list of leads with their outcomes."`
	Evaluate  modelEvaluateCmd  `cmd:"" help:"Say how good a points table is on leads whose outcome is known."`
	Score     modelScoreCmd     `cmd:"" help:"Write a list again with probability, points and reasons for each row."`
	Explain   modelExplainCmd   `cmd:"" help:"Say how a row came to its points, and what if."`
	Diff      modelDiffCmd      `cmd:"" help:"Say what another version of a points table changes, and for which rows."`
	Threshold modelThresholdCmd `cmd:"" help:"Find the points from which a list gives a wanted precision, or as much as a desk can work on."`
}

// modelData is the table a command works on.
type modelData struct {
	Data    string   `required:"" placeholder:"FILE" help:"The list: CSV with commas, semicolons, tabs or bars, in UTF-8, UTF-16 or Windows-1252. \"-\" is standard input."`
	Missing []string `placeholder:"WORD,..." help:"What stands for \"not known\" in the list, beside nothing; \"+WORD,...\" adds to the usual words, which are NA, N/A, #N/A, NaN, NULL, ?, -, --, unknown and Select."`
	Dates   string   `enum:"day,month," default:"" placeholder:"day|month" help:"What stands first in dates such as 06/07/2026, if the list does not show it."`
}

// source is the table with where words go while it is worked on.
func (d *modelData) source(s streams, w *watch) analyst.Source {
	src := analyst.Source{Data: d.Data, Stdin: os.Stdin, Stdout: s.out, Dates: d.Dates, Skip: w.skip}
	if f, ok := s.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		src.Progress = w.bar.show
	}
	if len(d.Missing) > 0 {
		words := append([]string(nil), d.Missing...)
		if first, more := strings.CutPrefix(words[0], "+"); more {
			words[0] = first
			words = append(dataset.DefaultMissing(), words...)
		}
		src.Missing = words
	}
	return src
}

// watch tells how far a command is and what it passes over.
type watch struct {
	err   io.Writer
	bar   progress
	skips skipped
}

func newWatch(s streams) *watch { return &watch{err: s.err, bar: progress{out: s.err}} }

func (w *watch) skip(list string, e *table.RowError) {
	w.bar.clear()
	w.skips.tell(w.err, list, e)
}

// quiet ends the bar and what was skipped.
func (w *watch) quiet() {
	w.bar.clear()
	w.skips.end(w.err)
	w.skips.n = 0
}

// ended makes the exit of what a command came to.
func ended(ctx context.Context, s streams, err error, skipped int) error {
	var misused *analyst.UsageError
	switch {
	case ctx.Err() != nil && err != nil:
		fmt.Fprintln(s.err, "leadmesh: stopped; nothing was written")
		return exitError(exitStopped)
	case errors.As(err, &misused):
		return usage(s, err)
	case err != nil:
		return err
	case skipped > 0:
		return exitError(exitSkipped)
	}
	return nil
}

// told is where words go: to standard error where an output goes to standard output.
func told(s streams, outputs ...string) io.Writer {
	for _, o := range outputs {
		if o == "-" {
			return s.err
		}
	}
	return s.out
}

// modelTrainCmd learns.
type modelTrainCmd struct {
	modelData   `embed:""`
	Label       string   `required:"" placeholder:"COLUMN" help:"The outcome of each row: won or lost. Rows without one are still open."`
	Positive    []string `placeholder:"VALUE" help:"What is won, if it is not 1, yes, true, won, sold or the like."`
	Negative    []string `placeholder:"VALUE,..." help:"What is lost; default: all that is neither won nor open."`
	Open        []string `placeholder:"VALUE,..." help:"What is not decided yet, and so neither won nor lost."`
	Time        string   `placeholder:"COLUMN" help:"When each row came: a date or a running number. The newest rows are then kept unseen, and columns that change over time are found. Default: unseen rows are drawn at random."`
	Decided     string   `placeholder:"COLUMN" help:"When the outcome was known: with it, rows that are still open count by their age."`
	Group       string   `placeholder:"COLUMN" help:"Rows of one value, as of one customer, are learned from or kept unseen together."`
	Segment     []string `placeholder:"COLUMN,..." help:"Tell the figures on unseen rows apart by the values of these columns, such as brand and region; they are kept in the points table, where promotion asks for them."`
	Exclude     []string `placeholder:"COLUMN,..." help:"Columns to leave out."`
	AllowDenied []string `placeholder:"COLUMN,..." help:"Columns to learn from although they speak of sex, race, religion, national origin, marital status or age. --because says why."`
	Because     string   `placeholder:"TEXT" help:"Why denied columns are allowed; it is kept in the points table."`
	Prior       string   `placeholder:"FILE" help:"A points table to start from: few rows move it little, many much."`
	Seed        uint64   `default:"1" help:"Another seed draws other rows. The same gives the same points table."`
	Out         string   `required:"" placeholder:"FILE" help:"The points table, YAML to read and to edit. \"-\" is standard output."`
	Report      string   `placeholder:"FILE" help:"A page that shows every signal's points, how good they are, and what was held back."`
}

func (c *modelTrainCmd) Run(ctx context.Context, s streams) error {
	spare()
	w, out := newWatch(s), told(s, c.Out, c.Report)
	t, err := analyst.Train(ctx, analyst.TrainOptions{
		Source: c.source(s, w), Label: c.Label, Answers: dataset.Answers{Positive: c.Positive, Negative: c.Negative, Open: c.Open},
		Time: c.Time, Decided: c.Decided, Group: c.Group, Segments: c.Segment, Exclude: c.Exclude, Allow: c.AllowDenied, Because: c.Because, Prior: c.Prior, Seed: c.Seed,
		Out: c.Out, Report: c.Report,
		Planned: func(p *analyst.Plan) {
			w.quiet()
			p.Print(out)
		},
	})
	w.quiet()
	if err != nil {
		return ended(ctx, s, err, 0)
	}
	t.Print(out)
	return ended(ctx, s, nil, t.Set.Skipped)
}

// modelEvaluateCmd judges.
type modelEvaluateCmd struct {
	modelData   `embed:""`
	Model       string   `required:"" placeholder:"FILE" help:"The points table."`
	Label       string   `placeholder:"COLUMN" help:"The outcome of each row; default: the column that the points table was learned from."`
	Positive    []string `placeholder:"VALUE" help:"What is won; default: what was won for the points table."`
	Negative    []string `placeholder:"VALUE,..." help:"What is lost; default: all that is neither won nor open."`
	Open        []string `placeholder:"VALUE,..." help:"What is not decided yet."`
	Segment     string   `placeholder:"COLUMN" help:"Judge the rows of each value of this column apart, too."`
	Recalibrate string   `placeholder:"FILE" help:"Write the points table with the same points and with probabilities that hold for these rows."`
	JSON        bool     `help:"Write the figures as JSON."`
	Lacking     bool     `help:"Take columns that the list lacks as missing in every row."`
}

func (c *modelEvaluateCmd) Run(ctx context.Context, s streams) error {
	spare()
	w := newWatch(s)
	e, err := analyst.Evaluate(ctx, analyst.EvaluateOptions{
		Source: c.source(s, w), Model: c.Model, Label: c.Label, Answers: dataset.Answers{Positive: c.Positive, Negative: c.Negative, Open: c.Open},
		Segment: c.Segment, Recalibrate: c.Recalibrate, Lacking: c.Lacking,
	})
	w.quiet()
	if err != nil {
		return ended(ctx, s, err, 0)
	}
	out := told(s, c.Recalibrate)
	if c.JSON {
		if err := e.WriteJSON(out); err != nil {
			return err
		}
	} else {
		e.Print(out)
	}
	return ended(ctx, s, nil, e.Model.Set.Skipped)
}

// modelScoreCmd scores.
type modelScoreCmd struct {
	modelData `embed:""`
	Model     string `required:"" placeholder:"FILE" help:"The points table."`
	Out       string `required:"" placeholder:"FILE" help:"Every row as it was, with probability, low, high, points and reasons. \"-\" is standard output."`
	Reasons   int    `default:"3" placeholder:"N" help:"How many reasons a row is given."`
	Parts     bool   `help:"Write what each signal gave, too: these columns add up to the points."`
	Lacking   bool   `help:"Take columns that the list lacks as missing in every row."`
}

func (c *modelScoreCmd) Run(ctx context.Context, s streams) error {
	spare()
	w := newWatch(s)
	r, err := analyst.Score(ctx, analyst.ScoreOptions{Source: c.source(s, w), Model: c.Model, Out: c.Out, Reasons: c.Reasons, Parts: c.Parts, Lacking: c.Lacking})
	w.quiet()
	if err != nil {
		return ended(ctx, s, err, 0)
	}
	r.Print(told(s, c.Out))
	return ended(ctx, s, nil, r.Model.Set.Skipped)
}

// modelExplainCmd explains.
type modelExplainCmd struct {
	modelData `embed:""`
	Model     string   `required:"" placeholder:"FILE" help:"The points table."`
	Row       int      `required:"" placeholder:"N" help:"Which row: 1 is the first under the names of the columns."`
	Set       []string `sep:"none" placeholder:"COLUMN=VALUE" help:"What if the row had this value? May be repeated; nothing behind the sign means missing."`
	Lacking   bool     `help:"Take columns that the list lacks as missing in every row."`
}

func (c *modelExplainCmd) Run(ctx context.Context, s streams) error {
	w := newWatch(s)
	changes, err := analyst.ParseChanges(c.Set)
	if err != nil {
		return usage(s, err)
	}
	e, err := analyst.Explain(ctx, analyst.ExplainOptions{Source: c.source(s, w), Model: c.Model, Row: c.Row, Change: changes, Lacking: c.Lacking})
	w.quiet()
	if err != nil {
		return ended(ctx, s, err, 0)
	}
	e.Print(s.out)
	return ended(ctx, s, nil, e.Model.Set.Skipped)
}

// modelDiffCmd compares.
type modelDiffCmd struct {
	Before  string   `arg:"" help:"The points table that is."`
	After   string   `arg:"" help:"The one that may be."`
	Data    string   `placeholder:"FILE" help:"Rows, to see whose score moves. \"-\" is standard input."`
	Missing []string `placeholder:"WORD,..." help:"What stands for \"not known\" in the rows; default: what the points tables say."`
	Lacking bool     `help:"Take columns that the rows lack as missing."`
}

func (c *modelDiffCmd) Run(ctx context.Context, s streams) error {
	w := newWatch(s)
	data := modelData{Data: c.Data, Missing: c.Missing}
	d, err := analyst.Diff(ctx, analyst.DiffOptions{Source: data.source(s, w), Before: c.Before, After: c.After, Lacking: c.Lacking})
	w.quiet()
	if err != nil {
		return ended(ctx, s, err, 0)
	}
	d.Print(s.out)
	if d.Set != nil {
		return ended(ctx, s, nil, d.Set.Skipped)
	}
	return nil
}
