package document

import (
	"fmt"
	"strings"
)

// Mistake is one thing wrong with a text: which file, which line and column from 1 (0: the whole
// file, or everything where File is empty too), and what would be right.
type Mistake struct {
	File         string
	Line, Column int
	Message      string
}

// String writes the mistake as compilers do: file:line:column: message.
func (m Mistake) String() string {
	switch {
	case m.File == "":
		return m.Message
	case m.Line == 0:
		return m.File + ": " + m.Message
	case m.Column > 0:
		return fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Column, m.Message)
	}
	return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Message)
}

// Place is where a value stands; Line and Column as in Mistake.
type Place struct {
	File         string
	Line, Column int
}

// Places says where values stand by their paths, e.g. lines.SALES.rows[3].bins[1], and which of
// them could not be read.
type Places struct {
	Whole  Place // what a path means of which nothing is known
	Lines  map[string]Place
	Failed map[string]bool   // could not be read, which is noted
	Alias  map[string]string // the path in the file by the path an engine knows
}

// NewPlaces returns Places that know of nothing.
func NewPlaces() *Places {
	return &Places{Lines: map[string]Place{}, Failed: map[string]bool{}, Alias: map[string]string{}}
}

// At returns the place of a path, else that of the nearest value around it.
func (p *Places) At(path string) Place {
	for path != "" {
		if at, ok := p.Lines[path]; ok {
			return at
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return p.Whole
}

// local turns an engine's path into that of the file.
func (p *Places) local(path string) string {
	for head := path; head != ""; head = head[:max(0, strings.LastIndexAny(head, ".["))] {
		if to, ok := p.Alias[head]; ok {
			return to + path[len(head):]
		}
	}
	return path
}

// Broken reports whether the value at a path, or one in it, could not be read: what an engine says
// of it is no news.
func (p *Places) Broken(path string) bool {
	if p.Failed[path] {
		return true
	}
	for f := range p.Failed {
		if rest, ok := strings.CutPrefix(f, path); ok && (rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

// List collects the mistakes of one or several texts, each once. The zero value is empty.
type List struct {
	Mistakes []Mistake
	seen     map[Mistake]bool
}

// Add notes a mistake unless the same is said of that line already.
func (l *List) Add(at Place, format string, args ...any) {
	m := Mistake{File: at.File, Line: at.Line, Message: fmt.Sprintf(format, args...)}
	if l.seen == nil {
		l.seen = map[Mistake]bool{}
	}
	if !l.seen[m] {
		l.seen[m] = true
		m.Column = at.Column
		l.Mistakes = append(l.Mistakes, m)
	}
}

// Complain notes what an engine says of the value at one of its paths, unless that value could not
// be read in the first place.
func (l *List) Complain(p *Places, path, message string) {
	path = p.local(path)
	if p.Broken(path) {
		return
	}
	field := path[strings.LastIndexByte(path, '.')+1:]
	if i := strings.IndexByte(field, '['); i > 0 {
		field = field[:i]
	}
	l.Add(p.At(path), "%s: %s", field, message)
}
