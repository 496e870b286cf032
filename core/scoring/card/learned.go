package card

// Learned says where a card that was learned comes from, for whoever has to trust it. Columns and
// words only: no value of a row of data stands here beside those of the time column.
type Learned struct {
	Rows, Positives int64
	From, To        string // first and last value of the time column, as they are written; else empty
	Split           Split
	Unseen          Figures // on rows the card was not learned from
	Held            []Held
	Overrides       []Override
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
