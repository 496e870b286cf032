package card_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// What leads learned from exceed is as wide as they go, and said; every other limit stays as it was.
func TestLimitsArePutBack(t *testing.T) {
	points := func(p int32) *int32 { return &p }
	c := &card.Card{
		Target: card.Target{Line: "SALES"}, Base: 3000,
		Rows: []card.Row{
			{Feature: "has_phone", Kind: frame.Category, Group: "ENGAGEMENT", Bins: []card.Bin{{Values: []string{"yes"}, Points: 1500}, {Other: true, Points: -400}}},
			{Feature: "request_type", Kind: frame.Category, Group: "ENGAGEMENT", Bins: []card.Bin{{Values: []string{"QUOTE"}, Points: 900}, {Other: true}}},
			{Feature: "fleet", Kind: frame.Category, Group: "VALUE", Bins: []card.Bin{{Values: []string{"yes"}, Points: 800}, {Other: true}}},
		},
		Groups:      map[string]card.Cap{"ENGAGEMENT": {Min: points(-300), Max: points(1000)}, "VALUE": {Max: points(900)}},
		Cap:         card.Cap{Max: points(6000)},
		Calibration: []card.Knot{{Points: 0, PPM: 0, High: card.Certain}, {Points: card.MaxPoints, PPM: card.Certain, High: card.Certain}},
	}
	before := c.Clone()
	l := c.Unbind()
	if c.Groups != nil || c.Cap != (card.Cap{}) {
		t.Fatalf("still limited: %+v, %+v", c.Groups, c.Cap)
	}
	// Nobody has a phone and asks for a quote: no lead makes more than 1500 of engagement.
	f := &frame.Frame{Rows: 3, Columns: []frame.Column{
		frame.Categorical("has_phone", []string{"yes", "no", "no"}),
		frame.Categorical("request_type", []string{"ORDER", "QUOTE", ""}),
		frame.Categorical("fleet", []string{"no", "yes", "no"}),
	}}
	moved, err := l.Bind(c, f)
	if err != nil {
		t.Fatal(err)
	}
	want := before.Clone()
	want.Groups["ENGAGEMENT"] = card.Cap{Min: points(-400), Max: points(1500)}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]card.Wider{{Group: "ENGAGEMENT", From: 1000, To: 1500}, {Group: "ENGAGEMENT", From: -300, To: -400}}, moved); diff != "" {
		t.Error(diff)
	}
	if said := moved[0].String(); !strings.Contains(said, "ENGAGEMENT was moved from 10 to 15 points") {
		t.Errorf("it says %q", said)
	}
	if moved, err = (card.Limits{}).Bind(before.Clone(), f); err != nil || moved != nil {
		t.Errorf("of no limits it moved %v, %v", moved, err)
	}
}
