package identity

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"google.golang.org/protobuf/proto"
)

// story is everything stored about some persons, read: what they said and did, in the order in which
// it came, and how they were joined. A person can be told from it as of any time; that is how splits
// restore what was, and what stores are shown of a person.
type story struct {
	service *Service
	rows    map[lead.ID]*postgres.Person
	told    map[lead.ID][]told         // by person, oldest first
	done    map[lead.ID][]deed         // by person
	given   map[lead.ID][]given        // by person, oldest first
	merges  map[lead.ID]postgres.Merge // that stand, by who was joined
	splits  []postgres.Split
	known   []lead.Identifier // of all of them

	accounts accounts
	sales    map[string][]postgres.Sale // by VIN
}

// told is one record.
type told struct {
	statement
	leadID   lead.ID // zero for a signal's
	body     *leadv1.Lead
	raw      postgres.Record
	linkedAt time.Time
	leftAt   time.Time // zero while it is the person's
	dealers  []string  // the stores it came from or names
}

// deed is one signal.
type deed struct {
	statement
	signal signal.Signal
	byCar  bool   // only a vehicle names its person
	body   []byte // what it says of its person, as records keep it
	raw    postgres.Signal
}

// given is one consent fact as somebody gave it, not as a merge derived it.
type given struct {
	fact
	leadID     lead.ID // it came with
	old        bool    // from before that was kept
	recordedAt time.Time
}

// read makes a story of what is stored.
func (s *Service) read(raw *postgres.Story) (*story, error) {
	st := &story{
		service: s, rows: map[lead.ID]*postgres.Person{}, told: map[lead.ID][]told{}, done: map[lead.ID][]deed{},
		given: map[lead.ID][]given{}, merges: map[lead.ID]postgres.Merge{}, splits: raw.Splits,
	}
	for i := range raw.Persons {
		p := &raw.Persons[i]
		st.rows[p.ID] = p
		facts, err := identity.Unmarshal(p.Facts)
		if err != nil {
			return nil, fmt.Errorf("facts of a person: %w", err)
		}
		st.known = append(st.known, facts.IDs...)
	}
	for _, m := range raw.Merges {
		if st.rows[m.PersonID] != nil && st.rows[m.Into] != nil {
			st.merges[m.PersonID] = m
		}
	}
	for _, r := range raw.Records {
		t, err := s.readTold(r, st.known)
		if err != nil {
			return nil, err
		}
		st.told[r.PersonID] = append(st.told[r.PersonID], t)
	}
	for _, list := range st.told {
		sortTold(list)
	}
	for _, r := range raw.Signals {
		d, err := s.readDeed(r)
		if err != nil {
			return nil, err
		}
		st.done[r.PersonID] = append(st.done[r.PersonID], d)
	}
	return st, st.readGiven(raw)
}

// sortTold puts records into the order in which they came.
func sortTold(list []told) {
	slices.SortFunc(list, func(a, b told) int {
		return cmp.Or(a.linkedAt.Compare(b.linkedAt), cmp.Compare(a.record.At, b.record.At), bytes.Compare(a.id[:], b.id[:]))
	})
}

// readTold reads a record as it was understood when it came. Known are identifiers of those it may
// be of: bodies of before stores were kept in them do not say whose customer number one without a
// source is.
func (s *Service) readTold(r postgres.Record, known []lead.Identifier) (told, error) {
	t := told{leadID: r.LeadID, body: &leadv1.Lead{}, raw: r, linkedAt: r.LinkedAt, leftAt: r.LeftAt}
	if err := proto.Unmarshal(r.Body, t.body); err != nil {
		return told{}, fmt.Errorf("decode a record: %w", err)
	}
	l, _ := leadconv.FromProto(t.body) // codes were checked when they came in
	if r.LeadID.IsZero() {
		for i := range l.Parties {
			s.normalize(&l.Parties[i])
		}
	}
	if l.RequestedAt.IsZero() && l.ReceivedAt.IsZero() {
		l.ReceivedAt = r.LinkedAt
	}
	for i, id := range l.Identifiers {
		id = s.homeSource(id)
		if id.Source == "" && l.Dealer.ID+l.Dealer.Code == "" && (id.Kind == lead.IDKindCRMCustomer || id.Kind == lead.IDKindDMSCustomer) {
			at := slices.IndexFunc(known, func(k lead.Identifier) bool { return k.Kind == id.Kind && k.Value == lead.Squeeze(id.Value) })
			if at >= 0 {
				id = known[at]
			}
		}
		l.Identifiers[i] = id
		if id.Source != "" && (id.Kind == lead.IDKindCRMCustomer || id.Kind == lead.IDKindDMSCustomer) {
			t.dealers = append(t.dealers, id.Source)
		}
	}
	for _, code := range []string{l.Dealer.ID, l.Dealer.Code} {
		if dealer, ok := s.deps.DealerID(code); ok && code != "" {
			t.dealers = append(t.dealers, dealer)
			break
		}
	}
	t.id, t.party = r.ID, l.Primary()
	t.accountKeys = accountKeys(t.party)
	t.record = identity.RecordOf(&l, t.party)
	t.keys = hashKeys(append(s.matcher().Keys(&t.record), identity.SourceKeys(&l)...))
	return t, nil
}

