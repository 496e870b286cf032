-- name: LockBuckets :exec
SELECT pg_advisory_xact_lock(@namespace::integer, b) FROM unnest(@buckets::integer[]) AS b;

-- name: LockKeys :exec
-- Nobody has any of the buckets to himself before the first key is locked.
SELECT pg_advisory_xact_lock_shared(@namespace::integer, b) FROM unnest(@buckets::integer[]) AS b
UNION ALL
SELECT pg_advisory_xact_lock(@key_namespace::integer, k) FROM unnest(@keys::integer[]) AS k;

-- name: LeadPersons :many
SELECT l.lead_id, l.person_id, l.created, l.contradicts, l.weight, l.reasons
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) AS k
JOIN lead_person l ON l.bucket = k.bucket AND l.lead_id = k.lead_id;

-- name: Known :many
-- Who holds each key, by the key's place; leads that were resolved before, at -1; contact points with a
-- revocation, at -2.
SELECT k.place::integer AS place, h.person_id AS id
FROM (SELECT unnest(@places::integer[]) AS place, unnest(@buckets::smallint[]) AS bucket, unnest(@kinds::smallint[]) AS kind, unnest(@key_hashes::uuid[]) AS key_hash) AS k
CROSS JOIN LATERAL (
    SELECT m.person_id FROM match_key m
    WHERE m.bucket = k.bucket AND m.kind = k.kind AND m.key_hash = k.key_hash
    LIMIT @most
) AS h
UNION ALL
SELECT -1, l.lead_id
FROM (SELECT unnest(@lead_buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) AS k
JOIN lead_person l ON l.bucket = k.bucket AND l.lead_id = k.lead_id
UNION ALL
SELECT -2, k.point_hash
FROM (SELECT unnest(@point_buckets::smallint[]) AS bucket, unnest(@point_hashes::uuid[]) AS point_hash) AS k
WHERE EXISTS (SELECT FROM contact_stop s WHERE s.bucket = k.bucket AND s.point_hash = k.point_hash);

-- name: LockPersons :many
SELECT p.person_id, p.household_id, p.version, p.merged_into, p.consent_epoch, p.golden, p.facts, p.profile, p.created_at, p.account_id
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id) AS k
JOIN person p ON p.bucket = k.bucket AND p.person_id = k.person_id
ORDER BY p.bucket, p.person_id
FOR UPDATE OF p;

-- name: Bearing :many
-- The facts that hold for persons, and the revocations at contact points.
SELECT false AS stops, c.person_id AS whose, c.consent_id, c.fact
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id, unnest(@epochs::smallint[]) AS epoch) AS k
JOIN consent c ON c.bucket = k.bucket AND c.person_id = k.person_id AND c.epoch = k.epoch
UNION ALL
SELECT true, s.point_hash, s.consent_id, s.fact
FROM (SELECT unnest(@point_buckets::smallint[]) AS bucket, unnest(@point_hashes::uuid[]) AS point_hash) AS k
JOIN contact_stop s ON s.bucket = k.bucket AND s.point_hash = k.point_hash;

-- name: InsertPersons :exec
INSERT INTO person (bucket, person_id, household_id, version, consent_epoch, golden, facts, profile, account_id, created_at, updated_at)
SELECT unnest(@buckets::smallint[]), unnest(@person_ids::uuid[]), unnest(@household_ids::uuid[]), 1, 0,
       unnest(@golden::bytea[]), unnest(@facts::bytea[]), unnest(@profiles::bytea[]), unnest(@account_ids::uuid[]), @at::timestamptz, @at::timestamptz;

