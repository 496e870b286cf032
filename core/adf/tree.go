package adf

import (
	"strings"
)

// node is an element. The tree is built for reading once: parts keep the order
// of text and children.
type node struct {
	name  string
	attrs []Attr
	parts []part
	odd   []FlagCode
	token int
	pos   int
}

// part is one thing inside an element: a child, text, or an XML comment.
type part struct {
	child   *node
	text    string
	comment bool
}

// forest is what the tokens of a text hold: the outermost adf or prospect
// elements, and the text around them.
type forest struct {
	roots   []*node
	outside []Element
}

// pairTags finds which start and end tags belong together: an end tag closes
// the nearest open element of its name, and those it passes over are unclosed.
// HTML tags take no part, senders rarely close them.
func pairTags(tokens []token) {
	var open []int
	count := make(map[string]int)
	for i := range tokens {
		t := &tokens[i]
		switch {
		case t.kind == tokenStart && !t.selfClose && !isHTML(t.name):
			open = append(open, i)
			count[t.name]++
		case t.kind == tokenEnd && count[t.name] > 0:
			for {
				top := open[len(open)-1]
				open = open[:len(open)-1]
				name := tokens[top].name
				count[name]--
				if name == t.name {
					tokens[top].matched, t.matched, t.partner = true, true, top
					break
				}
			}
		}
	}
}

// builder holds the open elements while the tree grows.
type builder struct {
	s     *scanner
	stack []*node
	out   forest
	gap   strings.Builder // text outside
}

// grow builds the forest. With fragment the whole text is taken as the inside
// of one prospect.
func grow(s *scanner, fragment bool) (forest, error) {
	pairTags(s.tokens)
	b := &builder{s: s}
	if fragment {
		b.push(&node{name: "prospect", token: -1})
		b.out.roots = append(b.out.roots, b.stack[0])
	}
	for i := range s.tokens {
		if err := b.add(i); err != nil {
			return forest{}, err
		}
	}
	for len(b.stack) > 0 && !fragment {
		b.popUnclosed(len(s.src))
	}
	b.closeGap("#after")
	return b.out, nil
}

func (b *builder) top() *node { return b.stack[len(b.stack)-1] }

func (b *builder) push(n *node) { b.stack = append(b.stack, n) }

func (b *builder) popUnclosed(pos int) {
	n := b.top()
	n.odd = addCode(n.odd, FlagUnclosed)
	b.s.repair(FlagUnclosed, pos, n.name)
	b.stack = b.stack[:len(b.stack)-1]
}

func (b *builder) closeGap(where string) {
	if text := strings.TrimSpace(b.gap.String()); text != "" {
		b.out.outside = append(b.out.outside, Element{Path: where, Text: text})
	}
	b.gap.Reset()
}

func (b *builder) add(i int) error {
	t := &b.s.tokens[i]
	if len(b.stack) == 0 {
		switch {
		case t.kind == tokenStart && (t.name == "adf" || t.name == "prospect"):
			where := "#between"
			if len(b.out.roots) == 0 {
				where = "#before"
			}
			b.closeGap(where)
			n := &node{name: t.name, attrs: t.attrs, odd: t.odd, token: i, pos: t.pos}
			b.out.roots = append(b.out.roots, n)
			if !t.selfClose {
				b.push(n)
			}
		case t.kind == tokenText || t.kind == tokenCDATA:
			b.gap.WriteString(t.text)
		case (t.kind == tokenStart || t.kind == tokenEnd) && !breaksLine(t.name) || t.kind == tokenComment:
		default:
			b.gap.WriteByte('\n')
		}
		return nil
	}
	switch t.kind {
	case tokenText, tokenCDATA:
		b.text(t.text, t.odd)
	case tokenComment:
		n := b.top()
		n.parts = append(n.parts, part{text: t.text, comment: true})
	case tokenStart:
		return b.start(i, t)
	case tokenEnd:
		b.end(t)
	}
	return nil
}

func (b *builder) text(text string, odd []FlagCode) {
	n := b.top()
	for _, code := range odd {
		n.odd = addCode(n.odd, code)
	}
	n.parts = append(n.parts, part{text: text})
}

func (b *builder) start(i int, t *token) error {
	top := b.top()
	if isHTML(t.name) && !t.matched {
		if breaksLine(t.name) {
			b.text("\n", nil)
		}
		top.odd = addCode(top.odd, FlagHTMLMarkup)
		if link := attrOf(t.attrs, "href"); link != "" {
			top.parts = append(top.parts, part{child: &node{name: t.name, attrs: t.attrs, token: i, pos: t.pos}})
		}
		return nil
	}
	for len(b.stack) > 1 && b.closesTop(t) {
		b.popUnclosed(t.pos)
	}
	top = b.top()
	if !t.matched && !t.selfClose && !isKnown(t.name) && isLeaf(top.name) {
		// "<Please confirm>" in a comment is what the customer wrote.
		b.text(b.s.src[t.pos:t.end], []FlagCode{FlagStrayMarkup})
		return nil
	}
	if t.name == "prospect" && top.name == "prospect" && top.token < 0 {
		return nil // a fragment that holds its own prospect
	}
	n := &node{name: t.name, attrs: t.attrs, odd: t.odd, token: i, pos: t.pos}
	top.parts = append(top.parts, part{child: n})
	if !t.selfClose {
		b.push(n)
		if len(b.stack) > MaxDepth {
			return b.s.fail(t.pos, ErrTooDeep, "close the elements; a lead needs no more than six levels")
		}
	}
	return nil
}

// closesTop decides whether a start tag shows that the open element should
// have been closed before. Only elements without an end tag are in question.
func (b *builder) closesTop(t *token) bool {
	top := b.top()
	if top.token < 0 || b.s.tokens[top.token].matched {
		return false
	}
	if !isKnown(t.name) {
		return isLeaf(top.name) && t.matched && top.name != "comments" && top.name != "comment"
	}
	if isLeaf(top.name) || !isKnown(top.name) {
		return true
	}
	if allowedIn(t.name, top.name) {
		return false
	}
	for _, n := range b.stack {
		if n != top && allowedIn(t.name, n.name) {
			return true
		}
	}
	return false
}

func (b *builder) end(t *token) {
	if isHTML(t.name) {
		if breaksLine(t.name) {
			b.text("\n", nil)
		}
		return
	}
	if t.matched {
		for i := len(b.stack) - 1; i >= 0; i-- {
			if b.stack[i].token != t.partner {
				continue
			}
			for len(b.stack) > i+1 {
				b.popUnclosed(t.pos)
			}
			b.stack = b.stack[:i]
			return
		}
		return
	}
	top := b.top()
	if top.token >= 0 && isLeaf(top.name) && !b.s.tokens[top.token].matched {
		top.odd = addCode(top.odd, FlagMismatchedEnd)
		b.s.repair(FlagMismatchedEnd, t.pos, top.name)
		b.stack = b.stack[:len(b.stack)-1]
		return
	}
	top.odd = addCode(top.odd, FlagStrayEnd)
	b.s.repair(FlagStrayEnd, t.pos, "")
}

func attrOf(attrs []Attr, name string) string {
	for _, a := range attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}
