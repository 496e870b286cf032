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

-- name: ListParkedLeads :many
-- Parked leads, not documents, by review date.
SELECT k.lead_id, k.review_at FROM parked k JOIN lead l ON l.bucket = k.bucket AND l.lead_id = k.lead_id
WHERE (k.review_at, k.lead_id) > (@after::timestamptz, @after_lead_id::uuid) AND octet_length(l.body) > 0
ORDER BY k.review_at, k.lead_id LIMIT @max_rows;

-- name: YieldParked :exec
DELETE FROM parked k USING (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) AS d
WHERE k.bucket = d.bucket AND k.lead_id = d.lead_id;
