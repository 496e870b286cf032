package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/people"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

// matchCmd cleans a list of people without a server.
type matchCmd struct {
	In         string   `required:"" placeholder:"FILE" help:"The list: CSV with commas, semicolons, tabs or bars, in UTF-8, UTF-16 or Windows-1252. \"-\" is standard input."`
	Link       string   `placeholder:"FILE" help:"A second list: its rows are matched with those of the first, and among themselves."`
	Across     bool     `help:"With --link: compare only rows of different lists. For two lists that each hold nobody twice."`
	Out        string   `required:"" placeholder:"FILE" help:"Every row as it was, with its cluster_id. \"-\" is standard output."`
	Households bool     `help:"Write a household_id too: persons who share a home by address, phone number or e-mail address."`
	Pairs      string   `placeholder:"FILE" help:"The pairs of rows that are one person or may be, with probability."`
	Explain    string   `placeholder:"FILE" help:"A page that shows what was read, learned and decided, with examples. It holds personal data."`
	Map        []string `placeholder:"FIELD=COLUMN" help:"Which column holds what, if its name does not say: given_name=FNAME,phone=Tel1,phone=Tel2. \"ignore=COLUMN\" leaves one out."`
	Threshold  *float64 `placeholder:"P" help:"Probability from which on two rows are one person; default: that of the parameters."`
	Country    string   `placeholder:"CODE" help:"Where rows without a country are from, as US or DE; for phone numbers and postal codes."`
	Dates      string   `enum:"day,month," default:"" placeholder:"day|month" help:"What stands first in dates such as 06/07/1971, if the list does not show it."`
	Params     string   `placeholder:"FILE" help:"Weigh with these parameters instead of learning them from the list."`
	Truth      string   `placeholder:"COLUMN" help:"A column that says who each row truly is. It is no evidence; the result is judged by it."`
	SaveParams string   `placeholder:"FILE" help:"Write the parameters, to read, to edit and for --params."`
}

// Exit codes of match beside 0 and 1.
const (
	exitUsage   = 2
	exitSkipped = 3
	exitStopped = 130
)

func (c *matchCmd) Run(ctx context.Context, s streams) error {
	o, err := c.options(s)
	if err != nil {
		return usage(s, err)
	}
	spare()
	told := s.out
	if c.Out == "-" || c.Pairs == "-" || c.Explain == "-" || c.SaveParams == "-" {
		told = s.err
	}
	bar := &progress{out: s.err}
	var skips skipped
	o.Mapped = func(lists []*people.List) {
		bar.clear()
		skips.end(s.err)
		people.PrintMapping(told, lists)
	}
	o.Skip = func(list string, e *table.RowError) {
		bar.clear()
		skips.tell(s.err, list, e)
	}
	if f, ok := s.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.Progress = bar.show
	}
	outcome, err := people.Clean(ctx, o)
	bar.clear()
	switch {
	case ctx.Err() != nil && err != nil:
		fmt.Fprintln(s.err, "leadmesh: stopped; nothing was written")
		return exitError(exitStopped)
	case errors.Is(err, people.ErrMapping):
		return usage(s, err)
	case err != nil:
		return err
	}
	outcome.Print(told)
	if _, n := outcome.Rows(); n > 0 {
		return exitError(exitSkipped)
	}
	return nil
}

// spare sets the garbage collector for one large heap that lives to the end: it grows by half before
// it is looked through. A list of a million rows stays below the limit; what is larger is only slower.
func spare() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(7 << 29)
	}
}

// options reads what the command was told. Its errors are the caller's.
func (c *matchCmd) options(s streams) (o people.Options, err error) {
	o = people.Options{
		In: c.In, Link: c.Link, Stdin: os.Stdin, Stdout: s.out, Out: c.Out, Pairs: c.Pairs, Report: c.Explain, SaveParams: c.SaveParams,
		Dates: c.Dates, Across: c.Across, Households: c.Households, Truth: c.Truth, Year: time.Now().Year(),
	}
	if c.Threshold != nil {
		if o.Threshold = *c.Threshold; !(o.Threshold >= 0.000001 && o.Threshold <= 0.999999) { // nor is NaN
			return o, fmt.Errorf("--threshold %v: it is a probability between 0 and 1", o.Threshold)
		}
	}
	if c.Across && c.Link == "" {
		return o, errors.New("--across: there is only one list; --link names a second")
	}
	if c.In == "-" && c.Link == "-" {
		return o, errors.New("--in and --link: only one of them can be standard input")
	}
	if c.Country != "" {
		code, ok := lead.CountryCode(c.Country)
		if !ok {
			return o, fmt.Errorf("--country %s: it is a code of two letters, such as US or DE", c.Country)
		}
		o.Country = code
	}
	if o.Renames, err = people.ParseRenames(c.Map); err != nil {
		return o, err
	}
	if c.Params != "" {
		text, err := os.ReadFile(c.Params)
		if err != nil {
			return o, err
		}
		if o.Params, err = identity.ParseParams(text); err != nil {
			return o, fmt.Errorf("--params %s: %w", c.Params, err)
		}
	}
	return o, nil
}

// usage tells what the caller got wrong.
func usage(s streams, err error) error {
	complain(s.err, err)
	return exitError(exitUsage)
}

// skipped tells rows that cannot be read, but not thousands of them.
type skipped struct{ n int }

const mostSkipped = 50

func (k *skipped) tell(w io.Writer, list string, e *table.RowError) {
	if k.n++; k.n <= mostSkipped {
		fmt.Fprintf(w, "%s:%d: skipped: %s\n", list, e.Line, e.Problem)
	}
}

func (k *skipped) end(w io.Writer) {
	if k.n > mostSkipped {
		fmt.Fprintf(w, "and %d more rows were skipped\n", k.n-mostSkipped)
	}
}

// progress is a bar for each step, on a terminal.
type progress struct {
	out  io.Writer
	step string
	bar  *progressbar.ProgressBar
}

func (p *progress) show(step string, done, total int) {
	if step != p.step {
		p.clear()
		if total == 0 {
			total = -1 // a spinner
		}
		p.step, p.bar = step, progressbar.NewOptions(total, progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(
			fmt.Sprintf("%-*s", 12, step)), progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSpinnerCustom([]string{" "}), progressbar.OptionSetSpinnerChangeInterval(0), progressbar.OptionClearOnFinish(), progressbar.OptionSetTheme(progressbar.ThemeUnicode))
	}
	_ = p.bar.Set(done) // a terminal that is gone is no reason to stop
}

func (p *progress) clear() {
	if p.bar != nil {
		_, _ = p.bar.Exit(), p.bar.Clear()
		p.bar, p.step = nil, ""
	}
}
