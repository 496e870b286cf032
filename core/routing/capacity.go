package routing

// Capacity is what is left of one department's cap today. It is counted below zero by leads over
// the cap, so what was taken is never lost.
type Capacity struct {
	Declared bool  `json:",omitzero"` // without a cap everything is granted
	Free     int64 `json:",omitzero"`
}

// Ask is one lead's wish for capacity, in arrival order.
type Ask struct {
	Row       int  `json:",omitzero"` // which Capacity
	Refusable bool `json:",omitzero"` // Receipt.MayBeRefused: nobody chose the store
	Test      bool `json:",omitzero"` // outside capacity: granted, takes nothing
}

// Verdict is what became of an Ask.
type Verdict uint8

// The values of Verdict.
const (
	VerdictUnspecified Verdict = iota
	VerdictGranted
	VerdictOverCapacity // granted to a chosen store over its cap; the assignment is flagged over_capacity
	VerdictRefused      // to be decided again with the dealer excluded and attempt + 1
)

var verdictNames = names{"GRANTED", "OVER_CAPACITY", "REFUSED"}

// String returns the code, or "" when it is not given.
func (v Verdict) String() string { return verdictNames.of(uint8(v)) }

// Grant hands out capacity in arrival order. It appends one verdict per ask to dst and changes
// free to what is left. A row out of range counts as one without a cap.
func Grant(free []Capacity, queue []Ask, dst []Verdict) []Verdict {
	for _, a := range queue {
		if a.Row < 0 || a.Row >= len(free) {
			dst = append(dst, VerdictGranted)
			continue
		}
		c := &free[a.Row]
		v := c.verdict(a)
		if c.Declared && !a.Test && v != VerdictRefused {
			c.Free--
		}
		dst = append(dst, v)
	}
	return dst
}

func (c Capacity) verdict(a Ask) Verdict {
	switch {
	case !c.Declared || a.Test || c.Free > 0:
		return VerdictGranted
	case a.Refusable:
		return VerdictRefused
	}
	return VerdictOverCapacity
}
