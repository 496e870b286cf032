-- name: DueByBucket :many
SELECT b.bucket::smallint AS bucket,
       (SELECT min(a.next_deadline) FROM assignment a WHERE a.bucket = b.bucket)::timestamptz AS next_deadline,
       (SELECT min(d.review_at) FROM decision d WHERE d.bucket = b.bucket AND d.state = 4)::timestamptz AS review_at
FROM (SELECT unnest(@buckets::smallint[]) AS bucket) b;

-- name: NextOffer :one
SELECT min(offer_until)::timestamptz AS offer_until FROM assignment WHERE offer_to <> '';

-- name: LockDue :many
SELECT d.lead_id FROM assignment a JOIN decision d ON d.bucket = a.bucket AND d.lead_id = a.lead_id
WHERE a.bucket = @bucket AND a.next_deadline <= @now
ORDER BY a.next_deadline LIMIT @page FOR UPDATE OF d SKIP LOCKED;

-- name: LockReviews :many
SELECT lead_id FROM decision
WHERE bucket = @bucket AND state = 4 AND review_at <= @now
ORDER BY review_at LIMIT @page FOR UPDATE SKIP LOCKED;

-- name: LockOffers :many
SELECT d.bucket, d.lead_id FROM assignment a JOIN decision d ON d.bucket = a.bucket AND d.lead_id = a.lead_id
WHERE a.offer_to <> '' AND a.offer_until <= @now
ORDER BY a.offer_until LIMIT @page FOR UPDATE OF d SKIP LOCKED;

-- name: UpdateVersions :exec
UPDATE decision SET lead_version = n.lead_version
FROM (SELECT unnest(@lead_ids::uuid[]) AS lead_id, unnest(@versions::bigint[]) AS lead_version) n
WHERE decision.bucket = @bucket AND decision.lead_id = n.lead_id;

-- name: UpdateClocks :exec
UPDATE assignment SET next_deadline = n.next_deadline, deadline_kind = n.deadline_kind, clock = n.clock,
    person_id = n.person_id, grant_facts = n.grant_facts
FROM (SELECT unnest(@lead_ids::uuid[]) AS lead_id, unnest(@next_deadlines::timestamptz[]) AS next_deadline,
        unnest(@deadline_kinds::smallint[]) AS deadline_kind, unnest(@clocks::bytea[]) AS clock,
        unnest(@person_ids::text[]) AS person_id, unnest(@grant_facts::bytea[]) AS grant_facts) n
WHERE assignment.bucket = @bucket AND assignment.lead_id = n.lead_id;

-- name: CountParked :one
SELECT count(*) FROM (SELECT 1 FROM decision WHERE state = 4 AND park_reason = @reason AND review_at > @now::timestamptz
    AND decided_at >= @since::timestamptz AND decided_at < @until::timestamptz LIMIT @page) k;

-- name: RecallParked :execrows
UPDATE decision d SET review_at = @now::timestamptz
FROM (SELECT k.bucket, k.lead_id FROM decision k
    WHERE k.state = 4 AND k.park_reason = @reason AND k.review_at > @now::timestamptz
      AND k.decided_at >= @since::timestamptz AND k.decided_at < @until::timestamptz
    ORDER BY k.review_at LIMIT @page FOR UPDATE SKIP LOCKED) AS due
WHERE d.bucket = due.bucket AND d.lead_id = due.lead_id;
