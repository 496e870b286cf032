-- name: LockLead :one
-- One mends a lead at a time.
SELECT lead_id FROM lead WHERE bucket = @bucket AND lead_id = @lead_id FOR NO KEY UPDATE;

-- name: LockPending :execrows
SELECT lead_id FROM pending WHERE bucket = @bucket AND lead_id = @lead_id FOR UPDATE;

-- name: LockRejected :execrows
SELECT lead_id FROM rejected WHERE bucket = @bucket AND lead_id = @lead_id FOR UPDATE;

-- name: LockParked :execrows
SELECT lead_id FROM parked WHERE bucket = @bucket AND lead_id = @lead_id FOR UPDATE;

-- name: GetRejectActor :one
SELECT coalesce(actor, '')::text AS actor FROM rejected WHERE bucket = @bucket AND lead_id = @lead_id;

-- name: GetParkedDocument :one
SELECT coalesce(kind, 0)::smallint AS kind, coalesce(intake, '')::text AS intake FROM parked WHERE bucket = @bucket AND lead_id = @lead_id;

-- name: ListUnfolded :many
SELECT update_id, body, coalesce(actor, '')::text AS actor FROM lead_update
WHERE bucket = @bucket AND lead_id = @lead_id AND folded IS NOT TRUE ORDER BY at, update_id;

-- name: LastUpdate :one
SELECT update_id, at, raw, coalesce(actor, '')::text AS actor, coalesce(reason, '')::text AS reason FROM lead_update
WHERE bucket = @bucket AND lead_id = @lead_id ORDER BY at DESC, update_id DESC LIMIT 1;

-- name: FoldUpdates :exec
UPDATE lead_update SET folded = true WHERE bucket = @bucket AND lead_id = @lead_id AND folded IS NOT TRUE;

-- name: InsertUpdate :exec
INSERT INTO lead_update (bucket, lead_id, update_id, at, body, raw, next_attempt_at, actor, reason, folded)
VALUES (@bucket, @lead_id, @update_id, @at, @body, @raw, @at, @actor, @reason, @folded);

-- name: RestartPending :exec
UPDATE pending SET attempts = 0, next_attempt_at = @next_attempt_at WHERE bucket = @bucket AND lead_id = @lead_id;

-- name: ReviveRejected :exec
WITH gone AS (
    DELETE FROM rejected WHERE rejected.bucket = @bucket AND rejected.lead_id = @lead_id
    RETURNING rejected.bucket, rejected.lead_id
)
INSERT INTO pending (bucket, lead_id, since, attempts, next_attempt_at)
SELECT gone.bucket, gone.lead_id, @since::timestamptz, 0, @next_attempt_at::timestamptz FROM gone;

-- name: SetRejected :exec
UPDATE rejected SET code = @code, detail = @detail, actor = @actor WHERE bucket = @bucket AND lead_id = @lead_id;

-- name: ListRejected :many
SELECT lead_id, at FROM rejected
WHERE code = @code AND at >= @since::timestamptz AND at < @until::timestamptz AND (at, lead_id) > (@after::timestamptz, @after_lead_id::uuid)
ORDER BY at, lead_id LIMIT @max_rows;

-- name: CountParked :one
SELECT count(*) FROM (SELECT 1 FROM parked WHERE review_at > @now::timestamptz AND at >= @since::timestamptz AND at < @until::timestamptz LIMIT @max_rows) k;

-- name: RecallParked :execrows
-- Has parked leads reviewed now.
UPDATE parked p SET review_at = @now::timestamptz
FROM (SELECT k.bucket, k.lead_id FROM parked k
    WHERE k.review_at > @now::timestamptz AND k.at >= @since::timestamptz AND k.at < @until::timestamptz
    ORDER BY k.review_at LIMIT @max_rows FOR UPDATE SKIP LOCKED) AS due
WHERE p.bucket = due.bucket AND p.lead_id = due.lead_id;

-- name: FindByKey :many
SELECT lead_id, credential, received_at, body FROM lead WHERE lookup_keys @> ARRAY[@key::bigint] ORDER BY received_at DESC LIMIT @max_rows;

-- name: AddLookupKeys :exec
UPDATE lead SET lookup_keys = (SELECT array_agg(DISTINCT k) FROM unnest(coalesce(lookup_keys, '{}') || @keys::bigint[]) AS k)
WHERE bucket = @bucket AND lead_id = @lead_id AND NOT coalesce(lookup_keys, '{}') @> @keys::bigint[];
