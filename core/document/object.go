package document

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Object is a mapping that is being read. Every key it is asked for is a key it may have; Close
// names the others.
type Object struct {
	*Document
	Node   *yaml.Node
	Path   string // where it stands among the places; whoever reads on elsewhere may change it
	values map[string]*yaml.Node
	names  map[string]*yaml.Node
	order  []string
	known  []string
}

// Object starts reading a mapping; nil, with the mistake noted, when the node is none.
func (d *Document) Object(n *yaml.Node, path string) *Object {
	d.Places.Lines[path] = d.Place(n)
	if n.Kind != yaml.MappingNode {
		d.Places.Failed[path] = true
		d.Bad(n, "must hold keys with values, such as name: value")
		return nil
	}
	o := &Object{Document: d, Node: n, Path: path, values: map[string]*yaml.Node{}, names: map[string]*yaml.Node{}}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			d.Bad(k, "a key must be a plain word")
			continue
		}
		if o.values[k.Value] != nil {
			d.Bad(k, "%s stands twice; it was given in line %d already", k.Value, o.names[k.Value].Line+d.Offset)
			continue
		}
		o.values[k.Value], o.names[k.Value] = v, k
		o.order = append(o.order, k.Value)
	}
	return o
}

// Join adds a key to a path.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Get returns the value of a key, nil when it is not given.
func (o *Object) Get(key string) *yaml.Node {
	if !slices.Contains(o.known, key) {
		o.known = append(o.known, key)
	}
	v := o.values[key]
	if v == nil {
		return nil
	}
	o.Places.Lines[o.At(key)] = o.Place(o.names[key])
	if empty(v) {
		o.Places.Failed[o.At(key)] = true
		o.Bad(o.names[key], "%s has no value; give one or delete the line", key)
		return nil
	}
	return v
}

// Need is Get for a key that must be there.
func (o *Object) Need(key string) *yaml.Node {
	v := o.Get(key)
	if v == nil && o.values[key] == nil {
		o.Places.Failed[o.At(key)] = true
		o.Bad(o.Node, "%s is missing", key)
	}
	return v
}

// At is the path of a key.
func (o *Object) At(key string) string { return Join(o.Path, key) }

// Close names the keys nobody asked for.
func (o *Object) Close() {
	for _, key := range o.order {
		if !slices.Contains(o.known, key) {
			o.Bad(o.names[key], "nothing is called %s here; there are %s", key, strings.Join(o.known, ", "))
		}
	}
}

// Names returns the keys that are given, in their order.
func (o *Object) Names() []string { return o.order }

// Name returns the node of a key itself, nil when it is not given.
func (o *Object) Name(key string) *yaml.Node { return o.names[key] }

// Given returns the value of a key without taking the key for one that may be there; nil when it is
// not given.
func (o *Object) Given(key string) *yaml.Node { return o.values[key] }

// Keys hands every key with its value to read, for mappings whose keys are names.
func (o *Object) Keys(read func(key string, v *yaml.Node)) {
	for _, key := range o.order {
		if v := o.Get(key); v != nil {
			read(key, v)
		}
	}
}

// Text reads an optional text.
func (o *Object) Text(key string) string {
	if v := o.Get(key); v != nil {
		s, _ := o.Word(v)
		return s
	}
	return ""
}

// NeedText reads a text that must be there.
func (o *Object) NeedText(key string) string {
	if v := o.Need(key); v != nil {
		s, _ := o.Word(v)
		return s
	}
	return ""
}

// Value reads an optional scalar with a parser; ok is false when it is not given or not readable,
// which is noted.
func Value[T any](o *Object, key string, parse func(string) (T, error)) (v T, ok bool) {
	n := o.Get(key)
	if n == nil {
		return v, false
	}
	return Scalar(o, n, key, o.At(key), parse)
}

// Scalar reads a scalar with a parser, for a key, at a path; ok is false when it is not readable, which
// is noted.
func Scalar[T any](o *Object, n *yaml.Node, key, path string, parse func(string) (T, error)) (v T, ok bool) {
	s, ok := o.Word(n)
	if !ok {
		o.Places.Failed[path] = true
		return v, false
	}
	v, err := parse(s)
	if err != nil {
		o.Places.Failed[path] = true
		o.Bad(n, "%s: %v", key, err)
		return v, false
	}
	return v, true
}

// NeedValue is Value for a key that must be there.
func NeedValue[T any](o *Object, key string, parse func(string) (T, error)) (v T) {
	if o.Need(key) != nil {
		v, _ = Value(o, key, parse)
	}
	return v
}

// Optional is Value as a pointer, nil when not given.
func Optional[T any](o *Object, key string, parse func(string) (T, error)) *T {
	if v, ok := Value(o, key, parse); ok {
		return &v
	}
	return nil
}

// Child reads the mapping under a key; nil when there is none.
func (o *Object) Child(key string) *Object {
	v := o.Get(key)
	if v == nil {
		return nil
	}
	return o.Object(v, o.At(key))
}

// NeedChild is Child for a key that must be there.
func (o *Object) NeedChild(key string) *Object {
	if o.Need(key) == nil {
		return nil
	}
	return o.Child(key)
}

// Each hands every element of the list under a key to read, with its path.
func (o *Object) Each(key string, read func(n *yaml.Node, path string)) {
	v := o.Get(key)
	if v == nil {
		return
	}
	if v.Kind != yaml.SequenceNode {
		o.Places.Failed[o.At(key)] = true
		o.Bad(v, "%s must be a list: one line per element, each beginning with a dash", key)
		return
	}
	for i, n := range v.Content {
		path := fmt.Sprintf("%s[%d]", o.At(key), i)
		o.Places.Lines[path] = o.Place(n)
		read(n, path)
	}
}

// Objects hands every mapping of the list under a key to read and closes it.
func (o *Object) Objects(key string, read func(*Object)) {
	o.Each(key, func(n *yaml.Node, path string) {
		if e := o.Object(n, path); e != nil {
			read(e)
			e.Close()
		}
	})
}

// Words reads a list of texts; nil when it is not given.
func (o *Object) Words(key string) []string {
	var out []string
	o.Each(key, func(n *yaml.Node, _ string) {
		if s, ok := o.Word(n); ok {
			out = append(out, s)
		}
	})
	return out
}

// Grid reads a list of lists of scalars with a parser; nil when it is not given. What can not be read is
// noted and left at its zero value.
func Grid[T any](o *Object, key string, parse func(string) (T, error)) (out [][]T) {
	o.Each(key, func(n *yaml.Node, path string) {
		if n.Kind != yaml.SequenceNode {
			o.Places.Failed[path] = true
			o.Bad(n, "%s: must be a list such as [1, -0.5]", key)
			return
		}
		line := make([]T, len(n.Content))
		for i, x := range n.Content {
			at := fmt.Sprintf("%s[%d]", path, i)
			o.Places.Lines[at] = o.Place(x)
			if v, ok := Scalar(o, x, key, at, parse); ok {
				line[i] = v
			}
		}
		out = append(out, line)
	})
	return out
}

// Table reads a mapping of texts; nil when it is not given.
func (o *Object) Table(key string) map[string]string {
	c := o.Child(key)
	if c == nil {
		return nil
	}
	out := map[string]string{}
	c.Keys(func(k string, v *yaml.Node) {
		if s, ok := c.Word(v); ok {
			out[k] = s
		}
	})
	return out
}
