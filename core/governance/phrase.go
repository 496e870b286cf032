package governance

import "github.com/leadmesh/leadmesh/core/lead"

// phraseIndex finds many phrases in one pass over a text's words. Each phrase belongs to a group.
type phraseIndex struct {
	byFirst map[string][]phrase
	groups  int
}

type phrase struct {
	words []string
	group int
	id    int
}

func (x *phraseIndex) add(group int, text string) bool {
	words := splitWords(text)
	if len(words) == 0 {
		return false
	}
	p := phrase{group: group}
	for _, w := range words {
		p.words = append(p.words, w.folded)
	}
	if x.byFirst == nil {
		x.byFirst = map[string][]phrase{}
	}
	for _, list := range x.byFirst {
		p.id += len(list)
	}
	x.byFirst[p.words[0]] = append(x.byFirst[p.words[0]], p)
	return true
}

// count returns, by group, how many different phrases occur among the words of a text; nil for
// none.
func (x *phraseIndex) count(words []word) []int {
	if len(x.byFirst) == 0 {
		return nil
	}
	var counts, seen []int
	for i := range words {
	next:
		for _, p := range x.byFirst[words[i].folded] {
			if len(p.words) > len(words)-i {
				continue
			}
			for j, w := range p.words[1:] {
				if words[i+1+j].folded != w {
					continue next
				}
			}
			for _, id := range seen {
				if id == p.id {
					continue next
				}
			}
			if counts == nil {
				counts = make([]int, x.groups)
			}
			seen = append(seen, p.id)
			counts[p.group]++
		}
	}
	return counts
}

// folded makes a set of words compared by sense.
func folded(words []string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[lead.Fold(w)] = true
	}
	return set
}