func (s *Service) readDeed(r postgres.Signal) (deed, error) {
	pb := &identityv1.Signal{}
	if err := proto.Unmarshal(r.Body, pb); err != nil {
		return deed{}, fmt.Errorf("decode a signal: %w", err)
	}
	reader := signalReader{service: s, pb: pb, arrival: &arrival{}}
	if err := reader.read("", r.OccurredAt); err != nil {
		return deed{}, err
	}
	a := reader.arrival
	a.id = r.Key
	return deed{statement: a.statement, signal: a.signal, byCar: a.byVehicle(), body: a.body, raw: r}, nil
}

// readGiven leaves out the facts that merges and splits derived, and those of leads that left. Rows of
// before they were marked are derived if they were written at such a moment.
func (st *story) readGiven(raw *postgres.Story) error {
	edits := map[lead.ID]map[time.Time]bool{}
	edit := func(person lead.ID, at time.Time) {
		if edits[person] == nil {
			edits[person] = map[time.Time]bool{}
		}
		edits[person][at.UTC()] = true
	}
	for _, m := range raw.Merges {
		edit(m.Into, m.At)
	}
	for _, s := range raw.Splits {
		edit(s.PersonID, s.At)
		if s.Merge != nil {
			edit(s.Merge.Into, s.Merge.At)
		}
	}
	for _, c := range raw.Consents {
		if !c.Old && c.Origin.IsZero() || c.Old && c.Epoch > 0 && edits[c.PersonID][c.RecordedAt.UTC()] {
			continue
		}
		if st.left(c.PersonID, c.Origin) {
			continue
		}
		f, err := readFact(c.ID, c.Fact)
		if err != nil {
			return err
		}
		g := given{fact: f, leadID: c.Origin, old: c.Old, recordedAt: c.RecordedAt}
		if back := st.since(c.PersonID, c.Origin); back.After(g.recordedAt) {
			g.recordedAt = back
		}
		st.given[c.PersonID] = append(st.given[c.PersonID], g)
	}
	for _, list := range st.given {
		slices.SortFunc(list, func(a, b given) int {
			return cmp.Or(a.recordedAt.Compare(b.recordedAt), bytes.Compare(a.id[:], b.id[:]))
		})
	}
	return nil
}

// left reports whether a split took a lead away from a person, and what came with it.
func (st *story) left(person, leadID lead.ID) bool {
	gone := false
	for i := range st.told[person] {
		if t := &st.told[person][i]; t.leadID == leadID && !leadID.IsZero() {
			if t.leftAt.IsZero() {
				return false
			}
			gone = true
		}
	}
	return gone
}

// since is from when on a person has a lead; zero when the person has no record of it. One that left and
// came back is the person's from then on, with all that came with it.
func (st *story) since(person, leadID lead.ID) time.Time {
	var first time.Time
	for i := range st.told[person] {
		t := &st.told[person][i]
		if t.leadID == leadID && !leadID.IsZero() && t.leftAt.IsZero() && (first.IsZero() || t.linkedAt.Before(first)) {
			first = t.linkedAt
		}
	}
	return first
}

