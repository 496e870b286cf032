-- name: InsertEvents :many
-- Adds events and answers the ids of those that were new. Sorted by the caller.
INSERT INTO event (bucket, lead_id, event_id, lead_version, type, source, occurred_at, recorded_at, traceparent, facts)
SELECT
    unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id, unnest(@event_ids::uuid[]) AS event_id,
    unnest(@lead_versions::bigint[]) AS lead_version, unnest(@types::text[]) AS type, unnest(@sources::text[]) AS source,
    unnest(@occurred_at::timestamptz[]) AS occurred_at, unnest(@recorded_at::timestamptz[]) AS recorded_at, unnest(@traceparents::text[]) AS traceparent,
    unnest(@facts::bytea[]) AS facts
ON CONFLICT (bucket, lead_id, event_id) DO NOTHING
RETURNING event_id;

-- name: ListLeadEvents :many
SELECT event_id, lead_version, type, source, occurred_at, recorded_at, traceparent, facts
FROM event
WHERE bucket = @bucket AND lead_id = @lead_id
ORDER BY occurred_at, lead_version, event_id
LIMIT 1000;

-- name: NoteArrival :exec
INSERT INTO arrival (source, minute, slot, events, max_lag_ms)
VALUES (@source, @minute, (pg_backend_pid() % 64)::smallint, @events, @max_lag_ms)
ON CONFLICT (minute, source, slot) DO UPDATE
SET events = arrival.events + EXCLUDED.events, max_lag_ms = GREATEST(arrival.max_lag_ms, EXCLUDED.max_lag_ms);

-- name: LargestLag :one
SELECT COALESCE(max(max_lag_ms), 0)::bigint AS max_lag_ms FROM arrival WHERE minute >= @since;

-- name: DeleteArrivals :exec
DELETE FROM arrival WHERE minute < @before;

-- name: InsertLeadFacts :many
-- Adds the facts of leads not held yet and answers those it added. Sorted by the caller.
INSERT INTO lead_fact (
    bucket, lead_id,
    test, brand, source, campaign, flags, assignments, bad_contact,
    requested_at, received_at, line_version, line, state_version, state,
    state_at, state_code, state_actor, owner_version, dealer_id, desk,
    probability_ppm, deadline_version, due_at, due_kind, assigned_at, delivered_at,
    responded_at, engaged_at, worked_at, detail)
SELECT
    unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id,
    unnest(@test::boolean[]) AS test, unnest(@brand::text[]) AS brand,
    unnest(@source::text[]) AS source, unnest(@campaign::text[]) AS campaign,
    unnest(@flags::integer[]) AS flags, unnest(@assignments::integer[]) AS assignments, unnest(@bad_contact::boolean[]) AS bad_contact,
    unnest(@requested_at::timestamptz[]) AS requested_at, unnest(@received_at::timestamptz[]) AS received_at,
    unnest(@line_version::bigint[]) AS line_version, unnest(@line::smallint[]) AS line,
    unnest(@state_version::bigint[]) AS state_version, unnest(@state::smallint[]) AS state,
    unnest(@state_at::timestamptz[]) AS state_at, unnest(@state_code::text[]) AS state_code,
    unnest(@state_actor::text[]) AS state_actor, unnest(@owner_version::bigint[]) AS owner_version,
    unnest(@dealer_id::text[]) AS dealer_id, unnest(@desk::boolean[]) AS desk,
    unnest(@probability_ppm::integer[]) AS probability_ppm, unnest(@deadline_version::bigint[]) AS deadline_version,
    unnest(@due_at::timestamptz[]) AS due_at, unnest(@due_kind::text[]) AS due_kind,
    unnest(@assigned_at::timestamptz[]) AS assigned_at, unnest(@delivered_at::timestamptz[]) AS delivered_at,
    unnest(@responded_at::timestamptz[]) AS responded_at, unnest(@engaged_at::timestamptz[]) AS engaged_at,
    unnest(@worked_at::timestamptz[]) AS worked_at, unnest(@detail::jsonb[]) AS detail
ON CONFLICT (bucket, lead_id) DO NOTHING
RETURNING lead_id;

-- name: LockLeadFacts :many
SELECT
    bucket, lead_id,
    test, brand, source, campaign, flags, assignments, bad_contact,
    requested_at, received_at, line_version, line, state_version, state,
    state_at, state_code, state_actor, owner_version, dealer_id, desk,
    probability_ppm, deadline_version, due_at, due_kind, assigned_at, delivered_at,
    responded_at, engaged_at, worked_at, detail
FROM lead_fact
WHERE (bucket, lead_id) IN (SELECT unnest(@buckets::smallint[]), unnest(@lead_ids::uuid[]))
ORDER BY bucket, lead_id
FOR UPDATE;

-- name: UpdateLeadFacts :exec
UPDATE lead_fact AS f SET
    test = given.test, brand = given.brand, source = given.source,
    campaign = given.campaign, flags = given.flags, assignments = given.assignments, bad_contact = given.bad_contact,
    requested_at = given.requested_at, received_at = given.received_at, line_version = given.line_version,
    line = given.line, state_version = given.state_version, state = given.state,
    state_at = given.state_at, state_code = given.state_code, state_actor = given.state_actor,
    owner_version = given.owner_version, dealer_id = given.dealer_id, desk = given.desk,
    probability_ppm = given.probability_ppm, deadline_version = given.deadline_version, due_at = given.due_at,
    due_kind = given.due_kind, assigned_at = given.assigned_at, delivered_at = given.delivered_at,
    responded_at = given.responded_at, engaged_at = given.engaged_at, worked_at = given.worked_at,
    detail = given.detail
FROM (
    SELECT
        unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id,
        unnest(@test::boolean[]) AS test, unnest(@brand::text[]) AS brand,
        unnest(@source::text[]) AS source, unnest(@campaign::text[]) AS campaign,
        unnest(@flags::integer[]) AS flags, unnest(@assignments::integer[]) AS assignments, unnest(@bad_contact::boolean[]) AS bad_contact,
        unnest(@requested_at::timestamptz[]) AS requested_at, unnest(@received_at::timestamptz[]) AS received_at,
        unnest(@line_version::bigint[]) AS line_version, unnest(@line::smallint[]) AS line,
        unnest(@state_version::bigint[]) AS state_version, unnest(@state::smallint[]) AS state,
        unnest(@state_at::timestamptz[]) AS state_at, unnest(@state_code::text[]) AS state_code,
        unnest(@state_actor::text[]) AS state_actor, unnest(@owner_version::bigint[]) AS owner_version,
        unnest(@dealer_id::text[]) AS dealer_id, unnest(@desk::boolean[]) AS desk,
        unnest(@probability_ppm::integer[]) AS probability_ppm, unnest(@deadline_version::bigint[]) AS deadline_version,
        unnest(@due_at::timestamptz[]) AS due_at, unnest(@due_kind::text[]) AS due_kind,
        unnest(@assigned_at::timestamptz[]) AS assigned_at, unnest(@delivered_at::timestamptz[]) AS delivered_at,
        unnest(@responded_at::timestamptz[]) AS responded_at, unnest(@engaged_at::timestamptz[]) AS engaged_at,
        unnest(@worked_at::timestamptz[]) AS worked_at, unnest(@detail::jsonb[]) AS detail
) AS given
WHERE f.bucket = given.bucket AND f.lead_id = given.lead_id;
