package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
)

// personsPage is how many persons one call of a list answers.
const personsPage = 500

// rescorings calls the house's re-scorings.
func (f remoteFlags) rescorings(ctx context.Context, call func(context.Context, scoringv1.RescoringServiceClient) error) error {
	conn, err := f.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	return call(f.context(ctx), scoringv1.NewRescoringServiceClient(conn))
}

type modelsRescoreCmd struct {
	remoteFlags
	Revision string `placeholder:"REVISION" help:"Hold this model against what is in force on everybody; nothing is kept but the report."`
	Wait     bool   `help:"Wait for the report and print it."`
	Note     string `help:"Why, for the record."`
}

// Run begins a re-scoring; with --wait it prints the report and exits 1 if there is none.
func (c *modelsRescoreCmd) Run(ctx context.Context, s streams) error {
	return c.rescorings(ctx, func(ctx context.Context, client scoringv1.RescoringServiceClient) error {
		resp, err := client.StartRescoring(ctx, &scoringv1.StartRescoringRequest{Revision: c.Revision, Note: c.Note})
		if err != nil {
			return err
		}
		return rescoringsOf(client).begun(ctx, s, resp.GetRescoring().GetRescoringId(), c.Wait)
	})
}

type modelsRescoringsCmd struct {
	remoteFlags
	Rescoring string `arg:"" optional:"" help:"Only this one, with its report."`
	Wait      bool   `help:"Wait until it is done."`
	Cancel    bool   `help:"End it instead."`
}

// Run lists re-scorings, or prints how far one is or its report.
func (c *modelsRescoringsCmd) Run(ctx context.Context, s streams) error {
	if c.Rescoring == "" && (c.Wait || c.Cancel) {
		return usage(s, errors.New("--wait and --cancel need the re-scoring"))
	}
	return c.rescorings(ctx, func(ctx context.Context, client scoringv1.RescoringServiceClient) error {
		if c.Rescoring == "" {
			return listRescorings(ctx, s, client)
		}
		return rescoringsOf(client).show(ctx, s, c.Rescoring, c.Wait, c.Cancel)
	})
}

// rescoringsOf are the house's re-scorings.
func rescoringsOf(client scoringv1.RescoringServiceClient) *runKind[*scoringv1.Rescoring] {
	return &runKind[*scoringv1.Rescoring]{
		words: "re-scoring", command: "rescorings",
		get: func(ctx context.Context, id string) (*scoringv1.Rescoring, error) {
			resp, err := client.GetRescoring(ctx, &scoringv1.GetRescoringRequest{RescoringId: id})
			return resp.GetRescoring(), err
		},
		cancel: func(ctx context.Context, id string) (*scoringv1.Rescoring, error) {
			resp, err := client.CancelRescoring(ctx, &scoringv1.CancelRescoringRequest{RescoringId: id})
			return resp.GetRescoring(), err
		},
		state: func(r *scoringv1.Rescoring) (running, done bool) {
			return r.GetState() == scoringv1.RescoringState_RESCORING_STATE_RUNNING, r.GetState() == scoringv1.RescoringState_RESCORING_STATE_DONE
		},
		progress: rescoringProgress, print: printRescoring,
	}
}

func rescoringProgress(r *scoringv1.Rescoring) string {
	return soFar(r.GetPersonCount(), r.GetEstimatedPersonCount(), "persons")
}

func listRescorings(ctx context.Context, s streams, client scoringv1.RescoringServiceClient) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "re-scoring\tstate\tas of\tpersons\tmodel\tby\tnote")
	for req := (&scoringv1.ListRescoringsRequest{}); ; {
		resp, err := client.ListRescorings(ctx, req)
		if err != nil {
			return err
		}
		for _, r := range resp.GetRescorings() {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%.12s\t%s\t%s\n", r.GetRescoringId(), rescoringWord(r.GetState()), moment(r.GetAsOf()), r.GetPersonCount(), orDash(r.GetRevision()), r.GetStartedBy(), r.GetNote())
		}
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			return w.Flush()
		}
	}
}

type modelsPersonsCmd struct {
	remoteFlags
	Segment string `placeholder:"SEGMENT" help:"Only persons of a segment, such as RENEWAL_INTENDER."`
	Level   string `placeholder:"LEVEL" help:"Only those at this level of the segment or a stronger one, such as hot."`
	Line    string `placeholder:"LINE" help:"Only persons who are ready for a line, such as SALES."`
	Stage   string `placeholder:"STAGE" help:"In this stage of the line or beyond, instead of READY: AWARENESS, CONSIDERATION, INTENT."`
}

