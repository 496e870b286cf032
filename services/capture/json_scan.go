package capture

import (
	"encoding/json"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// keep puts the value the walk has just passed among the lead's extra fields and flags it.
func (w *jsonWalk) keep(raw []byte, flag string) {
	if raw[0] == 'n' {
		return // a null says nothing
	}
	w.flag(flag)
	if w.extra++; w.extra > maxExtra {
		w.flags = appendFlag(w.flags, lead.Flag{Code: flagExtraCut})
		return
	}
	value := text(raw)
	if len(value) > maxExtraBytes {
		value = strings.ToValidUTF8(value[:maxExtraBytes], "")
		w.flags = appendFlag(w.flags, lead.Flag{Code: flagExtraCut})
	}
	w.root.Extra = append(w.root.Extra, &leadv1.Field{Path: w.where(), Value: value})
}

// flag notes a doubt about where the walk stands.
func (w *jsonWalk) flag(code string) {
	if len(w.flags) < maxJSONFlags {
		w.flags = appendFlag(w.flags, lead.Flag{Code: code, Field: w.where()})
	}
}

func appendFlag(flags []lead.Flag, f lead.Flag) []lead.Flag {
	for i := range flags {
		if flags[i].Code == f.Code && flags[i].Field == f.Field {
			return flags
		}
	}
	return append(flags, f)
}

// where is the path to where the walk stands.
func (w *jsonWalk) where() string {
	var b strings.Builder
	for _, s := range w.path {
		switch {
		case s.name != "" || s.index < 0:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.name)
		default:
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		}
		if b.Len() > 500 {
			return strings.ToValidUTF8(b.String()[:500], "")
		}
	}
	return b.String()
}

// peek returns the first byte of the next value.
func (w *jsonWalk) peek() byte {
	w.space()
	return w.src[w.pos]
}

func (w *jsonWalk) space() {
	for w.pos < len(w.src) {
		switch w.src[w.pos] {
		case ' ', '\t', '\n', '\r':
			w.pos++
		default:
			return
		}
	}
}

// members yields the names of an object's members; the loop's body must read each value.
func (w *jsonWalk) members() iter.Seq[string] {
	return func(yield func(string) bool) {
		w.space()
		w.pos++ // {
		for {
			if c := w.peek(); c == '}' {
				w.pos++
				return
			} else if c == ',' {
				w.pos++
				w.space()
			}
			name := text(w.skip())
			w.space()
			w.pos++ // :
			if !yield(name) {
				return
			}
		}
	}
}

// elements yields the indices of an array's elements; the loop's body must read each.
func (w *jsonWalk) elements() iter.Seq[int] {
	return func(yield func(int) bool) {
		w.space()
		w.pos++ // [
		for i := 0; ; i++ {
			if c := w.peek(); c == ']' {
				w.pos++
				return
			} else if c == ',' {
				w.pos++
			}
			if !yield(i) {
				return
			}
		}
	}
}

// skip passes the next value and returns its bytes.
func (w *jsonWalk) skip() []byte {
	w.space()
	start, depth := w.pos, 0
	for w.pos < len(w.src) {
		switch c := w.src[w.pos]; c {
		case '"':
			w.quoted()
		case '{', '[':
			depth++
			w.pos++
		case '}', ']':
			if depth == 0 {
				return w.src[start:w.pos] // the end of what holds this number or word
			}
			depth--
			w.pos++
		case ',', ' ', '\t', '\n', '\r', ':':
			if depth == 0 {
				return w.src[start:w.pos]
			}
			w.pos++
			continue
		default:
			w.pos++
			continue
		}
		if depth == 0 {
			return w.src[start:w.pos]
		}
	}
	return w.src[start:w.pos]
}

// quoted passes a text.
func (w *jsonWalk) quoted() {
	for w.pos++; w.src[w.pos] != '"'; w.pos++ {
		if w.src[w.pos] == '\\' {
			w.pos++
		}
	}
	w.pos++
}

// text is a value as text: the content of a JSON text, else its bytes. It is valid UTF-8.
func text(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return strings.ToValidUTF8(string(raw), "\uFFFD")
	}
	inner := raw[1 : len(raw)-1]
	for _, c := range inner {
		if c == '\\' {
			var s string
			if json.Unmarshal(raw, &s) != nil {
				return strings.ToValidUTF8(string(inner), "\uFFFD")
			}
			return s
		}
	}
	if utf8.Valid(inner) {
		return string(inner)
	}
	return strings.ToValidUTF8(string(inner), "\uFFFD")
}
