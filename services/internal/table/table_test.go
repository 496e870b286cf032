package table_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"

	"github.com/leadmesh/leadmesh/services/internal/table"
)

// read returns the header and rows of a table, and the errors of rows as texts.
func read(t testing.TB, r *table.Reader) (rows [][]string, lines []int, problems []string) {
	t.Helper()
	rows = append(rows, r.Header().Cells)
	for {
		row, err := r.Next()
		var bad *table.RowError
		switch {
		case errors.Is(err, io.EOF):
			return rows, lines, problems
		case errors.As(err, &bad):
			problems = append(problems, bad.Error())
		case err != nil:
			t.Fatal(err)
		default:
			rows, lines = append(rows, append([]string(nil), row.Cells...)), append(lines, row.Line)
		}
	}
}

func utf16(order unicode.Endianness, mark unicode.BOMPolicy, s string) string {
	out, err := unicode.UTF16(order, mark).NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return out
}

func TestReadDialects(t *testing.T) {
	want := [][]string{{"Vorname", "Nachname", "Ort"}, {"Jürgen", "Groß", "Köln, Süd"}, {"Ada", "", "Ulm"}}
	comma := "Vorname,Nachname,Ort\nJürgen,Groß,\"Köln, Süd\"\nAda,,Ulm\n"
	semicolon := "Vorname;Nachname;Ort\r\nJürgen;Groß;Köln, Süd\r\nAda;;Ulm\r\n"
	for name, tt := range map[string]struct {
		in      string
		dialect table.Dialect
	}{
		"comma":        {comma, table.Dialect{Comma: ',', Newline: "\n"}},
		"semicolon":    {semicolon, table.Dialect{Comma: ';', Newline: "\r\n"}},
		"hint":         {"sep=;\r\n" + semicolon, table.Dialect{Comma: ';', Newline: "\r\n"}},
		"tab":          {strings.ReplaceAll(semicolon, ";", "\t"), table.Dialect{Comma: '\t', Newline: "\r\n"}},
		"bar":          {strings.ReplaceAll(semicolon, ";", "|"), table.Dialect{Comma: '|', Newline: "\r\n"}},
		"mark":         {"\ufeff" + comma, table.Dialect{Comma: ',', Mark: true, Newline: "\n"}},
		"old mac":      {strings.ReplaceAll(semicolon, "\r\n", "\r"), table.Dialect{Comma: ';', Newline: "\r"}},
		"no last end":  {strings.TrimSuffix(comma, "\n"), table.Dialect{Comma: ',', Newline: "\n"}},
		"empty lines":  {"\n\n" + strings.ReplaceAll(comma, "\n", "\n\n") + "\n", table.Dialect{Comma: ',', Newline: "\n"}},
		"spaces":       {"Vorname, Nachname, Ort\nJürgen , Groß, \"Köln, Süd\" \n Ada, ,Ulm\n", table.Dialect{Comma: ',', Newline: "\n"}},
		"all quoted":   {"\"Vorname\",\"Nachname\",\"Ort\"\n\"Jürgen\",\"Groß\",\"Köln, Süd\"\n\"Ada\",\"\",\"Ulm\"\n", table.Dialect{Comma: ',', Newline: "\n"}},
		"too many":     {"Vorname,Nachname,Ort\nJürgen,Groß,\"Köln, Süd\",,\nAda,,Ulm,\n", table.Dialect{Comma: ',', Newline: "\n"}},
		"windows-1252": {"Vorname;Nachname;Ort\nJ\xfcrgen;Gro\xdf;K\xf6ln, S\xfcd\nAda;;Ulm\n", table.Dialect{Comma: ';', Encoding: table.Windows1252, Newline: "\n"}},
		"utf-16 le":    {utf16(unicode.LittleEndian, unicode.UseBOM, semicolon), table.Dialect{Comma: ';', Encoding: table.UTF16LE, Mark: true, Newline: "\r\n"}},
		"utf-16 be":    {utf16(unicode.BigEndian, unicode.UseBOM, semicolon), table.Dialect{Comma: ';', Encoding: table.UTF16BE, Mark: true, Newline: "\r\n"}},
		"utf-16 bare":  {utf16(unicode.LittleEndian, unicode.IgnoreBOM, semicolon), table.Dialect{Comma: ';', Encoding: table.UTF16LE, Newline: "\r\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := table.NewReader(strings.NewReader(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			rows, _, problems := read(t, r)
			if d := cmp.Diff(want, rows); d != "" || len(problems) > 0 {
				t.Errorf("%s%v", d, problems)
			}
			if d := cmp.Diff(tt.dialect, r.Dialect()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestBrokenRowsTakeNoOther(t *testing.T) {
	in := strings.Join([]string{
		"name,mail,note",            // 1
		"Ada,ada@example.com,first", // 2
		"Bo,bo@example.com",         // 3: too few
		"Cy,cy@example.com,\"two",   // 4
		"lines\"",                   // 5
		"Di,di@example.com,\"open",  // 6: never closed
		"Ed,ed@example.com,after",   // 7
		"Fay \"the fox\",fay@example.com,\"said \"\"no\"\"\"", // 8
		"Gil,gil@example.com,a,b",                             // 9: too many
		"Hal,\"hal\"@example.com,x",                           // 10: text behind a quote
		"Ivy,iv\x00y@example.com,x",                           // 11
		"Jo,jo@example.com,last",                              // 12
	}, "\n")
	r, err := table.NewReader(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	rows, lines, problems := read(t, r)
	if d := cmp.Diff([][]string{
		{"name", "mail", "note"},
		{"Ada", "ada@example.com", "first"},
		{"Cy", "cy@example.com", "two\nlines"},
		{"Ed", "ed@example.com", "after"},
		{`Fay "the fox"`, "fay@example.com", `said "no"`},
		{"Jo", "jo@example.com", "last"},
	}, rows); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]int{2, 4, 7, 8, 12}, lines); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{
		"line 3: has 2 cells where the header has 3",
		"line 6: the quote in cell 3 is not closed, or a quote within it is not doubled",
		"line 9: has 4 cells where the header has 3",
		"line 10: the quote in cell 2 is not closed, or a quote within it is not doubled",
		"line 11: holds zero bytes, which no text does",
	}, problems); d != "" {
		t.Error(d)
	}
}

// A quote that is open to the end of a large file costs one row, not the file.
func TestAnOpenQuoteIsGivenUp(t *testing.T) {
	in := "a,b\n\"open,1\n" + strings.Repeat("x,y\n", 200_000)
	src := strings.NewReader(in)
	r, err := table.NewReader(src)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err == nil || src.Len() < len(in)/4 {
		t.Errorf("%v, with %d of %d bytes left: it was looked for too long", err, src.Len(), len(in))
	}
	rows, _, problems := read(t, r)
	if len(rows) != 200_001 || len(problems) != 0 {
		t.Errorf("%d rows, %q", len(rows), problems)
	}
}

func TestFilesThatAreNoTables(t *testing.T) {
	for in, want := range map[string]string{
		"":                     "the file is empty",
		"\n \n":                "",
		"PK\x03\x04 workbook":  "Excel workbook",
		"\x1f\x8b\x08 zipped":  "gzip",
		"\"a,b\nc,d":           "the names of the columns: line 1: the quote",
		"a\x00\x01\x02,b\nc,d": "zero bytes",
	} {
		_, err := table.NewReader(strings.NewReader(in))
		if want == "" {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
	broken := errors.New("the disk is on fire")
	if _, err := table.NewReader(io.MultiReader(strings.NewReader("a,b\n"), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("an error of the file is told as %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// What is written again row by row is the file it was read from.
func TestRawRowsAreTheFile(t *testing.T) {
	semicolon := "Vorname; Nachname;Ort\r\nJürgen;Groß; \"Köln; \"\"Süd\"\"\"\r\nAda;;\"Ulm\r\nOst\"\r\n"
	for name, in := range map[string]string{
		"utf-8":        semicolon,
		"mark":         "\ufeff" + semicolon,
		"windows-1252": "Vorname;Ort\nJ\xfcrgen;K\xf6ln\n",
		"utf-16 le":    utf16(unicode.LittleEndian, unicode.UseBOM, semicolon),
		"utf-16 be":    utf16(unicode.BigEndian, unicode.IgnoreBOM, semicolon),
	} {
		r, err := table.NewReader(strings.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w := table.NewWriter(&out, r.Dialect())
		w.Raw(r.Header().Raw)
		for {
			row, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			w.Raw(row.Raw)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if out.String() != in {
			t.Errorf("%s: wrote %q, read %q", name, out.String(), in)
		}
	}
}

// Whatever the bytes are, reading ends, lines rise, rows have the header's width, and what is written
// is read again as the same cells.
func FuzzReader(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "a;b\r\n\"1\";2\r\n", "\ufeffa\tb\n\"x\ny\"\t2", "a,b\n\"open\n1,2\n", "a, b\n\"x\" , \"y\"\n",
		"sep=;\na;b\n", "a\rb\rc", utf16(unicode.LittleEndian, unicode.UseBOM, "a,b\n1,2\n"), "a,b\n1,2,,\n3\n", "a\n\xfc\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := table.NewReader(bytes.NewReader(raw))
		if err != nil {
			return
		}
		rows, lines, _ := read(t, r)
		for i, row := range rows {
			if len(row) != len(rows[0]) {
				t.Fatalf("row %d has %d cells, the header %d", i, len(row), len(rows[0]))
			}
		}
		for i := 1; i < len(lines); i++ {
			if lines[i] <= lines[i-1] {
				t.Fatalf("line %d follows %d", lines[i], lines[i-1])
			}
		}
		var out bytes.Buffer
		w := table.NewWriter(&out, table.Dialect{Comma: ',', Newline: "\n"})
		for _, row := range rows {
			w.Row(row...)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		c := csv.NewReader(&out)
		c.FieldsPerRecord = -1
		again, err := c.ReadAll()
		if err != nil {
			t.Fatalf("what was written is no CSV: %v", err)
		}
		if len(rows[0]) > 1 && len(again) != len(rows) {
			t.Fatalf("%d rows were written, %d are read", len(rows), len(again))
		}
	})
}

// Cells that are added are in the encoding of the row that they stand behind.
func TestAddedCellsAreInTheTablesEncoding(t *testing.T) {
	var out bytes.Buffer
	w := table.NewWriter(&out, table.Dialect{Comma: ';', Encoding: table.Windows1252, Newline: "\n"})
	w.Raw([]byte("K\xf6ln"), "Größe; 7", "日")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if want := "K\xf6ln;\"Gr\xf6\xdfe; 7\";?\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
