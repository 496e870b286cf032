-- name: ListUpdates :many
-- What came under a lead's source id after it and is not in its body, oldest first.
SELECT body FROM lead_update WHERE bucket = @bucket AND lead_id = @lead_id AND folded IS NOT TRUE ORDER BY at, update_id;

-- name: ClaimUpdates :many
-- Claimed rows are leased: whoever dies with them leaves them due again.
WITH due AS (
    SELECT d.bucket, d.lead_id, d.update_id FROM lead_update d
    WHERE d.next_attempt_at <= @now::timestamptz
    ORDER BY d.next_attempt_at LIMIT @max_rows FOR UPDATE SKIP LOCKED
)
UPDATE lead_update u SET next_attempt_at = @lease::timestamptz
FROM due JOIN lead l ON l.bucket = due.bucket AND l.lead_id = due.lead_id
WHERE u.bucket = due.bucket AND u.lead_id = due.lead_id AND u.update_id = due.update_id
RETURNING u.lead_id, u.update_id, u.at, u.body, l.traceparent, coalesce(u.actor, '')::text AS actor, coalesce(u.reason, '')::text AS reason;

-- name: SetUpdateAttempts :exec
-- Without a time an update is learned.
UPDATE lead_update u SET next_attempt_at = @next_attempt_at
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id,
    unnest(@update_ids::uuid[]) AS update_id) AS k
WHERE u.bucket = k.bucket AND u.lead_id = k.lead_id AND u.update_id = k.update_id;
