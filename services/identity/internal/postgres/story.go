package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres/db"
)

// Story is everything that was stored about some persons, in no order.
type Story struct {
	Persons  []Person
	Records  []Record // those that left included
	Signals  []Signal
	Consents []Consent // of all epochs
	Merges   []Merge   // that stand, with a person of these on either side
	Splits   []Split   // likewise
}

// Split says that one person became two.
type Split struct {
	ID, PersonID, NewPersonID lead.ID
	At                        time.Time
	Actor, Note               string
	RecordIDs                 []lead.ID // that moved
	Merge                     *Merge    // that was taken back, nil if only records left; of NewPersonID
}

// Tree returns the rows of persons and of everybody joined into them.
func (t *Tx) Tree(ctx context.Context, ids []lead.ID) ([]Person, error) {
	rows, err := t.q.StoryPersons(ctx, bucketsOf(ids), uuids(ids))
	if err != nil {
		return nil, err
	}
	return personsOf(rows), nil
}

// Story returns everything stored about the persons of a tree.
func (t *Tx) Story(ctx context.Context, tree []Person) (*Story, error) {
	st := &Story{Persons: tree}
	ids := make([]lead.ID, len(tree))
	for i := range tree {
		ids[i] = tree[i].ID
	}
	var err error
	if st.Records, err = t.StoredRecords(ctx, ids); err != nil {
		return nil, err
	}
	if err := t.storySignals(ctx, ids, st); err != nil {
		return nil, err
	}
	if err := t.storyConsents(ctx, ids, st); err != nil {
		return nil, err
	}
	if st.Merges, err = t.MergesOf(ctx, ids); err != nil {
		return nil, err
	}
	st.Splits, err = t.SplitsOf(ctx, ids)
	return st, err
}

// StoredRecords returns the records of persons with their bodies, those that left included.
func (t *Tx) StoredRecords(ctx context.Context, ids []lead.ID) ([]Record, error) {
	records, err := t.q.StoryRecords(ctx, bucketsOf(ids), uuids(ids))
	if err != nil {
		return nil, err
	}
	out := make([]Record, len(records))
	for i, r := range records {
		out[i] = Record{
			PersonID: r.PersonID.Bytes, ID: r.RecordID.Bytes, LeadID: r.LeadID.Bytes, Body: r.Body, Weight: r.Weight,
			Reasons: r.Reasons, LinkedAt: r.LinkedAt.Time, LeftAt: r.LeftAt.Time,
		}
	}
	return out, nil
}

func (t *Tx) storySignals(ctx context.Context, ids []lead.ID, st *Story) error {
	signals, err := t.q.StorySignals(ctx, bucketsOf(ids), uuids(ids))
	for _, s := range signals {
		st.Signals = append(st.Signals, Signal{
			PersonID: s.PersonID.Bytes, Key: s.SignalKey.Bytes, OccurredAt: s.OccurredAt.Time, Kind: lead.SignalKind(s.Kind),
			Body: s.Body, ReceivedAt: s.ReceivedAt.Time,
		})
	}
	return err
}

func (t *Tx) storyConsents(ctx context.Context, ids []lead.ID, st *Story) error {
	consents, err := t.q.StoryConsents(ctx, bucketsOf(ids), uuids(ids))
	for _, c := range consents {
		st.Consents = append(st.Consents, Consent{
			PersonID: c.PersonID.Bytes, ID: c.ConsentID.Bytes, Origin: c.Origin.Bytes, Epoch: c.Epoch, Fact: c.Fact,
			Old: !c.Origin.Valid, RecordedAt: c.RecordedAt.Time,
		})
	}
	return err
}

// MergesOf returns the merges that stand of persons and into them.
func (t *Tx) MergesOf(ctx context.Context, ids []lead.ID) ([]Merge, error) {
	rows, err := t.q.MergesOf(ctx, bucketsOf(ids), uuids(ids))
	if err != nil {
		return nil, err
	}
	out := make([]Merge, len(rows))
	for i, m := range rows {
		out[i] = Merge{
			PersonID: m.PersonID.Bytes, Into: m.MergedInto.Bytes, RecordID: m.RecordID.Bytes, Weight: m.Weight, Reasons: m.Reasons,
			Actor: m.Actor.String, Note: m.Note.String, HouseholdBefore: m.HouseholdBefore.Bytes, At: m.MergedAt.Time, Place: m.Place,
		}
	}
	return out, nil
}

// SplitsOf returns the splits that persons were part of.
func (t *Tx) SplitsOf(ctx context.Context, ids []lead.ID) ([]Split, error) {
	rows, err := t.q.SplitsOf(ctx, uuids(ids))
	if err != nil {
		return nil, err
	}
	out := make([]Split, len(rows))
	for i, r := range rows {
		s := Split{
			ID: r.SplitID.Bytes, PersonID: r.PersonID.Bytes, NewPersonID: r.NewPersonID.Bytes, At: r.SplitAt.Time,
			Actor: r.Actor, Note: r.Note,
		}
		for _, id := range r.RecordIds {
			s.RecordIDs = append(s.RecordIDs, id.Bytes)
		}
		if r.MergedInto.Valid {
			s.Merge = &Merge{
				PersonID: s.NewPersonID, Into: r.MergedInto.Bytes, RecordID: r.MergeRecord.Bytes, Weight: r.Weight.Int32,
				Reasons: r.Reasons.String, Actor: r.MergeActor.String, Note: r.MergeNote.String, At: r.MergedAt.Time, Place: r.MergePlace,
			}
		}
		out[i] = s
	}
	return out, nil
}

