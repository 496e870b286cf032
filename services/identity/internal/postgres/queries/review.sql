-- name: Decisions :many
-- The latest decisions on persons and on those joined into them; other_id is the person that the
-- other one is today.
WITH k AS (
    SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id
), m AS (
    SELECT k.person_id AS today, k.bucket, k.person_id FROM k
    UNION ALL
    SELECT k.person_id AS today, j.bucket, j.person_id FROM k JOIN person j ON j.merged_into = k.person_id
)
SELECT m.today::uuid AS person_id, coalesce(o.merged_into, o.person_id)::uuid AS other_id, d.same, d.decided_at
FROM m
JOIN LATERAL (
    SELECT DISTINCT ON (x.other_id) x.other_bucket, x.other_id, x.same, x.decided_at FROM pair_decision x
    WHERE x.bucket = m.bucket AND x.person_id = m.person_id
    ORDER BY x.other_id, x.decided_at DESC
) AS d ON true
JOIN person o ON o.bucket = d.other_bucket AND o.person_id = d.other_id;

-- name: InsertDecisions :exec
INSERT INTO pair_decision (bucket, person_id, other_id, decided_at, other_bucket, same, decided_by, why)
SELECT unnest(@buckets::smallint[]), unnest(@person_ids::uuid[]), unnest(@other_ids::uuid[]), @at::timestamptz,
       unnest(@other_buckets::smallint[]), @same::boolean, @decided_by::text, @why::text
ON CONFLICT DO NOTHING;

-- name: InsertReviews :exec
-- A pair seen again is kept as it is, unless it is open and the evidence has grown.
INSERT INTO review AS r (bucket, first_id, second_id, record_id, weight, probability, reasons, parameters, state, created_at)
SELECT unnest(@buckets::smallint[]), unnest(@first_ids::uuid[]), unnest(@second_ids::uuid[]), unnest(@record_ids::uuid[]),
       unnest(@weights::integer[]), unnest(@probabilities::integer[]), unnest(@reasons::text[]), @parameters::text, 1, @at::timestamptz
ON CONFLICT (bucket, first_id, second_id) DO UPDATE
SET record_id = excluded.record_id, weight = excluded.weight, probability = excluded.probability, reasons = excluded.reasons,
    parameters = excluded.parameters
WHERE r.state = 1 AND r.weight < excluded.weight;

-- name: CloseJoinedReviews :exec
-- The open pairs among a person and those joined into it are settled.
WITH m AS (
    SELECT @bucket::smallint AS bucket, @person_id::uuid AS person_id
    UNION ALL
    SELECT j.bucket, j.person_id FROM person j WHERE j.merged_into = @person_id::uuid
)
UPDATE review r SET state = 4, closed_at = @at::timestamptz
FROM m AS a, m AS b
WHERE r.bucket = a.bucket AND r.first_id = a.person_id AND r.second_id = b.person_id AND r.state = 1;

-- name: OpenReviews :one
SELECT count(*) FROM review WHERE state = 1;

-- name: ActiveParameters :one
SELECT revision, body FROM parameters WHERE active;
