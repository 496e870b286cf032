package postgres

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres/db"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// Changes are everything that one transaction writes; each kind of row goes in with one statement,
// many rows by COPY.
type Changes struct {
	At          time.Time
	Revision    string // of the parameters that weighed
	New         []*Person
	Changed     []*Person
	Records     []Record
	Keys        []Holder
	Leads       []LeadPerson
	Merges      []Merge
	Reviews     []Review
	Accounts    []Account
	AccountKeys []AccountKey
	// JoinedAccounts are organisations that were found to be another, by their identifiers, which are keys.
	JoinedAccounts []AccountKey
	Consents       []Consent
	Stops          []Stop
	Sales          []Sale
	Unsold         []Sale // that are another buyer's
	Moves          []Move
	Signals        []Signal
}

// Record is what one lead or signal said of its person.
type Record struct {
	PersonID, ID, LeadID lead.ID // LeadID is zero for a signal
	Body                 []byte
	Weight               int32
	Reasons              string
	LinkedAt             time.Time // as read; written is Changes.At
	LeftAt               time.Time // when a split took it away; zero while it is the person's
}

// Holder says that a person holds a key.
type Holder struct {
	Key      Key
	PersonID lead.ID
}

// Merge says that a person was joined into another.
type Merge struct {
	PersonID, Into, RecordID lead.ID // RecordID is zero when somebody merged them
	Weight                   int32
	Reasons                  string
	Actor, Note              string    // who merged and why; "" when the evidence did
	HouseholdBefore          lead.ID   // of the survivor
	At                       time.Time // as read; written is Changes.At
	Place                    int32     // among the merges of that moment, from 0
}

// ID names the merge.
func (m *Merge) ID() lead.ID {
	at := binary.BigEndian.AppendUint64(nil, uint64(m.At.UnixMicro()))
	return lead.NewID(nil, "merge", string(m.PersonID[:]), string(at))
}

// Signal is a signal of a person, as it came.
type Signal struct {
	PersonID, Key lead.ID
	OccurredAt    time.Time
	Kind          lead.SignalKind
	Body          []byte
	ReceivedAt    time.Time // as read; written is Changes.At
}

