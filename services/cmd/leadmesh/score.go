package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"google.golang.org/protobuf/encoding/protojson"
)

// scoreCmd asks a running house about scores. What needs none is modelCmd's.
type scoreCmd struct {
	Explain scoreExplainCmd `cmd:"" help:"Show how a lead came to its score, and to which it would come if something were otherwise."`
}

type scoreExplainCmd struct {
	remoteFlags
	LeadID    string   `arg:"" optional:"" help:"A lead that was decided: its score as it was then."`
	Lead      string   `placeholder:"FILE" help:"A lead as JSON, scored as of now, in place of LEAD-ID. \"-\" is standard input."`
	Attempt   int32    `placeholder:"N" help:"Which decision of the lead, from 1. Default: the last."`
	Line      string   `placeholder:"LINE" help:"Score on this line, such as SERVICE. Default: the lead's own."`
	Set       []string `placeholder:"FACT=VALUE" sep:"none" help:"What if? A fact's value, such as request_type=TEST_DRIVE or \"configurator_saved.recency=2 days\"; nothing behind the sign means not known. Again for more. leadmesh features lists the facts."`
	Profiling bool     `help:"As if the person had granted profiling."`
	Playbook  string   `placeholder:"REVISION" help:"By another playbook."`
	Model     string   `placeholder:"REVISION" help:"By another model."`
}

// Run prints the score, and the other one with what makes the difference.
func (c *scoreExplainCmd) Run(ctx context.Context, s streams) error {
	req, err := c.request()
	if err != nil {
		return usage(s, err)
	}
	conn, err := c.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	resp, err := scoringv1.NewScoringServiceClient(conn).ExplainScore(c.context(ctx), req)
	if err != nil {
		return err
	}
	printWhatIf(s.out, resp)
	return nil
}

func (c *scoreExplainCmd) request() (*scoringv1.ExplainScoreRequest, error) {
	if (c.LeadID == "") == (c.Lead == "") {
		return nil, errors.New("name a lead that was decided, or give one by --lead")
	}
	req := &scoringv1.ExplainScoreRequest{
		LeadId: c.LeadID, Attempt: c.Attempt, AssumeProfiling: c.Profiling, PlaybookRevision: c.Playbook, ModelRevision: c.Model,
	}
	var err error
	if req.Line, err = lineFlag(c.Line); err != nil {
		return nil, err
	}
	if c.Lead != "" {
		if req.Lead, err = readLead(c.Lead); err != nil {
			return nil, err
		}
	}
	for _, text := range c.Set {
		change, err := parseChange(text)
		if err != nil {
			return nil, err
		}
		req.Changes = append(req.Changes, change)
	}
	return req, nil
}

// readLead reads a lead as the gateway takes it.
func readLead(name string) (*leadv1.Lead, error) {
	var raw []byte
	var err error
	if name == "-" {
		raw, err = io.ReadAll(os.Stdin)
	} else {
		raw, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, err
	}
	l := &leadv1.Lead{}
	if err := protojson.Unmarshal(raw, l); err != nil {
		return nil, fmt.Errorf("%s is no lead in JSON: %w", name, err)
	}
	return l, nil
}

// parseChange reads FACT=VALUE, where a number may have a unit behind it.
func parseChange(text string) (*scoringv1.FeatureChange, error) {
	feature, value, ok := strings.Cut(text, "=")
	feature, value = strings.TrimSpace(feature), strings.TrimSpace(value)
	if !ok || feature == "" {
		return nil, fmt.Errorf("--set %s: write it as fact=value; nothing behind the sign means not known", text)
	}
	number, unit, _ := strings.Cut(value, " ")
	return &scoringv1.FeatureChange{Feature: feature, Value: number, In: strings.TrimSpace(unit), Missing: value == ""}, nil
}

