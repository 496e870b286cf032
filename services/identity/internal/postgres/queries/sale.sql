-- name: Sales :many
-- The person is the one that the buyer is today.
SELECT s.vin, s.sold_at, s.person_id AS buyer_id, coalesce(p.merged_into, p.person_id)::uuid AS person_id, s.dealer_id
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@vins::text[]) AS vin) AS k
JOIN sale s ON s.bucket = k.bucket AND s.vin = k.vin
JOIN person p ON p.bucket = s.person_bucket AND p.person_id = s.person_id
ORDER BY s.vin, s.sold_at, s.person_id;

-- name: Bought :many
-- The vehicles that persons bought.
SELECT DISTINCT s.vin FROM sale s WHERE s.person_id = ANY (@person_ids::uuid[]);

-- name: InsertSales :exec
INSERT INTO sale (bucket, vin, sold_at, person_id, person_bucket, dealer_id)
SELECT unnest(@buckets::smallint[]), unnest(@vins::text[]), unnest(@sold_at::timestamptz[]), unnest(@person_ids::uuid[]),
       unnest(@person_buckets::smallint[]), unnest(@dealer_ids::text[])
ON CONFLICT DO NOTHING;

-- name: SignalsOf :many
-- The signals of persons and of those joined into them, of some kinds; none named: of all.
WITH k AS (
    SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id
), m AS (
    SELECT k.person_id AS today, k.bucket, k.person_id FROM k
    UNION ALL
    SELECT k.person_id AS today, j.bucket, j.person_id FROM k JOIN person j ON j.merged_into = k.person_id
)
SELECT m.today::uuid AS today, s.person_id, s.occurred_at, s.signal_key, s.body
FROM m
JOIN signal s ON s.bucket = m.bucket AND s.person_id = m.person_id
WHERE cardinality(@kinds::smallint[]) = 0 OR s.kind = ANY (@kinds::smallint[])
ORDER BY s.occurred_at, s.signal_key;

-- name: DeleteSales :exec
DELETE FROM sale s
USING (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@vins::text[]) AS vin, unnest(@sold_at::timestamptz[]) AS sold_at, unnest(@person_ids::uuid[]) AS person_id) AS k
WHERE s.bucket = k.bucket AND s.vin = k.vin AND s.sold_at = k.sold_at AND s.person_id = k.person_id;
