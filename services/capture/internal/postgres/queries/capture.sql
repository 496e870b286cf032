-- name: GetSecret :one
SELECT secret FROM installation;

-- name: FindLeads :many
SELECT l.lead_id, l.body_hash, l.body
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) AS k
JOIN lead l ON l.bucket = k.bucket AND l.lead_id = k.lead_id;

-- name: FindHeld :many
-- What is held under keys, and under identifiers: those rows have no key. One round trip for both.
SELECT i.credential, i.key, i.body_hash, i.lead_id, ''::bytea AS body
FROM (SELECT unnest(@key_buckets::smallint[]) AS bucket, unnest(@credentials::text[]) AS credential,
    unnest(@keys::text[]) AS key) AS k
JOIN idempotency_key i ON i.bucket = k.bucket AND i.credential = k.credential AND i.key = k.key
UNION ALL
SELECT '', '', l.body_hash, l.lead_id, l.body
FROM (SELECT unnest(@lead_buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) AS k
JOIN lead l ON l.bucket = k.bucket AND l.lead_id = k.lead_id;

-- name: FindUpdates :many
SELECT u.update_id
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id,
    unnest(@update_ids::uuid[]) AS update_id) AS k
JOIN lead_update u ON u.bucket = k.bucket AND u.lead_id = k.lead_id AND u.update_id = k.update_id;

-- name: InsertCaptured :exec
-- One statement is one transaction and one round trip. A row that is there already fails it with
-- a unique violation: the caller reads again and decides anew.
WITH leads AS (
    INSERT INTO lead (bucket, lead_id, credential, received_at, requested_at, test, flags, playbook_revision,
        traceparent, content_type, body_hash, body, raw, lookup_keys)
    SELECT unnest(@lead_buckets::smallint[]), unnest(@lead_ids::uuid[]), unnest(@credentials::text[]),
        unnest(@received_at::timestamptz[]), unnest(@requested_at::timestamptz[]), unnest(@test::boolean[]),
        unnest(@flags::smallint[]), unnest(@playbook_revisions::text[]), unnest(@traceparents::text[]),
        unnest(@content_types::text[]), unnest(@body_hashes::bytea[]), unnest(@bodies::bytea[]),
        unnest(@raws::bytea[]), string_to_array(nullif(unnest(@lookup_keys::text[]), ''), ' ')::bigint[]
), keys AS (
    INSERT INTO idempotency_key (bucket, credential, key, body_hash, lead_id, created_at)
    SELECT unnest(@key_buckets::smallint[]), unnest(@key_credentials::text[]), unnest(@keys::text[]),
        unnest(@key_hashes::bytea[]), unnest(@key_lead_ids::uuid[]), unnest(@key_created_at::timestamptz[])
), updates AS (
    INSERT INTO lead_update (bucket, lead_id, update_id, at, body, raw, next_attempt_at)
    SELECT unnest(@update_buckets::smallint[]), unnest(@update_lead_ids::uuid[]), unnest(@update_ids::uuid[]),
        unnest(@update_at::timestamptz[]), unnest(@update_bodies::bytea[]), unnest(@update_raws::bytea[]),
        unnest(@update_at::timestamptz[])
), waiting AS (
    INSERT INTO pending (bucket, lead_id, since, attempts, next_attempt_at)
    SELECT unnest(@pending_buckets::smallint[]), unnest(@pending_ids::uuid[]),
        unnest(@pending_since::timestamptz[]), 0, unnest(@pending_due_at::timestamptz[])
), refused AS (
    INSERT INTO rejected (bucket, lead_id, at, code, detail)
    SELECT unnest(@rejected_buckets::smallint[]), unnest(@rejected_ids::uuid[]), unnest(@rejected_at::timestamptz[]),
        unnest(@rejected_codes::text[]), unnest(@rejected_details::text[])
), set_aside AS (
    INSERT INTO parked (bucket, lead_id, at, owner, reason, review_at, detail, kind, intake, fetch_at)
    SELECT k.bucket, k.lead_id, k.at, k.owner, 'DATA', k.review_at, k.detail, nullif(k.kind, 0), nullif(k.intake, ''), k.fetch_at
    FROM (SELECT unnest(@parked_buckets::smallint[]) AS bucket, unnest(@parked_ids::uuid[]) AS lead_id,
        unnest(@parked_at::timestamptz[]) AS at, unnest(@parked_owners::text[]) AS owner,
        unnest(@parked_review_at::timestamptz[]) AS review_at, unnest(@parked_details::text[]) AS detail,
        unnest(@parked_kinds::smallint[]) AS kind, unnest(@parked_intakes::text[]) AS intake,
        unnest(@parked_fetch_at::timestamptz[]) AS fetch_at) AS k
)
INSERT INTO outbox (bucket, event_id, recorded_at, event)
SELECT unnest(@event_buckets::smallint[]), unnest(@event_ids::uuid[]), unnest(@event_recorded_at::timestamptz[]),
    unnest(@events::bytea[]);
