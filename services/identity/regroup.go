package identity

import (
	"slices"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
)

// group is records of one person that hold together.
type group struct {
	records []told
	facts   identity.Record
}

// regroup tells which records of one person a matcher would still take for one person: as they came,
// each to the group that it matches best, and groups that match joined. What people decided stays
// together: records under a merge that somebody made, and those that somebody split off together.
// The first group holds the oldest record.
func regroup(m *identity.Matcher, members []lead.ID, told map[lead.ID][]told, merges map[lead.ID]postgres.Merge, splits []postgres.Split) []group {
	var groups []group
	for _, unit := range units(members, told, merges, splits) {
		facts := saidBy(unit)
		best, weight := -1, int32(0)
		for i := range groups {
			e := m.Match(&facts, &groups[i].facts)
			if m.Verdict(&e) == identity.VerdictMatch && (best < 0 || e.Weight > weight) {
				best, weight = i, e.Weight
			}
		}
		if best < 0 {
			groups = append(groups, group{unit, facts})
			continue
		}
		groups[best].add(unit, facts)
	}
	for joined := true; joined; {
		joined = false
		for i := range groups {
			for k := len(groups) - 1; k > i; k-- {
				if e := m.Match(&groups[i].facts, &groups[k].facts); m.Verdict(&e) == identity.VerdictMatch {
					groups[i].add(groups[k].records, groups[k].facts)
					groups = slices.Delete(groups, k, k+1)
					joined = true
				}
			}
		}
	}
	return groups
}

func (g *group) add(records []told, facts identity.Record) {
	g.records = append(g.records, records...)
	g.facts = identity.Union(&g.facts, &facts)
}

// units are the records of a person that nothing but a person takes apart, the oldest first.
func units(members []lead.ID, all map[lead.ID][]told, merges map[lead.ID]postgres.Merge, splits []postgres.Split) [][]told {
	var records []told
	for _, id := range members {
		for _, t := range all[id] {
			if t.leftAt.IsZero() {
				records = append(records, t)
			}
		}
	}
	sortTold(records)
	unit := make([]int, len(records)) // the first record of the unit
	for i := range unit {
		unit[i] = i
	}
	glue := func(a, b int) {
		if a < 0 || b < 0 {
			return
		}
		from, to := max(unit[a], unit[b]), min(unit[a], unit[b])
		for i := range unit {
			if unit[i] == from {
				unit[i] = to
			}
		}
	}
	first := func(person lead.ID) int {
		return slices.IndexFunc(records, func(t told) bool { return t.raw.PersonID == person })
	}
	for _, m := range merges {
		if m.Actor != "" {
			glue(first(m.PersonID), first(m.Into))
		}
	}
	for i := range splits {
		if splits[i].Actor == "" {
			continue
		}
		last := -1
		for k := range records {
			if records[k].raw.PersonID == splits[i].NewPersonID && slices.Contains(splits[i].RecordIDs, records[k].id) {
				glue(last, k)
				last = k
			}
		}
	}
	out := make([][]told, 0, len(records))
	for i := range records {
		if unit[i] != i {
			continue
		}
		var list []told
		for k := i; k < len(records); k++ {
			if unit[k] == i {
				list = append(list, records[k])
			}
		}
		out = append(out, list)
	}
	return out
}
