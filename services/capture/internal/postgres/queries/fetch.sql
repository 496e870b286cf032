-- name: ClaimFetches :many
-- Claimed rows are leased: whoever dies with them leaves them due again.
WITH due AS (
    SELECT d.bucket, d.lead_id FROM parked d
    WHERE d.fetch_at <= @now::timestamptz
    ORDER BY d.fetch_at LIMIT @max_rows FOR UPDATE SKIP LOCKED
)
UPDATE parked k SET fetch_at = @lease::timestamptz
FROM due JOIN lead l ON l.bucket = due.bucket AND l.lead_id = due.lead_id
WHERE k.bucket = due.bucket AND k.lead_id = due.lead_id
RETURNING k.lead_id, k.owner, k.fetch_attempts, coalesce(k.intake, '')::text AS intake, l.received_at, l.test, l.traceparent, l.raw;

-- name: DelayFetch :exec
-- Without a time the form is not asked for any more.
UPDATE parked SET fetch_at = @fetch_at, fetch_attempts = fetch_attempts + 1, detail = @detail
WHERE bucket = @bucket AND lead_id = @lead_id AND fetch_at IS NOT NULL;

-- name: LockFetch :one
SELECT true AS waiting FROM parked WHERE bucket = @bucket AND lead_id = @lead_id AND fetch_at IS NOT NULL FOR UPDATE;

-- name: SetFetched :exec
UPDATE lead SET raw = @raw, content_type = @content_type, test = @test WHERE bucket = @bucket AND lead_id = @lead_id;