func printWhatIf(out io.Writer, r *scoringv1.ExplainScoreResponse) {
	b := r.GetBefore()
	fmt.Fprintf(out, "%s, playbook %.12s", lineWord(b.GetLine()), r.GetPlaybookRevision())
	if m := b.GetModelRevision(); m != "" {
		fmt.Fprintf(out, ", model %.12s", m)
	}
	if r.GetAttempt() > 0 {
		fmt.Fprintf(out, ", decision %d of %s", r.GetAttempt(), moment(r.GetAt()))
	}
	fmt.Fprint(out, "\n\n")
	printScore(out, b)
	a := r.GetAfter()
	if a == nil {
		return
	}
	fmt.Fprint(out, "\nwith the values set:\n\n")
	rows := [][]string{{"", "before", "after", "difference"}}
	for _, d := range r.GetDifferences() {
		what := cmp.Or(d.GetAfter(), d.GetFeature())
		if d.GetBefore() != "" && d.GetBefore() != d.GetAfter() {
			what += " (was: " + d.GetBefore() + ")"
		}
		rows = append(rows, []string{what, points(d.GetBeforePoints()), points(d.GetAfterPoints()), signedPoints(d.GetAfterPoints() - d.GetBeforePoints())})
	}
	for _, g := range r.GetGroups() {
		rows = append(rows, []string{"all of " + g.GetLabel(), points(g.GetBeforePoints()), points(g.GetAfterPoints()), signedPoints(g.GetAfterPoints() - g.GetBeforePoints())})
	}
	rows = append(rows, []string{"points, of 100", points(b.GetPoints()), points(a.GetPoints()), signedPoints(r.GetDifference())},
		[]string{"probability", share(b.GetProbabilityPpm()), share(a.GetProbabilityPpm()), ""},
		[]string{"from", share(b.GetProbabilityInterval().GetLowPpm()), share(a.GetProbabilityInterval().GetLowPpm()), ""},
		[]string{"to", share(b.GetProbabilityInterval().GetHighPpm()), share(a.GetProbabilityInterval().GetHighPpm()), ""})
	console.Table(out, rows, 1, 2, 3)
	for _, w := range r.GetChanged() {
		fmt.Fprintln(out, "  "+w)
	}
	for _, f := range r.GetFeatures() {
		fmt.Fprintf(out, "\n%s: from %s to %s\n", f.GetFeature(), cmp.Or(f.GetBefore(), "not known"), cmp.Or(f.GetAfter(), "not known"))
		if f.GetNote() != "" {
			fmt.Fprintln(out, "  "+f.GetNote())
		}
		var bins [][]string
		for _, x := range f.GetBins() {
			mark := ""
			switch {
			case x.GetBefore() && x.GetAfter():
				mark = "before and after"
			case x.GetBefore():
				mark = "before"
			case x.GetAfter():
				mark = "after"
			}
			bins = append(bins, []string{x.GetValues(), signedPoints(x.GetPoints()), mark})
		}
		console.Table(out, bins, 1)
	}
}

// printScore writes a score with all that made it.
func printScore(out io.Writer, s *leadv1.Score) {
	var rows [][]string
	for _, c := range s.GetContributions() {
		label := c.GetLabel()
		if c.GetFeature() == "cap" && c.GetGroup() != "" {
			label += " (" + c.GetGroup() + ")"
		}
		rows = append(rows, []string{label, signedPoints(c.GetPoints()), ""})
	}
	i := s.GetProbabilityInterval()
	rows = append(rows, []string{"points, of 100", points(s.GetPoints()), strings.TrimPrefix(s.GetStage().String(), "STAGE_")},
		[]string{"probability", share(s.GetProbabilityPpm()), fmt.Sprintf("%s to %s: %s", share(i.GetLowPpm()), share(i.GetHighPpm()), i.GetBasis())})
	console.Table(out, rows, 1)
	rows = nil
	for _, g := range s.GetGroups() {
		rows = append(rows, []string{g.GetLabel(), points(g.GetPoints()), g.GetNote()})
	}
	fmt.Fprintln(out, "by group")
	console.Table(out, rows, 1)
	if len(s.GetSegmentDetails()) > 0 {
		var names []string
		for _, x := range s.GetSegmentDetails() {
			name := cmp.Or(x.GetLabel(), x.GetSegment().String())
			if x.GetLevel() != "" {
				name += " (" + x.GetLevel() + ")"
			}
			names = append(names, name)
		}
		fmt.Fprintln(out, "segments: "+strings.Join(names, ", "))
	}
	printBeside(out, s)
}

// points writes hundredths as people do: 12, -4.5.
func points(p int32) string { return string(card.AppendPoints(nil, p)) }

func signedPoints(p int32) string {
	if p > 0 {
		return "+" + points(p)
	}
	return points(p)
}

func share(ppm int32) string { return console.PercentOf(float64(ppm) / 1e6) }
