-- name: ProfilesAfter :many
-- What is known of persons that stand, bucket by bucket.
SELECT p.person_id, p.consent_epoch, p.golden, p.facts, p.profile
FROM person p
WHERE (p.bucket, p.person_id) > (@bucket::smallint, @person_id::uuid) AND p.merged_into IS NULL
ORDER BY p.bucket, p.person_id LIMIT @most;
