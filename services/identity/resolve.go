package identity

import (
	"context"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/proto"
)

// maxResolve is how many leads one call may resolve.
const maxResolve = 1_000

// item is one lead on its way to a person.
type item struct {
	statement
	leadID     lead.ID
	test       bool
	askedAt    int64 // unix seconds
	sourceKeys []key
	points     []lead.ID // hashed, of the record
	facts      []fact    // consent facts of the lead
	body       []byte

	link        link
	contradicts bool
	repeated    bool // resolved before
	answer      *identityv1.Resolution
}

// outcome is what resolving made of the lead.
func (it *item) outcome() outcome {
	switch {
	case it.repeated:
		return outcomeRepeated
	case it.link.created && it.link.doubted:
		return outcomePossible
	case it.link.created:
		return outcomeCreated
	}
	return outcomeLinked
}

// BatchResolve links leads to persons, durably, and answers what is known of them.
func (s *Service) BatchResolve(ctx context.Context, req *identityv1.BatchResolveRequest) (*identityv1.BatchResolveResponse, error) {
	s.matching.begin(ctx, s.store)
	items, err := s.parseResolve(req)
	if err != nil {
		return nil, err
	}
	end := s.startSpans(ctx, req)
	defer end()
	begin := time.Now()
	defer func() { s.metrics.took(ctx, time.Since(begin)) }()
	if err := s.gather.resolve(ctx, items); err != nil {
		return nil, err
	}
	resp := &identityv1.BatchResolveResponse{Resolutions: make([]*identityv1.Resolution, len(items))}
	for i, it := range items {
		resp.Resolutions[i] = it.answer
	}
	return resp, nil
}

// startSpans begins a span in each lead's own trace and returns what ends them all.
func (s *Service) startSpans(ctx context.Context, req *identityv1.BatchResolveRequest) func() {
	var spans []trace.Span
	for i, tp := range req.GetTraceparents() {
		if i == len(req.GetLeads()) {
			break
		}
		_, span := telemetry.StartLead(ctx, s.deps.Tel.Tracer, telemetry.SpanResolve, tp, req.GetLeads()[i].GetLeadId())
		spans = append(spans, span)
	}
	return func() {
		for _, span := range spans {
			span.End()
		}
	}
}

// resolve resolves items in one transaction and fills in their answers.
func (s *Service) resolve(ctx context.Context, items []*item) error {
	var w *people
	var stops map[lead.ID][]fact
	locks := locksOf(items)
	err := s.store.WritePiped(ctx, func(tx *postgres.Tx) error {
		what := sought{keys: make([][]key, 0, 2*len(items)), leads: make([]lead.ID, 0, len(items))}
		var accounts []lead.ID
		for _, it := range items {
			what.keys = append(what.keys, it.keys, it.sourceKeys)
			what.leads, what.points = append(what.leads, it.leadID), append(what.points, it.points...)
			accounts = append(accounts, it.accountKeys...)
		}
		err := tx.Lock(ctx, locks)
		if err != nil {
			return err
		}
		if w, err = s.loadPeople(ctx, tx, s.deps.Now(), what); err != nil {
			return err
		}
		if err := w.loadAccounts(ctx, tx, accounts); err != nil {
			return err
		}
		for _, it := range items {
			if err := w.resolve(it); err != nil {
				return err
			}
		}
		if stops, err = w.settleStops(items); err != nil {
			return err
		}
		if err := w.settle(ctx, tx, s, s.halfLives()); err != nil {
			return err
		}
		return w.write(ctx, tx)
	})
	if err != nil {
		return err
	}
	for _, it := range items {
		it.answer = w.answer(it, stops)
	}
	s.metrics.count(ctx, w, items)
	return nil
}

// resolve links one lead. A lead that was resolved before keeps its person, unless what it says now
// contradicts that person: then it is treated as somebody else's, and the earlier link stays.
func (w *people) resolve(it *item) error {
	it.link, it.contradicts, it.repeated = link{}, false, false
	before, again := w.known[it.leadID]
	if again {
		p := w.byID[before.PersonID].root()
		if w.match.Contradicts(&it.record, &p.facts) {
			it.contradicts = true
		} else {
			it.link = link{person: p, created: before.Created, weight: before.Weight, reasons: readReasons(before.Reasons)}
			it.contradicts, it.repeated = before.Contradicts, true
			return w.repeat(it)
		}
	}
	l, err := w.find(&it.statement)
	if err != nil {
		return err
	}
	it.link = l
	it.contradicts = it.contradicts || w.sourceContradicts(it, l.person)
	leadID := it.leadID
	if again {
		leadID = lead.ID{}
	} else {
		row := postgres.LeadPerson{
			LeadID: leadID, PersonID: l.person.row.ID, Created: l.created, Contradicts: it.contradicts,
			Weight: l.weight, Reasons: reasonText(l.reasons),
		}
		w.known[leadID] = row
		w.changes.Leads = append(w.changes.Leads, row)
	}
	if err := w.learn(&it.link, &it.statement, leadID, it.body); err != nil {
		return err
	}
	return w.finish(it, !again)
}