// Run writes the identifiers of persons as CSV.
func (c *modelsPersonsCmd) Run(ctx context.Context, s streams) error {
	req := &scoringv1.ListPersonScoresRequest{Level: c.Level, PageSize: personsPage}
	segment, ok := leadv1.Segment_value["SEGMENT_"+strings.ToUpper(c.Segment)]
	if !ok && c.Segment != "" {
		return usage(s, fmt.Errorf("there is no segment %s", c.Segment))
	}
	stage, ok := leadv1.Stage_value["STAGE_"+strings.ToUpper(c.Stage)]
	if !ok && c.Stage != "" {
		return usage(s, fmt.Errorf("there is no stage %s", c.Stage))
	}
	var err error
	if req.Line, err = lineFlag(c.Line); err != nil {
		return usage(s, err)
	}
	req.Segment, req.MinStage = leadv1.Segment(segment), leadv1.Stage(stage)
	return c.rescorings(ctx, func(ctx context.Context, client scoringv1.RescoringServiceClient) error {
		w := csv.NewWriter(s.out)
		header := true
		for {
			resp, err := client.ListPersonScores(ctx, req)
			if err != nil {
				return err
			}
			if header {
				header = false
				fmt.Fprintf(s.err, "as of %s, by re-scoring %s\n", moment(resp.GetAsOf()), resp.GetRescoringId())
				if err := w.Write([]string{"person_id"}); err != nil {
					return err
				}
			}
			for _, p := range resp.GetPersons() {
				if err := w.Write([]string{p.GetPersonId()}); err != nil {
					return err
				}
			}
			if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
				w.Flush()
				return w.Error()
			}
		}
	})
}

func rescoringWord(s scoringv1.RescoringState) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "RESCORING_STATE_"))
}

func printRescoring(out io.Writer, r *scoringv1.Rescoring) {
	by := "what is in force"
	if r.GetRevision() != "" {
		by = fmt.Sprintf("model %.12s against what is in force", r.GetRevision())
	}
	fmt.Fprintf(out, "%s: %s; everybody as of %s by %s\n", r.GetRescoringId(), rescoringWord(r.GetState()), moment(r.GetAsOf()), by)
	if r.GetProblem() != "" {
		fmt.Fprintln(out, r.GetProblem())
	}
	c := r.GetReport()
	if c == nil {
		fmt.Fprintln(out, rescoringProgress(r))
		return
	}
	fmt.Fprintf(out, "%d persons, %d of them without profiling; %d before, %d came, %d went; took %s\n", c.GetPersonCount(), c.GetNoConsentCount(),
		c.GetBeforePersonCount(), c.GetEnteredCount(), c.GetLeftCount(), r.GetUpdatedAt().AsTime().Sub(r.GetAsOf().AsTime()).Round(time.Millisecond))
	if n := c.GetUnreadableCount(); n > 0 {
		fmt.Fprintf(out, "%d more can not be read and are not scored; the log of the house names them\n", n)
	}
	count := func(_, now int64) string { return fmt.Sprint(now) }
	if c.GetBeforePersonCount() > 0 {
		count = change
	}
	printRescoredLines(out, c, count)
	printRescoredSegments(out, c, count)
}

// printRescoredLines writes persons by stage, before and now.
func printRescoredLines(out io.Writer, c *scoringv1.RescoringReport, count func(before, now int64) string) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	next := map[leadv1.Line]*scoringv1.RescoredNextLine{}
	for _, n := range c.GetNextLines() {
		next[n.GetLine()] = n
	}
	head := []string{"line"}
	for stage := leadv1.Stage_STAGE_AWARENESS; stage <= leadv1.Stage_STAGE_READY; stage++ {
		head = append(head, stageWord(stage))
	}
	fmt.Fprintln(w, strings.Join(append(head, "up", "down", "next"), "\t")+"\t")
	for _, l := range c.GetLines() {
		fmt.Fprintf(w, "%s\t", lineWord(l.GetLine()))
		for _, x := range l.GetStages() {
			fmt.Fprintf(w, "%s\t", count(x.GetBeforePersonCount(), x.GetPersonCount()))
		}
		n := next[l.GetLine()]
		fmt.Fprintf(w, "%d\t%d\t%s\t\n", l.GetUpCount(), l.GetDownCount(), count(n.GetBeforePersonCount(), n.GetPersonCount()))
	}
	_ = w.Flush() // as with every other line: a terminal that is gone needs no answer
}

// printRescoredSegments writes persons by segment and level, before and now.
func printRescoredSegments(out io.Writer, c *scoringv1.RescoringReport, count func(before, now int64) string) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "segment\tlevel\tpersons\tcame\twent\tactive play")
	for _, x := range c.GetSegments() {
		name := strings.TrimPrefix(x.GetSegment().String(), "SEGMENT_")
		fmt.Fprintf(w, "%s\t\t%s\t%d\t%d\t%d %s\n", name, count(x.GetBeforePersonCount(), x.GetPersonCount()), x.GetEnteredCount(), x.GetLeftCount(), x.GetActiveCount(), x.GetPlay())
		for _, l := range x.GetLevels() {
			fmt.Fprintf(w, "\t%s\t%s\t%d\t%d\t\n", orDash(l.GetLevel()), count(l.GetBeforePersonCount(), l.GetPersonCount()), l.GetEnteredCount(), l.GetLeftCount())
		}
	}
	_ = w.Flush()
	for _, x := range c.GetIndices() {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintf(w, "%s\tpersons\n", strings.TrimPrefix(x.GetIndex().String(), "INDEX_"))
		for _, b := range x.GetBands() {
			fmt.Fprintf(w, "  %s\t%s\n", orDash(b.GetBand()), count(b.GetBeforePersonCount(), b.GetPersonCount()))
		}
		_ = w.Flush()
	}
}

// change writes a count that was another.
func change(before, now int64) string {
	if before == now {
		return fmt.Sprint(now)
	}
	return fmt.Sprintf("%d > %d", before, now)
}
