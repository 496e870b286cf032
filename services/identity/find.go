package identity

import (
	"cmp"
	"slices"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
)

// maxDoubts is how many pairs one record puts into the review queue, the strongest first.
const maxDoubts = 3

// statement is one record that looks for its person.
type statement struct {
	record identity.Record
	keys   []key
	party  *lead.Party // nil when none was given
	id     lead.ID     // of the record

	accountKeys []lead.ID // hashed, of the organisation that the party acts for
}

// link is the answer to whose a record is.
type link struct {
	person  *person
	created bool
	doubted bool // a pair with the person was put into the review queue
	weight  int32
	reasons []identity.Reason
}

// candidate is a person whom a record may be from.
type candidate struct {
	*person
	weight int32
}

// find links a statement to the person it fits best and makes a new person when it fits nobody.
// Persons that the record shows to be one are joined; where that is not sure enough, and where the
// record may be from somebody else known, somebody is to look at the pair.
func (w *people) find(st *statement) (link, error) {
	record := w.telling(st)
	said := w.match.Prepare(&record)
	var sure, possible []candidate
	var housemate *person
	for _, p := range w.candidates(st.keys) {
		weight, verdict := w.match.Judge(&said, p.ready(w.match.Matcher))
		switch verdict {
		case identity.VerdictMatch:
			if !w.match.Drifts(&record, &p.facts) {
				sure = append(sure, candidate{p, weight})
				continue
			}
			fallthrough
		case identity.VerdictPossible:
			possible = append(possible, candidate{p, weight})
		}
		if (housemate == nil || p.older(housemate)) && w.match.Household(&record, &p.facts) && !identity.Colleagues(&record, &p.facts) {
			housemate = p
		}
	}
	sortCandidates(sure)
	sortCandidates(possible)
	var best link
	if len(sure) > 0 {
		e := w.match.Match(&record, &sure[0].facts)
		best = link{person: sure[0].person, weight: e.Weight, reasons: e.Reasons}
		for _, o := range sure[1:] {
			if err := w.bridge(&best, &record, o.person, st.id); err != nil {
				return link{}, err
			}
		}
	} else {
		best = link{person: w.create(housemate), created: true, reasons: []identity.Reason{{Code: identity.ReasonNewPerson}}}
	}
	if err := w.doubt(&best, &record, possible, st.id); err != nil {
		return link{}, err
	}
	if p := best.person; housemate != nil {
		best.reasons = append(best.reasons, identity.Reason{Code: identity.ReasonHousehold})
		if p.row.Household == p.row.ID && p.row.Household != housemate.row.Household {
			p.row.Household, p.dirty = housemate.row.Household, true
		}
	}
	return best, nil
}

// telling returns the record without what too many persons share to tell anybody apart.
func (w *people) telling(st *statement) identity.Record {
	var ignored []identity.Key
	for _, k := range st.keys {
		if w.common(k.hashed) {
			ignored = append(ignored, k.Key)
		}
	}
	if ignored == nil {
		return st.record
	}
	w.ignored += int64(len(ignored))
	return st.record.Without(ignored)
}

// candidates returns everybody who holds a key of a record that is no common one.
func (w *people) candidates(keys []key) []*person {
	var out []*person
	for _, k := range keys {
		if k.Kind == identity.KeyKindSourceLead || w.common(k.hashed) {
			continue
		}
		for _, p := range w.holders[k.hashed] {
			if p = p.root(); !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}

// sortCandidates puts the strongest first, of equals the older person.
func sortCandidates(list []candidate) {
	slices.SortFunc(list, func(a, b candidate) int {
		if c := cmp.Compare(b.weight, a.weight); c != 0 {
			return c
		}
		if a.older(b.person) {
			return -1
		}
		return 1
	})
}

// bridge joins the person of a link and another one whom the record fits as well. That a record fits
// both is not enough, or chains of records that are nearly alike would make one person of strangers:
// the two must not contradict each other, nothing on the whole may speak against them where they are
// compared without the record, with it they must be a match as a pair, and most of their family names
// must agree where they are many. Where that fails, somebody
// is to look; other names, generations and birthdays need no look, they are another person's.
func (w *people) bridge(l *link, record *identity.Record, o *person, recordID lead.ID) error {
	p := l.person
	if different, err := w.pairs.different(w, p, o); err != nil || different {
		return err
	}
	together := identity.Union(&p.facts, record)
	alone, whole := w.match.Match(&p.facts, &o.facts), w.match.Match(&together, &o.facts)
	conflict := alone.Conflict | whole.Conflict
	if conflict == 0 && w.match.Verdict(&whole) == identity.VerdictMatch && alone.Weight >= prior(&alone) && !w.match.Drifts(&together, &o.facts) {
		return w.merge(l, o, postgres.Merge{RecordID: recordID}, &whole)
	}
	if conflict&^identity.ConflictID == 0 {
		w.pairs.add(p, o, recordID, &whole)
		l.doubted = true
	}
	return nil
}

// prior is the part of a weight that compares nothing.
func prior(e *identity.Evidence) int32 {
	for _, r := range e.Reasons {
		if r.Code == identity.ReasonPrior {
			return r.Weight
		}
	}
	return 0
}

// doubt puts those whom a record may be from, beside its person, into the review queue. A record
// that tells nothing new of its person raises no new question.
func (w *people) doubt(l *link, record *identity.Record, possible []candidate, recordID lead.ID) error {
	if len(possible) == 0 || !l.created && !l.person.facts.Adds(record) {
		return nil
	}
	together := *record
	if !l.created {
		together = identity.Union(&l.person.facts, record)
	}
	asked := 0
	for _, c := range possible {
		o := c.root()
		if o == l.person || asked == maxDoubts {
			continue
		}
		e := w.match.Match(&together, &o.facts)
		if w.match.Verdict(&e) == identity.VerdictDifferent {
			continue
		}
		if !l.created {
			if different, err := w.pairs.different(w, l.person, o); err != nil {
				return err
			} else if different {
				continue
			}
		}
		w.pairs.add(l.person, o, recordID, &e)
		l.doubted = true
		asked++
	}
	return nil
}
