package postgres

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/capture/internal/postgres/db"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
)

// Lead is a lead to be stored in a place.
type Lead struct {
	ID                                lead.ID
	Credential, Traceparent, Revision string
	ReceivedAt, RequestedAt           time.Time
	Test                              bool
	Flags                             int
	Hash                              [32]byte
	Body, Raw                         []byte
	ContentType                       string
	LookupKeys                        []int64

	Place        Place     // Pending, Rejected or Parked
	DueAt        time.Time // of a pending one: when the driver takes it up
	Code, Detail string    // of a rejected or parked one
	Owner        string    // of a parked one
	ReviewAt     time.Time // of a parked one
	Kind         int16     // of a parked one's document; 0: ADF
	Intake       string    // of a parked one: its sender in the sources file
	FetchAt      time.Time // of a parked one whose form is to be fetched
}

// KeyUse notes that a key was used for a lead.
type KeyUse struct {
	Key Key
	Used
	At time.Time
}

// Update is new facts under the source id of a lead.
type Update struct {
	UpdateRef
	At        time.Time
	Body, Raw []byte
}

// Captured is what one group commit stores.
type Captured struct {
	Leads   []Lead
	Keys    []KeyUse
	Updates []Update
	Events  outbox.Rows

	byKey []*Lead // the leads, sorted
}

// Insert stores everything or nothing. ErrConflict: one of the rows was there already.
func (s *Store) Insert(ctx context.Context, c *Captured) error {
	if len(c.Leads)+len(c.Keys)+len(c.Updates) == 0 {
		return nil
	}
	c.sort()
	var err error
	if len(c.Leads) >= pg.Bulk {
		err = s.copy(ctx, c)
	} else {
		err = s.q.InsertCaptured(ctx, c.params())
	}
	if pg.UniqueViolation(err, "") || deadlocked(err) {
		return ErrConflict
	}
	return mapped(err)
}

// deadlocked reports whether the server ended the statement because of another one's locks.
func deadlocked(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == "40P01"
}

// sort puts the rows in the order of their keys: concurrent inserts of the same keys then wait for
// each other instead of deadlocking.
func (c *Captured) sort() {
	c.byKey = make([]*Lead, len(c.Leads)) // they are large: only their places are sorted
	for i := range c.Leads {
		c.byKey[i] = &c.Leads[i]
	}
	slices.SortFunc(c.byKey, func(a, b *Lead) int { return byBucket(a.ID, b.ID) })
	slices.SortFunc(c.Keys, func(a, b KeyUse) int {
		return cmp.Or(cmp.Compare(a.Key.bucket(), b.Key.bucket()), cmp.Compare(a.Key.Credential, b.Key.Credential), cmp.Compare(a.Key.Value, b.Key.Value))
	})
	slices.SortFunc(c.Updates, func(a, b Update) int {
		return cmp.Or(byBucket(a.LeadID, b.LeadID), bytes.Compare(a.UpdateID[:], b.UpdateID[:]))
	})
}

// params lays the rows out in columns.
func (c *Captured) params() db.InsertCapturedParams {
	p := db.InsertCapturedParams{
		EventBuckets: c.Events.Buckets, EventIds: c.Events.EventIDs, Events: c.Events.Events,
		EventRecordedAt: make([]pgtype.Timestamptz, len(c.Events.RecordedAt)),
	}
	for i, t := range c.Events.RecordedAt {
		p.EventRecordedAt[i] = stamp(t)
	}
	c.makeRoom(&p)
	for _, l := range c.byKey {
		addLead(&p, l)
		addPlace(&p, l)
	}
	for i := range c.Keys {
		k := &c.Keys[i]
		p.KeyBuckets = append(p.KeyBuckets, k.Key.bucket())
		p.KeyCredentials = append(p.KeyCredentials, k.Key.Credential)
		p.Keys = append(p.Keys, k.Key.Value)
		p.KeyHashes = append(p.KeyHashes, k.Hash[:])
		p.KeyLeadIds = append(p.KeyLeadIds, uuid(k.LeadID))
		p.KeyCreatedAt = append(p.KeyCreatedAt, stamp(k.At))
	}
	addUpdates(&p, c.Updates)
	return p
}

func addUpdates(p *db.InsertCapturedParams, updates []Update) {
	for i := range updates {
		u := &updates[i]
		p.UpdateBuckets = append(p.UpdateBuckets, u.LeadID.Bucket())
		p.UpdateLeadIds = append(p.UpdateLeadIds, uuid(u.LeadID))
		p.UpdateIds = append(p.UpdateIds, uuid(u.UpdateID))
		p.UpdateAt = append(p.UpdateAt, stamp(u.At))
		p.UpdateBodies = append(p.UpdateBodies, u.Body)
		p.UpdateRaws = append(p.UpdateRaws, notNil(u.Raw))
	}
}

