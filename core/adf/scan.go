package adf

import (
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenText tokenKind = iota // text, references resolved
	tokenCDATA
	tokenStart
	tokenEnd
	tokenComment
)

// token is a piece of the text. For tags name is the local name in lower case.
type token struct {
	kind      tokenKind
	selfClose bool
	matched   bool // start and end tags that belong together, see pairTags
	partner   int  // index of the start tag an end tag belongs to
	pos, end  int  // offsets in the source
	name      string
	text      string
	attrs     []Attr
	odd       []FlagCode
}

// repairAt is a Repair before its offset is turned into line and column.
type repairAt struct {
	code   FlagCode
	pos    int
	detail string
}

// scanner cuts the text into tokens. It never fails on syntax: what is not
// markup is text. Each byte is looked at a bounded number of times, which
// steps counts and a test checks: a search that finds nothing to the end of
// the text sets its no... field and is not repeated.
type scanner struct {
	src      string
	pos      int
	steps    int
	elements int
	tokens   []token
	repairs  []repairAt

	noComment, noCDATA, noDoctype, noDeclaration bool
}

func scan(src string) (*scanner, error) {
	s := &scanner{src: src}
	textStart := 0
	flush := func(end int) {
		if end > textStart {
			s.text(textStart, end)
		}
	}
	for s.pos < len(s.src) {
		lt := strings.IndexByte(s.src[s.pos:], '<')
		if lt < 0 {
			s.steps += len(s.src) - s.pos
			break
		}
		s.steps += lt + 1
		s.pos += lt
		start, count := s.pos, len(s.tokens)
		if !s.markup(func() { flush(start) }) {
			if len(s.tokens) != count {
				s.tokens = s.tokens[:count]
			}
			s.repair(FlagStrayMarkup, start, "less-than sign")
			s.pos = start + 1
			continue
		}
		textStart = s.pos
		if s.elements > maxElements || len(s.tokens) > maxTokens {
			return s, s.fail(start, ErrTooMany, "send fewer leads in one document")
		}
		if n := len(s.tokens); n > 0 {
			if err := s.checkAttrs(&s.tokens[n-1]); err != nil {
				return s, err
			}
		}
	}
	flush(len(s.src))
	return s, nil
}

func (s *scanner) fail(pos int, reason error, remedy string) error {
	line, column := newPositions(s.src).at(pos)
	return &ParseError{Line: line, Column: column, Remedy: remedy, Err: reason}
}

func (s *scanner) checkAttrs(t *token) error {
	if len(t.attrs) > maxAttrs {
		return s.fail(t.pos, ErrTooMany, "an element may have at most 64 attributes")
	}
	for _, a := range t.attrs {
		if len(a.Value) > maxAttrBytes {
			return s.fail(t.pos, ErrTooLarge, "an attribute may have at most 64 KiB")
		}
	}
	return nil
}

func (s *scanner) repair(code FlagCode, pos int, detail string) {
	if len(s.repairs) < maxRepairs {
		s.repairs = append(s.repairs, repairAt{code, pos, detail})
	}
}

func (s *scanner) text(start, end int) {
	text, odd := decodeText(s.src[start:end])
	s.steps += end - start
	for _, code := range odd {
		s.repair(code, start, "")
	}
	s.tokens = append(s.tokens, token{kind: tokenText, pos: start, end: end, text: text, odd: odd})
}

// markup reads one piece of markup at the less-than sign and moves behind it.
// It calls before once it knows that it is one, so that text stands first.
func (s *scanner) markup(before func()) bool {
	rest := s.src[s.pos:]
	switch {
	case strings.HasPrefix(rest, "<!--"):
		return s.comment(before)
	case len(rest) >= 9 && strings.EqualFold(rest[:9], "<![CDATA["):
		return s.cdata(before)
	case strings.HasPrefix(rest, "<!") && len(rest) > 2 && isAlpha(rest[2]):
		return s.declaration(before)
	case strings.HasPrefix(rest, "<?"):
		return s.instruction(before)
	case strings.HasPrefix(rest, "</"):
		return s.endTag(before)
	case len(rest) > 1 && (isAlpha(rest[1]) || rest[1] == '_'):
		return s.startTag(before)
	}
	return false
}

// find looks for sep from offset on and counts what it looked at.
func (s *scanner) find(sep string, from int) int {
	at := strings.Index(s.src[from:], sep)
	if at < 0 {
		s.steps += len(s.src) - from
		return -1
	}
	s.steps += at + len(sep)
	return from + at
}

func (s *scanner) comment(before func()) bool {
	if s.noComment {
		return false
	}
	end := s.find("-->", s.pos+4)
	if end < 0 {
		s.noComment = true
		return false
	}
	before()
	s.tokens = append(s.tokens, token{kind: tokenComment, pos: s.pos, end: end + 3, text: s.src[s.pos+4 : end]})
	s.pos = end + 3
	return true
}

