// Package postgres keeps persons, their records, keys, consents and signals.
package postgres

import (
	"context"
	"embed"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres/db"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Module is what Identity keeps in the database.
func Module() postgres.Module {
	return postgres.Module{Service: "identity", FS: migrations, Dir: "migrations"}
}

// The first keys of the advisory locks that guard buckets of keys, and single ones.
const (
	lockNamespace    = 0x1d30
	keyLockNamespace = 0x1d31
)

// Store reads and writes Identity's schema. It is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
}

// NewStore makes a store on a pool of the service's role and schema.
func NewStore(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// Write runs fn in one transaction, again if it loses against another one: fn must reset what it
// collects. Its error is a problem.
func (s *Store) Write(ctx context.Context, fn func(*Tx) error) error {
	return inBulk(func(bulk bool) error {
		return postgres.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
			pipe := postgres.NewPipe(tx)
			if err := fn(&Tx{q: db.New(pipe), later: db.New(pipe.Later()), pipe: pipe, raw: tx, bulk: bulk}); err != nil {
				return err
			}
			return pipe.Flush(ctx)
		})
	})
}

// planOnce keeps the plans of a transaction's statements. The server would rather plan anew for each
// array of keys, which takes longer than the statement, and finds the same each time.
const planOnce = "SET LOCAL plan_cache_mode = force_generic_plan"

// WritePiped is Write for what is on the way of a lead: two round trips less, and no planning. Within has
// no place in it.
func (s *Store) WritePiped(ctx context.Context, fn func(*Tx) error) error {
	return inBulk(func(bulk bool) error {
		return postgres.InPipe(ctx, s.pool, func(pipe *postgres.Pipe) error {
			later := pipe.Later()
			if _, err := later.Exec(ctx, planOnce); err != nil {
				return err
			}
			return fn(&Tx{q: db.New(pipe), later: db.New(later), pipe: pipe, bulk: bulk})
		})
	})
}

// inBulk runs a transaction that copies many rows, and again without: COPY can not pass over a row
// that is there already.
func inBulk(run func(bulk bool) error) error {
	err := run(true)
	if postgres.UniqueViolation(err, "") {
		err = run(false)
	}
	return postgres.Problem(err)
}

// Read runs fn on one snapshot.
func (s *Store) Read(ctx context.Context, fn func(*Tx) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return postgres.Problem(postgres.InTx(ctx, s.pool, options, func(tx pgx.Tx) error {
		q := db.New(tx)
		return fn(&Tx{q: q, later: q})
	}))
}

// ForgetSeen removes the ids of signals received before a time and returns how many.
func (s *Store) ForgetSeen(ctx context.Context, before time.Time) (int64, error) {
	n, err := db.New(s.pool).ForgetSeen(ctx, timestamp(before))
	return n, postgres.Problem(err)
}

// Ping asks the database for nothing.
func (s *Store) Ping(ctx context.Context) error { return postgres.Problem(s.pool.Ping(ctx)) }

// Tx is one transaction. What it writes waits for the next reading or the commit and goes to the
// server with that: the buckets stay locked for as few round trips as can be.
type Tx struct {
	q, later *db.Queries
	pipe     *postgres.Pipe // nil in one that only reads
	raw      pgx.Tx         // nil in one that only reads, and in a piped one
	bulk     bool           // many rows go in by COPY
}

// Person is a row of a person.
type Person struct {
	ID, Household, MergedInto lead.ID
	Account                   lead.ID // that the person acts for; zero without one
	Version                   int64
	Epoch                     int16
	Golden, Facts, Profile    []byte
	CreatedAt                 time.Time
}

// Key is a hashed blocking key.
type Key struct {
	Kind int16
	Hash lead.ID
}

// LeadPerson says which person a lead is from and why.
type LeadPerson struct {
	LeadID, PersonID     lead.ID
	Created, Contradicts bool
	Weight               int32
	Reasons              string
}

// Consent is a fact of a person under an epoch.
type Consent struct {
	PersonID, ID lead.ID
	Origin       lead.ID // the lead it came with; zero for a derived one
	Epoch        int16
	Fact         []byte
	Old          bool      // as read: from before origins were kept
	RecordedAt   time.Time // as read; written is Changes.At
}

