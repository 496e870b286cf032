package people

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Mapping says what each column of a list means.
type Mapping struct {
	Columns []Column
	ID      int // the column that names rows, -1 when lines do
}

// Column is a column of a list.
type Column struct {
	Header string
	Field  Field
	Told   bool   // by --map
	Note   string // what the person who cleans should know, "" for nothing
	Filled int    // rows in which it holds something
	source string // of external ids: who gave them
	single bool   // of external ids: hardly any value comes twice, so that two different ones contradict nothing
	order  dateOrder
}

// ErrMapping is wrapped by errors that a better --map mends.
var ErrMapping = errors.New("")

// Rename is one part of --map: a field is read from a column.
type Rename struct{ Field, Column string }

// ignore is the name for --map of what is no evidence.
const ignore = "ignore"

// ParseRenames reads FIELD=COLUMN pairs.
func ParseRenames(pairs []string) ([]Rename, error) {
	var out []Rename
	r := newRecogniser()
	for _, p := range pairs {
		field, column, ok := strings.Cut(p, "=")
		field, column = strings.TrimSpace(field), strings.TrimSpace(column)
		if !ok || field == "" || column == "" {
			return nil, fmt.Errorf("%w--map %s: write it as field=column, such as given_name=first_name", ErrMapping, p)
		}
		if _, known := r.parseField(field); !known && lead.Fold(field) != ignore {
			return nil, fmt.Errorf("%w--map %s: there is no field %s\nthe fields are %s; %s leaves a column out",
				ErrMapping, p, field, strings.Join(FieldNames(), ", "), ignore)
		}
		out = append(out, Rename{field, column})
	}
	return out, nil
}

// newMapping recognises columns by their headers and by what --map says, which wins: a field named
// there is read from the columns named there alone. Used are the renames that found their column.
func newMapping(headers []string, renames []Rename, r *recogniser, used map[Rename]bool) *Mapping {
	m := &Mapping{ID: -1, Columns: make([]Column, len(headers))}
	for i, h := range headers {
		m.Columns[i] = Column{Header: h, Field: r.field(h)}
	}
	told := map[Field]bool{}
	for _, rename := range renames {
		field, _ := r.parseField(rename.Field) // FieldNone is "ignore"
		for _, i := range m.named(rename.Column) {
			m.Columns[i].Field, m.Columns[i].Told = field, true
			told[field] = true
			used[rename] = true
		}
	}
	for i := range m.Columns {
		c := &m.Columns[i]
		if !c.Told && told[c.Field] && c.Field != FieldNone {
			c.Field, c.Note = FieldNone, fmt.Sprintf("--map reads %s elsewhere", c.Field)
		}
	}
	return m
}

// named returns the columns of a name: those that are spelled so, else those that differ in case,
// spaces and dashes.
func (m *Mapping) named(name string) []int {
	var exact, alike []int
	for i, c := range m.Columns {
		switch {
		case c.Header == name:
			exact = append(exact, i)
		case lead.Fold(c.Header) == lead.Fold(name):
			alike = append(alike, i)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return alike
}

// checkRenames reports what --map names and no list has.
func checkRenames(renames []Rename, used map[Rename]bool, lists []*List) error {
	for _, r := range renames {
		if used[r] {
			continue
		}
		text := fmt.Sprintf("--map %s=%s: there is no column %s", r.Field, r.Column, r.Column)
		for _, l := range lists {
			text += fmt.Sprintf("\nthe columns of %s are %s", l.Label, strings.Join(l.headers(), ", "))
		}
		return fmt.Errorf("%w%s", ErrMapping, text)
	}
	return nil
}

// usable reports whether people can be told apart by the columns.
func (m *Mapping) usable() bool {
	return slices.ContainsFunc(m.Columns, func(c Column) bool { return c.Field.strong() })
}

// unusable is the error for a list in which nothing was recognised.
func unusable(l *List) error {
	return fmt.Errorf("%w%s: no column tells people apart: there must be a name, an e-mail address, a phone number or a customer number\n"+
		"its columns are %s\nif the first line holds no names of columns, put one before it; else say which column is what, such as\n"+
		"  --map given_name=COLUMN,family_name=COLUMN,email=COLUMN\nthe fields are %s",
		ErrMapping, l.Label, strings.Join(l.headers(), ", "), strings.Join(FieldNames(), ", "))
}

// of returns the columns of a field.
func (m *Mapping) of(f Field) []int {
	var out []int
	for i, c := range m.Columns {
		if c.Field == f {
			out = append(out, i)
		}
	}
	return out
}
