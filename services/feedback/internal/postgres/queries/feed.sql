-- name: HasUnnumbered :one
SELECT EXISTS (SELECT 1 FROM feed WHERE number IS NULL);

-- name: LockFeed :one
-- Waits for whoever numbers or forgets, until this transaction ends.
SELECT numbered, forgotten FROM feed_end FOR UPDATE;

-- name: NumberFeed :execrows
UPDATE feed AS f SET number = given.number
FROM (
    SELECT u.batch_id, row_number() OVER (ORDER BY u.batch_id) + @numbered::bigint AS number
    FROM (SELECT w.batch_id FROM feed AS w WHERE w.number IS NULL ORDER BY w.batch_id LIMIT @batches) AS u
) AS given
WHERE f.batch_id = given.batch_id;

-- name: OldFeed :one
-- Of the oldest rows, the last number that may be forgotten; 0 if none may.
SELECT COALESCE(max(o.number) FILTER (WHERE o.recorded_at < @before::timestamptz), 0)::bigint AS until
FROM (SELECT f.number, f.recorded_at FROM feed AS f WHERE f.number > @forgotten::bigint ORDER BY f.number LIMIT @batches) AS o;

-- name: ForgetFeed :exec
DELETE FROM feed WHERE number <= @until::bigint;

-- name: SetFeedEnd :exec
UPDATE feed_end SET numbered = @numbered, forgotten = @forgotten;

-- name: GetFeedEnd :one
SELECT numbered, forgotten, secret FROM feed_end;

-- name: ReadFeed :many
-- Answers the rows from a number on that begin within a count of events.
SELECT w.number::bigint AS number, w.lead_ids, w.event_ids
FROM (
    SELECT n.number, n.lead_ids, n.event_ids, sum(n.events) OVER (ORDER BY n.number) - n.events AS before
    FROM (SELECT f.number, f.events, f.lead_ids, f.event_ids FROM feed AS f WHERE f.number >= @number::bigint ORDER BY f.number LIMIT @batches) AS n
) AS w
WHERE w.before < @events::bigint
ORDER BY w.number;

-- name: GetEvents :many
SELECT e.lead_id, e.event_id, e.lead_version, e.type, e.source, e.occurred_at, e.recorded_at, e.traceparent, e.facts
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id, unnest(@event_ids::uuid[]) AS event_id) AS given
JOIN event AS e ON e.bucket = given.bucket AND e.lead_id = given.lead_id AND e.event_id = given.event_id;
