package catalogue

import "github.com/leadmesh/leadmesh/core/lead"

// Residual is a table of what is left of a car's list price, by age and distance. Between two ages
// and two distances the share runs in a straight line; outside the table nothing is known.
type Residual struct {
	Scope
	Name  string
	Years int32 // metres driven a year by a car whose odometer nobody read; 0: such a car has no value
	// Distances are the columns, in metres, ascending.
	Distances []int32
	Rows      []ResidualRow // by age, ascending
}

// ResidualRow is the shares at one age.
type ResidualRow struct {
	Days   int32
	Shares []int32 // of the list price in parts per million, one per distance
}

// Unread says that nobody read the odometer.
const Unread int32 = -1

// Worth is what a car of an age in days and a distance in kilometres is worth: the share of its
// table of the model's list price, rounded half up to the minor unit. ok is false when price, table
// or age is not known, or the table does not reach so far.
func (c *Catalogue) Worth(of Car, days, km int32) (worth lead.Money, ok bool) {
	price := c.ListPrice(of)
	if price.Currency == "" || days < 0 {
		return worth, false
	}
	t := c.residual(of)
	if t == nil {
		return worth, false
	}
	metres := int64(km) * 1000
	if km < 0 {
		if t.Years == 0 {
			return worth, false
		}
		metres = int64(t.Years) * int64(days) * 100 / 36525
	}
	share, ok := t.share(int64(days), metres)
	if !ok {
		return worth, false
	}
	return lead.Money{Minor: (price.Minor*share + 500_000) / 1_000_000, Currency: price.Currency}, true
}

// residual is the table of a car's model, nil when there is none.
func (c *Catalogue) residual(of Car) *Residual {
	if name := c.models[of.model-1].Residual; name != "" {
		return &c.residuals[c.byName[name]]
	}
	for i := range c.residuals {
		if c.residuals[i].fits(of) {
			return &c.residuals[i]
		}
	}
	return nil
}

// share is the share at an age in days and a distance in metres, in parts per million.
func (t *Residual) share(days, metres int64) (int64, bool) {
	r := len(t.Rows)
	for i := range t.Rows {
		if days <= int64(t.Rows[i].Days) {
			r = i
			break
		}
	}
	d := len(t.Distances)
	for i := range t.Distances {
		if metres <= int64(t.Distances[i]) {
			d = i
			break
		}
	}
	if r == len(t.Rows) || d == len(t.Distances) || r == 0 && days < int64(t.Rows[0].Days) || d == 0 && metres < int64(t.Distances[0]) {
		return 0, false
	}
	older := t.Rows[r].between(t.Distances, d, metres)
	if r == 0 {
		return older, true
	}
	return line(int64(t.Rows[r-1].Days), t.Rows[r-1].between(t.Distances, d, metres), int64(t.Rows[r].Days), older, days), true
}

// between is the share of a row at a distance that column d is the first to reach.
func (r *ResidualRow) between(columns []int32, d int, metres int64) int64 {
	if d == 0 {
		return int64(r.Shares[0])
	}
	return line(int64(columns[d-1]), int64(r.Shares[d-1]), int64(columns[d]), int64(r.Shares[d]), metres)
}

// line is the value at x on the line through two points, rounded to the nearest.
func line(x0, y0, x1, y1, x int64) int64 {
	span := x1 - x0
	return (y0*(x1-x) + y1*(x-x0) + span/2) / span
}
