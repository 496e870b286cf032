// Package card holds points tables over any named signals: what an expert writes and what
// outcomes teach, in the same words as a scorecard of the playbook.
//
// A card is plain data. Parse reads one from YAML that people edit, Marshal writes it, Check says
// what is wrong with it, Compile makes a Scorer of it. Points are 1/100 everywhere, so 100.00
// points are 10000, and chances are parts per million; no float takes part in adding points, so
// the same row gives the same points on every machine and the contributions of a row add up to
// its points exactly.
package card

import (
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// MaxPoints is 100.00 points, the most a row of data can have.
const MaxPoints = scoring.MaxPoints

// Certain is a probability of one in parts per million.
const Certain = 1_000_000

// Card is one points table. The points of a row of data are the base, the points of the bin it
// falls in on every row of the table, and those of its cell in every pair; what the rows and
// pairs of a group give together is kept within the group's cap, the sum of all within Cap, and
// the result within 0..10000. The calibration turns that into the probability of the target.
type Card struct {
	Target Target
	// Missing lists the spellings that stand for "not known" in the tables the card is applied to,
	// beside the empty text. The reader of a table uses them; a frame has its own mark for missing.
	Missing []string
	Base    int32 // points of a row of data of which every signal gives nothing
	// BaseError is the standard error that all rows of data have in common, 1/100 points.
	BaseError int32
	Rows      []Row // at most one per feature, the most telling first where it was learned
	Pairs     []Pair
	// Groups bounds what the rows and pairs of a group, by its name, give together.
	Groups map[string]Cap
	Cap    Cap
	// Calibration turns points into probability: between two knots a straight line, outside of
	// them constant, never falling.
	Calibration []Knot
	Thresholds  []Threshold
	Learned     *Learned // nil for a card that an expert wrote
}

// Target is what the card predicts.
type Target struct {
	Line     string // code of a line of the playbook, e.g. SALES; else empty
	Column   string // label column of the rows it was learned from
	Positive string // value of that column that counts as won
	// Segments is the column whose values the segments of thresholds name; empty for a card of a
	// line, whose segments are the loyalty segments of the playbook.
	Segments string
}

// Row gives the points of one signal.
type Row struct {
	Feature string
	Kind    frame.Kind
	// In is the unit in which people read the thresholds of a feature of leads, as in
	// scoring.Row.In, e.g. days. It concerns the text alone: Below is in the feature's own unit.
	In       string
	Group    string // name of the group whose cap it counts into; empty: of a feature of leads its own, of others none
	Label    string // sentence for a reason, with the slot {value}; empty: the feature's name
	Monotone Monotone
	Bins     []Bin
}

// group is the name of the group whose cap the row counts into, "" for none.
func (r *Row) group() string {
	if f, ok := scoring.ParseFeature(r.Feature); ok && r.Group == "" {
		return f.Group().String()
	}
	return r.Group
}

// Bin gives points to a range of numbers, to some values of a category, to a missing value or to
// all that no other bin holds. Bins of numbers stand in ascending order: a number belongs to the
// first whose Below is above it, else to the bin with Other. Every row has exactly one bin with
// Other, which for numbers stands behind those with Below. A missing value belongs to the bin
// with Missing, and gives no points where there is none.
type Bin struct {
	Below   *float64
	Values  []string
	Missing bool // also, or only, where the signal is missing
	Other   bool // all else: numbers from the last threshold up, categories not named
	Points  int32
	Error   int32  // standard error of Points, 1/100 points; 0 where an expert wrote it
	Count   int64  // rows it was learned from
	Label   string // instead of the row's
}

// Monotone says which way the points of a row may go as its number grows.
type Monotone int8

// The values of Monotone; the zero value leaves both ways open.
const (
	Falling Monotone = -1
	Rising  Monotone = 1
)

// Pair gives points for two signals together, beyond those of their own rows.
type Pair struct {
	First, Second Side
	Group         string
	Label         string
	// Cells holds the points of every part of First (outer) with every part of Second (inner).
	Cells [][]Cell
}

// Side is one signal of a pair and the parts its values are put in.
type Side struct {
	Feature string
	Kind    frame.Kind
	In      string // as in Row
	Parts   []Part
}

// Part is a Bin without points; the same rules hold, except that a missing value without a part
// of its own belongs to no cell.
type Part struct {
	Below   *float64
	Values  []string
	Missing bool
	Other   bool
}

// Cell is one field of a pair's grid.
type Cell struct {
	Points int32
	Error  int32 // standard error of Points, 1/100 points
	Count  int64 // rows it was learned from
}

// Cap bounds a sum of points; nil is no bound.
type Cap = scoring.Cap

// Knot is one point of a calibration. Low and High bound the probability at 95 % as far as the
// calibration itself goes: 0 and Certain mean that nothing is known of its error, as for a guess
// of an expert.
type Knot struct {
	Points         int32 // 0..10000
	PPM, Low, High int32 // parts per million, Low <= PPM <= High
}

// Threshold is a number of points from which something is done.
type Threshold struct {
	Name    string // e.g. ready, intent, consideration, trigger, or a word of the user's
	Segment string // only for this segment; empty: for all that have none of their own
	Points  int32  // 0..10000; from here on
	// What the points were derived from; at most one of the two, none for an expert's.
	Precision int32     // wanted share of wins among those at or above it, parts per million
	Capacity  *Capacity // how much the desk takes
}

// Capacity is what a desk can work on: Take of every Of rows, e.g. 40 leads a day of 500 a day.
type Capacity struct {
	Take, Of int64
}
