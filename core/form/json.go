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
	case objects(root.Get("leads")):
		for i := range root.Get("leads").Items {
			g.form(&root.Get("leads").Items[i])
		}
	default:
		g.form(&root)
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
	switch {
	case n.Get("user_column_data").Kind == tree.Array, n.Get("google_key").Scalar(), n.Get("gcl_id").Scalar():
		return Google
	case n.Get("field_data").Kind == tree.Array, n.Get("leadgen_id").Scalar():
		return Meta
	case n.Get("formResponse").Kind == tree.Object, n.Get("leadGenFormResponse").Kind != tree.Null, strings.EqualFold(n.Get("platform").Text, "linkedin"):
		return LinkedIn
	}
	return Generic
}

// walk turns one form's tree into answers.
type walk struct{ s Submission }

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
	case n.Scalar():
		w.answer(strings.Join(path, "."), namesOf(path), []string{n.Text})
	case n.Kind == tree.Object:
		for i := range n.Members {
			m := &n.Members[i]
			w.value(&m.Value, append(path[:len(path):len(path)], m.Name))
		}
	case n.Kind == tree.Array:
		w.list(n, path)
	}
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
				w.value(item, append(path[:len(path):len(path)], strconv.Itoa(i)))
			}
		}
		w.answer(at, namesOf(path), values)
	}
}

// namesOf is what a value is called by its path: the whole path, then the last name alone.
func namesOf(path []string) []string {
	named := make([]string, 0, len(path))
	for _, p := range path {
		if _, err := strconv.Atoi(p); err != nil {
			named = append(named, p)
		}
	}
	switch len(named) {
	case 0:
		return nil
	case 1:
		return named
	}
	return []string{strings.Join(named, " "), named[len(named)-1]}
}

// isQuestion and isAnswer know the members that hold a question's name and its answer.
func isQuestion(name string) bool {
	switch lead.Fold(name) {
	case "columnid", "name", "key", "ref", "questionid", "fieldid", "fieldname", "columnname", "question", "label", "questiontext", "title", "field", "id":
		return true
	}
	return false
}

func isAnswer(name string) bool {
	switch lead.Fold(name) {
	case "value", "values", "answer", "answers", "stringvalue", "response", "answerdetails", "fieldvalue", "rawvalue", "answertext":
		return true
	}
	return false
}

// questions reports whether an array is a list of questions with answers.
func questions(n *tree.Node) bool {
	if !objects(n) {
		return false
	}
	for i := range n.Items {
		item := &n.Items[i]
		question, answer := false, typed(item) != ""
		for k := range item.Members {
			question = question || isQuestion(item.Members[k].Name)
			answer = answer || isAnswer(item.Members[k].Name)
		}
		if !question || !answer {
			return false
		}
	}
	return true
}

// typed is the member that holds an answer under the name of its own type; "" if none does.
func typed(n *tree.Node) string {
	if t := n.Get("type"); t.Kind == tree.String && n.Get("field").Kind == tree.Object && n.Get(t.Text).Kind != tree.Null {
		return t.Text
	}
	return ""
}

// objects reports whether an array holds objects and nothing else.
func objects(n *tree.Node) bool {
	for i := range n.Items {
		if n.Items[i].Kind != tree.Object {
			return false
		}
	}
	return n.Kind == tree.Array && len(n.Items) > 0
}

func (w *walk) question(n *tree.Node, at string) {
	const mostNames = 8
	var names, values []string
	kind := typed(n)
	for i := range n.Members {
		m := &n.Members[i]
		switch {
		case isAnswer(m.Name) || kind != "" && m.Name == kind:
			values = append(values, m.Value.Leaves(maxValues)...)
		case isQuestion(m.Name):
			names = append(names, m.Value.Leaves(mostNames)...)
		case kind != "" && m.Name == "type":
		default:
			w.value(&m.Value, []string{at, m.Name})
		}
	}
	w.answer(at, names, values)
}

// boxes reports whether an array is a list of declarations that were ticked or left.
func boxes(n *tree.Node) bool {
	if !objects(n) {
		return false
	}
	for i := range n.Items {
		if n.Items[i].Get("checkbox_key").Kind == tree.Null {
			return false
		}
	}
	return true
}

func (w *walk) box(n *tree.Node) {
	if len(w.s.Boxes) < maxAnswers {
		w.s.Boxes = append(w.s.Boxes, Box{
			Key: n.Get("checkbox_key").Text, Label: n.Get("label").Text, Checked: stateOf(n.Get("is_checked").Text) == yes,
		})
	}
}
