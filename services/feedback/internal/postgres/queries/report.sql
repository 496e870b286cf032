-- name: InsertReports :many
-- Adds reports and answers those that were new. Sorted by the caller.
INSERT INTO report (bucket, lead_id, report_type, report_id, dealer_id, reporter, occurred_at, recorded_at, payload, status, reason)
SELECT given.bucket, given.lead_id, given.report_type, given.report_id, given.dealer_id,
    @reporter::text, given.occurred_at, @recorded_at::timestamptz, given.payload, 0, ''
FROM (SELECT
        unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id, unnest(@report_types::smallint[]) AS report_type,
        unnest(@report_ids::text[]) AS report_id, unnest(@dealer_ids::text[]) AS dealer_id, unnest(@occurred_at::timestamptz[]) AS occurred_at,
        unnest(@payloads::bytea[]) AS payload
    ) AS given
ON CONFLICT (bucket, lead_id, report_type, report_id) DO NOTHING
RETURNING lead_id, report_type, report_id;

-- name: InsertUnapplied :exec
INSERT INTO unapplied (bucket, lead_id, report_type, report_id, attempts, next_attempt_at)
SELECT given.bucket, given.lead_id, given.report_type, given.report_id, 1, @next_attempt_at::timestamptz
FROM (SELECT
        unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id, unnest(@report_types::smallint[]) AS report_type,
        unnest(@report_ids::text[]) AS report_id
    ) AS given;

-- name: ListReports :many
SELECT lead_id, report_type, report_id, reporter, status, reason, payload, recorded_at
FROM report
WHERE (bucket, lead_id, report_type, report_id) IN
    (SELECT unnest(@buckets::smallint[]), unnest(@lead_ids::uuid[]), unnest(@report_types::smallint[]), unnest(@report_ids::text[]));

-- name: SettleReports :exec
UPDATE report AS r SET status = given.status, reason = given.reason
FROM (SELECT
        unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id, unnest(@report_types::smallint[]) AS report_type,
        unnest(@report_ids::text[]) AS report_id, unnest(@statuses::smallint[]) AS status, unnest(@reasons::text[]) AS reason
    ) AS given
WHERE r.bucket = given.bucket AND r.lead_id = given.lead_id
  AND r.report_type = given.report_type AND r.report_id = given.report_id AND r.status = 0;

-- name: DeleteUnapplied :exec
DELETE FROM unapplied
WHERE (bucket, lead_id, report_type, report_id) IN
    (SELECT unnest(@buckets::smallint[]), unnest(@lead_ids::uuid[]), unnest(@report_types::smallint[]), unnest(@report_ids::text[]));

-- name: PostponeUnapplied :exec
UPDATE unapplied AS u SET next_attempt_at = given.next_attempt_at
FROM (SELECT
        unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id, unnest(@report_types::smallint[]) AS report_type,
        unnest(@report_ids::text[]) AS report_id, unnest(@next_attempt_at::timestamptz[]) AS next_attempt_at
    ) AS given
WHERE u.bucket = given.bucket AND u.lead_id = given.lead_id
  AND u.report_type = given.report_type AND u.report_id = given.report_id;

-- name: DueBuckets :many
SELECT DISTINCT bucket FROM unapplied WHERE next_attempt_at <= @now ORDER BY bucket;

-- name: ClaimUnapplied :many
-- Takes what is due in one bucket for a while: who dies with it loses nothing, it falls due again.
WITH due AS (
    SELECT bucket, lead_id, report_type, report_id FROM unapplied
    WHERE unapplied.bucket = @bucket AND unapplied.next_attempt_at <= @now
    ORDER BY unapplied.next_attempt_at
    LIMIT @page_size
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE unapplied AS u SET attempts = u.attempts + 1, next_attempt_at = @leased_until
    FROM due
    WHERE u.bucket = due.bucket AND u.lead_id = due.lead_id AND u.report_type = due.report_type AND u.report_id = due.report_id
    RETURNING u.bucket, u.lead_id, u.report_type, u.report_id, u.attempts
)
SELECT c.lead_id, c.report_type, c.report_id, c.attempts, r.payload, r.recorded_at
FROM claimed AS c
JOIN report AS r ON r.bucket = c.bucket AND r.lead_id = c.lead_id AND r.report_type = c.report_type AND r.report_id = c.report_id
ORDER BY r.occurred_at, c.lead_id, c.report_id;

-- name: CountUnapplied :one
SELECT count(*) FROM unapplied;
