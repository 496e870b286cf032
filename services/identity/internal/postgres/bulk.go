package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

func (t *Tx) copyPersons(ctx context.Context, persons []*Person, at time.Time) error {
	return t.pipe.Copy(ctx, "person", len(persons),
		postgres.Col("bucket", func(i int) int16 { return persons[i].ID.Bucket() }),
		postgres.Col("person_id", func(i int) pgtype.UUID { return uuid(persons[i].ID) }),
		postgres.Col("household_id", func(i int) pgtype.UUID { return uuid(persons[i].Household) }),
		postgres.Col("version", func(i int) int64 { return 1 }),
		postgres.Col("golden", func(i int) []byte { return persons[i].Golden }),
		postgres.Col("facts", func(i int) []byte { return persons[i].Facts }),
		postgres.Col("profile", func(i int) []byte { return persons[i].Profile }),
		postgres.Col("account_id", func(i int) pgtype.UUID { return uuidOrNull(persons[i].Account) }),
		postgres.Col("created_at", func(i int) pgtype.Timestamptz { return timestamp(at) }),
		postgres.Col("updated_at", func(i int) pgtype.Timestamptz { return timestamp(at) }),
	)
}

func (t *Tx) copyRecords(ctx context.Context, records []Record, at time.Time) error {
	return t.pipe.Copy(ctx, "record", len(records),
		postgres.Col("bucket", func(i int) int16 { return records[i].PersonID.Bucket() }),
		postgres.Col("person_id", func(i int) pgtype.UUID { return uuid(records[i].PersonID) }),
		postgres.Col("record_id", func(i int) pgtype.UUID { return uuid(records[i].ID) }),
		postgres.Col("lead_id", func(i int) pgtype.UUID { return uuidOrNull(records[i].LeadID) }),
		postgres.Col("body", func(i int) []byte { return records[i].Body }),
		postgres.Col("weight", func(i int) int32 { return records[i].Weight }),
		postgres.Col("reasons", func(i int) string { return records[i].Reasons }),
		postgres.Col("linked_at", func(i int) pgtype.Timestamptz { return timestamp(at) }),
	)
}

func (t *Tx) copyKeys(ctx context.Context, keys []Holder) error {
	return t.pipe.Copy(ctx, "match_key", len(keys),
		postgres.Col("bucket", func(i int) int16 { return keys[i].Key.Hash.Bucket() }),
		postgres.Col("kind", func(i int) int16 { return keys[i].Key.Kind }),
		postgres.Col("key_hash", func(i int) pgtype.UUID { return uuid(keys[i].Key.Hash) }),
		postgres.Col("person_id", func(i int) pgtype.UUID { return uuid(keys[i].PersonID) }),
	)
}

func (t *Tx) copyLeads(ctx context.Context, leads []LeadPerson) error {
	return t.pipe.Copy(ctx, "lead_person", len(leads),
		postgres.Col("bucket", func(i int) int16 { return leads[i].LeadID.Bucket() }),
		postgres.Col("lead_id", func(i int) pgtype.UUID { return uuid(leads[i].LeadID) }),
		postgres.Col("person_id", func(i int) pgtype.UUID { return uuid(leads[i].PersonID) }),
		postgres.Col("created", func(i int) bool { return leads[i].Created }),
		postgres.Col("contradicts", func(i int) bool { return leads[i].Contradicts }),
		postgres.Col("weight", func(i int) int32 { return leads[i].Weight }),
		postgres.Col("reasons", func(i int) string { return leads[i].Reasons }),
	)
}

func (t *Tx) copyConsents(ctx context.Context, consents []Consent, at time.Time) error {
	return t.pipe.Copy(ctx, "consent", len(consents),
		postgres.Col("bucket", func(i int) int16 { return consents[i].PersonID.Bucket() }),
		postgres.Col("person_id", func(i int) pgtype.UUID { return uuid(consents[i].PersonID) }),
		postgres.Col("epoch", func(i int) int16 { return consents[i].Epoch }),
		postgres.Col("consent_id", func(i int) pgtype.UUID { return uuid(consents[i].ID) }),
		postgres.Col("fact", func(i int) []byte { return consents[i].Fact }),
		postgres.Col("recorded_at", func(i int) pgtype.Timestamptz { return timestamp(at) }),
		postgres.Col("origin", func(i int) pgtype.UUID { return uuid(consents[i].Origin) }),
	)
}
