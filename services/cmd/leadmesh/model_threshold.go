package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/document"
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/services/internal/analyst"
)

// modelThresholdCmd sets thresholds.
type modelThresholdCmd struct {
	modelData `embed:""`
	Model     string `required:"" placeholder:"FILE" help:"The points table."`
	Name      string `placeholder:"NAME" help:"The threshold to set, as ready. Default: all that say in the points table what they come from."`
	Precision string `placeholder:"PERCENT" help:"Of the rows above it this share shall be won, as 60%."`
	Capacity  string `placeholder:"N/N" help:"As many rows of as many can be worked on, as 40/500."`
	Segment   string `placeholder:"COLUMN" help:"Set one for each value of this column."`
	Out       string `required:"" placeholder:"FILE" help:"The points table with its thresholds. \"-\" is standard output."`
	Lacking   bool   `help:"Take columns that the list lacks as missing in every row."`
}

func (c *modelThresholdCmd) Run(ctx context.Context, s streams) error {
	w := newWatch(s)
	o := analyst.ThresholdOptions{Source: c.source(s, w), Model: c.Model, Out: c.Out, Name: c.Name, Segment: c.Segment, Lacking: c.Lacking}
	if err := c.wanted(&o); err != nil {
		return usage(s, err)
	}
	t, err := analyst.SetThresholds(ctx, o)
	w.quiet()
	if err != nil {
		return ended(ctx, s, err, 0)
	}
	t.Print(told(s, c.Out))
	return ended(ctx, s, nil, t.Model.Set.Skipped)
}

// wanted reads what the threshold comes from.
func (c *modelThresholdCmd) wanted(o *analyst.ThresholdOptions) error {
	if c.Name == "" && (c.Precision != "" || c.Capacity != "") {
		return errors.New("--name: which threshold is it? name it, as ready")
	}
	if c.Name != "" && (c.Precision == "") == (c.Capacity == "") {
		return errors.New("--name: give the precision or the capacity it is for, one of the two")
	}
	var err error
	if c.Precision != "" {
		if o.Precision, err = document.Share(c.Precision); err != nil || o.Precision == 0 {
			return fmt.Errorf("--precision: must be a percentage above 0 such as 60%%, is %q", c.Precision)
		}
	}
	if c.Capacity != "" {
		take, of, _ := strings.Cut(c.Capacity, "/")
		n, wrong := strconv.ParseInt(take, 10, 64)
		all, bad := strconv.ParseInt(of, 10, 64)
		if wrong != nil || bad != nil || n < 1 || n > all {
			return fmt.Errorf("--capacity: must be rows of rows such as 40/500, is %q", c.Capacity)
		}
		o.Capacity = &card.Capacity{Take: n, Of: all}
	}
	return nil
}
