-- name: KnownDecisions :many
SELECT d.lead_id FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) k
JOIN decision d ON d.bucket = k.bucket AND d.lead_id = k.lead_id;

-- name: ClaimInterest :many
INSERT INTO open_interest (bucket, person_id, brand, line, dealer_id, lead_id)
SELECT unnest(@buckets::smallint[]), unnest(@person_ids::uuid[]), unnest(@brands::text[]),
       unnest(@lines::smallint[]), unnest(@dealer_ids::text[]), unnest(@lead_ids::uuid[])
ON CONFLICT DO NOTHING
RETURNING person_id, brand, line, dealer_id, lead_id;

-- name: InterestHolders :many
SELECT person_id, brand, line, dealer_id, lead_id FROM open_interest
WHERE (bucket, person_id) IN (SELECT unnest(@buckets::smallint[]), unnest(@person_ids::uuid[]));

-- name: ReleaseInterest :exec
DELETE FROM open_interest WHERE lead_id = ANY(@lead_ids::uuid[]);

-- name: InsertDecisions :many
INSERT INTO decision (bucket, lead_id, lead_version, state, person_id, brand, line, test, chosen, attempt,
    dealer_id, merged_into, park_reason, park_owner, review_at, closed_at, returned_from, received_at, decided_at,
    playbook, traceparent, lead, profile, decision)
SELECT unnest(@buckets::smallint[]), unnest(@lead_ids::uuid[]), 1, unnest(@states::smallint[]), unnest(@person_ids::uuid[]),
    unnest(@brands::text[]), unnest(@lines::smallint[]), unnest(@tests::boolean[]), unnest(@chosen::boolean[]),
    unnest(@attempts::integer[]), unnest(@dealer_ids::text[]), unnest(@merged_into::uuid[]),
    unnest(@park_reasons::smallint[]), unnest(@park_owners::text[]), unnest(@review_at::timestamptz[]), unnest(@closed_at::timestamptz[]),
    unnest(@returned_from::uuid[]), unnest(@received_at::timestamptz[]), unnest(@decided_at::timestamptz[]),
    unnest(@playbooks::text[]), unnest(@traceparents::text[]), unnest(@leads::bytea[]), unnest(@profiles::bytea[]),
    unnest(@decisions::bytea[])
ON CONFLICT DO NOTHING
RETURNING lead_id;

-- name: DeleteDecisions :exec
DELETE FROM decision d USING (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) k
WHERE d.bucket = k.bucket AND d.lead_id = k.lead_id;

-- name: InsertReceipts :exec
INSERT INTO receipt (bucket, lead_id, attempt, canonical)
SELECT unnest(@buckets::smallint[]), unnest(@lead_ids::uuid[]), unnest(@attempts::integer[]), unnest(@canonical::bytea[])
ON CONFLICT (bucket, lead_id, attempt) DO NOTHING;

-- name: DeleteReceipts :exec
DELETE FROM receipt r USING (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) k
WHERE r.bucket = k.bucket AND r.lead_id = k.lead_id;

-- name: EnsureCapacity :exec
INSERT INTO capacity (dealer_id, book) SELECT unnest(@dealer_ids::text[]), '{}' ON CONFLICT DO NOTHING;

-- name: LockCapacity :many
SELECT dealer_id, book FROM capacity WHERE dealer_id = ANY(@dealer_ids::text[]) ORDER BY dealer_id FOR UPDATE;

-- name: SetCapacity :exec
UPDATE capacity SET book = n.book
FROM (SELECT unnest(@dealer_ids::text[]) AS dealer_id, unnest(@books::jsonb[]) AS book) n
WHERE capacity.dealer_id = n.dealer_id;

-- name: InsertAssignments :exec
INSERT INTO assignment (bucket, lead_id, sequence, attempt, dealer_id, department, role, person_id, assigned_at,
    delivered_at, next_deadline, deadline_kind, clock, grant_facts)
SELECT unnest(@buckets::smallint[]), unnest(@lead_ids::uuid[]), unnest(@sequences::integer[]), unnest(@attempts::integer[]),
    unnest(@dealer_ids::text[]), unnest(@departments::smallint[]), unnest(@roles::smallint[]), unnest(@person_ids::text[]),
    unnest(@assigned_at::timestamptz[]), unnest(@delivered_at::timestamptz[]), unnest(@next_deadlines::timestamptz[]),
    unnest(@deadline_kinds::smallint[]), unnest(@clocks::bytea[]), unnest(@grant_facts::bytea[]);
