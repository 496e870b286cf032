package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/scoring"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
)

// featuresCmd lists the facts that points tables may look at: of a running house, or of a folder.
type featuresCmd struct {
	remoteFlags
	Playbook string `placeholder:"DIR" help:"Folder of a playbook, in place of a running house."`
	Line     string `placeholder:"LINE" help:"Only those that a line looks at, such as SALES."`
	Group    string `placeholder:"GROUP" help:"Only those of a group: ENGAGEMENT, LIFE_CYCLE, VEHICLE_INTEREST or VALUE."`
}

// Run prints them by group, with their units or values and what each line makes of them.
func (c *featuresCmd) Run(ctx context.Context, s streams) error {
	line, err := lineFlag(c.Line)
	if err != nil {
		return usage(s, err)
	}
	group, ok := scoring.ParseGroup(strings.ToUpper(c.Group))
	if !ok && c.Group != "" {
		return usage(s, fmt.Errorf("--group %s: there is no such group%s", c.Group, lead.Suggest(c.Group, scoring.GroupCodes())))
	}
	if c.Playbook != "" {
		var told bytes.Buffer
		files, code := soundPlaybook(c.Playbook, &told)
		if code != 0 {
			fmt.Fprint(s.err, told.String())
			return exitError(code)
		}
		p, _ := playbook.Read(files)
		printFeatures(s.out, scoreconv.Features(p, scoreconv.FeatureQuery{Line: lead.Line(line), Group: group}), line)
		return nil
	}
	conn, err := c.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	resp, err := scoringv1.NewScoringServiceClient(conn).ListFeatures(c.context(ctx), &scoringv1.ListFeaturesRequest{Line: line, Group: group.String()})
	if err != nil {
		return err
	}
	printFeatures(s.out, resp.GetFeatures(), line)
	return nil
}

// printFeatures writes facts with what one line makes of them, or every line.
func printFeatures(out io.Writer, list []*scoringv1.Feature, only leadv1.Line) {
	group := ""
	var next *int32
	var rows [][]string
	for i, f := range list {
		if f.GetGroup() != group {
			if group = f.GetGroup(); i > 0 {
				console.Table(out, rows)
				fmt.Fprintln(out)
			}
			rows = nil
			fmt.Fprintf(out, "%s (%s)\n", f.GetGroupLabel(), group)
		}
		tracked := ""
		if f.GetTracked() {
			tracked = "needs profiling"
		}
		var uses []string
		for _, u := range f.GetUses() {
			switch {
			case only == leadv1.Line_LINE_UNSPECIFIED:
				uses = append(uses, user(u)+" "+extent(u))
			case only == u.GetLine():
				uses, next = append(uses, extent(u)), u.NextLinePoints
			}
		}
		takes := strings.Join(f.GetUnits(), ", ")
		if takes == "" {
			takes = strings.Join(f.GetValues(), ", ")
		}
		rows = append(rows, []string{f.GetFeature(), tracked, strings.Join(uses, "; "), takes})
		if only == leadv1.Line_LINE_UNSPECIFIED { // lists of lines are long
			last := rows[len(rows)-1]
			last[2], last[3] = last[3], last[2]
		}
	}
	console.Table(out, rows)
	if next != nil {
		fmt.Fprintf(out, "\nfrom %s points on, of 100, %s can be the next line to talk about, and its trigger leads are worked on\n", points(*next), lineWord(only))
	}
}

// user is what uses a fact.
func user(u *scoringv1.FeatureUse) string {
	switch {
	case u.GetSegment() != leadv1.Segment_SEGMENT_UNSPECIFIED:
		return strings.TrimPrefix(u.GetSegment().String(), "SEGMENT_")
	case u.GetIndex() != leadv1.Index_INDEX_UNSPECIFIED:
		return strings.TrimPrefix(u.GetIndex().String(), "INDEX_")
	}
	return lineWord(u.GetLine())
}

// extent writes what a line makes of a fact, such as -9 to +4, or what a segment asks of it.
func extent(u *scoringv1.FeatureUse) string {
	if len(u.GetRules()) > 0 {
		var words []string
		for _, r := range u.GetRules() {
			if w := strings.TrimSpace(r.GetLevel() + " " + r.GetAsks()); !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
		return "(" + strings.Join(words, ", ") + ")"
	}
	text := signedPoints(u.GetLeastPoints()) + " to " + signedPoints(u.GetMostPoints())
	if with := u.GetTogetherWith(); len(with) > 0 {
		text += ", more with " + strings.Join(with, ", ")
	}
	if u.GetModelRevision() != "" {
		text += fmt.Sprintf(" (model %.12s)", u.GetModelRevision())
	}
	return text
}
