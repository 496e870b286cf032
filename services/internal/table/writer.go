package table

import (
	"bufio"
	"io"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Writer writes a table. It is for one goroutine; errors are told by Flush.
type Writer struct {
	out     *bufio.Writer
	encoder io.Closer // nil where bytes are written as they are
	dialect Dialect
}

// NewWriter begins a table in a dialect. Rows that are read with a Reader can be written again with Raw,
// byte for byte, when the dialect is that reader's.
func NewWriter(w io.Writer, d Dialect) *Writer {
	t := &Writer{dialect: d}
	if d.Encoding == UTF16LE || d.Encoding == UTF16BE {
		order := unicode.LittleEndian
		if d.Encoding == UTF16BE {
			order = unicode.BigEndian
		}
		encoder := transform.NewWriter(w, unicode.UTF16(order, unicode.IgnoreBOM).NewEncoder())
		t.encoder, w = encoder, encoder
	}
	t.out = bufio.NewWriterSize(w, 1<<16)
	if d.Mark {
		_, _ = t.out.WriteString("\ufeff") // an error stays with the buffer
	}
	return t
}

// Raw writes a row as it was read and more cells behind it. What the table's encoding has no letter for
// becomes a question mark.
func (t *Writer) Raw(raw []byte, more ...string) {
	_, _ = t.out.Write(raw)
	for _, cell := range more {
		_ = t.out.WriteByte(t.dialect.Comma)
		t.cell(cell)
	}
	_, _ = t.out.WriteString(t.dialect.Newline)
}

// Row writes a row of cells, quoted where they must be.
func (t *Writer) Row(cells ...string) {
	for i, cell := range cells {
		if i > 0 {
			_ = t.out.WriteByte(t.dialect.Comma)
		}
		t.cell(cell)
	}
	_, _ = t.out.WriteString(t.dialect.Newline)
}

// Flush writes what is not yet written and returns the first error of any write. Nothing can be written
// after it.
func (t *Writer) Flush() error {
	if err := t.out.Flush(); err != nil || t.encoder == nil {
		return err
	}
	return t.encoder.Close()
}

func (t *Writer) cell(s string) {
	if t.dialect.Encoding == Windows1252 {
		s, _ = encoding.ReplaceUnsupported(charmap.Windows1252.NewEncoder()).String(s)
		s = strings.ReplaceAll(s, "\x1a", "?")
	}
	if !strings.ContainsAny(s, "\"\r\n") && strings.IndexByte(s, t.dialect.Comma) < 0 && strings.TrimSpace(s) == s {
		_, _ = t.out.WriteString(s)
		return
	}
	_ = t.out.WriteByte('"')
	_, _ = t.out.WriteString(strings.ReplaceAll(s, `"`, `""`))
	_ = t.out.WriteByte('"')
}