// repeat takes in what a lead says when it is resolved again.
func (w *people) repeat(it *item) error {
	if it.link.person.facts.Adds(&it.record) {
		more := it.link
		more.created = false
		if err := w.learn(&more, &it.statement, it.leadID, it.body); err != nil {
			return err
		}
	}
	return w.finish(it, true)
}

// finish notes what a lead leaves with its person beside the record. Test leads leave no inquiry.
func (w *people) finish(it *item, own bool) error {
	p := it.link.person
	if own {
		w.holdAll(p, it.sourceKeys)
	}
	profile, err := p.readProfile()
	if err != nil {
		return err
	}
	if !it.test && it.askedAt > 0 && !slices.Contains(profile.Inquiries, it.askedAt) {
		profile.Inquired(it.askedAt)
		p.dirty = true
	}
	for _, f := range it.facts {
		w.say(p, f, it.leadID)
	}
	return nil
}

// sourceContradicts reports whether a source's id of the lead is held for somebody who can not be
// the lead's person.
func (w *people) sourceContradicts(it *item, p *person) bool {
	contradicts := false
	for _, k := range it.sourceKeys {
		if w.common(k.hashed) {
			continue
		}
		for _, h := range w.holders[k.hashed] {
			if h = h.root(); h == p {
				return false
			}
			contradicts = contradicts || w.match.Contradicts(&it.record, &h.facts)
		}
	}
	return contradicts
}

// settleStops settles the consents of the persons resolved and returns the revocations at all their
// contact points, those of the batch included.
func (w *people) settleStops(items []*item) (map[lead.ID][]fact, error) {
	wanted := map[lead.ID]bool{}
	linked := make([]*person, len(items))
	var points []lead.ID // without those that have none
	for i, it := range items {
		linked[i] = it.link.person
		for _, point := range pointsOf(&it.link.person.root().facts) {
			stopped, looked := w.stopped[point]
			if !wanted[point] && (stopped || !looked) {
				points = append(points, point)
			}
			wanted[point] = true
		}
	}
	rows, err := w.settleConsents(points, linked...)
	if err != nil {
		return nil, err
	}
	return readStops(slices.DeleteFunc(slices.Concat(rows, w.changes.Stops), func(r postgres.Stop) bool { return !wanted[r.Point] }))
}

// pointsOf returns the hashed contact points of a record.
func pointsOf(r *identity.Record) []lead.ID {
	out := make([]lead.ID, 0, len(r.Emails)+len(r.Phones))
	for _, v := range r.Emails {
		out = append(out, hash([]byte(v)))
	}
	for _, v := range r.Phones {
		out = append(out, hash([]byte(v)))
	}
	return out
}

func (w *people) answer(it *item, stops map[lead.ID][]fact) *identityv1.Resolution {
	p := it.link.person.root()
	return &identityv1.Resolution{
		PersonId: p.row.ID.String(), HouseholdId: p.row.Household.String(), Profile: p.profileBytes(),
		Created: it.link.created, Reasons: reasonWords(it.link.reasons), ContradictsSourceId: it.contradicts,
		Consents: standing(bearing(p, it.party, stops), w.changes.At),
	}
}

// bearing returns every consent fact that bears on a person: the person's own, and the revocations
// at the person's contact points by whoever shares them. A revocation of an e-mail address spelled
// otherwise is answered in the party's spelling too, since facts are compared by it.
func bearing(p *person, party *lead.Party, stops map[lead.ID][]fact) []*leadv1.Consent {
	out := make([]*leadv1.Consent, 0, len(p.consents))
	for _, f := range p.consents {
		out = append(out, f.pb)
	}
	for _, point := range pointsOf(&p.facts) {
		for _, f := range stops[point] {
			if !slices.ContainsFunc(p.consents, func(o fact) bool { return o.id == f.id }) {
				out = append(out, f.pb)
			}
			if party == nil {
				continue
			}
			for _, e := range party.Emails {
				own := lead.ContactPoint(e.Address, "")
				if e.Valid && own != f.pb.GetContactPoint() && hash([]byte(e.Key)) == point {
					c := proto.CloneOf(f.pb)
					c.ContactPoint = own
					out = append(out, c)
				}
			}
		}
	}
	return out
}
