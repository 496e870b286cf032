package adf

import "strings"

// Parse reads an ADF text of at most MaxInput bytes: one or many leads, in any
// of the encodings and dialects the package comment names. It returns an error
// of type *ParseError only when no lead can be read, or when a limit is
// exceeded; then the Document is empty. Everything else is repaired and said
// in Repairs and Flags. Time and memory are linear in the input, and it is
// safe for concurrent use.
func Parse(raw []byte) (Document, error) {
	doc, _, err := parse(raw)
	return doc, err
}

// parse also gives the number of bytes looked at, for the test of linearity.
func parse(raw []byte) (doc Document, steps int, err error) {
	if len(raw) > MaxInput {
		return Document{}, 0, &ParseError{Remedy: "send at most 4 MiB", Err: ErrTooLarge}
	}
	text, repairs := decode(raw)
	var s *scanner
	var trees forest
	for try := 0; ; try++ {
		s, err = scan(text)
		steps += s.steps
		if err != nil {
			return Document{}, steps, err
		}
		trees, err = grow(s, false)
		if err != nil {
			return Document{}, steps, err
		}
		if len(trees.roots) > 0 || try == maxEscapes {
			break
		}
		inner, code := unwrap(text, s.tokens)
		if code == "" {
			break
		}
		repairs = append(repairs, Repair{Code: code})
		text = inner
	}
	if len(trees.roots) == 0 {
		return Document{}, steps, noProspect(s)
	}
	budget := maxPathBytes
	doc, err = readForest(s, trees, &budget, &steps)
	if err != nil {
		return Document{}, steps, err
	}
	doc.Repairs = repairs
	if len(doc.Outside) > 0 {
		doc.Repairs = append(doc.Repairs, Repair{Code: FlagTextOutside})
	}
	if len(s.repairs) > 0 {
		at := newPositions(s.src)
		for _, rep := range s.repairs[:min(len(s.repairs), maxRepairs)] {
			line, column := at.at(rep.pos)
			doc.Repairs = append(doc.Repairs, Repair{Code: rep.code, Line: line, Column: column, Detail: rep.detail})
		}
	}
	return doc, steps, nil
}

// unwrap finds a lead that is escaped or inside a CDATA section of something
// else; code is "" when there is none.
func unwrap(text string, tokens []token) (inner string, code FlagCode) {
	for _, t := range tokens {
		if t.kind == tokenCDATA && (indexFold(t.text, "<adf") >= 0 || indexFold(t.text, "<prospect") >= 0) {
			return t.text, FlagWrappedDocument
		}
	}
	if inner, ok := unescapeDocument(text); ok {
		return inner, FlagEscapedDocument
	}
	return "", ""
}

// noProspect names the place of the first element, where one was expected.
func noProspect(s *scanner) error {
	e := &ParseError{Remedy: "put each lead into <adf><prospect>...</prospect></adf>", Err: ErrNoProspect}
	for _, t := range s.tokens {
		if t.kind == tokenStart {
			e.Line, e.Column = newPositions(s.src).at(t.pos)
			break
		}
	}
	return e
}

// readForest reads the leads of all roots.
func readForest(s *scanner, trees forest, budget, steps *int) (Document, error) {
	doc := Document{Outside: trees.outside}
	for _, root := range trees.roots {
		g := gatherer{outside: &doc.Outside}
		g.gather(root, root.name == "adf", &path{name: root.name, n: 1})
		for _, n := range g.prospects {
			doc.Prospects = append(doc.Prospects, readProspect(n, budget, steps))
			if *budget <= 0 {
				return Document{}, s.fail(n.pos, ErrTooMany, "send less content outside ADF in one document")
			}
		}
		if root.name == "prospect" {
			s.repair(FlagRootMissing, root.pos, "")
		}
	}
	if len(doc.Prospects) == 0 {
		return Document{}, noProspect(s)
	}
	return doc, nil
}

// gatherer collects the prospects under a root, also those inside foreign
// elements and inside each other.
type gatherer struct {
	prospects []*node
	outside   *[]Element
}

func (g *gatherer) gather(n *node, isRoot bool, p *path) {
	if n.name == "prospect" {
		g.prospects = append(g.prospects, n)
		n.parts = g.nested(n.parts, p)
		return
	}
	if isRoot {
		for _, a := range keptAttrs(n.attrs) {
			if a.Name != "version" {
				*g.outside = append(*g.outside, Element{Path: "adf/@" + a.Name, Text: a.Value})
			}
		}
	}
	var loose []part
	for _, part := range n.parts {
		c := part.child
		switch {
		case c != nil && !isLeaf(c.name) && holdsProspect(c):
			g.gather(c, false, &path{up: p, name: c.name, n: 1})
		case part.comment:
			if text := trim(part.text); text != "" {
				*g.outside = append(*g.outside, Element{Path: p.String() + "/#comment", Text: text})
			}
		case c == nil && trim(part.text) == "":
		default:
			loose = append(loose, part)
		}
	}
	if len(loose) == 0 {
		return
	}
	// Lead content beside prospects belongs to the one before it; without any
	// prospect it is one lead.
	if isRoot && len(g.prospects) == 0 && hasLeadPart(loose) {
		g.prospects = append(g.prospects, &node{name: "adf", parts: loose, odd: n.odd, pos: n.pos})
		return
	}
	var stray []part
	for _, part := range loose {
		if part.child != nil && len(g.prospects) > 0 && isKnown(part.child.name) {
			last := g.prospects[len(g.prospects)-1]
			last.parts = append(last.parts, part)
			last.odd = addCode(last.odd, FlagOutOfPlace)
			continue
		}
		stray = append(stray, part)
	}
	if len(stray) > 0 {
		*g.outside = append(*g.outside, Element{Path: p.String() + "/#text", Text: looseText(stray)})
	}
}

// nested moves prospects out of a prospect: its end tag was missing or wrong.
func (g *gatherer) nested(parts []part, p *path) []part {
	kept := make([]part, 0, len(parts))
	for _, part := range parts {
		if part.child != nil && part.child.name == "prospect" {
			g.gather(part.child, false, p)
			continue
		}
		kept = append(kept, part)
	}
	return kept
}

func holdsProspect(n *node) bool {
	if n.name == "prospect" {
		return true
	}
	for _, part := range n.parts {
		if part.child != nil && !isLeaf(part.child.name) && holdsProspect(part.child) {
			return true
		}
	}
	return false
}

func hasLeadPart(parts []part) bool {
	for _, part := range parts {
		if part.child != nil && isKnown(part.child.name) {
			return true
		}
	}
	return false
}

// looseText is the text of foreign content beside the leads.
func looseText(parts []part) string {
	var b strings.Builder
	var walk func(parts []part)
	walk = func(parts []part) {
		for _, part := range parts {
			if part.child != nil {
				walk(part.child.parts)
				b.WriteByte('\n')
			} else {
				b.WriteString(part.text)
			}
		}
	}
	walk(parts)
	return trim(b.String())
}
