package form

import (
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/tree"
)

// readJSON finds the forms of a JSON document: one, a list of them, or Meta's envelope with the
// answers inside. Changes of the envelope that are no lead are counted as ignored.
func readJSON(body []byte, kind Kind) (forms []Submission, ignored int, err error) {
	root, err := tree.Parse(body)
	if err != nil {
		return nil, 0, err
	}
	g := &gatherer{src: body, kind: kind}
	switch {
	case root.Kind == tree.Array && !questions(&root):
		for i := range root.Items {
			g.form(&root.Items[i])
		}
	case root.Get("entry").Kind == tree.Array:
		for _, c := range changes(&root) {
			if c.field != "" && c.field != leadgenField {
				g.ignored++
				continue
			}
			g.kind = Meta
			g.form(c.value)
		}
		if len(g.forms) == 0 && g.ignored > 0 {
			return nil, g.ignored, nil
		}
	default:
		if list := several(&root, 0); list != nil {
			g.each(&root, list)
		} else {
			g.form(&root)
		}
	}
	if len(g.forms) == 0 {
		return nil, g.ignored, ErrEmpty
	}
	return g.forms, g.ignored, nil
}

// gatherer collects the forms of one document.
type gatherer struct {
	src     []byte
	kind    Kind
	forms   []Submission
	ignored int
}

// each takes every item of a list as a form of its own. What stands beside the list is said of all.
func (g *gatherer) each(root, list *tree.Node) {
	shared := &walk{but: list}
	shared.value(root, nil)
	for i := range shared.s.Answers {
		shared.s.Answers[i].Shared = len(list.Items) > 1
	}
	for i := range list.Items {
		before := len(g.forms)
		if g.form(&list.Items[i]); len(g.forms) > before {
			f := &g.forms[before]
			f.Answers = append(f.Answers, shared.s.Answers[:min(len(shared.s.Answers), maxAnswers-len(f.Answers))]...)
		}
	}
}

func (g *gatherer) form(n *tree.Node) {
	if len(g.forms) == maxSubmissions || n.Kind != tree.Object && n.Kind != tree.Array {
		return
	}
	w := &walk{s: Submission{Kind: g.kindOf(n), Raw: g.src[n.Start:n.End]}}
	w.value(n, nil)
	g.forms = append(g.forms, w.s)
}

// kindOf tells Meta's, Google's and LinkedIn's own shapes wherever they arrive.
func (g *gatherer) kindOf(n *tree.Node) Kind {
	if g.kind != Generic {
		return g.kind
	}
	for i := range n.Members {
		m := &n.Members[i]
		switch lead.Fold(m.Name) {
		case "usercolumndata", "googlekey", "gclid":
			if m.Name != "gclid" { // any web page may send the click id alone
				return Google
			}
		case "fielddata", "leadgenid":
			return Meta
		case "formresponse":
			if m.Name == "formResponse" && m.Value.Kind == tree.Object { // form builders write form_response
				return LinkedIn
			}
		case "leadgenformresponse":
			return LinkedIn
		case "platform":
			if strings.EqualFold(m.Value.Text, "linkedin") {
				return LinkedIn
			}
		}
	}
	return Generic
}

// walk turns one form's tree into answers.
type walk struct {
	s      Submission
	but    *tree.Node // left out
	nested int        // how many documents this one stands in, as texts
}

func (w *walk) answer(path string, names []string, values []string) {
	kept := make([]string, 0, len(values))
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" && len(kept) < maxValues {
			kept = append(kept, v)
		}
	}
	if len(kept) > 0 && len(w.s.Answers) < maxAnswers {
		w.s.Answers = append(w.s.Answers, Answer{Path: path, Names: names, Values: kept})
	}
}

func (w *walk) value(n *tree.Node, path []string) {
	switch {
	case n == w.but:
	case n.Kind == tree.String && w.document(n.Text, path):
	case n.Scalar():
		w.answer(strings.Join(path, "."), namesOf(path), []string{n.Text})
	case n.Kind == tree.Object && keyed(n):
		for i := range n.Members {
			m := &n.Members[i]
			w.question(&m.Value, strings.Join(path, ".")+"["+m.Name+"]")
		}
	case n.Kind == tree.Object:
		for i := range n.Members {
			m := &n.Members[i]
			w.value(&m.Value, append(path[:len(path):len(path)], m.Name))
		}
	case n.Kind == tree.Array:
		w.list(n, path)
	}
}

// document reads a text that is a JSON document itself, as tools put one inside another; false if it
// is none.
func (w *walk) document(text string, path []string) bool {
	const deepest = 3
	if text = strings.TrimSpace(text); w.nested == deepest || len(text) < 2 || text[0] != '{' && text[0] != '[' {
		return false
	}
	inner, err := tree.Parse([]byte(text))
	if err != nil || len(inner.Members) == 0 && !objects(&inner) {
		return false
	}
	w.nested++
	w.value(&inner, path)
	w.nested--
	return true
}

// list reads an array: questions with answers, boxes, several values of one question, or more of
// the form.
func (w *walk) list(n *tree.Node, path []string) {
	at := strings.Join(path, ".")
	switch {
	case boxes(n):
		for i := range n.Items {
			w.box(&n.Items[i])
		}
	case declarations(n, path):
		for i := range n.Items {
			w.declaration(&n.Items[i], path, at+"["+strconv.Itoa(i)+"]")
		}
	case questions(n):
		for i := range n.Items {
			w.question(&n.Items[i], at+"["+strconv.Itoa(i)+"]")
		}
	default:
		var values []string
		for i := range n.Items {
			if item := &n.Items[i]; item.Scalar() {
				values = append(values, item.Text)
			} else {
				w.value(item, append(roleOf(item, path), strconv.Itoa(i)))
			}
		}
		w.answer(at, namesOf(path), values)
	}
}

// namesOf is what a value is called by its path: the whole path, its end of two names, then the last
// name alone.
func namesOf(path []string) []string {
	named := make([]string, 0, len(path))
	for _, p := range path {
		if _, err := strconv.Atoi(p); err != nil {
			named = append(named, p)
		}
	}
	switch n := len(named); n {
	case 0, 1:
		return named
	case 2:
		return []string{strings.Join(named, " "), named[1]}
	default:
		return []string{strings.Join(named, " "), named[n-2] + " " + named[n-1], named[n-1]}
	}
}
