package card

import "strconv"

// Learned says where a card that was learned comes from, for whoever has to trust it. Columns and
// words only: no value of a row of data stands here beside those of the time column.
type Learned struct {
	Rows, Positives int64
	From, To        string // first and last value of the time column, as they are written; else empty
	Split           Split
	Unseen          Figures // on rows the card was not learned from
	// Without is how good a card learned in the same way without the columns of Overrides is on the same
	// rows; zero where nothing was overridden or nobody looked.
	Without   Figures
	Groups    []Group // the same rows parted by what they have in common, at most MaxGroups
	Held      []Held
	Overrides []Override
	// Prior is the revision of the card it started from, PriorRows how many rows that card was
	// taken to be worth; empty and 0 without one.
	Prior     string
	PriorRows int64
	Seed      uint64
}

// Split says how rows were parted into those learned from and those kept unseen.
type Split struct {
	Column string // of time; empty: by the order of rows
	At     string // first value of that column among the unseen rows
	// Rows of the parts in order of time: points were learned from Learn, when to stop and the
	// calibration were found on Tune, Unseen took no part.
	Learn, Tune, Unseen int64
}

// Figures is how good a card is on some rows.
type Figures struct {
	Rows, Positives  int64
	AUC              float64
	AUCLow, AUCHigh  float64 // 95 % interval
	LogLoss          float64 // natural logarithm, per row
	Brier            float64
	CalibrationError float64 // corrected for sampling noise
}

// MaxGroups is how many groups a card holds at most.
const MaxGroups = 1000

// Group is how good a card is on those of the unseen rows that have something in common. A row may be
// in several of one By, as a customer in several segments.
type Group struct {
	By    string // what parts the rows, such as brand, region or the name of a column
	Value string // what these have in common; empty: it is not known of them, or see Others
	// Others is how many values, each of too few rows or behind too many greater ones, are together
	// here; 0 for one value.
	Others           int64
	Rows, Positives  int64
	AUC              float64 // 0.5 within 0 and 1 where all are won or none is
	AUCLow, AUCHigh  float64 // 95 % interval
	CalibrationError float64 // corrected for sampling noise
	CalibrationLow   float64 // lower end of its 95 % interval
}

// Held is a column that was there and was not used.
type Held struct {
	Column string
	Why    string
}

// Override is a column that rules deny and somebody allowed all the same.
type Override struct {
	Column string
	Reason string
}

// figure is one of Figures by the name it has in a file.
type figure struct {
	name, comment string
	value         *float64
	most          float64
}

func figures(f *Figures) []figure {
	return []figure{
		{"auc", "0.5 is guessing, 1 is perfect order", &f.AUC, 1},
		{"auc_low", "", &f.AUCLow, 1},
		{"auc_high", "", &f.AUCHigh, 1},
		{"log_loss", "smaller is better", &f.LogLoss, 1000},
		{"brier", "smaller is better", &f.Brier, 1},
		{"calibration_error", "how far the stated chances are off on average", &f.CalibrationError, 1},
	}
}

func (g *Group) figures() []figure {
	return []figure{
		{"auc", "", &g.AUC, 1},
		{"auc_low", "", &g.AUCLow, 1},
		{"auc_high", "", &g.AUCHigh, 1},
		{"calibration_error", "", &g.CalibrationError, 1},
		{"calibration_low", "", &g.CalibrationLow, 1},
	}
}

func (w *writer) learned(l *Learned) {
	count := func(depth int, key string, n int64, comment string) {
		if n != 0 {
			w.noted(depth, key+": "+strconv.FormatInt(n, 10), comment)
		}
	}
	w.gap()
	w.note(0, "Where the card comes from and how good it was on rows it had not seen.")
	w.line(0, "learned:")
	w.line(1, "rows: "+strconv.FormatInt(l.Rows, 10))
	w.line(1, "wins: "+strconv.FormatInt(l.Positives, 10))
	w.field(1, "from", l.From)
	w.field(1, "to", l.To)
	if l.Split != (Split{}) {
		w.line(1, "split:")
		w.field(2, "column", l.Split.Column)
		w.field(2, "at", l.Split.At)
		count(2, "learn", l.Split.Learn, "rows the points come from")
		count(2, "tune", l.Split.Tune, "rows that said when to stop, and the calibration")
		count(2, "unseen", l.Split.Unseen, "rows that took no part")
	}
	w.figures("unseen", "", &l.Unseen)
	w.figures("without_denied", "the same, learned without the columns under overrides", &l.Without)
	w.groups(l.Groups)
	if len(l.Held) > 0 {
		w.line(1, "held:")
		for _, h := range l.Held {
			w.line(2, "- {column: "+quote(h.Column)+", why: "+quote(h.Why)+"}")
		}
	}
	if len(l.Overrides) > 0 {
		w.line(1, "overrides:")
		for _, o := range l.Overrides {
			w.line(2, "- {column: "+quote(o.Column)+", reason: "+quote(o.Reason)+"}")
		}
	}
	w.field(1, "prior", l.Prior)
	count(1, "prior_rows", l.PriorRows, "how many rows the prior was taken to be worth")
	if l.Seed != 0 {
		w.line(1, "seed: "+strconv.FormatUint(l.Seed, 10))
	}
}

func (w *writer) figures(key, comment string, f *Figures) {
	if *f == (Figures{}) {
		return
	}
	w.noted(1, key+":", comment)
	w.line(2, "rows: "+strconv.FormatInt(f.Rows, 10))
	w.line(2, "wins: "+strconv.FormatInt(f.Positives, 10))
	for _, x := range figures(f) {
		w.noted(2, x.name+": "+figured(*x.value), x.comment)
	}
}

// groups writes the figures of groups, one a line.
func (w *writer) groups(groups []Group) {
	if len(groups) == 0 {
		return
	}
	w.noted(1, "groups:", "the unseen rows parted by what they have in common")
	for i := range groups {
		g := &groups[i]
		comment := ""
		s := "- {by: " + quote(g.By)
		switch {
		case g.Others > 0:
			s += ", others: " + strconv.FormatInt(g.Others, 10)
			comment = "so many values of few rows together"
		case g.Value == "":
			comment = "not known"
		default:
			s += ", value: " + quote(g.Value)
		}
		s += ", rows: " + strconv.FormatInt(g.Rows, 10) + ", wins: " + strconv.FormatInt(g.Positives, 10)
		for _, f := range g.figures() {
			s += ", " + f.name + ": " + figured(*f.value)
		}
		w.noted(2, s+"}", comment)
	}
}
