package routing

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/lead"
)

// codec walks canonical JSON in one of two directions: it appends to buf, or it reads buf from
// at on. The first mistake in reading sticks; everything after it does nothing.
type codec struct {
	buf     []byte
	at      int
	reading bool
	err     error
}

func (c *codec) fail(why string) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: at byte %d: %s", ErrNotCanonical, c.at, why)
	}
}

// next reads one expected byte.
func (c *codec) next(b byte) bool {
	if c.err == nil && c.at < len(c.buf) && c.buf[c.at] == b {
		c.at++
		return true
	}
	return false
}

func (c *codec) open(b byte) {
	if !c.reading {
		c.buf = append(c.buf, b)
	} else if !c.next(b) {
		c.fail("expected " + string(b))
	}
}

func (c *codec) shut(b byte) { c.open(b) }

// element separates members. In reading it reports whether another member follows.
func (c *codec) element() bool {
	if !c.reading {
		if last := c.buf[len(c.buf)-1]; last != '[' && last != '{' {
			c.buf = append(c.buf, ',')
		}
		return true
	}
	if c.err != nil || c.at >= len(c.buf) || c.buf[c.at] == ']' || c.buf[c.at] == '}' {
		return false
	}
	if last := c.buf[c.at-1]; last != '[' && last != '{' && !c.next(',') {
		c.fail("expected a comma")
		return false
	}
	return true
}

// key writes a member's name, or reads it if it is the one that follows.
func (c *codec) key(name string) bool {
	if !c.reading {
		c.element()
		c.buf = append(append(append(c.buf, '"'), name...), '"', ':')
		return true
	}
	if c.err != nil {
		return false
	}
	at := c.at
	if at > 0 && at < len(c.buf) && c.buf[at-1] != '{' {
		if c.buf[at] != ',' {
			return false
		}
		at++
	}
	end := at + len(name) + 3
	if end > len(c.buf) || c.buf[at] != '"' || string(c.buf[at+1:end-2]) != name || c.buf[end-2] != '"' || c.buf[end-1] != ':' {
		return false
	}
	c.at = end
	return true
}

// number writes or reads an integer that is left out when zero.
func number[N ~int32 | ~int64](c *codec, name string, v *N) {
	if !c.reading && *v == 0 || !c.key(name) {
		return
	}
	if !c.reading {
		c.buf = strconv.AppendInt(c.buf, int64(*v), 10)
		return
	}
	end := c.at
	for end < len(c.buf) && (c.buf[end] == '-' || c.buf[end] >= '0' && c.buf[end] <= '9') {
		end++
	}
	n, err := strconv.ParseInt(string(c.buf[c.at:end]), 10, 64)
	if err != nil || int64(N(n)) != n || n == 0 {
		c.fail("expected an integer that is not zero and in range")
		return
	}
	*v = N(n)
	c.at = end
}

func (c *codec) flag(name string, v *bool) {
	if !c.reading && !*v || !c.key(name) {
		return
	}
	if !c.reading {
		c.buf = append(c.buf, "true"...)
		return
	}
	if !strings.HasPrefix(string(c.buf[c.at:min(c.at+4, len(c.buf))]), "true") {
		c.fail("expected true")
		return
	}
	c.at += 4
	*v = true
}

func (c *codec) text(name string, v *string) {
	if !c.reading && *v == "" || !c.key(name) {
		return
	}
	if c.reading {
		*v = c.read()
	} else {
		c.value(*v)
	}
}

func (c *codec) texts(name string, v *[]string) {
	if !c.reading && len(*v) == 0 || !c.key(name) {
		return
	}
	c.open('[')
	if c.reading {
		for c.element() {
			*v = append(*v, c.read())
		}
	} else {
		for _, s := range *v {
			c.element()
			c.value(s)
		}
	}
	c.shut(']')
}

func (c *codec) id(name string, v *lead.ID) {
	if !c.reading && v.IsZero() || !c.key(name) {
		return
	}
	if !c.reading {
		c.value(v.String())
		return
	}
	id, err := lead.ParseID(c.read())
	if err != nil {
		c.fail("expected an id")
		return
	}
	*v = id
}

