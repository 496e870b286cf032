// Package document reads YAML that people edit, strictly: every key is one that was asked for,
// nothing stands twice, nothing is left open, and each mistake is noted with its place and what
// would be right, all of them in one go.
package document

import (
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Document is one YAML text on its way to a value. Its fields are set before Root.
type Document struct {
	File   string
	Offset int // lines of the file above the text
	Places *Places
	List   *List
}

// maxValues is how many values a file may seem to hold: each becomes a node of hundreds of bytes.
const maxValues = 500_000

// crowded reports whether a text has more separators than that of YAML values.
func crowded(text []byte) bool {
	n := 0
	for _, c := range text {
		switch c {
		case ',', '[', '{', ':', '-', '?', '\n':
			n++
		}
	}
	return n > maxValues
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// Root parses the text and returns its mapping; nil, with the mistake noted, when there is none.
// path is where the mapping stands among the places.
func (d *Document) Root(text []byte, path string) *Object {
	if crowded(text) {
		d.List.Add(Place{File: d.File, Line: 1 + d.Offset}, "the file holds more than %d values; split it, or remove what is not needed", maxValues)
		return nil
	}
	var n yaml.Node
	if err := yaml.Unmarshal(text, &n); err != nil {
		line, message := 1, err.Error()
		if m := yamlLine.FindStringSubmatch(message); m != nil {
			if v, err := strconv.Atoi(m[1]); err == nil {
				line = v
			}
			message = message[len(m[0]):]
		}
		d.List.Add(Place{File: d.File, Line: line + d.Offset}, "is no YAML: %s", message)
		return nil
	}
	if n.Kind != yaml.DocumentNode || len(n.Content) != 1 || empty(n.Content[0]) {
		d.List.Add(Place{File: d.File, Line: 1 + d.Offset}, "the file is empty")
		return nil
	}
	if d.linked(n.Content[0]) {
		return nil
	}
	return d.Object(n.Content[0], path)
}

// linked notes every anchor and alias: a value that stands elsewhere is hard to follow for whoever
// edits the file, and a few of them can grow without bound.
func (d *Document) linked(n *yaml.Node) bool {
	found := n.Kind == yaml.AliasNode || n.Anchor != ""
	if found {
		d.Bad(n, "& and * are not used here; write the value out, or put it in quotes if it begins so")
	}
	if n.Kind == yaml.AliasNode {
		return true
	}
	for _, c := range n.Content {
		found = d.linked(c) || found
	}
	return found
}

// Place returns where a node stands.
func (d *Document) Place(n *yaml.Node) Place {
	return Place{File: d.File, Line: max(1, n.Line) + d.Offset, Column: n.Column}
}

// Bad notes a mistake of a node.
func (d *Document) Bad(n *yaml.Node, format string, args ...any) {
	d.List.Add(d.Place(n), format, args...)
}

// Word returns the text of a scalar; false, with the mistake noted, when it is none.
func (d *Document) Word(n *yaml.Node) (string, bool) {
	if n.Kind != yaml.ScalarNode || empty(n) {
		d.Bad(n, "must be a single value")
		return "", false
	}
	return n.Value, true
}

func empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }
