-- name: ProfilesAfter :many
-- What is known of persons that stand, bucket by bucket.
SELECT p.person_id, p.consent_epoch, p.golden, p.facts, p.profile
FROM person p
WHERE (p.bucket, p.person_id) > (@bucket::smallint, @person_id::uuid) AND p.merged_into IS NULL
ORDER BY p.bucket, p.person_id LIMIT @most;

-- name: ConsentsBetween :many
-- The facts of persons after one and up to another, in stretches of the primary key: which of them hold
-- the epoch of the person says.
SELECT c.person_id, c.epoch, c.consent_id, c.fact
FROM consent c
WHERE (c.bucket, c.person_id) > (@after_bucket::smallint, @after_person::uuid)
    AND (c.bucket, c.person_id) <= (@last_bucket::smallint, @last_person::uuid);
