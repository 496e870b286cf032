package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// modelsCmd keeps points tables on a running house. What is learned without one is modelCmd's.
type modelsCmd struct {
	Upload     modelsUploadCmd     `cmd:"" help:"Hand a points table over. It scores nothing before it is promoted."`
	List       modelsListCmd       `cmd:"" help:"List the models, the latest first."`
	Show       modelsShowCmd       `cmd:"" help:"Show a model: its guards, its history, what it does as a shadow."`
	Diff       modelsDiffCmd       `cmd:"" help:"Show what a model changes against another, or against the playbook's table."`
	Train      modelsTrainCmd      `cmd:"" help:"Learn a points table from leads decided in the past and what became of them."`
	Trainings  modelsTrainingsCmd  `cmd:"" help:"List trainings, or show how far one is and what came out; or end it."`
	Backtest   modelsBacktestCmd   `cmd:"" help:"Hold a model against leads decided in the past."`
	Report     modelsReportCmd     `cmd:"" help:"Show what is known of a model, also as a page; or how far a backtest is and what came out."`
	Rescore    modelsRescoreCmd    `cmd:"" help:"Score everybody anew, or hold a model against what is in force on everybody."`
	Rescorings modelsRescoringsCmd `cmd:"" help:"List the re-scorings, or show what came out of one; or end it."`
	Persons    modelsPersonsCmd    `cmd:"" help:"Write the identifiers of the persons of a segment or stage as CSV, by the latest re-scoring."`
	Promote    modelsPromoteCmd    `cmd:"" help:"Make a model the shadow of its line, or the shadow the one that scores."`
	Retire     modelsRetireCmd     `cmd:"" help:"Take a model out."`
	Rollback   modelsRollbackCmd   `cmd:"" help:"Bring back what scored a line before: the model before, or the playbook's table."`
}

// models calls the house's models.
func (f remoteFlags) models(ctx context.Context, call func(context.Context, scoringv1.ModelServiceClient) error) error {
	conn, err := f.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	return call(f.context(ctx), scoringv1.NewModelServiceClient(conn))
}

type modelsUploadCmd struct {
	remoteFlags
	File string `arg:"" help:"The points table: what leadmesh model train writes, over features of leads."`
	Line string `placeholder:"LINE" help:"The line it scores, such as SALES, if the table does not name it."`
	Note string `help:"Why, for the record."`
}

// Run uploads the table; it exits 1 if a guard does not hold.
func (c *modelsUploadCmd) Run(ctx context.Context, s streams) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	line, err := lineFlag(c.Line)
	if err != nil {
		return usage(s, err)
	}
	return c.models(ctx, func(ctx context.Context, client scoringv1.ModelServiceClient) error {
		resp, err := client.UploadModel(ctx, &scoringv1.UploadModelRequest{Line: line, Text: string(text), Note: c.Note})
		if err != nil {
			return inFile(c.File, err)
		}
		m := resp.GetModel()
		word := ""
		if resp.GetUnchanged() {
			word = " already"
		}
		fmt.Fprintf(s.out, "%s: %s of %s%s\n", m.GetRevision(), stateWord(m.GetState()), lineWord(m.GetLine()), word)
		printGuards(s.out, m.GetGuards())
		if m.GetState() == scoringv1.ModelState_MODEL_STATE_DRAFT {
			return exitError(1)
		}
		return nil
	})
}

type modelsListCmd struct {
	remoteFlags
	Line  string `placeholder:"LINE" help:"Only those of a line."`
	State string `placeholder:"STATE" help:"Only those in a state: draft, validated, shadow, active, retired."`
}

