package scoring

import (
	"fmt"
	"math"

	"github.com/leadmesh/leadmesh/core/lead"
)

// index checks an index of a code, which is unspecified where the name is none.
func (c *checker) index(path string, code lead.Index, x *Index) {
	c.table(path, x.Base, x.Rows, x.Groups, x.Cap)
	most, amount := int64(maxPPM), "a chance up to 100 %"
	if Money(code) {
		most, amount = maxValue, fmt.Sprintf("an amount of money up to %d minor units", int64(maxValue))
	}
	within := func(at string, v int64) {
		if v < 0 || v > most {
			c.add(at, "must be %s, not below zero, is %d", amount, v)
		}
	}
	if len(x.Calibration) == 0 {
		c.add(path+".calibration", "there are no knots")
	}
	var last Mark
	for i, k := range x.Calibration {
		at := fmt.Sprintf("%s.calibration[%d]", path, i)
		if k.Points < 0 || k.Points > MaxPoints {
			c.add(at+".points", "must be 0..%d, is %d", MaxPoints, k.Points)
		}
		if i > 0 && k.Points <= last.Points {
			c.add(at+".points", "is not above the knot before it")
		}
		within(at+".expected", k.Expected)
		if i > 0 && k.Expected < last.Expected {
			c.add(at+".expected", "is below the knot before it: more points must not mean less")
		}
		c.bounds(at, k, last, i > 0, within)
		last = k
	}
	from := int64(math.MinInt64)
	names := map[string]bool{}
	for i, b := range x.Bands {
		at := fmt.Sprintf("%s.bands[%d]", path, i)
		if b.Name == "" {
			c.add(at+".name", "is missing")
		} else if names[b.Name] {
			c.add(at+".name", "there is a band %q already", b.Name)
		}
		names[b.Name] = true
		within(at+".from", b.From)
		if b.From <= from {
			c.add(at+".from", "is not above the band before it")
		}
		from = b.From
	}
}

// bounds checks low and high of a mark against the mark before it, where there is one.
func (c *checker) bounds(at string, k, last Mark, follows bool, within func(string, int64)) {
	if (k.Low == nil) != (k.High == nil) {
		c.add(at, "has only one of low and high")
		return
	}
	if follows && (k.Low == nil) != (last.Low == nil) {
		c.add(at, "give low and high on every knot or on none")
		return
	}
	if k.Low == nil {
		return
	}
	within(at+".low", *k.Low)
	within(at+".high", *k.High)
	if *k.Low > k.Expected || *k.High < k.Expected {
		c.add(at, "low and high must enclose what is expected")
	}
	if follows && last.Low != nil && last.High != nil && (*k.Low < *last.Low || *k.High < *last.High) {
		c.add(at, "low and high must not fall from one knot to the next")
	}
}
