package scoring

import (
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/scoring/card"
)

// limitWords tell what became of the limits of the playbook's table.
func limitWords(moved []card.Wider) []string {
	if len(moved) == 0 {
		return []string{"The limits of groups and of the line hold as in the playbook's table."}
	}
	var words []string
	for _, m := range moved {
		if group, ok := scoring.ParseGroup(m.Group); ok {
			m.Group = group.Label()
		}
		words = append(words, m.String())
	}
	return words
}
