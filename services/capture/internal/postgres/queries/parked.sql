-- name: ReviewBuckets :many
SELECT b.bucket::smallint AS bucket FROM generate_series(0, 63) AS b(bucket)
WHERE EXISTS (SELECT FROM parked p WHERE p.bucket = b.bucket::smallint AND p.review_at <= @now::timestamptz);

-- name: ClaimParked :many
-- Locks the rows until the transaction ends.
SELECT k.lead_id, k.owner, k.detail, coalesce(k.kind, 0)::smallint AS kind, coalesce(k.intake, '')::text AS intake,
    l.received_at, l.test, l.playbook_revision, l.traceparent, l.content_type, l.body, l.raw
FROM parked k JOIN lead l ON l.bucket = k.bucket AND l.lead_id = k.lead_id
WHERE k.bucket = @bucket AND k.review_at <= @now::timestamptz
ORDER BY k.review_at LIMIT @max_rows FOR UPDATE OF k SKIP LOCKED;

-- name: WakeParked :exec
WITH gone AS (
    DELETE FROM parked WHERE parked.bucket = @bucket AND parked.lead_id = @lead_id
    RETURNING parked.bucket, parked.lead_id
)
INSERT INTO pending (bucket, lead_id, since, attempts, next_attempt_at)
SELECT gone.bucket, gone.lead_id, @since::timestamptz, 0, @now::timestamptz FROM gone;

-- name: RejectParked :exec
WITH gone AS (
    DELETE FROM parked WHERE parked.bucket = @bucket AND parked.lead_id = @lead_id
    RETURNING parked.bucket, parked.lead_id
)
INSERT INTO rejected (bucket, lead_id, at, code, detail)
SELECT gone.bucket, gone.lead_id, @at, @code, @detail FROM gone;

-- name: ExtendParked :exec
UPDATE parked SET review_at = @review_at, detail = @detail WHERE bucket = @bucket AND lead_id = @lead_id;
