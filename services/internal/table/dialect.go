package table

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/leadmesh/leadmesh/core/charset"
)

// Encoding is how a table's text is written in bytes.
type Encoding uint8

// The values of Encoding.
const (
	UTF8        Encoding = iota
	Windows1252          // or a mixture of it with UTF-8
	UTF16LE
	UTF16BE
)

// String returns the usual name.
func (e Encoding) String() string {
	return [...]string{"UTF-8", "Windows-1252", "UTF-16", "UTF-16 (big-endian)"}[e]
}

// Dialect is how a table is written.
type Dialect struct {
	Comma    byte // between cells: comma, semicolon, tab or bar
	Encoding Encoding
	Mark     bool   // a byte order mark stands before the text
	Newline  string // "\n", "\r\n" or "\r"
}

// Separator is the name of what stands between cells.
func (d Dialect) Separator() string {
	switch d.Comma {
	case ';':
		return "semicolon"
	case '\t':
		return "tab"
	case '|':
		return "bar"
	}
	return "comma"
}

// eol is the byte that ends a line.
func (d Dialect) eol() byte {
	if d.Newline == "\r" {
		return '\r'
	}
	return '\n'
}

// foreign are the beginnings of files that people take for tables.
var foreign = []struct{ magic, what string }{
	{"PK\x03\x04", "an Excel workbook or a ZIP archive: save the sheet as CSV first"},
	{"\xd0\xcf\x11\xe0", "an old Excel workbook: save the sheet as CSV first"},
	{"\x1f\x8b", "compressed with gzip: unpack it first"},
	{"%PDF", "a PDF: a table as CSV is needed"},
	{"PAR1", "a Parquet file: a table as CSV is needed"},
}

// open reads the beginning of the file and tells the dialect.
func (r *Reader) open() error {
	if err := r.readHead(); err != nil {
		return err
	}
	for _, f := range foreign {
		if bytes.HasPrefix(r.buf, []byte(f.magic)) {
			return errors.New("this is " + f.what)
		}
	}
	if bytes.HasPrefix(r.buf, []byte("\xef\xbb\xbf")) {
		r.pos, r.dialect.Mark = 3, true
	} else if order, mark, ok := charset.UTF16Order(r.buf); ok {
		r.dialect.Encoding, r.dialect.Mark = UTF16LE, mark
		if order == unicode.BigEndian {
			r.dialect.Encoding = UTF16BE
		}
		head := r.buf
		if mark {
			head = head[2:]
		}
		src := r.src
		if r.eof {
			src = &failing{r.err}
		}
		r.src = transform.NewReader(io.MultiReader(bytes.NewReader(head), src),
			unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder())
		r.buf, r.eof, r.err = nil, false, nil
		if err := r.readHead(); err != nil {
			return err
		}
	}
	head := r.buf[r.pos:]
	switch n := bytes.IndexAny(head, "\r\n"); {
	case n >= 0 && head[n] == '\n':
		r.dialect.Newline = "\n"
	case n >= 0 && bytes.HasPrefix(head[n:], []byte("\r\n")):
		r.dialect.Newline = "\r\n"
	case n >= 0 && bytes.IndexByte(head, '\n') < 0:
		r.dialect.Newline = "\r"
	default:
		r.dialect.Newline = "\n"
	}
	r.dialect.Comma = separator(head, r.dialect.eol())
	return nil
}

// failing is a source that is used up.
type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

func (r *Reader) readHead() error {
	for len(r.buf) < headBytes && !r.eof {
		r.fill()
	}
	return r.err
}

// separator is the candidate that stands in the header and most evenly in the lines behind it. Text
// within quotes does not count.
func separator(head []byte, eol byte) byte {
	best, bestScore := byte(','), 0
	for _, c := range []byte{',', ';', '\t', '|'} {
		var counts []int
		n, quoted, empty := 0, false, true
		for _, b := range head {
			switch {
			case b == '"':
				quoted, empty = !quoted, false
			case b == eol && !quoted:
				if !empty {
					counts = append(counts, n)
				}
				n, empty = 0, true
			case b == c && !quoted:
				n++
			case b == eol:
			default:
				empty = false
			}
			if len(counts) == 50 {
				break
			}
		}
		if len(counts) == 0 {
			counts = append(counts, n)
		}
		if counts[0] == 0 {
			continue
		}
		even := 0
		for _, m := range counts {
			if m == counts[0] {
				even++
			}
		}
		if score := even*1000/len(counts)*100 + min(counts[0], 99); score > bestScore {
			best, bestScore = c, score
		}
	}
	return best
}

// separatorHint reads the line "sep=;" that Excel writes and understands.
func separatorHint(line []byte) (comma byte, ok bool) {
	s := strings.Trim(string(line), "\" ")
	if len(s) == 5 && strings.EqualFold(s[:4], "sep=") && strings.ContainsRune(",;\t|", rune(s[4])) {
		return s[4], true
	}
	return 0, false
}
