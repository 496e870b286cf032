-- name: PastCases :many
-- In the order of receipt; the caller leaves out what it does not want, so that a page reads no more
-- rows than it says.
SELECT lead_id, state, brand, line, test, dealer_id, received_at, closed_at FROM decision
WHERE received_at >= @since AND (received_at > @since OR lead_id > @after) AND received_at < @until
ORDER BY received_at, lead_id LIMIT @most;

-- name: PastSpan :one
SELECT coalesce(min(received_at), 'epoch')::timestamptz AS first, coalesce(max(received_at), 'epoch')::timestamptz AS last FROM decision;

-- name: FirstReceipts :many
SELECT r.lead_id, r.canonical FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) k
CROSS JOIN LATERAL (
    SELECT c.lead_id, c.canonical FROM receipt c WHERE c.bucket = k.bucket AND c.lead_id = k.lead_id ORDER BY c.attempt LIMIT 1
) r;

-- name: CountPastOutcomes :one
-- The states are won, lost and expired.
SELECT count(*) AS closed, count(*) FILTER (WHERE x.state = 10) AS won FROM (
    SELECT state FROM decision
    WHERE received_at >= @since AND received_at < @until AND line = @line AND NOT test AND state IN (10, 11, 12)
    ORDER BY received_at DESC LIMIT @most
) x;
