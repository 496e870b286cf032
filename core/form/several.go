package form

import (
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/tree"
)

// several finds a list of forms in the envelopes of a document; nil if it holds one form. Under a
// name that says little, every item must tell how to reach somebody, or a list of goods would part
// one person's form.
func several(n *tree.Node, depth int) *tree.Node {
	const deepest = 3
	for i := range n.Members {
		m := &n.Members[i]
		switch {
		case m.Value.Kind == tree.Object && depth < deepest:
			if list := several(&m.Value, depth+1); list != nil {
				return list
			}
		case !objects(&m.Value) || questions(&m.Value) || boxes(&m.Value):
		case lead.Fold(m.Name) == "leads" && depth == 0:
			return &m.Value
		case listing(m.Name) && len(m.Value.Items) > 1 && reachable(&m.Value):
			return &m.Value
		}
	}
	return nil
}

// listing reports whether a name may stand for a list of forms. Customers and contacts may be several
// people of one form.
func listing(name string) bool {
	switch lead.Fold(name) {
	case "leads", "data", "records", "submissions", "entries", "items", "results", "rows", "prospects", "responses", "formresponses", "events", "list", "values",
		"payload", "body", "elements", "batch", "inquiries", "enquiries", "requests", "messages":
		return true
	}
	return false
}

// reachable reports whether every item of a list holds an e-mail address or a phone number.
func reachable(list *tree.Node) bool {
	for i := range list.Items {
		if !reaches(&list.Items[i], "") {
			return false
		}
	}
	return true
}

func reaches(n *tree.Node, name string) bool {
	for i := range n.Members {
		if reaches(&n.Members[i].Value, n.Members[i].Name) {
			return true
		}
	}
	for i := range n.Items {
		if reaches(&n.Items[i], name) {
			return true
		}
	}
	if !n.Scalar() {
		return false
	}
	key := lead.Fold(name)
	return lead.ParseEmail(n.Text).Valid || fits(Phone, n.Text) && (strings.Contains(key, "phone") || strings.Contains(key, "mobile") || strings.HasPrefix(key, "tel"))
}

// roleOf is the path of an item of a list: a car in it says itself whether it is wanted, driven or
// given in.
func roleOf(item *tree.Node, path []string) []string {
	own := path[:len(path):len(path)]
	if len(path) == 0 {
		return own
	}
	switch lead.Fold(path[len(path)-1]) {
	case "vehicles", "cars", "vehicle", "car":
	default:
		return own
	}
	for i := range item.Members {
		m := &item.Members[i]
		switch lead.Fold(m.Name) {
		case "role", "type", "interest", "purpose", "kind", "relation":
		default:
			continue
		}
		switch key := lead.Fold(m.Value.Text); {
		case holdsAny(key, "trade", "exchange", "inzahlung", "reprise"):
			return []string{string(Trade)}
		case holdsAny(key, "owned", "current", "own"):
			return []string{string(Owned)}
		}
	}
	return own
}