-- name: UpdatePersons :execrows
UPDATE person p
SET household_id = k.household_id, version = p.version + 1, merged_into = k.merged_into, consent_epoch = k.epoch,
    golden = k.golden, facts = k.facts, profile = k.profile, account_id = k.account_id, updated_at = @at::timestamptz
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id, unnest(@household_ids::uuid[]) AS household_id, unnest(@merged_into::uuid[]) AS merged_into, unnest(@epochs::smallint[]) AS epoch, unnest(@golden::bytea[]) AS golden, unnest(@facts::bytea[]) AS facts, unnest(@profiles::bytea[]) AS profile, unnest(@account_ids::uuid[]) AS account_id) AS k
WHERE p.bucket = k.bucket AND p.person_id = k.person_id;

-- name: FollowMerges :exec
UPDATE person p SET merged_into = k.survivor, version = p.version + 1, updated_at = @at::timestamptz
FROM (SELECT unnest(@joined::uuid[]) AS joined, unnest(@survivors::uuid[]) AS survivor) AS k
WHERE p.merged_into = k.joined;

-- name: InsertMerges :exec
INSERT INTO person_merge (bucket, person_id, merged_into, record_id, weight, reasons, parameters, merged_at, actor, note, household_before, place)
SELECT unnest(@buckets::smallint[]), unnest(@person_ids::uuid[]), unnest(@merged_into::uuid[]), unnest(@record_ids::uuid[]),
       unnest(@weights::integer[]), unnest(@reasons::text[]), @parameters::text, @at::timestamptz,
       nullif(unnest(@actors::text[]), ''), nullif(unnest(@notes::text[]), ''), unnest(@households_before::uuid[]), unnest(@places::integer[])
ON CONFLICT (bucket, person_id) DO UPDATE -- joined before and split again
SET merged_into = excluded.merged_into, record_id = excluded.record_id, weight = excluded.weight, reasons = excluded.reasons,
    parameters = excluded.parameters, merged_at = excluded.merged_at, actor = excluded.actor, note = excluded.note,
    household_before = excluded.household_before, place = excluded.place;

-- name: InsertRecords :exec
INSERT INTO record (bucket, person_id, record_id, lead_id, body, weight, reasons, linked_at)
SELECT unnest(@buckets::smallint[]), unnest(@person_ids::uuid[]), unnest(@record_ids::uuid[]), unnest(@lead_ids::uuid[]),
       unnest(@bodies::bytea[]), unnest(@weights::integer[]), unnest(@reasons::text[]), @at::timestamptz
ON CONFLICT DO NOTHING;

-- name: InsertKeys :exec
-- No conflict can arise: whoever inserts a key holds its bucket and has read who holds it.
INSERT INTO match_key (bucket, kind, key_hash, person_id)
SELECT unnest(@buckets::smallint[]), unnest(@kinds::smallint[]), unnest(@key_hashes::uuid[]), unnest(@person_ids::uuid[]);

-- name: InsertLeadPersons :exec
INSERT INTO lead_person (bucket, lead_id, person_id, created, contradicts, weight, reasons)
SELECT unnest(@buckets::smallint[]), unnest(@lead_ids::uuid[]), unnest(@person_ids::uuid[]), unnest(@created::boolean[]),
       unnest(@contradicts::boolean[]), unnest(@weights::integer[]), unnest(@reasons::text[]);

-- name: InsertConsents :exec
INSERT INTO consent (bucket, person_id, epoch, consent_id, fact, recorded_at, origin)
SELECT unnest(@buckets::smallint[]), unnest(@person_ids::uuid[]), unnest(@epochs::smallint[]), unnest(@consent_ids::uuid[]),
       unnest(@facts::bytea[]), @at::timestamptz, unnest(@origins::uuid[])
ON CONFLICT DO NOTHING;

-- name: InsertStops :exec
INSERT INTO contact_stop (bucket, point_hash, consent_id, person_id, fact)
SELECT unnest(@buckets::smallint[]), unnest(@point_hashes::uuid[]), unnest(@consent_ids::uuid[]), unnest(@person_ids::uuid[]),
       unnest(@facts::bytea[])
ON CONFLICT DO NOTHING;
