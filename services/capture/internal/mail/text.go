package mail

import (
	"bytes"

	"github.com/leadmesh/leadmesh/core/charset"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// hasDocument reports whether a text has the mark of an ADF document: the name adf or prospect as
// of a tag, plain, with a prefix or escaped.
func hasDocument(text []byte) bool { return markOf(text) >= 0 }

// markOf is where the first mark of a document stands; -1 if there is none.
func markOf(text []byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '<', ':', ';':
			rest := text[i+1:]
			for _, name := range [...]string{"adf", "prospect"} {
				if n := len(name); len(rest) > n && bytes.EqualFold(rest[:n], []byte(name)) && endsName(rest[n]) && opens(text[max(0, i-32):i+1]) {
					return i
				}
			}
		}
	}
	return -1
}

func endsName(c byte) bool {
	return c <= ' ' || c == '>' || c == '/' || c == '&' || c == 0xc2 // the last begins a no-break space
}

// opens tells the beginning of a tag, by what stands just before its name, from a colon or semicolon
// in other text.
func opens(before []byte) bool {
	switch before[len(before)-1] {
	case '<':
		return true
	case ';': // &lt; and its kin
		at := bytes.LastIndexByte(before, '&')
		return at >= 0 && len(before)-at <= 8
	default: // a prefix
		at := bytes.LastIndexAny(before, "<;> \n")
		return at >= 0 && (before[at] == '<' || before[at] == ';')
	}
}

// unflow joins the lines of format=flowed (RFC 3676): a line that ends in a space goes on in the
// next one of the same depth of quotation, whose stuffed space is taken off.
func unflow(text []byte, delSp bool) []byte {
	out := make([]byte, 0, len(text))
	open, depth := false, 0
	for rest := text; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		quotes := 0
		for quotes < len(line) && line[quotes] == '>' {
			quotes++
		}
		line = bytes.TrimPrefix(line[quotes:], []byte(" "))
		if open && quotes != depth {
			out = append(out, '\n')
			open = false
		}
		if !open {
			for range quotes {
				out = append(out, '>')
			}
			if quotes > 0 {
				out = append(out, ' ')
			}
		}
		depth = quotes
		open = bytes.HasSuffix(line, []byte(" ")) && !bytes.Equal(line, []byte("-- "))
		if open && delSp {
			line = line[:len(line)-1]
		}
		out = append(out, line...)
		if !open {
			out = append(out, '\n')
		}
	}
	return out
}

// unquote takes the marks of quotation off every line, as many as stand before the document.
func unquote(text []byte) []byte {
	mark := markOf(text)
	if mark < 0 {
		return text
	}
	start := bytes.LastIndexByte(text[:mark], '\n') + 1
	depth := 0
	for _, c := range text[start:mark] {
		switch c {
		case '>':
			depth++
			continue
		case ' ', '\t':
			continue
		}
		break
	}
	if depth == 0 {
		return text
	}
	out := make([]byte, 0, len(text))
	for rest := text; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		for range depth {
			trimmed := bytes.TrimLeft(line, " \t")
			if !bytes.HasPrefix(trimmed, []byte(">")) {
				break
			}
			line = bytes.TrimPrefix(trimmed[1:], []byte(" "))
		}
		out = append(append(out, line...), '\n')
	}
	return out
}

// isHTML tells a page that is declared as plain text.
func isHTML(text []byte) bool {
	head := bytes.ToLower(text[:min(len(text), 1024)])
	for _, mark := range []string{"<!doctype html", "<html", "<body", "<div", "<pre"} {
		if _, after, ok := bytes.Cut(head, []byte(mark)); ok && len(after) > 0 && endsName(after[0]) {
			return true
		}
	}
	return false
}

// htmlText is what a reader sees of a page: text with its line breaks, white space folded outside
// of pre, no-break spaces as spaces. A comment that holds a document is shown too.
func htmlText(page []byte) []byte {
	z := html.NewTokenizer(bytes.NewReader(charset.Mend(page)))
	z.SetMaxBuf(8 << 20)
	t := &shown{out: make([]byte, 0, len(page))}
	for {
		switch z.Next() {
		case html.ErrorToken:
			return t.out
		case html.TextToken:
			if t.hidden == 0 {
				t.text(z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t.tag(z, true)
		case html.EndTagToken:
			t.tag(z, false)
		case html.CommentToken:
			if text := z.Text(); hasDocument(text) {
				t.line()
				t.out = append(t.out, text...)
				t.line()
			}
		}
	}
}

// shown is the text of a page as far as it was read.
type shown struct {
	out         []byte
	pre, hidden int
}

func (t *shown) tag(z *html.Tokenizer, start bool) {
	name, _ := z.TagName()
	step := -1
	if start {
		step = 1
	}
	switch atom.Lookup(name) {
	case atom.Script, atom.Style, atom.Title:
		t.hidden = max(0, t.hidden+step)
	case atom.Pre, atom.Textarea, atom.Xmp, atom.Listing:
		t.line()
		t.pre = max(0, t.pre+step)
	case atom.Br:
		t.out = append(t.out, '\n')
	case atom.P, atom.Div, atom.Li, atom.Tr, atom.Table, atom.Blockquote, atom.Hr, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		t.line()
	case atom.Td, atom.Th:
		t.space()
	}
}

// line begins a new line unless one has just begun.
func (t *shown) line() {
	if n := len(t.out); n > 0 && t.out[n-1] != '\n' {
		t.out = append(t.out, '\n')
	}
}

func (t *shown) space() {
	if n := len(t.out); n > 0 && t.out[n-1] != '\n' && t.out[n-1] != ' ' {
		t.out = append(t.out, ' ')
	}
}

func (t *shown) text(text []byte) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == 0xc2 && i+1 < len(text) && text[i+1] == 0xa0:
			t.out = append(t.out, ' ')
			i++
		case t.pre > 0:
			t.out = append(t.out, c)
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			t.space()
		default:
			t.out = append(t.out, c)
		}
	}
}
