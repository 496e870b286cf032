package scoring

// Definition is the scorecards of a playbook as its author writes them: expert points, or points
// that were learned. It is decoded from a file, validated and compiled; a Model keeps nothing of
// it that the author could still change.
type Definition struct {
	// Lines holds one scorecard per line, by its code, e.g. SALES. A line without one is not scored.
	Lines map[string]Line `yaml:"lines"`
	// Segments holds the loyalty segments by code, e.g. RENEWAL_INTENDER.
	Segments map[string]Segment `yaml:"segments"`
	// Indices holds the outputs that belong to no line, by code, e.g. EV_READINESS. Each may be left
	// out: it is not shown then.
	Indices map[string]Index `yaml:"indices"`
}

// Line is the scorecard of one line. Points are 1/100, so 100.00 points are 10000.
type Line struct {
	Base int32 `yaml:"base"` // points of a lead of which nothing is known
	Rows []Row `yaml:"rows"` // at most one per feature
	// Pairs gives points to features together; leads cost no more where there are none.
	Pairs []Pair `yaml:"pairs"`
	// Groups bounds what the features and pairs of a group, by its code, give together.
	Groups map[string]Cap `yaml:"groups"`
	// Cap bounds base, groups and pairs together; the result is kept within 0..10000 in any case.
	Cap Cap `yaml:"cap"`
	// Calibration turns points into the probability of the line's win. Between two knots it is a
	// straight line rounded half up, outside of them constant.
	Calibration []Knot `yaml:"calibration"`
	// PriorLeads is how many leads with a known outcome a calibration without bounds is taken to be
	// worth: few for a guess, more for one that was counted. 0 takes DefaultPriorLeads.
	PriorLeads int32 `yaml:"prior_leads"`
	// BaseError is the standard error that all leads have in common, 1/100 points; 0 where an expert
	// wrote the table.
	BaseError int32  `yaml:"base_error"`
	Stages    Stages `yaml:"stages"`
	// Trigger is how many points make a trigger lead of this line worth a person's work; a trigger
	// lead below it on every line goes to NURTURE. A line without it makes no trigger leads.
	Trigger *int32 `yaml:"trigger"`
	// Value is what a win of this line is worth, in minor units of the market's currency.
	Value int64 `yaml:"value"`
}

// Row gives the points of one feature.
type Row struct {
	Feature string `yaml:"feature"` // its stable name
	// In is the unit of the thresholds where it is not the feature's own: times (of counts),
	// minutes, hours, days (of seconds), km (of metres), percent (of 1/1000).
	In   string `yaml:"in"`
	Bins []Bin  `yaml:"bins"`
	// Label is the sentence that people read when this feature is a reason. Slots: {value}, {abs}
	// (without its sign), {s} (an s unless the value is one) and {ago} (of seconds). Empty: the
	// feature's own label.
	Label string `yaml:"label"`
}

// Bin gives points to a range of numbers, to some values of a category, or to a missing feature.
// Bins of numbers stand in ascending order: a number belongs to the first whose Below is above
// it, else to the bin that says neither Below, Values nor Missing, which stands last. What no bin
// holds gets no points.
type Bin struct {
	Below   *int64   `yaml:"below"`   // numbers below this, in the unit of the row
	Values  []string `yaml:"values"`  // of a category; yes and no where that is all
	Missing bool     `yaml:"missing"` // also, or only, when the feature is missing
	Points  int32    `yaml:"points"`
	Error   int32    `yaml:"error" json:",omitempty"` // standard error of Points; 0 where an expert wrote them
	Label   string   `yaml:"label"`                   // instead of the row's
}

// Cap bounds a sum of points; nil is no bound.
type Cap struct {
	Min *int32 `yaml:"min"`
	Max *int32 `yaml:"max"`
}

// Knot is one point of a calibration.
type Knot struct {
	Points int32 `yaml:"points"` // 0..10000
	PPM    int32 `yaml:"ppm"`    // probability in parts per million
	// Low and High bound the probability at 95 % as far as the calibration itself goes, Low <= PPM <=
	// High. All knots of a line have both or none: nil says that an expert wrote it.
	Low  *int32 `yaml:"low" json:",omitempty"`
	High *int32 `yaml:"high" json:",omitempty"`
}

// Stages says from how many points a lead is in a stage; below Consideration it is AWARENESS.
type Stages struct {
	Consideration int32 `yaml:"consideration"`
	Intent        int32 `yaml:"intent"`
	Ready         int32 `yaml:"ready"` // "sales-ready" or "upsell-ready"
	// ReadyBySegment replaces Ready for people of a segment, by its code; of several the lowest counts.
	ReadyBySegment map[string]int32 `yaml:"ready_by_segment"`
}

// Segment is a loyalty segment: who belongs to it and what its play is worth.
type Segment struct {
	Line string `yaml:"line"` // whose probability of a win the play works for
	// Value is what the play's win is worth in minor units; 0 takes the line's.
	Value int64 `yaml:"value"`
	// Rules are tried in order; a person belongs to the segment at the level of the first that holds.
	Rules []Rule `yaml:"rules"`
}

// Rule holds when all of its conditions do.
type Rule struct {
	Level string      `yaml:"level"` // e.g. hot; may be empty
	All   []Condition `yaml:"all"`
}

// Condition compares one feature. A missing or absent feature never fulfils it.
type Condition struct {
	Feature string   `yaml:"feature"`
	In      string   `yaml:"in"`     // the unit of Min and Max, as in Row
	Min     *int64   `yaml:"min"`    // at least
	Max     *int64   `yaml:"max"`    // at most
	Values  []string `yaml:"values"` // of a category: one of these
}

// Index is the points table of an output that belongs to no line. Base, rows, groups and cap are as
// those of a Line.
type Index struct {
	Base   int32          `yaml:"base"`
	Rows   []Row          `yaml:"rows"`
	Groups map[string]Cap `yaml:"groups"`
	Cap    Cap            `yaml:"cap"`
	// Calibration turns points into what they mean: between two marks a straight line rounded half
	// up, outside of them constant.
	Calibration []Mark `yaml:"calibration"`
	Bands       []Band `yaml:"bands"` // rising; below the first there is no band
}

// Mark is one point of the calibration of an index: what so many points mean, in parts per million
// or, for an index of money, in minor units of the market's currency. Low and High bound it where 19
// of 20 are thought to lie; all marks of an index have them or none.
type Mark struct {
	Points    int32  `yaml:"points"` // 0..10000
	Expected  int64  `yaml:"expected"`
	Low, High *int64 // Low <= Expected <= High
}

// Band is a range of what an index expects, under a name.
type Band struct {
	Name string `yaml:"name"`
	From int64  `yaml:"from"` // in the unit of Mark.Expected
}

// Problem is one mistake in a definition: where it is, e.g. lines.SALES.rows[3].bins[1], and
// what is wrong with it.
type Problem struct {
	Path, Message string
}

// Error makes a Problem an error.
func (p Problem) Error() string { return p.Path + ": " + p.Message }
