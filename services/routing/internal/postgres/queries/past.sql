-- name: PastCases :many
-- In the order of the primary key; the caller leaves out what it does not want, so that a page reads
-- no more rows than it says.
SELECT lead_id, state, brand, line, test, received_at, closed_at FROM decision
WHERE bucket = @bucket AND lead_id > @after ORDER BY lead_id LIMIT @most;

-- name: FirstReceipts :many
SELECT r.lead_id, r.canonical FROM unnest(@lead_ids::uuid[]) AS k(lead_id)
CROSS JOIN LATERAL (
    SELECT c.lead_id, c.canonical FROM receipt c WHERE c.bucket = @bucket AND c.lead_id = k.lead_id ORDER BY c.attempt LIMIT 1
) r;
