// Package tree reads a JSON document whose shape nobody knows beforehand into a tree that keeps
// the order of its members and where in the document each value stands.
package tree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Kind is what a value is.
type Kind uint8

// The values of Kind.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// Node is one value. It is a plain value that nobody changes after Parse.
type Node struct {
	Kind       Kind
	Text       string   // of a text its content, of a number or truth value its spelling
	Members    []Member // of an object, in order; a name may come twice
	Items      []Node   // of an array
	Start, End int      // offsets in the document
}

// Member is one named value of an object.
type Member struct {
	Name  string
	Value Node
}

// Limits keep a document from costing more than its size.
const (
	maxDepth = 64
	maxNodes = 50_000
)

// ErrTooLarge is returned for a document that nests deeper or holds more values than any form does.
var ErrTooLarge = errors.New("the document nests too deep or holds too many values")

// Parse reads one JSON value, after a byte order mark if there is one. Text that is not UTF-8 gets
// replacement characters. The error says where the syntax ends and repeats nothing of the document.
func Parse(src []byte) (Node, error) {
	skipped := len(src)
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	skipped -= len(src)
	p := &parser{src: src, dec: json.NewDecoder(bytes.NewReader(src)), skipped: skipped}
	p.dec.UseNumber()
	n, err := p.value(0)
	if err == nil {
		if _, end := p.dec.Token(); !errors.Is(end, io.EOF) {
			err = p.syntax()
		}
	}
	return n, err
}

type parser struct {
	src     []byte
	dec     *json.Decoder
	nodes   int
	skipped int
}

func (p *parser) syntax() error {
	at := min(int(p.dec.InputOffset()), len(p.src))
	return fmt.Errorf("the document is not JSON: see line %d", bytes.Count(p.src[:at], []byte("\n"))+1)
}

// start is where the next value begins.
func (p *parser) start() int {
	at := int(p.dec.InputOffset())
	for at < len(p.src) && strings.IndexByte(" \t\r\n,:", p.src[at]) >= 0 {
		at++
	}
	return at
}

func (p *parser) value(depth int) (Node, error) {
	if p.nodes++; depth > maxDepth || p.nodes > maxNodes {
		return Node{}, ErrTooLarge
	}
	n := Node{Start: p.skipped + p.start()}
	token, err := p.dec.Token()
	if err != nil {
		return n, p.syntax()
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			n.Kind = Object
			err = p.members(&n, depth)
		} else {
			n.Kind = Array
			err = p.items(&n, depth)
		}
		if err != nil {
			return n, err
		}
	case string:
		n.Kind, n.Text = String, t
	case json.Number:
		n.Kind, n.Text = Number, t.String()
	case bool:
		n.Kind, n.Text = Bool, "false"
		if t {
			n.Text = "true"
		}
	}
	n.End = p.skipped + int(p.dec.InputOffset())
	return n, nil
}

func (p *parser) members(n *Node, depth int) error {
	for p.dec.More() {
		token, err := p.dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return p.syntax()
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.Members = append(n.Members, Member{Name: name, Value: v})
	}
	return p.end()
}

func (p *parser) items(n *Node, depth int) error {
	for p.dec.More() {
		v, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.Items = append(n.Items, v)
	}
	return p.end()
}

func (p *parser) end() error {
	if _, err := p.dec.Token(); err != nil {
		return p.syntax()
	}
	return nil
}

// Get returns the first member of a name; a null if there is none.
func (n *Node) Get(name string) *Node {
	for i := range n.Members {
		if n.Members[i].Name == name {
			return &n.Members[i].Value
		}
	}
	return &Node{}
}

// Scalar reports whether the value is a text, a number or a truth value.
func (n *Node) Scalar() bool { return n.Kind == Bool || n.Kind == Number || n.Kind == String }

// Leaves lists the texts of all scalars in the value, in order, at most limit.
func (n *Node) Leaves(limit int) []string {
	var out []string
	n.leaves(&out, limit)
	return out
}

func (n *Node) leaves(out *[]string, limit int) {
	if len(*out) >= limit {
		return
	}
	if n.Scalar() {
		*out = append(*out, n.Text)
	}
	for i := range n.Items {
		n.Items[i].leaves(out, limit)
	}
	for i := range n.Members {
		n.Members[i].Value.leaves(out, limit)
	}
}
