package star

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/tree"
)

// node is an element, an attribute (its name begins with @) or a member of a JSON object. Namespaces
// and prefixes are left out.
type node struct {
	name  string
	value string // its own text
	kids  []*node
	used  bool
}

// open reads XML or JSON.
func open(body []byte) (*node, error) {
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		n, err := tree.Parse(trimmed)
		if err != nil {
			return nil, errors.Join(ErrSyntax, err)
		}
		root := &node{}
		grow(root, &n)
		for i := range n.Items {
			item := &node{name: "Item"}
			grow(item, &n.Items[i])
			root.kids = append(root.kids, item)
		}
		return root, nil
	}
	return openXML(trimmed)
}

// grow makes nodes of a JSON value: the elements of an array are several nodes of one name.
func grow(into *node, v *tree.Node) {
	for i := range v.Members {
		m := &v.Members[i]
		list := []tree.Node{m.Value}
		if m.Value.Kind == tree.Array {
			list = m.Value.Items
		}
		for k := range list {
			n := &node{name: m.Name}
			if list[k].Scalar() {
				n.value = strings.TrimSpace(list[k].Text)
			}
			grow(n, &list[k])
			into.kids = append(into.kids, n)
		}
	}
}

func openXML(body []byte) (*node, error) {
	if i := bytes.IndexByte(body, '<'); i > 0 {
		body = body[i:] // what stands before the document is of its transport
	}
	dec := xml.NewDecoder(bytes.NewReader(body))
	dec.Strict, dec.Entity = false, xml.HTMLEntity
	dec.CharsetReader = charset
	root := &node{}
	stack := []*node{root}
	count := 0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) || err != nil && len(root.kids) > 0 && len(stack) == 1 {
			break // text after the document is no part of it
		}
		if err != nil {
			return nil, ErrSyntax
		}
		top := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if count += 1 + len(t.Attr); count > maxNodes || len(stack) > maxDepth {
				return nil, ErrSyntax
			}
			n := &node{name: local(t.Name.Local)}
			for _, a := range t.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" && a.Name.Local != "schemaLocation" {
					n.kids = append(n.kids, &node{name: "@" + local(a.Name.Local), value: clean(a.Value)})
				}
			}
			top.kids, stack = append(top.kids, n), append(stack, n)
		case xml.EndElement:
			if len(stack) > 1 {
				top.value = clean(top.value)
				stack = stack[:len(stack)-1]
			}
		case xml.CharData:
			if len(stack) > 1 {
				top.value += string(t)
			}
		}
	}
	if len(root.kids) == 0 || len(stack) > 1 {
		return nil, ErrSyntax
	}
	return root, nil
}

func local(name string) string { return name[strings.LastIndexByte(name, ':')+1:] }

func clean(s string) string { return strings.TrimSpace(strings.ToValidUTF8(s, "\uFFFD")) }

// charset reads the one-byte encodings of the west; anything else is taken for UTF-8.
func charset(label string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "iso-8859-1", "latin1", "windows-1252", "cp1252", "iso-8859-15":
	default:
		return in, nil
	}
	raw, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, c := range raw {
		b.WriteRune(rune(c))
	}
	return strings.NewReader(b.String()), nil
}

// inner opens the first document that stands in the node as a text, as tools put one into another; nil
// if there is none.
func (n *node) inner() *node {
	for _, c := range n.kids {
		if strings.Contains(c.value, "SalesLead") && strings.ContainsRune("<{[", rune(c.value[0])) {
			if root, err := open([]byte(c.value)); err == nil {
				return root
			}
		}
		if root := c.inner(); root != nil {
			return root
		}
	}
	return nil
}

// placed is a lead with the closest node around it that has an envelope.
type placed struct{ lead, home *node }

// leads lists the leads below.
func (n *node) leads(home *node, out []placed) []placed {
	for _, c := range n.kids {
		if c.is([]string{"ApplicationArea"}) {
			home = n
		}
	}
	for _, c := range n.kids {
		if c.is([]string{"SalesLead"}) {
			out = append(out, placed{c, home})
		} else {
			out = c.leads(home, out)
		}
	}
	return out
}

// is reports whether the node has one of the names, in any case.
func (n *node) is(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, n.name) })
}

// find returns the first node below that has one of the names, by level; nil if there is none.
func (n *node) find(names ...string) *node {
	level := n.kids
	for len(level) > 0 {
		var next []*node
		for _, c := range level {
			if c.is(names) {
				return c
			}
			next = append(next, c.kids...)
		}
		level = next
	}
	return nil
}

// leaf returns the first node below, in the order of the names, that holds a text which is no
// template's mark.
func (n *node) leaf(names ...string) *node {
	for _, name := range names {
		for _, c := range n.all(name, nil) {
			if c.value != "" && !lead.Placeholder(c.value) {
				return c
			}
		}
	}
	return nil
}

// all lists the nodes below of a name that do not stand in another of it.
func (n *node) all(name string, out []*node) []*node {
	for _, c := range n.kids {
		if strings.EqualFold(c.name, name) {
			out = append(out, c)
		} else {
			out = c.all(name, out)
		}
	}
	return out
}

// take is the node's text, marked as taken.
func (n *node) take() string {
	n.used = true
	return n.value
}

// text takes the first text of the names; "" if there is none.
func (n *node) text(names ...string) string {
	if c := n.leaf(names...); c != nil {
		return c.take()
	}
	return ""
}

// peek is the text of a name without taking it.
func (n *node) peek(name string) string {
	if c := n.leaf(name); c != nil {
		return c.value
	}
	return ""
}

// own takes the text of a direct child.
func (n *node) own(name string) string {
	for _, c := range n.kids {
		if strings.EqualFold(c.name, name) && c.value != "" && !lead.Placeholder(c.value) {
			return c.take()
		}
	}
	return ""
}

// clone is the node as nobody has read it.
func (n *node) clone() *node {
	c := &node{name: n.name, value: n.value}
	for _, k := range n.kids {
		c.kids = append(c.kids, k.clone())
	}
	return c
}
