package analyst

import (
	"encoding/json"
	"io"

	"github.com/leadmesh/leadmesh/core/scoring/assess"
	"github.com/leadmesh/leadmesh/core/scoring/card"
)

// WriteJSON writes the figures for programs.
func (e *Evaluated) WriteJSON(out io.Writer) error {
	doc := evaluation{Revision: e.Model.Card.Revision(), Open: e.Outcome.Opens, figures: figuresJSON(e.Report)}
	for _, s := range e.Segments {
		doc.Segments = append(doc.Segments, segmentJSON{Value: s.Name, figures: figuresJSON(s.Report)})
	}
	for _, s := range e.Shifts {
		doc.Shifts = append(doc.Shifts, shiftJSON{s.Column, s.Index})
	}
	if e.Override != nil {
		doc.Override = overrideJSON(e.Override, e.Model.Card.Learned)
	}
	if e.Recalibrated != nil {
		f := figuresJSON(e.Recalibrated)
		doc.Recalibrated = &f
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

type evaluation struct {
	Revision     string        `json:"revision"`
	Open         int           `json:"open"`
	figures                    // of the points table as it scores
	Override     *overrideDoc  `json:"override,omitempty"`
	Segments     []segmentJSON `json:"segments,omitempty"`
	Shifts       []shiftJSON   `json:"shifted_signals,omitempty"`
	Recalibrated *figures      `json:"recalibrated,omitempty"`
}

// overrideDoc is what an override of denied columns changes: compare by the figures without.
type overrideDoc struct {
	Columns []string     `json:"columns"`
	Without figures      `json:"without"` // their signals at average points in every row
	Learned *learnedJSON `json:"learned,omitempty"`
}

// learnedJSON is what learning found on rows kept unseen: Without learned anew without the columns.
type learnedJSON struct {
	Rows    int64        `json:"rows"`
	Without intervalJSON `json:"auc_without"`
	With    intervalJSON `json:"auc_with"`
}

func overrideJSON(o *Override, l *card.Learned) *overrideDoc {
	doc := &overrideDoc{Columns: o.Columns, Without: figuresJSON(o.Without)}
	if learnedBoth(l) {
		doc.Learned = &learnedJSON{Rows: l.Without.Rows, Without: intervalJSON{l.Without.AUC, l.Without.AUCLow, l.Without.AUCHigh},
			With: intervalJSON{l.Unseen.AUC, l.Unseen.AUCLow, l.Unseen.AUCHigh}}
	}
	return doc
}

type segmentJSON struct {
	Value string `json:"value"`
	figures
}

type shiftJSON struct {
	Column string  `json:"column"`
	Index  float64 `json:"stability_index"`
}

type figures struct {
	Rows             int          `json:"rows"`
	Won              int          `json:"won"`
	AUC              intervalJSON `json:"auc"`
	LogLoss          intervalJSON `json:"log_loss"`
	Brier            intervalJSON `json:"brier"`
	CalibrationError intervalJSON `json:"calibration_error"`
	CalibrationRaw   float64      `json:"calibration_error_as_seen"`
	Slope            intervalJSON `json:"calibration_slope"`
	Lift             []liftJSON   `json:"lift"`
	Reliability      []binJSON    `json:"reliability"`
}

type intervalJSON struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

type liftJSON struct {
	Share  float64 `json:"share"`
	Points float64 `json:"points_from"`
	Rows   float64 `json:"rows"`
	Won    float64 `json:"won"`
	Lift   float64 `json:"lift"`
	Gain   float64 `json:"gain"`
}

type binJSON struct {
	Rows      int     `json:"rows"`
	Predicted float64 `json:"predicted"`
	Won       float64 `json:"won"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
}

func figuresJSON(r *assess.Report) figures {
	f := figures{Rows: r.Rows, Won: int(r.Won), AUC: intervalJSON(r.AUC), LogLoss: intervalJSON(r.LogLoss), Brier: intervalJSON(r.Brier),
		CalibrationError: intervalJSON(r.Calibration.Error), CalibrationRaw: r.Calibration.Raw, Slope: intervalJSON(r.Recalibration.Slope)}
	for _, l := range r.Lift {
		f.Lift = append(f.Lift, liftJSON{l.Share, l.From / 100, l.Weight, l.Won, l.Times, l.Gain})
	}
	for _, b := range r.Reliability {
		f.Reliability = append(f.Reliability, binJSON{b.Rows, b.Stated, b.Won.Value, b.Won.Low, b.Won.High})
	}
	return f
}
