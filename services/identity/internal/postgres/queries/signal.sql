-- name: SeenSignals :many
SELECT s.signal_key
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@signal_keys::uuid[]) AS signal_key) AS k
JOIN signal_seen s ON s.bucket = k.bucket AND s.signal_key = k.signal_key;

-- name: InsertSeen :exec
INSERT INTO signal_seen (bucket, signal_key, received_at)
SELECT unnest(@buckets::smallint[]), unnest(@signal_keys::uuid[]), @at::timestamptz;

-- name: InsertSignals :exec
-- A signal whose id was forgotten meanwhile is kept once; what it counted has long decayed.
INSERT INTO signal (bucket, person_id, occurred_at, signal_key, kind, received_at, body)
SELECT unnest(@buckets::smallint[]), unnest(@person_ids::uuid[]), unnest(@occurred_at::timestamptz[]), unnest(@signal_keys::uuid[]),
       unnest(@kinds::smallint[]), @at::timestamptz, unnest(@bodies::bytea[])
ON CONFLICT DO NOTHING;

-- name: ForgetSeen :execrows
DELETE FROM signal_seen WHERE received_at < @before::timestamptz;
