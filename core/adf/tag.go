package adf

import (
	"strings"
	"unicode/utf8"
)

// startTag reads a start tag at the less-than sign. "<john@example.com>" and
// "<http://...>" are text, not tags.
func (s *scanner) startTag(before func()) bool {
	name, i := s.name(s.pos + 1)
	s.steps += i - s.pos
	if name == "" || i >= len(s.src) {
		return false
	}
	if c := s.src[i]; c != '>' && c != '<' && !isSpace(c) {
		if c != '/' || !strings.HasPrefix(s.src[i:], "/>") {
			return false
		}
	}
	t := token{kind: tokenStart, pos: s.pos, name: name}
	end := s.attributes(&t, i)
	before()
	for _, code := range t.odd {
		s.repair(code, t.pos, name)
	}
	t.end = end
	s.tokens = append(s.tokens, t)
	s.elements++
	s.steps += end - i
	s.pos = end
	return true
}

// attributes reads up to the end of the tag and returns the offset behind it.
func (s *scanner) attributes(t *token, i int) int {
	for len(t.attrs) <= maxAttrs {
		for i < len(s.src) && isSpace(s.src[i]) {
			i++
		}
		if i >= len(s.src) || s.src[i] == '<' {
			t.odd = addCode(t.odd, FlagUnclosedTag)
			return i
		}
		if s.src[i] == '>' {
			return i + 1
		}
		if strings.HasPrefix(s.src[i:], "/>") {
			t.selfClose = true
			return i + 2
		}
		if class, size := s.quoteAt(i); size > 0 {
			// A value without a name or equals sign: `version "1.0"`.
			t.odd = addCode(t.odd, FlagAttributeSyntax)
			if n := len(t.attrs); n > 0 && t.attrs[n-1].Value == "" {
				var done bool
				if i, done = s.quoted(t, i, class, size); done {
					return i
				}
				continue
			}
			i += size
			continue
		}
		name, next := s.name(i)
		if next == i || name == "" {
			t.odd = addCode(t.odd, FlagAttributeSyntax)
			_, size := utf8.DecodeRuneInString(s.src[i:])
			i = max(next, i+size)
			continue
		}
		if strings.HasPrefix(s.src[i:next], "xmlns:") {
			name = "xmlns" // whatever the prefix: namespaces are ignored
		}
		t.attrs = append(t.attrs, Attr{Name: name})
		for next < len(s.src) && isSpace(s.src[next]) {
			next++
		}
		if next >= len(s.src) || s.src[next] != '=' {
			i = next
			continue
		}
		for next++; next < len(s.src) && isSpace(s.src[next]); next++ {
		}
		i = next
		if i >= len(s.src) {
			continue
		}
		if class, size := s.quoteAt(i); size > 0 {
			var done bool
			if i, done = s.quoted(t, i, class, size); done {
				return i
			}
			continue
		}
		i = s.unquoted(t, i)
	}
	return i
}

func (s *scanner) unquoted(t *token, i int) int {
	start := i
	for i < len(s.src) && !isSpace(s.src[i]) && s.src[i] != '>' && s.src[i] != '<' && !strings.HasPrefix(s.src[i:], "/>") {
		i++
	}
	t.odd = addCode(t.odd, FlagAttributeSyntax)
	t.setValue(s.src[start:i])
	return i
}

// quoted reads a quoted value for the last attribute. A value that ends with
// ` name=` lost its closing quote (`type="total currency="USD">`): it is cut
// there and the mark found opens the next value. Without any closing mark
// before the next tag the value ends at ">", and done is true: so did the tag.
func (s *scanner) quoted(t *token, i int, class byte, size int) (next int, done bool) {
	for {
		opener := s.src[i : i+size]
		ascii := size == 1
		start := i + size
		gt, j, closing := -1, start, 0
		for j < len(s.src) && s.src[j] != '<' {
			if s.src[j] == '>' && gt < 0 {
				gt = j
			}
			if c, n := s.quoteAt(j); n > 0 && c == class {
				same := s.src[j:j+n] == opener
				if same || !ascii || n > 1 && s.tagGoesOn(j+n) {
					closing = n
					break
				}
			}
			j++
		}
		s.steps += j - start
		if closing == 0 {
			t.odd = addCode(t.odd, FlagAttributeSyntax)
			if gt < 0 {
				t.odd = addCode(t.odd, FlagUnclosedTag)
				t.setValue(strings.TrimSpace(s.src[start:j]))
				return j, true
			}
			value, selfClose := strings.CutSuffix(s.src[start:gt], "/")
			t.selfClose = selfClose
			t.setValue(strings.TrimSpace(value))
			return gt + 1, true
		}
		value := s.src[start:j]
		if !ascii || closing > 1 {
			t.odd = addCode(t.odd, FlagAttributeSyntax)
		}
		before, name, cut := cutDanglingName(value)
		if !cut || len(t.attrs) > maxAttrs {
			t.setValue(value)
			return j + closing, false
		}
		t.odd = addCode(t.odd, FlagAttributeSyntax)
		t.setValue(before)
		t.attrs = append(t.attrs, Attr{Name: name})
		i, size = j, closing
	}
}

// tagGoesOn reports whether an attribute or the end of the tag follows, which
// makes a typographic mark before it a closing one.
func (s *scanner) tagGoesOn(i int) bool {
	for i < len(s.src) && isSpace(s.src[i]) {
		i++
		s.steps++
	}
	if i >= len(s.src) {
		return true
	}
	if c := s.src[i]; c == '>' || c == '/' || c == '?' {
		return true
	}
	_, next := s.name(i)
	s.steps += next - i
	return next > i && next < len(s.src) && s.src[next] == '='
}

// cutDanglingName splits `total currency=` into its value and the name.
func cutDanglingName(value string) (before, name string, ok bool) {
	trimmed, ok := strings.CutSuffix(strings.TrimRight(value, " "), "=")
	if !ok {
		return value, "", false
	}
	space := strings.LastIndexByte(trimmed, ' ')
	name = trimmed[space+1:]
	if space < 0 || name == "" || len(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf || !isAlpha(byte(r)) }) {
		return value, "", false
	}
	return strings.TrimSpace(trimmed[:space]), strings.ToLower(name), true
}

// setValue gives the last attribute its value.
func (t *token) setValue(raw string) {
	value, odd := decodeText(raw)
	for _, code := range odd {
		t.odd = addCode(t.odd, code)
	}
	t.attrs[len(t.attrs)-1].Value = strings.TrimSpace(value)
}
