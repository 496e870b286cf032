package network

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Limits of one file, after unpacking, and of all files of an import together.
const (
	MaxBytes = 64 << 20
	MaxRows  = 200_000
	MaxTotal = 192 << 20

	maxYAML    = 8 << 20   // a tree of nodes is many times its text
	maxValues  = 1_000_000 // of such a tree
	maxColumns = 200
	maxFields  = 10_000 // of a line
)

// table is a file as rows of cells, in the order of its layout's columns.
type table struct {
	file   string
	kind   kind
	layout layout
	rows   []row
}

type row struct {
	line  int
	cells []string
}

// open reads a file into a table; nil with the mistake noted if that cannot be done. It takes what
// the file holds from left, the bytes that the import may still unpack.
func open(f File, left *int, wrong *mistakes) *table {
	name := strings.ToLower(path.Base(strings.ReplaceAll(f.Name, `\`, "/")))
	stem, packed := strings.CutSuffix(name, ".gz")
	ending := path.Ext(stem)
	stem = strings.TrimSuffix(stem, ending)
	k := kindOf(stem)
	if k == 0 || ending != ".csv" && ending != ".yaml" && ending != ".yml" {
		var known []string
		for _, l := range layouts() {
			if l.name != "" {
				known = append(known, l.name+".csv")
			}
		}
		wrong.add(f.Name, 0, "", "the name does not say what the file holds; name it %s, a country's two letters for postal codes, or the same with .yaml or .gz", strings.Join(known, ", "))
		return nil
	}
	t := &table{file: f.Name, kind: k, layout: layouts()[k]}
	content, ok := unpack(f, packed, min(*left, MaxBytes), wrong)
	if !ok {
		return nil
	}
	*left -= len(content)
	if ending == ".csv" {
		ok = t.readCSV(content, wrong)
	} else {
		ok = t.readYAML(content, wrong)
	}
	if !ok {
		return nil
	}
	return t
}

func kindOf(stem string) kind {
	for k, l := range layouts() {
		if k > 0 && l.name == stem {
			return kind(k)
		}
	}
	country := len(stem) == 2 && stem[0] >= 'a' && stem[0] <= 'z' && stem[1] >= 'a' && stem[1] <= 'z'
	if country || strings.Contains(stem, "postal") {
		return kindPostal
	}
	return 0
}

// unpack opens gzip, by the name or the first bytes, and never beyond limit.
func unpack(f File, packed bool, limit int, wrong *mistakes) ([]byte, bool) {
	content := f.Content
	if packed || bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			wrong.add(f.Name, 0, "", "is not in gzip format; pack it again or send it unpacked")
			return nil, false
		}
		content, err = io.ReadAll(io.LimitReader(z, int64(limit)+1))
		if err != nil {
			wrong.add(f.Name, 0, "", "the gzip file is damaged; pack and send it again")
			return nil, false
		}
	}
	switch {
	case len(content) <= limit:
	case limit < MaxBytes:
		wrong.add(f.Name, 0, "", "the files together are larger than %d MiB unpacked; import this one alone", MaxTotal>>20)
		return nil, false
	default:
		wrong.add(f.Name, 0, "", "is larger than %d MiB unpacked; split it", MaxBytes>>20)
		return nil, false
	}
	return bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")), true
}

func (t *table) readCSV(content []byte, wrong *mistakes) bool {
	if len(bytes.TrimSpace(content)) == 0 {
		wrong.add(t.file, 0, "", "is empty; the first line names the columns: %s", t.columnList())
		return false
	}
	r := csv.NewReader(bytes.NewReader(content))
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	first, _, _ := bytes.Cut(content, []byte("\n"))
	switch { // spreadsheets of many countries write semicolons
	case bytes.ContainsRune(first, ','):
	case bytes.ContainsRune(first, ';'):
		r.Comma = ';'
	case bytes.ContainsRune(first, '\t'):
		r.Comma = '\t'
	}
	if line := crowded(content, byte(r.Comma)); line > 0 {
		wrong.add(t.file, line, "", "a line holds more than %d fields", maxFields)
		return false
	}
	var places []int // of the file's columns among the layout's; -1: unknown
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return true
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			wrong.add(t.file, bad.StartLine, "", `the quotes do not match; write a quote inside a quoted field twice`)
			if places == nil {
				return false
			}
			continue
		}
		if err != nil {
			wrong.add(t.file, 0, "", "cannot be read as CSV")
			return false
		}
		line, _ := r.FieldPos(0)
		if places == nil {
			if places = t.header(record, line, wrong); places == nil {
				return false
			}
			continue
		}
		if len(record) == 1 && strings.TrimSpace(record[0]) == "" {
			continue
		}
		if len(record) != len(places) {
			wrong.add(t.file, line, "", "has %d fields, the header has %d; quote a field that contains a comma", len(record), len(places))
			continue
		}
		if len(t.rows) >= MaxRows {
			wrong.add(t.file, line, "", "more than %d rows; split the file", MaxRows)
			return false
		}
		cells := make([]string, len(t.layout.columns))
		text := true
		for i, cell := range record {
			if text = text && utf8.ValidString(cell); places[i] >= 0 {
				cells[places[i]] = strings.TrimSpace(cell)
			}
		}
		if !text {
			wrong.add(t.file, line, "", `is not UTF-8; save the file as "CSV UTF-8"`)
			continue
		}
		t.rows = append(t.rows, row{line, cells})
	}
}

// crowded is the first line with more fields than any file has, which would become many times their
// bytes; 0 if there is none.
func crowded(content []byte, separator byte) int {
	line := 1
	for len(content) > 0 {
		text, rest, _ := bytes.Cut(content, []byte{'\n'})
		if bytes.Count(text, []byte{separator}) >= maxFields {
			return line
		}
		content, line = rest, line+1
	}
	return 0
}

// header maps the file's columns to the layout's; nil if the file cannot be used.
func (t *table) header(names []string, line int, wrong *mistakes) []int {
	if len(names) > maxColumns {
		wrong.add(t.file, line, "", "has %d columns; the columns are %s", len(names), t.columnList())
		return nil
	}
	places := make([]int, len(names))
	found := make([]bool, len(t.layout.columns))
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		places[i] = t.column(name)
		switch p := places[i]; {
		case p < 0 && name == "":
			wrong.add(t.file, line, "", "column %d has no name; the columns are %s", i+1, t.columnList())
		case p < 0:
			wrong.add(t.file, line, name, "unknown column, its cells are not read; the columns are %s", t.columnList())
		case found[p]:
			wrong.add(t.file, line, name, "stands twice in the header")
			return nil
		default:
			found[p] = true
		}
	}
	ok := true
	for i, c := range t.layout.columns {
		if c.required && !found[i] {
			wrong.add(t.file, line, c.name, "column is missing; the columns are %s", t.columnList())
			ok = false
		}
	}
	if !ok {
		return nil
	}
	return places
}

// column is the place of a column by its name; -1 if there is none.
func (t *table) column(name string) int {
	return slices.IndexFunc(t.layout.columns, func(c column) bool { return c.name == name || c.also != "" && c.also == name })
}

func (t *table) columnList() string {
	var names []string
	for _, c := range t.layout.columns {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

// readYAML reads a list of mappings from column to scalar or list; a mapping with the list under
// the file's name will do too. Anchors and aliases are refused: no file of this kind needs them,
// and a few of them unfold to gigabytes.
func (t *table) readYAML(content []byte, wrong *mistakes) bool {
	if len(content) > maxYAML {
		wrong.add(t.file, 0, "", "is larger than %d MiB; send it as CSV", maxYAML>>20)
		return false
	}
	if bytes.Count(content, []byte(","))+bytes.Count(content, []byte("["))+bytes.Count(content, []byte("-"))+bytes.Count(content, []byte(":")) > maxValues {
		wrong.add(t.file, 0, "", "holds more than %d values; send it as CSV", maxValues)
		return false
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(content, &doc); err != nil {
		wrong.add(t.file, 0, "", "is no YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		return false
	}
	if len(doc.Content) == 0 {
		wrong.add(t.file, 0, "", "is empty; write a list of rows with the columns %s", t.columnList())
		return false
	}
	list := doc.Content[0]
	if list.Kind == yaml.MappingNode && len(list.Content) == 2 && list.Content[0].Value == t.layout.name {
		list = list.Content[1]
	}
	if list.Kind != yaml.SequenceNode {
		wrong.add(t.file, list.Line, "", "is not a list of rows; begin each row with a dash")
		return false
	}
	if len(list.Content) > MaxRows {
		wrong.add(t.file, 0, "", "more than %d rows; split the file", MaxRows)
		return false
	}
	for _, item := range list.Content {
		if item.Kind != yaml.MappingNode {
			wrong.add(t.file, item.Line, "", "is no row; write column: value")
			continue
		}
		cells, ok := make([]string, len(t.layout.columns)), true
		for i := 0; i+1 < len(item.Content); i += 2 {
			name, value := item.Content[i], item.Content[i+1]
			p := t.column(strings.ToLower(name.Value))
			if p < 0 {
				wrong.add(t.file, name.Line, name.Value, "unknown column; the columns are %s", t.columnList())
				ok = false
				continue
			}
			text, valid := cellOf(value, t.layout.columns[p].name)
			if !valid || !utf8.ValidString(text) {
				wrong.add(t.file, value.Line, name.Value, "is neither a value nor a list of values")
				ok = false
				continue
			}
			cells[p] = strings.TrimSpace(text)
		}
		if ok {
			t.rows = append(t.rows, row{item.Line, cells})
		}
	}
	return true
}

// cellOf writes a YAML value as the CSV cell of its column.
func cellOf(n *yaml.Node, column string) (string, bool) {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return "", true
		}
		return n.Value, true
	case yaml.SequenceNode:
		var values []string
		for _, v := range n.Content {
			if v.Kind != yaml.ScalarNode {
				return "", false
			}
			values = append(values, v.Value)
		}
		separator := "|"
		if column == "holidays" || column == "absent" || column == "hours" || column == "shifts" {
			separator = ";"
		}
		return strings.Join(values, separator), true
	}
	return "", false
}
