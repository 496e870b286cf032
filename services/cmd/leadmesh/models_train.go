package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
)

// featuresShown is how many features a report prints.
const featuresShown = 15

type modelsTrainCmd struct {
	remoteFlags
	periodFlags
	Line        string `required:"" placeholder:"LINE" help:"The line to learn for, such as SALES."`
	Recalibrate bool   `help:"Keep the points of what scores the line now and find only its chances anew: where the share won of recent leads is another."`
	Wait        bool   `help:"Wait until it is done and print what came out."`
	Note        string `help:"Why, for the record."`
}

// Run begins a training; with --wait it prints the report and exits 1 if there is none.
func (c *modelsTrainCmd) Run(ctx context.Context, s streams) error {
	line, err := lineFlag(c.Line)
	if err != nil {
		return usage(s, err)
	}
	req := &scoringv1.StartTrainingRequest{Line: line, Note: c.Note, Recalibrate: c.Recalibrate}
	if err := c.read(&req.From, &req.To); err != nil {
		return usage(s, err)
	}
	return c.models(ctx, func(ctx context.Context, client scoringv1.ModelServiceClient) error {
		resp, err := client.StartTraining(ctx, req)
		if err != nil {
			return err
		}
		return trainingsOf(client).begun(ctx, s, resp.GetTraining().GetTrainingId(), c.Wait)
	})
}

type modelsTrainingsCmd struct {
	remoteFlags
	Training string `arg:"" optional:"" help:"One, as leadmesh models train named it; absent: all are listed."`
	Line     string `placeholder:"LINE" help:"Of the list only those of a line."`
	Wait     bool   `help:"Wait until it is done."`
	Cancel   bool   `help:"End it instead."`
}

// Run lists trainings, or prints how far one is, or its report.
func (c *modelsTrainingsCmd) Run(ctx context.Context, s streams) error {
	line, err := lineFlag(c.Line)
	if err != nil {
		return usage(s, err)
	}
	if c.Training == "" && (c.Wait || c.Cancel) {
		return usage(s, errors.New("--wait and --cancel: name a training"))
	}
	return c.models(ctx, func(ctx context.Context, client scoringv1.ModelServiceClient) error {
		if c.Training == "" {
			return listTrainings(ctx, s, client, &scoringv1.ListTrainingsRequest{Line: line})
		}
		return trainingsOf(client).show(ctx, s, c.Training, c.Wait, c.Cancel)
	})
}

// trainingsOf are the house's trainings.
func trainingsOf(client scoringv1.ModelServiceClient) *runKind[*scoringv1.Training] {
	return &runKind[*scoringv1.Training]{
		words: "training", command: "trainings",
		get: func(ctx context.Context, id string) (*scoringv1.Training, error) {
			resp, err := client.GetTraining(ctx, &scoringv1.GetTrainingRequest{TrainingId: id})
			return resp.GetTraining(), err
		},
		cancel: func(ctx context.Context, id string) (*scoringv1.Training, error) {
			resp, err := client.CancelTraining(ctx, &scoringv1.CancelTrainingRequest{TrainingId: id})
			return resp.GetTraining(), err
		},
		state: func(t *scoringv1.Training) (running, done bool) {
			return t.GetState() == scoringv1.TrainingState_TRAINING_STATE_RUNNING, t.GetState() == scoringv1.TrainingState_TRAINING_STATE_DONE
		},
		progress: trainingProgress, print: printTraining,
	}
}

func listTrainings(ctx context.Context, s streams, client scoringv1.ModelServiceClient, req *scoringv1.ListTrainingsRequest) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "training\tline\tstate\tleads\tmodel\tbegun\tby\tnote")
	for {
		resp, err := client.ListTrainings(ctx, req)
		if err != nil {
			return err
		}
		for _, t := range resp.GetTrainings() {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%.12s\t%s\t%s\t%s\n", t.GetTrainingId(), lineWord(t.GetLine()), trainingWord(t), t.GetLeadCount(), orDash(t.GetRevision()),
				moment(t.GetStartedAt()), t.GetStartedBy(), t.GetNote())
		}
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			return w.Flush()
		}
	}
}