// enum writes or reads a code under its proto name; the zero value is left out.
func enum[E ~uint8](c *codec, name, prefix string, v *E, spell func(E) string, parse func(string) (E, bool)) {
	if !c.reading && *v == 0 || !c.key(name) {
		return
	}
	if !c.reading {
		c.buf = append(c.buf, '"')
		c.buf = append(c.buf, prefix...)
		c.buf = append(c.buf, spell(*v)...)
		c.buf = append(c.buf, '"')
		return
	}
	code, ok := strings.CutPrefix(c.read(), prefix)
	if ok {
		*v, ok = parse(code)
	}
	if !ok {
		c.fail("unknown " + name)
	}
}

// set writes or reads the members of a bit set as a list of names in rising order.
func set[S ~uint8 | ~uint16](c *codec, name, prefix string, v *S, all names) {
	if !c.reading && *v == 0 || !c.key(name) {
		return
	}
	c.open('[')
	if c.reading {
		for c.element() {
			code, ok := strings.CutPrefix(c.read(), prefix)
			n, known := all.index(code)
			if !ok || !known {
				c.fail("unknown member of " + name)
				return
			}
			*v |= 1 << (n - 1)
		}
	} else {
		for i, member := range all {
			if *v&(1<<i) != 0 {
				c.element()
				c.buf = append(c.buf, '"')
				c.buf = append(c.buf, prefix...)
				c.buf = append(c.buf, member...)
				c.buf = append(c.buf, '"')
			}
		}
	}
	c.shut(']')
}

// list writes or reads a list of objects; an empty one is left out.
func list[T any](c *codec, name string, v *[]T, fields func(*T, *codec)) {
	if !c.reading && len(*v) == 0 || !c.key(name) {
		return
	}
	c.open('[')
	if c.reading {
		for c.element() {
			var x T
			fields(&x, c)
			*v = append(*v, x)
		}
	} else {
		for i := range *v {
			c.element()
			fields(&(*v)[i], c)
		}
	}
	c.shut(']')
}

// isText reads a text if it is the given one; otherwise it stays before it and its comma.
func (c *codec) isText(s string) bool {
	at := c.at
	if c.read() == s && c.err == nil {
		return true
	}
	if c.err == nil {
		c.at = at
		if c.buf[at-1] == ',' {
			c.at--
		}
	}
	return false
}

const hexDigits = "0123456789abcdef"

// value writes a text. Quotes, backslashes, controls and the bytes that HTML gives a meaning are
// escaped; invalid UTF-8 becomes the replacement character.
func (c *codec) value(s string) {
	c.buf = append(c.buf, '"')
	for i := 0; i < len(s); {
		start := i
		for i < len(s) && plain(s[i]) {
			i++
		}
		if c.buf = append(c.buf, s[start:i]...); i == len(s) {
			break
		}
		b := s[i]
		if b < utf8.RuneSelf {
			if b == '"' || b == '\\' {
				c.buf = append(c.buf, '\\', b)
			} else {
				c.buf = append(c.buf, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		c.buf = utf8.AppendRune(c.buf, r)
		i += n
	}
	c.buf = append(c.buf, '"')
}

// plain reports whether a byte stands for itself in a text.
func plain(b byte) bool {
	return b >= ' ' && b < 0x7f && b != '"' && b != '\\' && b != '<' && b != '>' && b != '&'
}

// read reads a text as value writes it. Text that could have been written otherwise is refused
// by ParseReceipt, which writes everything again and compares.
func (c *codec) read() string {
	if !c.next('"') {
		c.fail("expected a text")
		return ""
	}
	start := c.at
	for c.at < len(c.buf) && c.buf[c.at] != '"' && c.buf[c.at] != '\\' {
		c.at++
	}
	if c.at < len(c.buf) && c.buf[c.at] == '"' {
		c.at++
		return string(c.buf[start : c.at-1])
	}
	text := append([]byte(nil), c.buf[start:c.at]...)
	for c.at < len(c.buf) {
		b := c.buf[c.at]
		c.at++
		switch {
		case b == '"':
			return string(text)
		case b != '\\':
			text = append(text, b)
		case c.at < len(c.buf) && (c.buf[c.at] == '"' || c.buf[c.at] == '\\'):
			text = append(text, c.buf[c.at])
			c.at++
		case c.at+5 <= len(c.buf) && c.buf[c.at] == 'u':
			n, err := strconv.ParseUint(string(c.buf[c.at+1:c.at+5]), 16, 8)
			if err != nil {
				c.fail("unknown escape")
				return ""
			}
			text = append(text, byte(n))
			c.at += 5
		default:
			c.fail("unknown escape")
			return ""
		}
	}
	c.fail("the text does not end")
	return ""
}
