package playbook

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/catalogue"
	"github.com/leadmesh/leadmesh/core/document"
	"github.com/leadmesh/leadmesh/core/lead"
)

// maxChargers is how many places a file of chargers may name.
const maxChargers = 200_000

// chargerColumns are the columns of the file, in any order.
var chargerColumns = [...]string{"country", "postal_prefix", "chargers"}

// readChargers reads the file of public chargers by beginnings of postal codes, with commas or
// semicolons.
func (b *bundle) readChargers(where *document.Places) []catalogue.Chargers {
	text, ok := b.files[fileChargers]
	if !ok {
		return nil
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	r := csv.NewReader(bytes.NewReader(text))
	r.ReuseRecord, r.TrimLeadingSpace, r.FieldsPerRecord = true, true, -1
	if head, _, _ := bytes.Cut(text, []byte("\n")); bytes.Contains(head, []byte(";")) {
		r.Comma = ';'
	}
	t := chargerTable{list: &b.list, where: where, csv: r}
	header, err := r.Read()
	if err != nil {
		t.bad(1, 1, "the first line names the columns: %s", strings.Join(chargerColumns[:], ","))
		return nil
	}
	if !t.header(header) {
		return nil
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t.out
		}
		if err != nil {
			t.broken(err)
			return t.out
		}
		if len(t.out) == maxChargers {
			line, _ := r.FieldPos(0)
			t.bad(line, 1, "the file names more than %d places", maxChargers)
			return t.out
		}
		t.row(row)
	}
}

// chargerTable is the file on its way to a list.
type chargerTable struct {
	list    *document.List
	where   *document.Places
	csv     *csv.Reader
	columns [len(chargerColumns)]int // where each stands
	out     []catalogue.Chargers
}

func (t *chargerTable) bad(line, column int, format string, args ...any) {
	t.list.Add(document.Place{File: fileChargers, Line: line, Column: column}, format, args...)
}

func (t *chargerTable) broken(err error) {
	var at *csv.ParseError
	if errors.As(err, &at) {
		t.bad(at.Line, at.Column, "is no CSV: %v", at.Err)
		return
	}
	t.bad(1, 1, "is no CSV: %v", err)
}

func (t *chargerTable) header(names []string) bool {
	sound := true
	for i := range t.columns {
		t.columns[i] = -1
	}
	for i, name := range names {
		line, column := t.csv.FieldPos(i)
		at := slices.Index(chargerColumns[:], strings.ToLower(strings.TrimSpace(name)))
		switch {
		case at < 0:
			t.bad(line, column, "there is no column called %q; there are %s", name, strings.Join(chargerColumns[:], ", "))
			sound = false
		case t.columns[at] >= 0:
			t.bad(line, column, "the column %s stands twice", name)
			sound = false
		default:
			t.columns[at] = i
		}
	}
	for i, at := range t.columns {
		if at < 0 {
			t.bad(1, 1, "the column %s is missing", chargerColumns[i])
			sound = false
		}
	}
	return sound
}

func (t *chargerTable) row(cells []string) {
	first, _ := t.csv.FieldPos(0)
	if len(cells) != len(chargerColumns) {
		t.bad(first, 1, "there are %d cells for %d columns", len(cells), len(chargerColumns))
		return
	}
	var value [len(chargerColumns)]string
	for i, at := range t.columns {
		value[i] = strings.TrimSpace(cells[at])
	}
	c := catalogue.Chargers{Country: value[0], Prefix: strings.ToUpper(value[1])}
	bad := func(i int, err error) {
		line, column := t.csv.FieldPos(t.columns[i])
		t.bad(line, column, "%s: %v", chargerColumns[i], err)
	}
	sound := true
	if code, ok := lead.CountryCode(value[0]); !ok || code != value[0] {
		bad(0, fmt.Errorf("must be a country of two capital letters such as US, is %q", value[0]))
		sound = false
	}
	if !postalPrefix(c.Prefix) {
		bad(1, fmt.Errorf("must be the beginning of a postal code such as 802, is %q", value[1]))
		sound = false
	}
	n, ok := document.Decimal(value[2], 0)
	if !ok || n < 0 || n > math.MaxInt32 {
		bad(2, fmt.Errorf("must be a number of chargers, is %q", value[2]))
		sound = false
	}
	if !sound {
		return
	}
	c.Count = int32(n)
	line, column := t.csv.FieldPos(t.columns[1])
	t.where.Lines[fmt.Sprintf("chargers[%d]", len(t.out))] = document.Place{File: fileChargers, Line: line, Column: column}
	t.out = append(t.out, c)
}

// postalPrefix reports whether a text may begin a postal code.
func postalPrefix(s string) bool {
	return s != "" && len(s) <= 10 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -") == ""
}
