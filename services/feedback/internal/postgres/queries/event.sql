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

-- name: Lateness :one
-- Answers the largest delay of an arrival, and when the oldest event was recorded that is not folded.
SELECT
    (SELECT COALESCE(max(max_lag_ms), 0) FROM arrival WHERE minute >= @since)::bigint AS max_lag_ms,
    (SELECT min(recorded_at) FROM unfolded)::timestamptz AS unfolded_since;

-- name: DeleteArrivals :exec
DELETE FROM arrival WHERE minute < @before;