func trainingProgress(t *scoringv1.Training) string {
	if t.GetStep() == scoringv1.TrainingStep_TRAINING_STEP_LEARNING {
		return fmt.Sprintf("%d %%: learning from %d leads", t.GetProgressPpm()/10_000, t.GetLeadCount())
	}
	return fmt.Sprintf("%d %%: read %s", t.GetProgressPpm()/10_000, soFar(t.GetLeadCount(), t.GetEstimatedLeadCount(), "leads"))
}

func trainingWord(t *scoringv1.Training) string {
	return strings.ToLower(strings.TrimPrefix(t.GetState().String(), "TRAINING_STATE_"))
}

func printTraining(out io.Writer, t *scoringv1.Training) {
	from := "the first lead"
	if t.GetFrom() != nil {
		from = moment(t.GetFrom())
	}
	what := lineWord(t.GetLine())
	if t.GetRecalibrate() {
		what = "chances of " + what
	}
	fmt.Fprintf(out, "%s: %s; %s from leads received from %s to %s\n", t.GetTrainingId(), trainingWord(t), what, from, moment(t.GetTo()))
	if t.GetProblem() != "" {
		fmt.Fprintln(out, t.GetProblem())
	}
	r := t.GetReport()
	if r == nil {
		fmt.Fprintln(out, trainingProgress(t))
		return
	}
	fmt.Fprintf(out, "%d leads, learned from %d: %d won, %d lost (%d of them expired), %d open\n",
		r.GetLeadCount(), r.GetLearnedCount(), r.GetWonCount(), r.GetLostCount(), r.GetExpiredCount(), r.GetOpenCount())
	for _, word := range r.GetWords() {
		fmt.Fprintln(out, "- "+word)
	}
	printTrainingFigures(out, t)
	printTrainingFeatures(out, r)
	if t.GetRevision() == "" {
		fmt.Fprintln(out, "no model came out")
		return
	}
	fmt.Fprintf(out, "model %s; leadmesh models show %.12s says whether it may be promoted, diff %.12s what it changes\n", t.GetRevision(), t.GetRevision(), t.GetRevision())
}

func printTrainingFigures(out io.Writer, t *scoringv1.Training) {
	r := t.GetReport()
	if r.GetLearned() == nil {
		return
	}
	now := "playbook's table"
	if t.GetDecidingRevision() != "" {
		now = fmt.Sprintf("model %.12s", t.GetDecidingRevision())
	}
	x := r.GetSplit()
	fmt.Fprintf(out, "on the newest %d leads, from %s on, of which %d are won or lost; learned from the %d oldest, calibrated on the %d between:\n",
		x.GetUnseenCount(), moment(x.GetUnseenFrom()), x.GetMeasuredCount(), x.GetLearnCount(), x.GetTuneCount())
	d, m, by := r.GetDeciding(), r.GetLearned(), r.GetDifference()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "figure\t%s\tlearned\tdifference\n", now)
	printFigures(w, d, m, by)
	_ = w.Flush()
}

func printTrainingFeatures(out io.Writer, r *scoringv1.TrainingReport) {
	var used, held []*scoringv1.TrainingFeature
	for _, f := range r.GetFeatures() {
		switch {
		case f.GetUsed():
			used = append(used, f)
		case f.GetHeld() != "":
			held = append(held, f)
		}
	}
	if len(used) > 0 {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "feature\tpoints it moves\tmissing\tAUC alone\tdrift")
		for _, f := range used[:min(len(used), featuresShown)] {
			fmt.Fprintf(w, "%s\t%.2f\t%.1f %%\t%.3f\t%.3f\n", f.GetFeature(), float64(f.GetImportancePoints())/100, float64(f.GetMissingPpm())/1e4,
				float64(f.GetAloneAucPpm())/1e6, float64(f.GetDriftPpm())/1e6)
		}
		_ = w.Flush()
		if more := len(used) - featuresShown; more > 0 {
			fmt.Fprintf(out, "and %d more\n", more)
		}
	}
	for len(held) > 0 { // those held back for the same reason in one line
		why := held[0].GetHeld()
		var names []string
		held = slices.DeleteFunc(held, func(f *scoringv1.TrainingFeature) bool {
			if f.GetHeld() == why {
				names = append(names, f.GetFeature())
			}
			return f.GetHeld() == why
		})
		fmt.Fprintf(out, "held back, %s: %s\n", why, strings.Join(names, ", "))
	}
}
