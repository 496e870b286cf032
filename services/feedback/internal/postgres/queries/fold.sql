-- name: InsertUnfolded :exec
INSERT INTO unfolded (recorded_at, lead_ids) VALUES (@recorded_at, @lead_ids);

-- name: LockFolding :exec
-- Waits for whoever folds, until this transaction ends.
SELECT pg_advisory_xact_lock(@key);

-- name: TakeUnfolded :many
DELETE FROM unfolded
WHERE batch_id IN (SELECT u.batch_id FROM unfolded AS u ORDER BY u.batch_id LIMIT @batches)
RETURNING recorded_at, lead_ids;

-- name: ListEventsOf :many
-- Answers what all events of leads tell.
SELECT e.lead_id, e.lead_version, e.type, e.source, e.occurred_at, e.facts
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) AS given
JOIN event AS e ON e.bucket = given.bucket AND e.lead_id = given.lead_id;

-- name: ListFolded :many
-- Answers how many events the facts of leads tell.
SELECT f.lead_id, f.events
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) AS given
JOIN lead_fact AS f ON f.bucket = given.bucket AND f.lead_id = given.lead_id;

-- name: ListCaptured :many
-- Answers which of the leads the log has seen captured.
SELECT DISTINCT e.lead_id
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) AS given
JOIN event AS e ON e.bucket = given.bucket AND e.lead_id = given.lead_id
WHERE e.type = 'leadmesh.lead.captured.v1';

-- name: CopyLeadFacts :copyfrom
INSERT INTO lead_fact (
    requested_at, received_at, state_at, due_at, assigned_at, delivered_at, responded_at, engaged_at, worked_at,
    events, flags, assignments, probability_ppm, bucket, line, state, test, bad_contact, desk, lead_id, brand,
    source, campaign, state_code, state_actor, dealer_id, due_kind, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
    $25, $26, $27, $28);

-- name: UpdateLeadFacts :exec
-- Writes facts over those of fewer events. Sorted by the caller.
UPDATE lead_fact AS f SET
    bad_contact = f.bad_contact OR given.bad_contact,
    requested_at = given.requested_at, received_at = given.received_at, state_at = given.state_at,
    due_at = given.due_at, assigned_at = given.assigned_at, delivered_at = given.delivered_at,
    responded_at = given.responded_at, engaged_at = given.engaged_at, worked_at = given.worked_at,
    events = given.events, flags = given.flags, assignments = given.assignments,
    probability_ppm = given.probability_ppm, line = given.line, state = given.state, test = given.test,
    desk = given.desk, brand = given.brand, source = given.source, campaign = given.campaign,
    state_code = given.state_code, state_actor = given.state_actor, dealer_id = given.dealer_id,
    due_kind = given.due_kind, detail = given.detail
FROM (
    SELECT
        unnest(@requested_at::timestamptz[]) AS requested_at, unnest(@received_at::timestamptz[]) AS received_at,
        unnest(@state_at::timestamptz[]) AS state_at, unnest(@due_at::timestamptz[]) AS due_at,
        unnest(@assigned_at::timestamptz[]) AS assigned_at, unnest(@delivered_at::timestamptz[]) AS delivered_at,
        unnest(@responded_at::timestamptz[]) AS responded_at, unnest(@engaged_at::timestamptz[]) AS engaged_at,
        unnest(@worked_at::timestamptz[]) AS worked_at, unnest(@events::integer[]) AS events,
        unnest(@flags::integer[]) AS flags, unnest(@assignments::integer[]) AS assignments,
        unnest(@probability_ppm::integer[]) AS probability_ppm, unnest(@buckets::smallint[]) AS bucket,
        unnest(@line::smallint[]) AS line, unnest(@state::smallint[]) AS state, unnest(@test::boolean[]) AS test,
        unnest(@bad_contact::boolean[]) AS bad_contact, unnest(@desk::boolean[]) AS desk,
        unnest(@lead_ids::uuid[]) AS lead_id, unnest(@brand::text[]) AS brand, unnest(@source::text[]) AS source,
        unnest(@campaign::text[]) AS campaign, unnest(@state_code::text[]) AS state_code,
        unnest(@state_actor::text[]) AS state_actor, unnest(@dealer_id::text[]) AS dealer_id,
        unnest(@due_kind::text[]) AS due_kind, unnest(@detail::jsonb[]) AS detail
) AS given
WHERE f.bucket = given.bucket AND f.lead_id = given.lead_id AND f.events < given.events;

-- name: MarkBadContact :exec
-- Notes useless contact points, of leads that no event told of too. Sorted by the caller.
INSERT INTO lead_fact (
    events, flags, assignments, probability_ppm, bucket, line, state, test, bad_contact, desk, lead_id,
    brand, source, campaign, state_code, state_actor, dealer_id, due_kind)
SELECT 0, 0, 0, 0, given.bucket, 0, 0, false, true, false, given.lead_id, '', '', '', '', '', '', ''
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) AS given
ON CONFLICT (bucket, lead_id) DO UPDATE SET bad_contact = true WHERE NOT lead_fact.bad_contact;