// Stop is a revocation at a contact point.
type Stop struct {
	Point, ConsentID, PersonID lead.ID
	Fact                       []byte
}

// Locks are what a transaction has to itself: buckets, or, where there are any, keys, of whose buckets
// others may have other keys. Each list must be sorted and without repetitions, so that transactions can
// not wait for each other in a circle.
type Locks struct {
	Buckets []int32 // of all keys
	Keys    []int32 // parts of hashes: two keys may have one
}

// Lock waits until no other transaction works on what is locked, and keeps it until the transaction ends.
func (t *Tx) Lock(ctx context.Context, l Locks) error {
	if len(l.Keys) == 0 {
		return t.later.LockBuckets(ctx, lockNamespace, l.Buckets)
	}
	return t.later.LockKeys(ctx, lockNamespace, l.Buckets, keyLockNamespace, l.Keys)
}

// Known is who may have to do with what is to be linked.
type Known struct {
	Holders [][]lead.ID      // of each key
	Leads   []lead.ID        // that were resolved before
	Stopped map[lead.ID]bool // contact points with a revocation
}

// Known returns who holds each key, at most so many per key, which of the leads were resolved before,
// and at which contact points somebody revoked something.
func (t *Tx) Known(ctx context.Context, keys []Key, most int, leads, points []lead.ID) (Known, error) {
	known := Known{Holders: make([][]lead.ID, len(keys))}
	if len(keys)+len(leads)+len(points) == 0 {
		return known, nil
	}
	n := len(keys)
	p := db.KnownParams{
		Most: int32(most), Places: make([]int32, n), Buckets: make([]int16, n), Kinds: make([]int16, n), KeyHashes: make([]pgtype.UUID, n),
		LeadBuckets: bucketsOf(leads), LeadIds: uuids(leads), PointBuckets: bucketsOf(points), PointHashes: uuids(points),
	}
	for i, k := range keys {
		p.Places[i], p.Buckets[i], p.Kinds[i], p.KeyHashes[i] = int32(i), k.Hash.Bucket(), k.Kind, uuid(k.Hash)
	}
	rows, err := t.q.Known(ctx, p)
	if err != nil {
		return known, err
	}
	for _, r := range rows {
		switch r.Place {
		case placeOfLead:
			known.Leads = append(known.Leads, r.ID.Bytes)
		case placeOfPoint:
			if known.Stopped == nil {
				known.Stopped = map[lead.ID]bool{}
			}
			known.Stopped[r.ID.Bytes] = true
		default:
			known.Holders[r.Place] = append(known.Holders[r.Place], r.ID.Bytes)
		}
	}
	return known, nil
}

// The places of rows of Known that are no key's.
const (
	placeOfLead  = -1
	placeOfPoint = -2
)

// LeadPersons returns the persons of those leads that were resolved before.
func (t *Tx) LeadPersons(ctx context.Context, leads []lead.ID) (map[lead.ID]LeadPerson, error) {
	out := make(map[lead.ID]LeadPerson, len(leads))
	if len(leads) == 0 {
		return out, nil
	}
	rows, err := t.q.LeadPersons(ctx, bucketsOf(leads), uuids(leads))
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		out[r.LeadID.Bytes] = LeadPerson{
			LeadID: r.LeadID.Bytes, PersonID: r.PersonID.Bytes, Created: r.Created, Contradicts: r.Contradicts,
			Weight: r.Weight, Reasons: r.Reasons,
		}
	}
	return out, nil
}

// Holders returns the persons that hold each key, at most so many per key.
func (t *Tx) Holders(ctx context.Context, keys []Key, most int) ([][]lead.ID, error) {
	known, err := t.Known(ctx, keys, most, nil, nil)
	return known.Holders, err
}

// LockPersons returns the rows of persons and holds them until the end of the transaction.
func (t *Tx) LockPersons(ctx context.Context, ids []lead.ID) ([]Person, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := t.q.LockPersons(ctx, bucketsOf(ids), uuids(ids))
	if err != nil {
		return nil, err
	}
	return personsOf(rows), nil
}

// Person returns one person's row.
func (t *Tx) Person(ctx context.Context, id lead.ID) (Person, error) {
	r, err := t.q.Person(ctx, id.Bucket(), uuid(id))
	if errors.Is(err, pgx.ErrNoRows) {
		return Person{}, problem.NotFound("person")
	}
	if err != nil {
		return Person{}, err
	}
	return personOf(r), nil
}

