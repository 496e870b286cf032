package network

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

// cells reads one row and notes what is wrong with it.
type cells struct {
	t     *table
	r     row
	wrong *mistakes
	bad   bool
}

func (c *cells) fail(column, format string, args ...any) {
	c.bad = true
	c.wrong.add(c.t.file, c.r.line, column, format, args...)
}

// text is a cell; a required one that is empty is a mistake.
func (c *cells) text(column string) string {
	p := c.t.column(column)
	v := c.r.cells[p]
	switch {
	case v == "" && c.t.layout.columns[p].required:
		c.fail(column, "is empty")
	case len(v) > 4_000:
		c.fail(column, "is longer than 4,000 characters")
	case strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }):
		c.fail(column, "contains a control character")
	}
	return v
}

// id is a cell that names something for ever.
func (c *cells) id(column string) string {
	v := c.text(column)
	if len(v) > 40 || strings.ContainsFunc(v, func(r rune) bool {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.'
		return !plain
	}) {
		c.fail(column, "%q is no identifier: at most 40 letters, digits, - _ or .", v)
	}
	return v
}

// list is a cell of values separated by |.
func (c *cells) list(column string) []string {
	var out []string
	for v := range strings.SplitSeq(c.text(column), "|") {
		if v = strings.TrimSpace(v); v == "" {
			continue
		}
		if slices.Contains(out, v) {
			c.fail(column, "%q stands twice", v)
			continue
		}
		out = append(out, v)
	}
	return out
}

// one is a cell that is one of some words; def where it is empty.
func (c *cells) one(column, def string, words ...string) string {
	v := c.text(column)
	if v == "" {
		return def
	}
	if !slices.Contains(words, v) {
		c.fail(column, "%q is none of %s", v, strings.Join(words, ", "))
	}
	return v
}

// day is a cell with a day, kept as text.
func (c *cells) day(column string) string {
	v := c.text(column)
	if v != "" && !isDay(v) {
		c.fail(column, "%q is no day; write it as 2026-12-31", v)
		return ""
	}
	return v
}

// days are the first and the last day of something.
func (c *cells) days(from, to string) (first, last string) {
	first, last = c.day(from), c.day(to)
	if first != "" && last != "" && last < first {
		c.fail(to, "%s is before %s; both days count", last, first)
	}
	return first, last
}

func isDay(s string) bool {
	t, err := time.Parse(time.DateOnly, s)
	return err == nil && t.Year() >= 1900 && t.Year() <= 2200
}

// number is a cell with a whole number; 0 where it is empty.
func (c *cells) number(column string, least, most int64) int32 {
	v := c.text(column)
	if v == "" {
		return 0
	}
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil || n < least || n > most {
		c.fail(column, "%q is no whole number from %d to %d", v, least, most)
		return 0
	}
	return int32(n)
}

// flag is a cell that says true or false; def where it is empty.
func (c *cells) flag(column string, def bool) bool {
	switch v := strings.ToLower(c.text(column)); v {
	case "":
		return def
	case "true", "yes", "1":
		return true
	case "false", "no", "0":
		return false
	default:
		c.fail(column, "%q is neither true nor false", v)
		return def
	}
}

// degrees is a cell with a coordinate; ok is false where it is empty or wrong.
func (c *cells) degrees(column string, most float64) (v float64, ok bool) {
	text := c.text(column)
	if text == "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= -most && v <= most) {
		c.fail(column, "%q is no coordinate; write degrees with a point, from -%g to %g", text, most, most)
		return 0, false
	}
	return v, true
}

func (c *cells) country(column string) string {
	v := strings.ToUpper(c.text(column))
	if len(v) != 2 || v[0] < 'A' || v[0] > 'Z' || v[1] < 'A' || v[1] > 'Z' {
		if v != "" {
			c.fail(column, "%q is no country; write the two letters of ISO 3166, such as US", v)
		}
		return ""
	}
	return v
}

func (c *cells) postal(column, country string) string {
	v := c.text(column)
	if v == "" || country == "" {
		return v
	}
	code, ok := lead.ParsePostal(v, country)
	if !ok {
		c.fail(column, "%q is no postal code of %s", v, country)
	}
	return code
}

// languages are primary subtags, as in en|es.
func (c *cells) languages(column string) []string {
	list := c.list(column)
	for i, v := range list {
		list[i] = strings.ToLower(v)
		if len(v) < 2 || len(v) > 3 || strings.ContainsFunc(list[i], func(r rune) bool { return r < 'a' || r > 'z' }) {
			c.fail(column, "%q is no language; write its two letters, such as en", v)
		}
	}
	return list
}
