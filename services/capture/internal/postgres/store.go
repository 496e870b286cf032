// Package postgres is Capture's store: leads with their raw form, and where each stands until
// Routing has decided it. It speaks core types and answers problems.
package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/capture/internal/postgres/db"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	pg "github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// ErrConflict says that a row was there already: read again and decide anew.
var ErrConflict = errors.New("another capture was faster")

// Store is Capture's schema. Safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
	q    *db.Queries
}

// New makes a store on a pool of the service's own role and schema.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool, q: db.New(pool)} }

// Ping reports what keeps the database from answering.
func (s *Store) Ping(ctx context.Context) error { return mapped(s.pool.Ping(ctx)) }

// Secret returns the installation's secret, 32 bytes that never leave the process.
func (s *Store) Secret(ctx context.Context) ([]byte, error) {
	secret, err := s.q.GetSecret(ctx)
	return secret, mapped(err)
}

// Key is one Idempotency-Key of one credential.
type Key struct{ Credential, Value string }

func (k Key) bucket() int16 { return lead.BucketOf(k.Credential + "\x00" + k.Value) }

// Used is what a key was used for.
type Used struct {
	Hash   [32]byte
	LeadID lead.ID
}

// Held is a lead that is stored.
type Held struct {
	Hash [32]byte
	Body []byte // leadmesh.lead.v1.Lead; empty if the document could not be read
}

// FindHeld returns those of the keys that were used, and those of the leads that are held.
func (s *Store) FindHeld(ctx context.Context, keys []Key, ids []lead.ID) (map[Key]Used, map[lead.ID]Held, error) {
	keyBuckets, credentials, values := make([]int16, len(keys)), make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		keyBuckets[i], credentials[i], values[i] = k.bucket(), k.Credential, k.Value
	}
	buckets, uuids := split(ids)
	rows, err := s.q.FindHeld(ctx, keyBuckets, credentials, values, buckets, uuids)
	if err != nil {
		return nil, nil, mapped(err)
	}
	used, held := map[Key]Used{}, map[lead.ID]Held{}
	for _, r := range rows {
		if r.Key != "" {
			used[Key{Credential: r.Credential, Value: r.Key}] = Used{Hash: [32]byte(r.BodyHash), LeadID: r.LeadID.Bytes}
		} else {
			held[r.LeadID.Bytes] = Held{Hash: [32]byte(r.BodyHash), Body: r.Body}
		}
	}
	return used, held, nil
}

// FindLeads returns those of the leads that are held.
func (s *Store) FindLeads(ctx context.Context, ids []lead.ID) (map[lead.ID]Held, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	buckets, uuids := split(ids)
	rows, err := s.q.FindLeads(ctx, buckets, uuids)
	if err != nil {
		return nil, mapped(err)
	}
	found := make(map[lead.ID]Held, len(rows))
	for _, r := range rows {
		found[r.LeadID.Bytes] = Held{Hash: [32]byte(r.BodyHash), Body: r.Body}
	}
	return found, nil
}

// UpdateRef names an update of a lead.
type UpdateRef struct{ LeadID, UpdateID lead.ID }

// FindUpdates returns the identifiers of those of the updates that are held.
func (s *Store) FindUpdates(ctx context.Context, refs []UpdateRef) (map[lead.ID]bool, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	buckets, leads, updates := splitRefs(refs)
	rows, err := s.q.FindUpdates(ctx, buckets, leads, updates)
	if err != nil {
		return nil, mapped(err)
	}
	found := make(map[lead.ID]bool, len(rows))
	for _, u := range rows {
		found[u.Bytes] = true
	}
	return found, nil
}

// Place is where a lead stands as far as Capture is the authority.
type Place uint8

// The places. HandedOver: Routing has decided it, or nothing is known of it here.
const (
	HandedOver Place = iota
	Pending
	Rejected
	Parked
)

// Standing is a lead's place with its code.
type Standing struct {
	Place Place
	Code  string // why rejected or parked
}

// Standings returns where the leads stand; leads that are not held are left out.
func (s *Store) Standings(ctx context.Context, ids []lead.ID) (map[lead.ID]Standing, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	buckets, uuids := split(ids)
	rows, err := s.q.GetPlaces(ctx, buckets, uuids)
	if err != nil {
		return nil, mapped(err)
	}
	found := make(map[lead.ID]Standing, len(rows))
	for _, r := range rows {
		found[r.LeadID.Bytes] = standing(r.Pending, r.RejectCode, r.ParkReason)
	}
	return found, nil
}

func standing(pending bool, rejectCode, parkReason string) Standing {
	switch {
	case pending:
		return Standing{Place: Pending}
	case rejectCode != "":
		return Standing{Place: Rejected, Code: rejectCode}
	case parkReason != "":
		return Standing{Place: Parked, Code: parkReason}
	default:
		return Standing{}
	}
}

// Record is everything Capture holds about a lead.
type Record struct {
	Standing
	Credential, Traceparent string
	Test                    bool
	ReceivedAt              time.Time
	Body                    []byte
	Detail, Owner           string // of a rejected or parked lead
	ReviewAt                time.Time
}

// Get returns a lead; problem NOT_FOUND if it is not held.
func (s *Store) Get(ctx context.Context, id lead.ID) (Record, error) {
	r, err := s.q.GetLead(ctx, id.Bucket(), uuid(id))
	if err != nil {
		return Record{}, mapped(err)
	}
	return record(&r), nil
}

func record(r *db.GetLeadRow) Record {
	rec := Record{
		Standing:   standing(r.Pending, r.RejectCode, r.ParkReason),
		Credential: r.Credential, Traceparent: r.Traceparent, Test: r.Test, ReceivedAt: r.ReceivedAt.Time, Body: r.Body,
		Detail: r.RejectDetail, Owner: r.ParkOwner, ReviewAt: r.ParkReviewAt.Time,
	}
	if rec.Place == Parked {
		rec.Detail = r.ParkDetail
	}
	return rec
}

// Raw is a document as received.
type Raw struct {
	Credential, ContentType string
	Body                    []byte
}

// GetRaw returns the raw form of a lead; problem NOT_FOUND if it is not held.
func (s *Store) GetRaw(ctx context.Context, id lead.ID) (Raw, error) {
	r, err := s.q.GetRaw(ctx, id.Bucket(), uuid(id))
	return Raw{Credential: r.Credential, ContentType: r.ContentType, Body: r.Raw}, mapped(err)
}

// inTx runs a function with queries and the transaction they run in, and maps its error.
func (s *Store) inTx(ctx context.Context, fn func(q *db.Queries, tx pgx.Tx) error) error {
	return mapped(pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error { return fn(s.q.WithTx(tx), tx) }))
}

// mapped turns a driver's error into a problem; nil stays nil.
func mapped(err error) error {
	switch {
	case errors.Is(err, ErrConflict):
		return err
	case errors.Is(err, pgx.ErrNoRows):
		return problem.NotFound("lead")
	}
	return pg.Problem(err)
}

func uuid(id lead.ID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

func stamp(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: true} }

func split(ids []lead.ID) (buckets []int16, uuids []pgtype.UUID) {
	buckets, uuids = make([]int16, len(ids)), make([]pgtype.UUID, len(ids))
	for i, id := range ids {
		buckets[i], uuids[i] = id.Bucket(), uuid(id)
	}
	return buckets, uuids
}

func addEvents(ctx context.Context, tx pgx.Tx, events *outbox.Rows) error {
	if events == nil {
		return nil
	}
	return events.Insert(ctx, tx)
}