// personOf reads the row of a person, whichever query selected it.
func personOf(r db.PersonRow) Person {
	return Person{
		ID: r.PersonID.Bytes, Household: r.HouseholdID.Bytes, MergedInto: r.MergedInto.Bytes, Version: r.Version,
		Epoch: r.ConsentEpoch, Golden: r.Golden, Facts: r.Facts, Profile: r.Profile, CreatedAt: r.CreatedAt.Time, Account: r.AccountID.Bytes,
	}
}

func personsOf[R db.LockPersonsRow | db.StoryPersonsRow | db.PersonsAfterRow | db.PersonsByIDRow](rows []R) []Person {
	out := make([]Person, len(rows))
	for i, r := range rows {
		out[i] = personOf(db.PersonRow(r))
	}
	return out
}

// WithJoined returns the persons that were joined into a person, and it itself as the last.
func (t *Tx) WithJoined(ctx context.Context, id lead.ID) ([]lead.ID, error) {
	rows, err := t.q.Joined(ctx, uuid(id))
	if err != nil {
		return nil, err
	}
	return append(leadIDs(rows), id), nil
}

// Records returns the latest records of persons, newest first.
func (t *Tx) Records(ctx context.Context, persons []lead.ID, most int) ([]Record, error) {
	rows, err := t.q.Records(ctx, bucketsOf(persons), uuids(persons), int32(most))
	if err != nil {
		return nil, err
	}
	out := make([]Record, len(rows))
	for i, r := range rows {
		out[i] = Record{
			PersonID: r.PersonID.Bytes, ID: r.RecordID.Bytes, LeadID: r.LeadID.Bytes, Body: r.Body, Weight: r.Weight,
			Reasons: r.Reasons, LinkedAt: r.LinkedAt.Time,
		}
	}
	return out, nil
}

// CountRecords returns how many records persons have.
func (t *Tx) CountRecords(ctx context.Context, persons []lead.ID) (int64, error) {
	return t.q.CountRecords(ctx, bucketsOf(persons), uuids(persons))
}

// Bearing returns the facts that hold for persons under their epochs and the revocations at contact
// points.
func (t *Tx) Bearing(ctx context.Context, persons []lead.ID, epochs []int16, points []lead.ID) ([]Consent, []Stop, error) {
	if len(persons)+len(points) == 0 {
		return nil, nil, nil
	}
	rows, err := t.q.Bearing(ctx, bucketsOf(persons), uuids(persons), epochs, bucketsOf(points), uuids(points))
	if err != nil {
		return nil, nil, err
	}
	var held []Consent
	var stops []Stop
	for _, r := range rows {
		if r.Stops {
			stops = append(stops, Stop{Point: r.Whose.Bytes, ConsentID: r.ConsentID.Bytes, Fact: r.Fact})
		} else {
			held = append(held, Consent{PersonID: r.Whose.Bytes, ID: r.ConsentID.Bytes, Fact: r.Fact})
		}
	}
	return held, stops, nil
}

// Seen returns which signals were noted before.
func (t *Tx) Seen(ctx context.Context, signals []lead.ID) (map[lead.ID]bool, error) {
	rows, err := t.q.SeenSignals(ctx, bucketsOf(signals), uuids(signals))
	if err != nil {
		return nil, err
	}
	out := make(map[lead.ID]bool, len(rows))
	for _, r := range rows {
		out[r.Bytes] = true
	}
	return out, nil
}

func uuid(id lead.ID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

// uuidOrNull writes the zero ID as NULL.
func uuidOrNull(id lead.ID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: !id.IsZero()} }

func uuids(ids []lead.ID) []pgtype.UUID {
	out := make([]pgtype.UUID, len(ids))
	for i, id := range ids {
		out[i] = uuid(id)
	}
	return out
}

func leadIDs(ids []pgtype.UUID) []lead.ID {
	out := make([]lead.ID, len(ids))
	for i, id := range ids {
		out[i] = id.Bytes
	}
	return out
}

func bucketsOf(ids []lead.ID) []int16 {
	out := make([]int16, len(ids))
	for i, id := range ids {
		out[i] = id.Bucket()
	}
	return out
}

func timestamp(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: true} }