// Division is what a split writes beside the Changes.
type Division struct {
	At       time.Time
	To       lead.ID   // who leaves
	Splits   []Split   // one per merge taken back, and one for records that left
	Left     []Record  // under the persons they leave
	Leads    []lead.ID // of those records
	Signals  []Signal  // under the persons they leave
	Forsaken []Holder  // keys that persons hold no longer
}

// Divide writes what a split takes away. The Changes that go with it are to be applied afterwards.
func (t *Tx) Divide(ctx context.Context, d *Division) error {
	var undone []lead.ID
	for i := range d.Splits {
		if d.Splits[i].Merge != nil {
			undone = append(undone, d.Splits[i].NewPersonID)
		}
		if err := t.insertSplit(ctx, &d.Splits[i]); err != nil {
			return err
		}
	}
	if err := t.later.DeleteMerges(ctx, bucketsOf(undone), uuids(undone)); err != nil {
		return err
	}
	var from, records []lead.ID
	for _, r := range d.Left {
		from, records = append(from, r.PersonID), append(records, r.ID)
	}
	if err := t.later.LeaveRecords(ctx, timestamp(d.At), bucketsOf(from), uuids(from), uuids(records)); err != nil {
		return err
	}
	if err := t.later.ReturnRecords(ctx, timestamp(d.At), d.To.Bucket(), uuid(d.To), uuids(records)); err != nil {
		return err
	}
	if err := t.later.MoveLeads(ctx, uuid(d.To), bucketsOf(d.Leads), uuids(d.Leads)); err != nil {
		return err
	}
	var owners, keys []lead.ID
	var times []pgtype.Timestamptz
	for _, s := range d.Signals {
		owners, keys, times = append(owners, s.PersonID), append(keys, s.Key), append(times, timestamp(s.OccurredAt))
	}
	if err := t.later.MoveSignals(ctx, d.To.Bucket(), uuid(d.To), bucketsOf(owners), uuids(owners), times, uuids(keys)); err != nil {
		return err
	}
	buckets, kinds, hashes, holders := columns(d.Forsaken)
	return t.later.DeleteKeys(ctx, buckets, kinds, hashes, holders)
}

func (t *Tx) insertSplit(ctx context.Context, s *Split) error {
	p := db.InsertSplitParams{
		Bucket: s.PersonID.Bucket(), PersonID: uuid(s.PersonID), SplitID: uuid(s.ID), NewPersonID: uuid(s.NewPersonID),
		SplitAt: timestamp(s.At), Actor: s.Actor, Note: s.Note, RecordIds: uuids(s.RecordIDs),
	}
	if m := s.Merge; m != nil {
		p.MergedInto, p.MergeRecord, p.MergedAt = uuid(m.Into), uuid(m.RecordID), timestamp(m.At)
		p.Weight, p.Reasons = pgtype.Int4{Int32: m.Weight, Valid: true}, pgtype.Text{String: m.Reasons, Valid: true}
		p.MergePlace = m.Place
		p.MergeActor, p.MergeNote = pgtype.Text{String: m.Actor, Valid: true}, pgtype.Text{String: m.Note, Valid: true}
	}
	return t.later.InsertSplit(ctx, p)
}

// HeldKeys returns which of the persons hold which of the keys.
func (t *Tx) HeldKeys(ctx context.Context, keys []Key, persons []lead.ID) ([]Holder, error) {
	asked := make([]Holder, len(keys))
	for i, k := range keys {
		asked[i].Key = k
	}
	buckets, kinds, hashes, _ := columns(asked)
	rows, err := t.q.HeldKeys(ctx, buckets, kinds, hashes, uuids(persons))
	if err != nil {
		return nil, err
	}
	out := make([]Holder, len(rows))
	for i, r := range rows {
		out[i] = Holder{Key: Key{Kind: r.Kind, Hash: r.KeyHash.Bytes}, PersonID: r.PersonID.Bytes}
	}
	return out, nil
}

func columns(holders []Holder) (buckets, kinds []int16, hashes, persons []pgtype.UUID) {
	for _, h := range holders {
		buckets, kinds = append(buckets, h.Key.Hash.Bucket()), append(kinds, h.Key.Kind)
		hashes, persons = append(hashes, uuid(h.Key.Hash)), append(persons, uuid(h.PersonID))
	}
	return buckets, kinds, hashes, persons
}

// Householders returns persons of a household with their golden records, the oldest first; the one
// who gave the household its identifier is not among them.
func (t *Tx) Householders(ctx context.Context, household lead.ID, most int) ([]Person, error) {
	rows, err := t.q.HouseholdMembers(ctx, uuid(household), int32(most))
	if err != nil {
		return nil, err
	}
	out := make([]Person, len(rows))
	for i, r := range rows {
		out[i] = Person{ID: r.PersonID.Bytes, Golden: r.Golden, Household: household}
	}
	return out, nil
}