func (c *modelsListCmd) Run(ctx context.Context, s streams) error {
	line, err := lineFlag(c.Line)
	if err != nil {
		return usage(s, err)
	}
	state, ok := scoringv1.ModelState_value["MODEL_STATE_"+strings.ToUpper(c.State)]
	if !ok && c.State != "" {
		return usage(s, fmt.Errorf("--state %s: there are draft, validated, shadow, active and retired", c.State))
	}
	return c.models(ctx, func(ctx context.Context, client scoringv1.ModelServiceClient) error {
		w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "revision\tline\tstate\tAUC\tuploaded\tby\tnote")
		req := &scoringv1.ListModelsRequest{Line: line, State: scoringv1.ModelState(state)}
		for {
			resp, err := client.ListModels(ctx, req)
			if err != nil {
				return err
			}
			for _, m := range resp.GetModels() {
				auc := "-"
				if f := m.GetFigures(); f != nil {
					auc = fmt.Sprintf("%.3f", float64(f.GetAucPpm())/1e6)
				}
				state := stateWord(m.GetState())
				if m.GetScorecardChanged() && m.GetState() == scoringv1.ModelState_MODEL_STATE_ACTIVE {
					state += " (the scorecard changed)"
				}
				fmt.Fprintf(w, "%.12s\t%s\t%s\t%s\t%s\t%s\t%s\n", m.GetRevision(), lineWord(m.GetLine()), state, auc, moment(m.GetUploadedAt()), m.GetUploadedBy(), m.GetNote())
			}
			if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
				return w.Flush()
			}
		}
	})
}

// modelArg names a model of the house.
type modelArg struct {
	remoteFlags
	Revision string `arg:"" help:"The revision, by at least its first eight characters."`
}

type modelsShowCmd struct {
	modelArg
	Card bool `help:"Print the points table alone, as it was uploaded."`
}

func (c *modelsShowCmd) Run(ctx context.Context, s streams) error {
	return c.models(ctx, func(ctx context.Context, client scoringv1.ModelServiceClient) error {
		resp, err := client.GetModel(ctx, &scoringv1.GetModelRequest{Revision: c.Revision})
		if err != nil {
			return err
		}
		if c.Card {
			_, err := io.WriteString(s.out, resp.GetModel().GetText())
			return err
		}
		printModel(s.out, resp.GetModel())
		return nil
	})
}

type modelsDiffCmd struct {
	modelArg
	With string `arg:"" optional:"" help:"Another revision; absent: the playbook's table of the line."`
}

func (c *modelsDiffCmd) Run(ctx context.Context, s streams) error {
	return c.models(ctx, func(ctx context.Context, client scoringv1.ModelServiceClient) error {
		resp, err := client.DiffModel(ctx, &scoringv1.DiffModelRequest{Revision: c.Revision, With: c.With})
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		for _, f := range resp.GetFields() {
			fmt.Fprintf(w, "%s\t%s\t%s\n", f.GetName(), orDash(f.GetBefore()), orDash(f.GetAfter()))
		}
		for _, p := range resp.GetPoints() {
			before, after := fmt.Sprintf("%.2f", float64(p.GetBefore())/100), fmt.Sprintf("%.2f", float64(p.GetAfter())/100)
			if p.GetAdded() {
				before = "-"
			}
			if p.GetGone() {
				after = "-"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", p.GetName(), before, after)
		}
		return w.Flush()
	})
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

type modelsPromoteCmd struct {
	modelArg
	To   string `enum:"shadow,active" required:"" placeholder:"shadow|active" help:"shadow scores beside and decides nothing; active scores the line."`
	Note string `help:"Why, for the record."`
}

func (c *modelsPromoteCmd) Run(ctx context.Context, s streams) error {
	return c.models(ctx, func(ctx context.Context, client scoringv1.ModelServiceClient) error {
		to := scoringv1.ModelState(scoringv1.ModelState_value["MODEL_STATE_"+strings.ToUpper(c.To)])
		resp, err := client.PromoteModel(ctx, &scoringv1.PromoteModelRequest{Revision: c.Revision, To: to, Note: c.Note})
		if err != nil {
			return err
		}
		printChange(s.out, resp.GetModel(), resp.GetRetiredRevision())
		printGuards(s.out, resp.GetGuards())
		return nil
	})
}

type modelsRetireCmd struct {
	modelArg
	Note string `help:"Why, for the record."`
}

func (c *modelsRetireCmd) Run(ctx context.Context, s streams) error {
	return c.models(ctx, func(ctx context.Context, client scoringv1.ModelServiceClient) error {
		resp, err := client.RetireModel(ctx, &scoringv1.RetireModelRequest{Revision: c.Revision, Note: c.Note})
		if err != nil {
			return err
		}
		printChange(s.out, resp.GetModel(), "")
		return nil
	})
}

type modelsRollbackCmd struct {
	remoteFlags
	Line string `arg:"" help:"The line, such as SALES."`
	Note string `help:"Why, for the record."`
}

func (c *modelsRollbackCmd) Run(ctx context.Context, s streams) error {
	line, err := lineFlag(c.Line)
	if err != nil {
		return usage(s, err)
	}
	return c.models(ctx, func(ctx context.Context, client scoringv1.ModelServiceClient) error {
		resp, err := client.RollbackModel(ctx, &scoringv1.RollbackModelRequest{Line: line, Note: c.Note})
		if err != nil {
			return err
		}
		if resp.GetModel() == nil {
			fmt.Fprintf(s.out, "the playbook's table scores %s again\n", c.Line)
		}
		printChange(s.out, resp.GetModel(), resp.GetRetiredRevision())
		return nil
	})
}

func lineFlag(text string) (leadv1.Line, error) {
	line, ok := leadv1.Line_value["LINE_"+strings.ToUpper(text)]
	if !ok && text != "" {
		return 0, fmt.Errorf("there is no line %s", text)
	}
	return leadv1.Line(line), nil
}

func lineWord(l leadv1.Line) string { return strings.TrimPrefix(l.String(), "LINE_") }

func stateWord(s scoringv1.ModelState) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "MODEL_STATE_"))
}

