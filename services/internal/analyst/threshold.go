package analyst

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"github.com/leadmesh/leadmesh/services/internal/output"
)

// ThresholdOptions say from which points something is done, by what recent rows would give.
type ThresholdOptions struct {
	Source
	Model, Out string
	// Name is the threshold to set, from Precision or Capacity; "" derives anew those of the points
	// table that say what they come from.
	Name      string
	Precision int32 // wanted share of wins among those above it, parts per million
	Capacity  *card.Capacity
	Segment   string // column of whose values each gets a threshold of its own; "" is none
	Lacking   bool
}

// Thresholds is what the thresholds of a points table give on the rows.
type Thresholds struct {
	Model *Model
	Card  *card.Card // with its thresholds as they are now
	Cuts  []card.Cut // of each
	Notes []string
}

// SetThresholds derives thresholds from rows whose outcome need not be known, and writes the points
// table with them.
func SetThresholds(ctx context.Context, o ThresholdOptions) (*Thresholds, error) {
	c, err := Load(o.Model)
	if err != nil {
		return nil, err
	}
	parted := cmp.Or(o.Segment, c.Target.Segments)
	outputs := output.Set{Stdout: o.Stdout}
	outputs.Read(o.Data, o.Model)
	defer outputs.Discard()
	out, err := open(&outputs, o.Out)
	if err != nil {
		return nil, err
	}
	m, err := apply(ctx, o.Model, &o.Source, o.Lacking, parted)
	if err != nil {
		return nil, err
	}
	defer m.Set.File.Close()
	t := &Thresholds{Model: m, Card: m.Card.Clone()}
	var segments *frame.Column
	if parted != "" {
		if segments, err = t.segments(parted); err != nil {
			return nil, err
		}
	}
	if err := t.plan(&o, segments); err != nil {
		return nil, err
	}
	results, err := m.scoreAll(ctx, &o.Source)
	if err != nil {
		return nil, err
	}
	for _, p := range t.Card.Derive(results, segments) {
		var i int
		if _, err := fmt.Sscanf(p.Path, "thresholds[%d]", &i); err != nil {
			return nil, p
		}
		t.Notes = append(t.Notes, nameOf(&t.Card.Thresholds[i])+": "+p.Message)
	}
	if err := told(o.Model, t.Card.Check()); err != nil {
		return nil, err
	}
	t.Cuts = t.Card.Cuts(results, segments)
	if _, err := out.Write(t.Card.Marshal()); err != nil {
		return nil, err
	}
	return t, outputs.Commit()
}

// segments returns the column of the segments.
func (t *Thresholds) segments(name string) (*frame.Column, error) {
	c, err := t.Model.Set.Column(name)
	if err != nil {
		return nil, usagef("--segment: %w", err)
	}
	signal, ok := c.Signal()
	if !ok || signal.Kind != frame.Category {
		return nil, usagef("--segment %s: rows can be parted by a column of few values", c.Name)
	}
	if len(signal.Values) > mostSegments {
		return nil, usagef("--segment %s: the column has %s values; segments are at most %d", c.Name, console.Count(len(signal.Values)), mostSegments)
	}
	return &signal, nil
}

// plan puts the threshold that is asked for into the card, for all and for each segment. Until it
// is derived it lets nobody above.
func (t *Thresholds) plan(o *ThresholdOptions, segments *frame.Column) error {
	all := &t.Card.Thresholds
	if o.Name == "" {
		if !slices.ContainsFunc(*all, func(x card.Threshold) bool { return x.Precision != 0 || x.Capacity != nil }) {
			return usagef("no threshold of %s says what it comes from; name one, with the precision or the capacity it is for", o.Model)
		}
		return nil
	}
	*all = slices.DeleteFunc(*all, func(x card.Threshold) bool { return x.Name == o.Name })
	if o.Segment == "" {
		segments = nil // those of other thresholds
	}
	if segments != nil && t.Card.Target.Segments != segments.Name {
		if slices.ContainsFunc(*all, func(x card.Threshold) bool { return x.Segment != "" }) {
			return usagef("--segment %s: other thresholds of %s go by other segments", segments.Name, o.Model)
		}
		t.Card.Target.Segments = segments.Name
	}
	wanted := card.Threshold{Name: o.Name, Points: card.MaxPoints, Precision: o.Precision, Capacity: o.Capacity}
	*all = append(*all, wanted)
	if segments != nil {
		for _, v := range slices.Sorted(slices.Values(segments.Values)) {
			wanted.Segment = v
			*all = append(*all, wanted)
		}
	}
	return nil
}

func nameOf(t *card.Threshold) string { return strings.TrimSpace(t.Name + " " + t.Segment) }

// Print writes what each threshold gives.
func (t *Thresholds) Print(out io.Writer) {
	rows := [][]string{{"threshold", "for", "points from", "rows", "above", "share", "wins expected", "of those above"}}
	for i := range t.Card.Thresholds {
		x, cut := &t.Card.Thresholds[i], t.Cuts[i]
		segment := x.Segment
		if segment == "" {
			segment = "all others"
		}
		rows = append(rows, []string{x.Name, segment, points(x.Points), console.Count(int(cut.Rows)), console.Count(int(cut.Above)),
			console.Percent(int(cut.Above), int(cut.Rows)), fmt.Sprintf("%.0f", float64(cut.Above)*float64(cut.PPM)/card.Certain), console.PercentOf(float64(cut.PPM) / card.Certain)})
	}
	console.Table(out, rows, 2, 3, 4, 5, 6, 7)
	for _, n := range t.Notes {
		fmt.Fprintln(out, "  "+n)
	}
}