func (s *scanner) cdata(before func()) bool {
	body, end, size := s.pos+9, -1, 3
	if !s.noCDATA {
		if end = s.find("]]>", body); end < 0 {
			s.noCDATA = true
		}
	}
	if end < 0 { // never closed: it ends where the next end tag begins
		if end = s.find("</", body); end < 0 {
			end = len(s.src)
		}
		size = 0
		s.repair(FlagUnclosedTag, s.pos, "cdata")
	}
	before()
	s.tokens = append(s.tokens, token{kind: tokenCDATA, pos: s.pos, end: end + size, text: s.src[body:end]})
	s.pos = end + size
	return true
}

// declaration skips <!DOCTYPE ...>, with its internal subset, and the like.
func (s *scanner) declaration(before func()) bool {
	if s.noDeclaration {
		return false
	}
	end := s.find(">", s.pos)
	if end < 0 {
		s.noDeclaration = true
		return false
	}
	if open := strings.IndexByte(s.src[s.pos:end], '['); open >= 0 && !s.noDoctype {
		s.noDoctype = true // one subset in a document is enough
		for at := s.pos + open; ; {
			closing := s.find("]", at)
			if closing < 0 {
				break
			}
			at = closing + 1
			for at < len(s.src) && isSpace(s.src[at]) {
				at++
				s.steps++
			}
			if at < len(s.src) && s.src[at] == '>' {
				end = at
				break
			}
		}
	}
	before()
	s.repair(FlagDoctypeIgnored, s.pos, "")
	s.pos = end + 1
	return true
}

// instruction skips <?...?>, also when the question mark is missing at the end.
func (s *scanner) instruction(before func()) bool {
	limit := s.find("<", s.pos+1)
	if limit < 0 {
		limit = len(s.src)
	}
	body := s.src[s.pos:limit]
	end := strings.Index(body[2:], "?>") + 2
	size := 2
	if end < 2 {
		end, size = strings.IndexByte(body, '>'), 1
	}
	if end < 0 {
		return false
	}
	before()
	content := body[:end]
	lead := strings.TrimLeft(content[2:], " ")
	xmlName := len(lead) >= 3 && strings.EqualFold(lead[:3], "xml")
	late := xmlName && strings.TrimSpace(s.src[:min(s.pos, 64)]) != ""
	shouted := strings.HasPrefix(lead, "XML") || strings.HasPrefix(lead, "ADF")
	if size == 1 || late || shouted || strings.ContainsAny(content, "“”„″‘’") || !strings.Contains(content, "=") && (xmlName || shouted) {
		s.repair(FlagInstruction, s.pos, "")
	}
	s.pos += end + size
	return true
}

func (s *scanner) endTag(before func()) bool {
	i := s.pos + 2
	for i < len(s.src) && isSpace(s.src[i]) {
		i++
	}
	name, i := s.name(i)
	if name == "" {
		s.steps += i - s.pos
		return false
	}
	start := i
	for i < len(s.src) && s.src[i] != '>' && s.src[i] != '<' {
		i++
	}
	s.steps += i - s.pos
	if strings.TrimSpace(s.src[start:i]) != "" {
		s.repair(FlagAttributeSyntax, s.pos, "text in end tag")
	}
	before()
	if i < len(s.src) && s.src[i] == '>' {
		i++
	} else {
		i = start // "</name" without ">": what follows is text
		s.repair(FlagUnclosedTag, s.pos, name)
	}
	s.tokens = append(s.tokens, token{kind: tokenEnd, pos: s.pos, end: i, name: name})
	s.pos = i
	return true
}

// name reads an element or attribute name and gives its local part in lower
// case; "" if there is none or it is longer than any real one.
func (s *scanner) name(i int) (string, int) {
	start, local := i, i
	for i < len(s.src) && i-start <= maxName {
		c := s.src[i]
		if c == ':' {
			local = i + 1
		} else if !isAlnum(c) && c != '_' && c != '-' && c != '.' && c < utf8.RuneSelf {
			break
		} else if c >= utf8.RuneSelf {
			if _, size := s.quoteAt(i); size > 0 {
				break
			}
		}
		i++
	}
	if i-start > maxName {
		return "", i
	}
	return strings.ToLower(s.src[local:i]), i
}

// quoteAt tells the class of a quotation mark at i, 'd' for double and 's' for
// single, and its size in bytes; 0 if there is none. Word processors and the
// specification itself write typographic ones.
func (s *scanner) quoteAt(i int) (class byte, size int) {
	switch c := s.src[i]; {
	case c == '"':
		return 'd', 1
	case c == '\'' || c == '`':
		return 's', 1
	case c == '\\' && i+1 < len(s.src) && s.src[i+1] == '"': // escaped for JSON
		return 'd', 2
	case c < utf8.RuneSelf:
		return 0, 0
	}
	r, size := utf8.DecodeRuneInString(s.src[i:])
	switch r {
	case '“', '”', '„', '‟', '″', '«', '»':
		return 'd', size
	case '‘', '’', '‚', '‛', '′':
		return 's', size
	}
	return 0, 0
}
