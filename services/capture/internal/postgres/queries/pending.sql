-- name: ReleasePending :exec
-- Routing has decided these: it is their authority from now on. A delete that a crash takes back
-- only has the lead driven once more, so it does not wait for the disk.
WITH loose AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true) AS setting)
DELETE FROM pending p USING loose, (SELECT unnest(@buckets::smallint[]) AS bucket,
    unnest(@lead_ids::uuid[]) AS lead_id) AS k
WHERE p.bucket = k.bucket AND p.lead_id = k.lead_id;

-- name: DelayPending :exec
UPDATE pending p SET attempts = p.attempts + k.counted, next_attempt_at = k.at
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id,
    unnest(@counted::smallint[]) AS counted, unnest(@next_attempt_at::timestamptz[]) AS at) AS k
WHERE p.bucket = k.bucket AND p.lead_id = k.lead_id;

-- name: WakeAllPending :execrows
UPDATE pending SET next_attempt_at = @now::timestamptz WHERE bucket = @bucket AND next_attempt_at > @now::timestamptz;

-- name: DueBuckets :many
SELECT b.bucket::smallint AS bucket FROM generate_series(0, 63) AS b(bucket)
WHERE EXISTS (SELECT FROM pending p WHERE p.bucket = b.bucket::smallint AND p.next_attempt_at <= @now::timestamptz);

-- name: ClaimPending :many
-- Claimed rows are leased: whoever dies with them leaves them due again.
WITH due AS (
    SELECT d.bucket, d.lead_id FROM pending d
    WHERE d.bucket = @bucket AND d.next_attempt_at <= @now::timestamptz
    ORDER BY d.next_attempt_at LIMIT @max_rows FOR UPDATE SKIP LOCKED
)
UPDATE pending p SET next_attempt_at = @lease::timestamptz
FROM due JOIN lead l ON l.bucket = due.bucket AND l.lead_id = due.lead_id
WHERE p.bucket = due.bucket AND p.lead_id = due.lead_id
RETURNING p.lead_id, p.attempts, l.received_at, l.test, l.playbook_revision, l.traceparent, l.body;

-- name: OldestPending :one
SELECT min(since)::timestamptz AS since, count(*) AS waiting FROM pending;

-- name: ParkPending :execrows
-- Moves a lead that is still pending; one that was released meanwhile stays so.
WITH gone AS (
    DELETE FROM pending WHERE pending.bucket = @bucket AND pending.lead_id = @lead_id
    RETURNING pending.bucket, pending.lead_id
)
INSERT INTO parked (bucket, lead_id, at, owner, reason, review_at, detail)
SELECT gone.bucket, gone.lead_id, @at, @owner, 'DATA', @review_at, @detail FROM gone;

-- name: RejectPending :execrows
WITH gone AS (
    DELETE FROM pending WHERE pending.bucket = @bucket AND pending.lead_id = @lead_id
    RETURNING pending.bucket, pending.lead_id
)
INSERT INTO rejected (bucket, lead_id, at, code, detail)
SELECT gone.bucket, gone.lead_id, @at, @code, @detail FROM gone;

-- name: SetGoverned :exec
UPDATE lead SET body = @body, flags = @flags, requested_at = @requested_at, playbook_revision = @playbook_revision
WHERE bucket = @bucket AND lead_id = @lead_id;
