package train

import (
	"github.com/leadmesh/leadmesh/core/scoring/card"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// Report says how a card was learned and what to think of it. It names columns, and values of
// categories where a rule speaks of one; no row of data stands in it.
type Report struct {
	Rows, Won, Open int64
	Copies          int64   // rows that are copies of others; none stands on both sides of a split
	Mingled         bool    // clusters could not be kept on one side of a split: each stretch of time has nearly all of them
	BaseRate        float64 // share won, open rows by their chance
	// Nothing says that no column tells anything about the outcome beyond chance: the card is flat.
	Nothing bool
	Columns []Column // in the order of the frame
	Leaks   []Leak   // suspected leakage, the worst first
	Proxies []Proxy  // columns in use that tell denied ones, the best first
	Split   card.Split
	Curve   []Point      // how the loss on unseen rows went with the rounds
	Rounds  int          // taken in the end
	Unseen  card.Figures // of a card learned from the older rows on the newest
	Tested  Tested       // the rows that Unseen speaks of, in the order of time
	Recent  Recent
	// Merging is what putting bins together for reading cost in log loss on the rows learned from.
	Merging float64
	Scaled  string // how the points of the table to start from were moved to leave room; empty where they were not
	// Words are sentences for whoever reads the report, one per matter, plain and complete.
	Words []string
}

// Column is what became of one column.
type Column struct {
	Name       string
	Kind       frame.Kind
	Used       bool
	Held       string  // why it was held back; empty where it is used
	Bins       int     // in the card
	Missing    float64 // share of rows
	Importance float64 // mean absolute points, 1/100, that it moves a row from the average
	Alone      float64 // area under the curve of this column alone, on unseen rows
	// Drift is the population stability index of the newest fifth of the rows against the others,
	// 0 without an order of time. Above 0.25 counts as much.
	Drift float64
	// Shared says that rows stand in long runs with the same value, as with dates, rates and indices.
	Shared bool
	Capped string  // the range of the newest rows that the numbers were capped to; empty: they were not
	Codes  []Code  // numbers that stand apart and are read as codes, ascending
	Late   float64 // area under the curve of this column alone on the newest rows, learned from the older
}

// Leak is a column that tells the outcome so well that it was perhaps written afterwards.
type Leak struct {
	Column string
	// Second is the other column where only the difference of two tells so much; else empty.
	Second string
	Value  string  // the category whose rows are nearly all won or lost; else empty
	Alone  float64 // area under the curve alone, on unseen rows
	Others float64 // of all other columns together
	Share  float64 // won among the rows of Value
	Why    string  // the rule that speaks, in words
}

// Point is one point of the learning curve.
type Point struct {
	Rounds int
	Loss   float64 // log loss on unseen rows after recalibration
}

// Recent says how the share won moved and what the calibration made of it.
type Recent struct {
	Early, Late float64 // share won among the older four fifths and the newest fifth of the rows
	// Moving is how probable it is that the level of the rows moves with time at all, beyond what their
	// columns explain, and Trend that it goes up or down for good.
	Moving, Trend float64
	// Error is the standard error, in log-odds, of the level that rows to come are foretold to have.
	Error float64
}