func moment(t *timestamppb.Timestamp) string { return t.AsTime().Format(time.RFC3339) }

func printChange(out io.Writer, m *scoringv1.Model, retired string) {
	if m != nil {
		fmt.Fprintf(out, "%.12s: %s of %s\n", m.GetRevision(), stateWord(m.GetState()), lineWord(m.GetLine()))
	}
	if retired != "" {
		fmt.Fprintf(out, "%.12s: retired\n", retired)
	}
}

func printGuards(out io.Writer, guards []*scoringv1.ModelGuard) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, g := range guards {
		word := "holds"
		if !g.GetHeld() {
			word = "DOES NOT HOLD"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", g.GetName(), g.GetFigure(), g.GetBound(), word)
	}
	_ = w.Flush() // as with every other line: a terminal that is gone needs no answer
}

func printModel(out io.Writer, m *scoringv1.Model) {
	fmt.Fprintf(out, "%s\n%s of %s, uploaded %s by %s: %s\n", m.GetRevision(), stateWord(m.GetState()), lineWord(m.GetLine()), moment(m.GetUploadedAt()), m.GetUploadedBy(), m.GetNote())
	if m.GetScorecardChanged() {
		fmt.Fprintln(out, "the playbook's scorecard of the line is another than the one it was promoted against: promote it anew or retire it")
	}
	fmt.Fprintln(out, "guards")
	printGuards(out, m.GetGuards())
	if f := m.GetShadow(); f != nil {
		fmt.Fprintf(out, "as a shadow since %s: %d leads, %d of them in another stage\n", moment(f.GetSince()), f.GetLeadCount(), f.GetChangedCount())
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "  points from\tdecided\tshadow\t")
		for _, b := range f.GetBuckets() {
			fmt.Fprintf(w, "  %d\t%d\t%d\t\n", b.GetFromPoints()/100, b.GetDecidedCount(), b.GetShadowCount())
		}
		_ = w.Flush()
		for _, x := range f.GetMoves() {
			if x.GetDecided() != x.GetShadow() {
				fmt.Fprintf(out, "  %s would be %s: %d\n", stageWord(x.GetDecided()), stageWord(x.GetShadow()), x.GetLeadCount())
			}
		}
	}
	fmt.Fprintln(out, "history, the latest first")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range m.GetHistory() {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", moment(c.GetChangedAt()), stateWord(c.GetTo()), c.GetChangedBy(), c.GetNote())
	}
	_ = w.Flush()
}

func stageWord(s leadv1.Stage) string { return strings.TrimPrefix(s.String(), "STAGE_") }
