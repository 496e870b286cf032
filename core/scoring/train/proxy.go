package train

import (
	"fmt"
	"slices"
	"sort"

	"github.com/leadmesh/leadmesh/core/scoring/frame"
)

// Proxy is a column in use from which a denied column can be told.
type Proxy struct {
	Column string
	Denied string
	// Value is what of the denied column is told best: a name, or for numbers the middle of them, of which
	// above is told from not above.
	Value string
	// Area is the area under the curve of Column alone telling that, on rows not looked at before.
	Area float64
}

// proxied is the area under the curve from which a column is named as a proxy. Half of those with a
// trait then have a value that among others only about a fifth have.
const proxied = 0.70

// proxies looks in the columns in use for what tells denied columns of the same rows. They are named, not
// held back: most of what tells anything about people tells something of their age too.
func (l *learner) proxies() error {
	if l.f.Rows < 200 {
		return nil
	}
	stride := 1 + (l.f.Rows-1)/50_000
	for k := range l.f.Columns {
		c := &l.f.Columns[k]
		if _, bad := Denied(c.Name); !bad || c.Name == l.o.Target.Column || l.o.Override[c.Name] != "" {
			continue
		}
		traits := l.traits(c)
		found := make([]Proxy, len(l.columns))
		err := l.each(len(l.columns), func(j int) {
			for _, t := range traits {
				if a := l.telling(j, t.has, stride); a > found[j].Area {
					found[j] = Proxy{Column: l.columns[j].name, Denied: c.Name, Value: t.name, Area: a}
				}
			}
		})
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(found, func(p Proxy) bool { return p.Area < proxied })
		l.report.Proxies = append(l.report.Proxies, found...)
	}
	sort.SliceStable(l.report.Proxies, func(i, j int) bool { return l.report.Proxies[i].Area > l.report.Proxies[j].Area })
	return nil
}

// trait is something that a row of a denied column has or has not; nobody knows where it is missing.
type trait struct {
	name string
	has  func(row int) (yes, known bool)
}

// traits are the names of at least a twentieth of the rows, or to be above the middle of numbers.
func (l *learner) traits(c *frame.Column) []trait {
	var out []trait
	if c.Kind == frame.Number {
		var sorted []float64
		for i, v := range c.Numbers {
			if !c.Missing(i) {
				sorted = append(sorted, v)
			}
		}
		if len(sorted) < 100 {
			return nil
		}
		slices.Sort(sorted)
		middle := sorted[len(sorted)/2]
		return []trait{{fmt.Sprintf("above %g", middle), func(row int) (bool, bool) { return c.Numbers[row] > middle, !c.Missing(row) }}}
	}
	count := make([]int, len(c.Values)+1)
	for _, code := range c.Codes {
		count[code+1]++
	}
	for v, name := range c.Values {
		if count[v+1]*20 >= len(c.Codes) && count[v+1] < len(c.Codes) {
			out = append(out, trait{name, func(row int) (bool, bool) { return c.Codes[row] == int32(v), !c.Missing(row) }})
		}
	}
	return out
}

// telling measures how well a column tells a trait: on every other row, by shares of the others.
func (l *learner) telling(j int, has func(row int) (bool, bool), stride int) float64 {
	c := &l.m.columns[j]
	codes := c.codes
	if l.all != nil {
		codes = l.all.m.columns[j].codes
	}
	const pull = 10
	with, all := make([]float64, c.bins), make([]float64, c.bins)
	yeses, rows := 0.0, 0.0
	for i := 0; i < len(codes); i += 2 * stride {
		yes, known := has(i)
		if !known {
			continue
		}
		all[codes[i]]++
		rows++
		if yes {
			with[codes[i]]++
			yeses++
		}
	}
	base := yeses / max(rows, 1)
	var scores, y, w []float64
	for i := stride; i < len(codes); i += 2 * stride {
		yes, known := has(i)
		if !known {
			continue
		}
		scores = append(scores, (with[codes[i]]+pull*base)/(all[codes[i]]+pull))
		w = append(w, 1)
		if yes {
			y = append(y, 1)
		} else {
			y = append(y, 0)
		}
	}
	area, _ := area(scores, y, w)
	return area
}
