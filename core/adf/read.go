package adf

import (
	"slices"
	"strconv"
	"strings"
)

// path is the place of an element, kept as a chain so that only flagged places
// cost a string.
type path struct {
	up   *path
	name string
	n    int // 1 for the first of its name in its parent
}

func (p *path) String() string {
	var parts []string
	for ; p != nil; p = p.up {
		name := p.name
		if p.n > 1 {
			name += "[" + strconv.Itoa(p.n) + "]"
		}
		parts = append(parts, name)
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

// placed is an element that has a place in the format, but not where it stands.
type placed struct {
	n *node
	p *path
}

// reader turns one tree into one Prospect.
type reader struct {
	out    *Prospect
	budget *int // bytes of paths left for the document, bounds nested unknown content
	nested bool // reading inside a comment: comments there are not read again
	steps  *int
}

func (r *reader) place(p *path) string {
	s := p.String()
	*r.budget -= len(s)
	return s
}

func (r *reader) flag(code FlagCode, p *path, detail string) {
	if len(r.out.Flags) >= maxFlags || *r.budget <= 0 {
		if n := len(r.out.Flags); n == 0 || r.out.Flags[n-1].Code != FlagTruncated {
			r.out.Flags = append(r.out.Flags, Flag{Code: FlagTruncated, Path: "prospect"})
		}
		return
	}
	r.out.Flags = append(r.out.Flags, Flag{Code: code, Path: r.place(p), Detail: detail})
}

func (r *reader) keep(p *path, text string, attrs []Attr) {
	if *r.budget <= 0 {
		return // Parse turns an exhausted budget into an error, nothing is lost silently
	}
	masked, found := maskSensitive(text)
	if found || isSensitiveKey(p.name) && strings.ContainsAny(text, "0123456789") {
		if !found {
			masked = maskDigits(text)
		}
		r.flag(FlagSensitive, p, "")
	}
	r.out.Unknown = append(r.out.Unknown, Element{Path: r.place(p), Text: masked, Attrs: attrs})
}

// each goes through the children of a structural element. Text between them is
// kept as stray. take places a child and returns false if it cannot; such a
// child is returned when the lead may have a place for it, else kept as unknown.
func (r *reader) each(n *node, p *path, take func(c *node, p *path) bool) []placed {
	var left []placed
	seen := make(map[string]int)
	for _, part := range n.parts {
		switch {
		case part.comment:
			r.xmlComment(part.text, &path{up: p, name: "#comment", n: 1})
		case part.child == nil:
			if text := trim(part.text); text != "" {
				seen["#text"]++
				at := &path{up: p, name: "#text", n: seen["#text"]}
				r.flag(FlagStrayText, at, "")
				r.keep(at, text, nil)
			}
		default:
			c := part.child
			seen[c.name]++
			at := &path{up: p, name: c.name, n: seen[c.name]}
			switch {
			case isWrapper(c.name):
				r.flag(FlagUnknownElement, at, "")
				if attrs := keptAttrs(c.attrs); len(attrs) > 0 {
					r.keep(at, "", attrs)
				}
				left = append(left, r.each(c, at, take)...)
			case take(c, at):
			case movable(c.name):
				left = append(left, placed{c, at})
			default:
				r.unknown(c, at)
			}
		}
	}
	return left
}

// isWrapper tells plural containers that add nothing ("<vehicles>").
func isWrapper(name string) bool {
	switch name {
	case "vehicles", "contacts", "phones", "emails", "names", "addresses", "prices", "options", "ids", "streets",
		"colorcombinations", "customers", "vendors", "providers", "amounts":
		return true
	}
	return false
}

// movable tells the elements whose owner is plain wherever they stand in a lead.
func movable(name string) bool {
	switch name {
	case "id", "requestdate", "vehicle", "customer", "vendor", "provider", "contact", "timeframe", "comments",
		"comment", "url", "finance", "vendorname":
		return true
	}
	return false
}

// unknown keeps an element and everything in it.
func (r *reader) unknown(n *node, p *path) {
	if isKnown(n.name) {
		r.flag(FlagOutOfPlace, p, n.name)
	} else {
		r.flag(FlagUnknownElement, p, "")
	}
	r.flatten(n, p)
}

func (r *reader) flatten(n *node, p *path) {
	var text strings.Builder
	hasChild := false
	for _, part := range n.parts {
		if part.child == nil && !part.comment {
			text.WriteString(part.text)
		}
		hasChild = hasChild || part.child != nil
	}
	if value := trim(text.String()); value != "" || len(n.attrs) > 0 || !hasChild {
		r.keep(p, value, keptAttrs(n.attrs))
	}
	seen := make(map[string]int)
	for _, part := range n.parts {
		switch {
		case part.comment:
			r.xmlComment(part.text, &path{up: p, name: "#comment", n: 1})
		case part.child != nil:
			seen[part.child.name]++
			r.flatten(part.child, &path{up: p, name: part.child.name, n: seen[part.child.name]})
		}
	}
}

// keptAttrs drops namespace declarations, which mean nothing without prefixes.
func keptAttrs(attrs []Attr) []Attr {
	var kept []Attr
	for _, a := range attrs {
		if a.Name != "xmlns" {
			kept = append(kept, a)
		}
	}
	return kept
}

// text gives the text of a leaf with what its inline markup holds. Placeholders
// are flagged, strings that mean "nothing" are flagged and cleared.
func (r *reader) text(n *node, p *path) string {
	var b strings.Builder
	r.collect(n, p, &b)
	return r.value(trim(b.String()), p)
}

func (r *reader) collect(n *node, p *path, b *strings.Builder) {
	seen := make(map[string]int)
	for _, part := range n.parts {
		switch {
		case part.comment:
			r.xmlComment(part.text, &path{up: p, name: "#comment", n: 1})
		case part.child == nil:
			b.WriteString(part.text)
		default:
			c := part.child
			seen[c.name]++
			at := &path{up: p, name: c.name, n: seen[c.name]}
			own := directText(c)
			if !isHTML(c.name) {
				r.flag(FlagUnknownElement, at, "")
			}
			r.keep(at, own, keptAttrs(c.attrs))
			r.collect(c, at, b)
		}
	}
}

func directText(n *node) string {
	var b strings.Builder
	for _, part := range n.parts {
		if part.child == nil && !part.comment {
			b.WriteString(part.text)
		}
	}
	return trim(b.String())
}

// value flags placeholders and clears null strings.
func (r *reader) value(s string, p *path) string {
	switch {
	case s == "":
		return ""
	case isNullString(s, p.name):
		r.flag(FlagNullString, p, strings.ToLower(s))
		return ""
	case hasPlaceholder(s):
		r.flag(FlagPlaceholder, p, "")
	}
	return s
}

// once stores the text of a leaf that may stand once. A second, different
// value is kept as unknown.
func (r *reader) once(field *string, n *node, p *path) {
	r.attrs(n, p)
	r.onceValue(field, r.text(n, p), n, p)
}

func (r *reader) onceValue(field *string, value string, n *node, p *path) {
	switch {
	case *field == "":
		*field = value
	case value != "":
		r.flag(FlagDuplicate, p, n.name)
		if value != *field {
			r.keep(p, value, keptAttrs(n.attrs))
		}
	}
}

// attrs reads the attributes of an element: a closed-list attribute through
// enum, the rest as text. Names outside allowed are kept as unknown.
func (r *reader) attrs(n *node, p *path, allowed ...string) func(name string) string {
	values := make([]Attr, 0, len(n.attrs))
	for _, a := range n.attrs {
		at := &path{up: p, name: "@" + a.Name, n: 1}
		if a.Name == "xmlns" {
			continue
		}
		name := a.Name
		if !slices.Contains(allowed, name) {
			if fixed := respell(name); fixed != "" && slices.Contains(allowed, fixed) {
				r.flag(FlagMisspelt, at, fixed)
				name = fixed
			} else {
				r.flag(FlagUnknownAttribute, at, "")
				r.keep(at, a.Value, nil)
				continue
			}
		}
		if attrOf(values, name) != "" {
			if a.Value != "" {
				r.flag(FlagDuplicate, at, name)
				r.keep(at, a.Value, nil)
			}
			continue
		}
		value := r.value(trim(a.Value), at)
		if enumValues(n.name, name) != nil {
			value = r.enum(n.name, name, value, at)
		}
		values = append(values, Attr{name, value})
	}
	return func(name string) string { return attrOf(values, name) }
}

// respell gives the attribute a misspelt or foreign name means.
func respell(name string) string {
	switch name {
	case "preferedcontact", "prefferedcontact", "preferredcontacts", "preferred", "prefered", "preferred-contact", "preferred_contact":
		return "preferredcontact"
	case "primary", "primary_contact", "primary-contact":
		return "primarycontact"
	case "seq", "sequense":
		return "sequence"
	case "intrest", "interested":
		return "interest"
	case "unit":
		return "units"
	case "relative-to", "relative_to":
		return "relativeto"
	case "best-time", "best_time":
		return "besttime"
	}
	return ""
}

// enum brings a value of a closed list into its spelling.
func (r *reader) enum(element, attr, value string, p *path) string {
	if value == "" || hasPlaceholder(value) {
		return value
	}
	list := enumValues(element, attr)
	if slices.Contains(list, value) {
		return value
	}
	folded := foldEnum(value)
	for _, v := range list {
		if foldEnum(v) == folded {
			r.flag(FlagEnumSpelling, p, v)
			return v
		}
	}
	if v := enumSynonym(element, attr, folded); v != "" {
		r.flag(FlagBadEnum, p, v)
		r.keep(p, value, nil) // "work" and "home" both become voice
		return v
	}
	r.flag(FlagBadEnum, p, "")
	return value
}

// foldEnum lowers a value and drops spaces, hyphens and underscores.
func foldEnum(s string) string {
	return strings.Map(func(c rune) rune {
		switch c {
		case ' ', '-', '_', '/':
			return -1
		}
		return c
	}, strings.ToLower(s))
}

func isTrue(s string) bool {
	switch strings.ToLower(s) {
	case "1", "true", "yes", "y":
		return true
	}
	return false
}

// boolean reads a 0 or 1 attribute.
func (r *reader) boolean(value string, name string, p *path) bool {
	if value == "" || value == "0" || value == "1" {
		return value == "1"
	}
	code := FlagBadEnum
	switch strings.ToLower(value) {
	case "true", "yes", "y", "false", "no", "n":
		code = FlagEnumSpelling
	}
	r.flag(code, &path{up: p, name: "@" + name, n: 1}, "")
	return isTrue(value)
}

func trim(s string) string { return strings.TrimSpace(s) }