// root is who a person is today.
func (st *story) root(id lead.ID) lead.ID {
	for {
		m, ok := st.merges[id]
		if !ok {
			return id
		}
		id = m.Into
	}
}

// under returns a person and everybody joined into it, the oldest merges first.
func (st *story) under(id lead.ID) []lead.ID {
	out := []lead.ID{id}
	for i := 0; i < len(out); i++ {
		for _, m := range st.joined(out[i]) {
			out = append(out, m.PersonID)
		}
	}
	return out
}

// joined returns the merges into a person, in the order in which they were made.
func (st *story) joined(id lead.ID) []postgres.Merge {
	var out []postgres.Merge
	for _, m := range st.merges {
		if m.Into == id {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b postgres.Merge) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Place, b.Place), bytes.Compare(a.PersonID[:], b.PersonID[:]))
	})
	return out
}

// tell makes a person as resolving made it, from what was said until a time: the one function by
// which splits, re-clustering and tests rebuild persons. The household stays that of the row.
func (st *story) tell(id lead.ID, until time.Time) (*person, error) {
	p := &person{fresh: true, golden: &lead.Party{}, profile: &signal.Profile{}}
	if row := st.rows[id]; row != nil {
		p.row = *row
	}
	p.row.ID, p.row.Account = id, lead.ID{}
	type step struct {
		at    time.Time
		order int // of what came at one moment
		do    func() error
	}
	var steps []step
	for _, m := range st.joined(id) {
		if m.At.After(until) {
			continue
		}
		steps = append(steps, step{m.At, 0, func() error {
			o, err := st.tell(m.PersonID, m.At)
			if err != nil {
				return err
			}
			return p.unite(o, m.At, st.service.cfg.Market)
		}})
	}
	for _, t := range st.told[id] {
		if t.linkedAt.After(until) || !t.leftAt.IsZero() && !t.leftAt.After(until) {
			continue
		}
		steps = append(steps, step{t.linkedAt, 1, func() error {
			if !t.leadID.IsZero() && !t.body.GetTest() && t.record.At > 0 {
				p.profile.Inquired(t.record.At)
			}
			for _, k := range t.accountKeys {
				if account, known := st.accounts.of(k); known {
					p.actsFor(account, &t.statement)
					break
				}
			}
			return p.absorb(&t.record, t.party)
		}})
	}
	half := st.service.halfLives()
	for _, d := range st.done[id] {
		if !d.raw.ReceivedAt.After(until) {
			steps = append(steps, step{d.raw.ReceivedAt, 2, func() error {
				d.signal.Past = st.past(d.signal.VIN, id, d.signal.At)
				return signal.Apply(p.profile, d.signal, half)
			}})
		}
	}
	for _, g := range st.given[id] {
		if !g.recordedAt.After(until) {
			steps = append(steps, step{g.recordedAt, 3, func() error { p.consents = withFact(p.consents, g.fact); return nil }})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order)) })
	for _, s := range steps {
		if err := s.do(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// past reports whether a vehicle was sold to somebody else than a person is today after a moment.
func (st *story) past(vin string, id lead.ID, at time.Time) bool {
	root := st.root(id)
	return slices.ContainsFunc(st.sales[vin], func(s postgres.Sale) bool {
		buyer := s.PersonID
		if st.rows[s.BuyerID] != nil {
			buyer = st.root(s.BuyerID)
		}
		return buyer != root && s.SoldAt.After(at)
	})
}

// readSales reads who bought the vehicles of a story.
func (st *story) readSales(ctx context.Context, tx *postgres.Tx) error {
	var vins []string
	for _, list := range st.done {
		for i := range list {
			if v := list[i].signal.VIN; v != "" && !slices.Contains(vins, v) {
				vins = append(vins, v)
			}
		}
	}
	if len(vins) == 0 {
		return nil
	}
	sales, err := tx.Sales(ctx, vins)
	st.sales = map[string][]postgres.Sale{}
	for _, s := range sales {
		st.sales[s.VIN] = append(st.sales[s.VIN], s)
	}
	return err
}

// saidBy returns the union of what some records say.
func saidBy(records []told) identity.Record {
	var r identity.Record
	for i := range records {
		r = identity.Union(&r, &records[i].record)
	}
	return r
}