// Apply writes the changes; see Tx.
func (t *Tx) Apply(ctx context.Context, c *Changes) error {
	for _, write := range [...]func(context.Context, *Changes) error{
		t.newPersons, t.changedPersons, t.accounts, t.merges, t.reviews, t.records, t.keys, t.leads, t.consents, t.stops, t.signals, t.sales, t.moves,
	} {
		if err := write(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) newPersons(ctx context.Context, c *Changes) error {
	if len(c.New) == 0 {
		return nil
	}
	if t.bulk && len(c.New) >= postgres.Bulk {
		return t.copyPersons(ctx, c.New, c.At)
	}
	p := db.InsertPersonsParams{At: timestamp(c.At)}
	for _, r := range c.New {
		p.Buckets = append(p.Buckets, r.ID.Bucket())
		p.PersonIds = append(p.PersonIds, uuid(r.ID))
		p.HouseholdIds = append(p.HouseholdIds, uuid(r.Household))
		p.Golden = append(p.Golden, r.Golden)
		p.Facts = append(p.Facts, r.Facts)
		p.Profiles = append(p.Profiles, r.Profile)
		p.AccountIds = append(p.AccountIds, uuidOrNull(r.Account))
	}
	return t.later.InsertPersons(ctx, p)
}

func (t *Tx) changedPersons(ctx context.Context, c *Changes) error {
	if len(c.Changed) == 0 {
		return nil
	}
	p := db.UpdatePersonsParams{At: timestamp(c.At)}
	for _, r := range c.Changed {
		p.Buckets = append(p.Buckets, r.ID.Bucket())
		p.PersonIds = append(p.PersonIds, uuid(r.ID))
		p.HouseholdIds = append(p.HouseholdIds, uuid(r.Household))
		p.MergedInto = append(p.MergedInto, uuidOrNull(r.MergedInto))
		p.Epochs = append(p.Epochs, r.Epoch)
		p.Golden = append(p.Golden, r.Golden)
		p.Facts = append(p.Facts, r.Facts)
		p.Profiles = append(p.Profiles, r.Profile)
		p.AccountIds = append(p.AccountIds, uuidOrNull(r.Account))
	}
	_, err := t.later.UpdatePersons(ctx, p)
	return err
}

func (t *Tx) merges(ctx context.Context, c *Changes) error {
	if len(c.Merges) == 0 {
		return nil
	}
	p := db.InsertMergesParams{At: timestamp(c.At), Parameters: c.Revision}
	for _, m := range c.Merges {
		p.Buckets = append(p.Buckets, m.PersonID.Bucket())
		p.PersonIds = append(p.PersonIds, uuid(m.PersonID))
		p.MergedInto = append(p.MergedInto, uuid(m.Into))
		p.RecordIds = append(p.RecordIds, uuid(m.RecordID))
		p.Weights = append(p.Weights, m.Weight)
		p.Reasons = append(p.Reasons, m.Reasons)
		p.Actors = append(p.Actors, m.Actor)
		p.Notes = append(p.Notes, m.Note)
		p.Places = append(p.Places, m.Place)
		p.HouseholdsBefore = append(p.HouseholdsBefore, uuidOrNull(m.HouseholdBefore))
		// One by one: a later merge of the same transaction moves what an earlier one moved.
		if err := t.later.FollowMerges(ctx, timestamp(c.At), []pgtype.UUID{uuid(m.PersonID)}, []pgtype.UUID{uuid(m.Into)}); err != nil {
			return err
		}
		if err := t.later.CloseJoinedReviews(ctx, timestamp(c.At), m.Into.Bucket(), uuid(m.Into)); err != nil {
			return err
		}
	}
	return t.later.InsertMerges(ctx, p)
}

func (t *Tx) records(ctx context.Context, c *Changes) error {
	if len(c.Records) == 0 {
		return nil
	}
	if t.bulk && len(c.Records) >= postgres.Bulk {
		return t.copyRecords(ctx, c.Records, c.At)
	}
	p := db.InsertRecordsParams{At: timestamp(c.At)}
	for _, r := range c.Records {
		p.Buckets = append(p.Buckets, r.PersonID.Bucket())
		p.PersonIds = append(p.PersonIds, uuid(r.PersonID))
		p.RecordIds = append(p.RecordIds, uuid(r.ID))
		p.LeadIds = append(p.LeadIds, uuidOrNull(r.LeadID))
		p.Bodies = append(p.Bodies, r.Body)
		p.Weights = append(p.Weights, r.Weight)
		p.Reasons = append(p.Reasons, r.Reasons)
	}
	return t.later.InsertRecords(ctx, p)
}

func (t *Tx) keys(ctx context.Context, c *Changes) error {
	n := len(c.Keys)
	if n == 0 {
		return nil
	}
	if t.bulk && len(c.Keys) >= postgres.Bulk {
		return t.copyKeys(ctx, c.Keys)
	}
	buckets, kinds, hashes, persons := make([]int16, n), make([]int16, n), make([]pgtype.UUID, n), make([]pgtype.UUID, n)
	for i, h := range c.Keys {
		buckets[i], kinds[i], hashes[i], persons[i] = h.Key.Hash.Bucket(), h.Key.Kind, uuid(h.Key.Hash), uuid(h.PersonID)
	}
	return t.later.InsertKeys(ctx, buckets, kinds, hashes, persons)
}

func (t *Tx) leads(ctx context.Context, c *Changes) error {
	if len(c.Leads) == 0 {
		return nil
	}
	if t.bulk && len(c.Leads) >= postgres.Bulk {
		return t.copyLeads(ctx, c.Leads)
	}
	var p db.InsertLeadPersonsParams
	for _, l := range c.Leads {
		p.Buckets = append(p.Buckets, l.LeadID.Bucket())
		p.LeadIds = append(p.LeadIds, uuid(l.LeadID))
		p.PersonIds = append(p.PersonIds, uuid(l.PersonID))
		p.Created = append(p.Created, l.Created)
		p.Contradicts = append(p.Contradicts, l.Contradicts)
		p.Weights = append(p.Weights, l.Weight)
		p.Reasons = append(p.Reasons, l.Reasons)
	}
	return t.later.InsertLeadPersons(ctx, p)
}

func (t *Tx) consents(ctx context.Context, c *Changes) error {
	if len(c.Consents) == 0 {
		return nil
	}
	if t.bulk && len(c.Consents) >= postgres.Bulk {
		return t.copyConsents(ctx, c.Consents, c.At)
	}
	p := db.InsertConsentsParams{At: timestamp(c.At)}
	for _, f := range c.Consents {
		p.Buckets = append(p.Buckets, f.PersonID.Bucket())
		p.PersonIds = append(p.PersonIds, uuid(f.PersonID))
		p.Epochs = append(p.Epochs, f.Epoch)
		p.ConsentIds = append(p.ConsentIds, uuid(f.ID))
		p.Facts = append(p.Facts, f.Fact)
		p.Origins = append(p.Origins, uuid(f.Origin))
	}
	return t.later.InsertConsents(ctx, p)
}

func (t *Tx) stops(ctx context.Context, c *Changes) error {
	n := len(c.Stops)
	if n == 0 {
		return nil
	}
	buckets, points, ids, persons, facts := make([]int16, n), make([]pgtype.UUID, n), make([]pgtype.UUID, n), make([]pgtype.UUID, n), make([][]byte, n)
	for i, s := range c.Stops {
		buckets[i], points[i], ids[i], persons[i], facts[i] = s.Point.Bucket(), uuid(s.Point), uuid(s.ConsentID), uuid(s.PersonID), s.Fact
	}
	return t.later.InsertStops(ctx, buckets, points, ids, persons, facts)
}

func (t *Tx) signals(ctx context.Context, c *Changes) error {
	n := len(c.Signals)
	if n == 0 {
		return nil
	}
	keys, own := make([]lead.ID, n), make([]lead.ID, n)
	p := db.InsertSignalsParams{At: timestamp(c.At)}
	for i, s := range c.Signals {
		keys[i], own[i] = s.Key, s.PersonID
		p.OccurredAt = append(p.OccurredAt, timestamp(s.OccurredAt))
		p.Kinds = append(p.Kinds, int16(s.Kind))
		p.Bodies = append(p.Bodies, s.Body)
	}
	p.Buckets, p.PersonIds, p.SignalKeys = bucketsOf(own), uuids(own), uuids(keys)
	if err := t.later.InsertSeen(ctx, bucketsOf(keys), p.SignalKeys, p.At); err != nil {
		return err
	}
	return t.later.InsertSignals(ctx, p)
}
