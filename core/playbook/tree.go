package playbook

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// place is where in the bundle a value stands.
type place struct {
	file string
	line int
}

// places says where values stand by their paths, e.g. lines.SALES.rows[3].bins[1], and which of
// them could not be read.
type places struct {
	whole  place // what a path means of which nothing is known
	lines  map[string]place
	failed map[string]bool
	alias  map[string]string // the path in the file by the path an engine knows
}

func newPlaces() *places {
	return &places{lines: map[string]place{}, failed: map[string]bool{}, alias: map[string]string{}}
}

// at returns the place of a path, else that of the nearest value around it.
func (p *places) at(path string) place {
	for path != "" {
		if at, ok := p.lines[path]; ok {
			return at
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return p.whole
}

// local turns an engine's path into that of the file.
func (p *places) local(path string) string {
	for head := path; head != ""; head = head[:max(0, strings.LastIndexAny(head, ".["))] {
		if to, ok := p.alias[head]; ok {
			return to + path[len(head):]
		}
	}
	return path
}

// broken reports whether the value at a path, or one in it, could not be read: what an engine says
// of it is no news.
func (p *places) broken(path string) bool {
	if p.failed[path] {
		return true
	}
	for f := range p.failed {
		if rest, ok := strings.CutPrefix(f, path); ok && (rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

// complain notes what an engine says of the value at one of its paths.
func (l *list) complain(p *places, path, message string) {
	path = p.local(path)
	if p.broken(path) {
		return
	}
	field := path[strings.LastIndexByte(path, '.')+1:]
	if i := strings.IndexByte(field, '['); i > 0 {
		field = field[:i]
	}
	l.add(p.at(path), "%s: %s", field, message)
}

// list collects the mistakes of a bundle.
type list struct {
	mistakes []Mistake
	seen     map[Mistake]bool
}

func (l *list) add(at place, format string, args ...any) {
	m := Mistake{File: at.file, Line: at.line, Message: fmt.Sprintf(format, args...)}
	if l.seen == nil {
		l.seen = map[Mistake]bool{}
	}
	if !l.seen[m] {
		l.seen[m] = true
		l.mistakes = append(l.mistakes, m)
	}
}

// document is one YAML text of the bundle on its way to a value.
type document struct {
	file   string
	offset int // lines of the file above the text
	places *places
	list   *list
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

// root parses the text and returns its mapping; nil, with the mistake noted, when there is none.
// path is where the mapping stands among the places.
func (d *document) root(text []byte, path string) *object {
	if crowded(text) {
		d.list.add(place{d.file, 1 + d.offset}, "the file holds more than %d values; split the playbook, or remove what is not needed", maxValues)
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
		d.list.add(place{d.file, line + d.offset}, "is no YAML: %s", message)
		return nil
	}
	if n.Kind != yaml.DocumentNode || len(n.Content) != 1 || empty(n.Content[0]) {
		d.list.add(place{d.file, 1 + d.offset}, "the file is empty")
		return nil
	}
	if d.linked(n.Content[0]) {
		return nil
	}
	return d.object(n.Content[0], path)
}

// linked notes every anchor and alias: a value that stands elsewhere is hard to follow for whoever
// edits the file, and a few of them can grow without bound.
func (d *document) linked(n *yaml.Node) bool {
	found := n.Kind == yaml.AliasNode || n.Anchor != ""
	if found {
		d.bad(n, "& and * are not used here; write the value out, or put it in quotes if it begins so")
	}
	if n.Kind == yaml.AliasNode {
		return true
	}
	for _, c := range n.Content {
		found = d.linked(c) || found
	}
	return found
}

func (d *document) place(n *yaml.Node) place { return place{d.file, max(1, n.Line) + d.offset} }

func (d *document) bad(n *yaml.Node, format string, args ...any) {
	d.list.add(d.place(n), format, args...)
}

func empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// object is a mapping that is being read. Every key it is asked for is a key it may have; close
// names the others.
type object struct {
	*document
	node   *yaml.Node
	path   string
	values map[string]*yaml.Node
	lines  map[string]*yaml.Node // the keys themselves
	order  []string
	known  []string
}

// object starts reading a mapping; nil, with the mistake noted, when the node is none.
func (d *document) object(n *yaml.Node, path string) *object {
	d.places.lines[path] = d.place(n)
	if n.Kind != yaml.MappingNode {
		d.places.failed[path] = true
		d.bad(n, "must hold keys with values, such as name: value")
		return nil
	}
	o := &object{document: d, node: n, path: path, values: map[string]*yaml.Node{}, lines: map[string]*yaml.Node{}}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			d.bad(k, "a key must be a plain word")
			continue
		}
		if o.values[k.Value] != nil {
			d.bad(k, "%s stands twice; it was given in line %d already", k.Value, o.lines[k.Value].Line+d.offset)
			continue
		}
		o.values[k.Value], o.lines[k.Value] = v, k
		o.order = append(o.order, k.Value)
	}
	return o
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// get returns the value of a key, nil when it is not given.
func (o *object) get(key string) *yaml.Node {
	if !slices.Contains(o.known, key) {
		o.known = append(o.known, key)
	}
	v := o.values[key]
	if v == nil {
		return nil
	}
	o.places.lines[o.at(key)] = o.place(o.lines[key])
	if empty(v) {
		o.places.failed[o.at(key)] = true
		o.bad(o.lines[key], "%s has no value; give one or delete the line", key)
		return nil
	}
	return v
}

// need is get for a key that must be there.
func (o *object) need(key string) *yaml.Node {
	v := o.get(key)
	if v == nil && o.values[key] == nil {
		o.places.failed[o.at(key)] = true
		o.bad(o.node, "%s is missing", key)
	}
	return v
}

// at is the path of a key.
func (o *object) at(key string) string { return join(o.path, key) }

// close names the keys nobody asked for.
func (o *object) close() {
	for _, key := range o.order {
		if !slices.Contains(o.known, key) {
			o.bad(o.lines[key], "nothing is called %s here; there are %s", key, strings.Join(o.known, ", "))
		}
	}
}

// keys hands every key with its value to read, for mappings whose keys are names.
func (o *object) keys(read func(key string, v *yaml.Node)) {
	for _, key := range o.order {
		if v := o.get(key); v != nil {
			read(key, v)
		}
	}
}

// word returns the text of a scalar; false, with the mistake noted, when it is none.
func (d *document) word(n *yaml.Node) (string, bool) {
	if n.Kind != yaml.ScalarNode || empty(n) {
		d.bad(n, "must be a single value")
		return "", false
	}
	return n.Value, true
}

// text reads an optional text.
func (o *object) text(key string) string {
	if v := o.get(key); v != nil {
		s, _ := o.word(v)
		return s
	}
	return ""
}

// needText reads a text that must be there.
func (o *object) needText(key string) string {
	if v := o.need(key); v != nil {
		s, _ := o.word(v)
		return s
	}
	return ""
}

// value reads an optional scalar with a parser; ok is false when it is not given or not readable,
// which is noted.
func value[T any](o *object, key string, parse func(string) (T, error)) (v T, ok bool) {
	n := o.get(key)
	if n == nil {
		return v, false
	}
	s, ok := o.word(n)
	if !ok {
		o.places.failed[o.at(key)] = true
		return v, false
	}
	v, err := parse(s)
	if err != nil {
		o.places.failed[o.at(key)] = true
		o.bad(n, "%s: %v", key, err)
		return v, false
	}
	return v, true
}

// needValue is value for a key that must be there.
func needValue[T any](o *object, key string, parse func(string) (T, error)) (v T) {
	if o.need(key) != nil {
		v, _ = value(o, key, parse)
	}
	return v
}

// optional is value as a pointer, nil when not given.
func optional[T any](o *object, key string, parse func(string) (T, error)) *T {
	if v, ok := value(o, key, parse); ok {
		return &v
	}
	return nil
}

// child reads the mapping under a key; nil when there is none.
func (o *object) child(key string) *object {
	v := o.get(key)
	if v == nil {
		return nil
	}
	return o.object(v, o.at(key))
}

// needChild is child for a key that must be there.
func (o *object) needChild(key string) *object {
	if o.need(key) == nil {
		return nil
	}
	return o.child(key)
}

// each hands every element of the list under a key to read, with its path.
func (o *object) each(key string, read func(n *yaml.Node, path string)) {
	v := o.get(key)
	if v == nil {
		return
	}
	if v.Kind != yaml.SequenceNode {
		o.places.failed[o.at(key)] = true
		o.bad(v, "%s must be a list: one line per element, each beginning with a dash", key)
		return
	}
	for i, n := range v.Content {
		path := fmt.Sprintf("%s[%d]", o.at(key), i)
		o.places.lines[path] = o.place(n)
		read(n, path)
	}
}

// objects hands every mapping of the list under a key to read and closes it.
func (o *object) objects(key string, read func(*object)) {
	o.each(key, func(n *yaml.Node, path string) {
		if e := o.object(n, path); e != nil {
			read(e)
			e.close()
		}
	})
}

// words reads a list of texts; nil when it is not given.
func (o *object) words(key string) []string {
	var out []string
	o.each(key, func(n *yaml.Node, _ string) {
		if s, ok := o.word(n); ok {
			out = append(out, s)
		}
	})
	return out
}

// table reads a mapping of texts; nil when it is not given.
func (o *object) table(key string) map[string]string {
	c := o.child(key)
	if c == nil {
		return nil
	}
	out := map[string]string{}
	c.keys(func(k string, v *yaml.Node) {
		if s, ok := c.word(v); ok {
			out[k] = s
		}
	})
	return out
}