// makeRoom sizes the columns of leads, which usually are pending, and of keys.
func (c *Captured) makeRoom(p *db.InsertCapturedParams) {
	n, keys := len(c.Leads), len(c.Keys)
	p.LeadBuckets, p.LeadIds, p.Credentials = make([]int16, 0, n), make([]pgtype.UUID, 0, n), make([]string, 0, n)
	p.ReceivedAt, p.RequestedAt = make([]pgtype.Timestamptz, 0, n), make([]pgtype.Timestamptz, 0, n)
	p.Test, p.Flags, p.PlaybookRevisions = make([]bool, 0, n), make([]int16, 0, n), make([]string, 0, n)
	p.Traceparents, p.ContentTypes = make([]string, 0, n), make([]string, 0, n)
	p.BodyHashes, p.Bodies, p.Raws = make([][]byte, 0, n), make([][]byte, 0, n), make([][]byte, 0, n)
	p.LookupKeys = make([]string, 0, n)
	p.PendingBuckets, p.PendingIds = make([]int16, 0, n), make([]pgtype.UUID, 0, n)
	p.PendingSince, p.PendingDueAt = make([]pgtype.Timestamptz, 0, n), make([]pgtype.Timestamptz, 0, n)
	p.KeyBuckets, p.KeyCredentials, p.Keys = make([]int16, 0, keys), make([]string, 0, keys), make([]string, 0, keys)
	p.KeyHashes, p.KeyLeadIds, p.KeyCreatedAt = make([][]byte, 0, keys), make([]pgtype.UUID, 0, keys), make([]pgtype.Timestamptz, 0, keys)
}

func addLead(p *db.InsertCapturedParams, l *Lead) {
	bucket, id := l.ID.Bucket(), uuid(l.ID)
	p.LeadBuckets = append(p.LeadBuckets, bucket)
	p.LeadIds = append(p.LeadIds, id)
	p.Credentials = append(p.Credentials, l.Credential)
	p.ReceivedAt = append(p.ReceivedAt, stamp(l.ReceivedAt))
	p.RequestedAt = append(p.RequestedAt, stamp(l.RequestedAt))
	p.Test = append(p.Test, l.Test)
	p.Flags = append(p.Flags, int16(l.Flags))
	p.PlaybookRevisions = append(p.PlaybookRevisions, l.Revision)
	p.Traceparents = append(p.Traceparents, l.Traceparent)
	p.ContentTypes = append(p.ContentTypes, l.ContentType)
	p.BodyHashes = append(p.BodyHashes, l.Hash[:])
	p.Bodies = append(p.Bodies, notNil(l.Body))
	p.Raws = append(p.Raws, notNil(l.Raw))
	p.LookupKeys = append(p.LookupKeys, keyList(l.LookupKeys))
}

func addPlace(p *db.InsertCapturedParams, l *Lead) {
	bucket, id := l.ID.Bucket(), uuid(l.ID)
	switch l.Place {
	case Rejected:
		p.RejectedBuckets = append(p.RejectedBuckets, bucket)
		p.RejectedIds = append(p.RejectedIds, id)
		p.RejectedAt = append(p.RejectedAt, stamp(l.ReceivedAt))
		p.RejectedCodes = append(p.RejectedCodes, l.Code)
		p.RejectedDetails = append(p.RejectedDetails, l.Detail)
	case Parked:
		p.ParkedBuckets = append(p.ParkedBuckets, bucket)
		p.ParkedIds = append(p.ParkedIds, id)
		p.ParkedAt = append(p.ParkedAt, stamp(l.ReceivedAt))
		p.ParkedOwners = append(p.ParkedOwners, l.Owner)
		p.ParkedReviewAt = append(p.ParkedReviewAt, stamp(l.ReviewAt))
		p.ParkedDetails = append(p.ParkedDetails, l.Detail)
		p.ParkedKinds = append(p.ParkedKinds, l.Kind)
		p.ParkedIntakes = append(p.ParkedIntakes, l.Intake)
		p.ParkedFetchAt = append(p.ParkedFetchAt, pgtype.Timestamptz{Time: l.FetchAt, Valid: !l.FetchAt.IsZero()})
	default:
		p.PendingBuckets = append(p.PendingBuckets, bucket)
		p.PendingIds = append(p.PendingIds, id)
		p.PendingSince = append(p.PendingSince, stamp(l.ReceivedAt))
		p.PendingDueAt = append(p.PendingDueAt, stamp(l.DueAt))
	}
}

func byBucket(a, b lead.ID) int {
	return cmp.Or(cmp.Compare(a.Bucket(), b.Bucket()), bytes.Compare(a[:], b[:]))
}

// notNil keeps an empty value from being written as NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
