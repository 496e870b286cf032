package playbook

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/document"
	"github.com/leadmesh/leadmesh/core/lead"
)

var (
	mark = []byte("---\n")
	bom  = []byte("\ufeff")
)

// plays reads plays/*.md: a few keys between two lines of dashes, then the script.
func (b *bundle) plays() {
	ids, audiences := map[string]string{}, map[[2]uint8]string{}
	for _, name := range b.folder(folderPlays, ".md") {
		head, script, ok := cutFrontMatter(b.files[name])
		if !ok {
			b.list.Add(document.Place{File: name, Line: 1}, "a play begins with a line of three dashes, its keys and another such line")
			continue
		}
		d := &document.Document{File: name, Offset: 1, Places: document.NewPlaces(), List: &b.list}
		o := d.Root(head, "")
		if o == nil {
			continue
		}
		p := readPlay(o)
		o.Close()
		p.Script = strings.TrimSpace(string(script))
		if p.Script == "" || !utf8.Valid(script) {
			b.list.Add(document.Place{File: name, Line: 2 + bytes.Count(head, []byte("\n"))}, "the script under the keys is missing or no UTF-8 text")
		}
		if other, twice := ids[p.ID]; twice && p.ID != "" {
			o.Bad(o.Name("id"), "%s has the id %s already", other, p.ID)
		}
		ids[p.ID] = name
		audience := [2]uint8{uint8(p.Line), uint8(p.Segment)}
		if other, twice := audiences[audience]; twice && p.Line != lead.LineUnspecified {
			o.Bad(o.Node, "%s is for the same line and segment; only one play can be active", other)
		}
		audiences[audience] = name
		b.playbook.Plays = append(b.playbook.Plays, p)
	}
}

func readPlay(o *document.Object) Play {
	p := Play{
		ID: o.NeedText("id"), Title: o.NeedText("title"),
		Line:    document.NeedValue(o, "line", parseLine),
		Channel: document.NeedValue(o, "channel", parseChannel),
		Dials:   o.Words("dials"),
	}
	p.Segment, _ = document.Value(o, "segment", parseSegment)
	o.Need("steps")
	o.Objects("steps", func(s *document.Object) {
		step := PlayStep{Hour: document.NeedValue(s, "hour", parseCount), Do: s.NeedText("do")}
		if n := len(p.Steps); n > 0 && step.Hour < p.Steps[n-1].Hour {
			s.Bad(s.Node, "steps stand in the order of their hours")
		}
		p.Steps = append(p.Steps, step)
	})
	return p
}

// cutFrontMatter parts the keys of a Markdown file from its text.
func cutFrontMatter(text []byte) (head, body []byte, ok bool) {
	text = bytes.TrimPrefix(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), bom)
	rest, ok := bytes.CutPrefix(text, mark)
	if !ok {
		return nil, nil, false
	}
	if body, ok := bytes.CutPrefix(rest, mark); ok {
		return nil, body, true
	}
	head, body, ok = bytes.Cut(rest, []byte("\n---\n"))
	return head, body, ok
}
