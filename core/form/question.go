package form

import (
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/tree"
)

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
		if !asks(&n.Items[i]) {
			return false
		}
	}
	return true
}

// asks reports whether an object is a question with its answer.
func asks(n *tree.Node) bool {
	question, answer := false, typed(n) != ""
	for k := range n.Members {
		question = question || isQuestion(n.Members[k].Name)
		answer = answer || isAnswer(n.Members[k].Name)
	}
	return question && answer
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
	kind, choices := typed(n), choicesOf(n.Get("options"))
	for i := range n.Members {
		m := &n.Members[i]
		switch {
		case m.Name == "options" && choices != nil: // what could have been answered
		case isAnswer(m.Name) || kind != "" && m.Name == kind:
			values = append(values, m.Value.Leaves(maxValues)...)
		case isQuestion(m.Name):
			names = append(names, m.Value.Leaves(mostNames)...)
		case kind != "" && m.Name == "type":
		default:
			w.value(&m.Value, []string{at, m.Name})
		}
	}
	for i, v := range values {
		if text, ok := choices[v]; ok {
			values[i] = text
		}
	}
	w.answer(at, names, values)
}

// choicesOf are the texts of a question's choices by their ids; nil if they are not told so.
func choicesOf(options *tree.Node) map[string]string {
	if !objects(options) {
		return nil
	}
	out := map[string]string{}
	for i := range options.Items {
		o := &options.Items[i]
		text := o.Get("text").Text + o.Get("label").Text
		if o.Get("id").Text == "" || text == "" {
			return nil
		}
		out[o.Get("id").Text] = text
	}
	return out
}

// keyed reports whether an object holds questions with answers, each under a key.
func keyed(n *tree.Node) bool {
	for i := range n.Members {
		if !asks(&n.Members[i].Value) {
			return false
		}
	}
	return len(n.Members) > 0
}

// declarations reports whether a list under a name that speaks of consent holds declarations, each
// with its purpose or channel and whether it was given.
func declarations(n *tree.Node, path []string) bool {
	if len(path) == 0 || !objects(n) {
		return false
	}
	if _, ok := consentOf(path[len(path)-1]); !ok {
		return false
	}
	for i := range n.Items {
		if given, _, _ := declaration(&n.Items[i]); given == nil {
			return false
		}
	}
	return true
}

// declaration finds the member that says whether a declaration was given, nil if none does, what it
// declares, and the members that say neither.
func declaration(n *tree.Node) (given *tree.Node, what []string, rest []*tree.Member) {
	const longName = 60
	for i := range n.Members {
		m := &n.Members[i]
		switch lead.Fold(m.Name) {
		case "value", "granted", "given", "accepted", "agreed", "checked", "ischecked", "consented", "optin", "optedin", "selected", "state", "status", "answer":
			if m.Value.Scalar() && stateOf(m.Value.Text) != unclear {
				given = &m.Value
				continue
			}
		case "type", "name", "purpose", "purposes", "key", "label", "channel", "channels", "category", "reason", "title":
			if text := strings.Join(m.Value.Leaves(maxValues), " "); len(text) <= longName {
				what = append(what, text)
				continue
			}
		}
		rest = append(rest, m)
	}
	return given, what, rest
}

func (w *walk) declaration(n *tree.Node, path []string, at string) {
	given, what, rest := declaration(n)
	w.answer(at, []string{strings.Join(append([]string{path[len(path)-1]}, what...), " ")}, []string{given.Text})
	for _, m := range rest { // under a name that does not speak of consent: "required: true" is none
		name := "declaration" + at[strings.LastIndexByte(at, '['):] + " " + m.Name
		w.answer(name, []string{name}, m.Value.Leaves(maxValues))
	}
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
