-- name: ListReviews :many
-- A page of pairs in one state, those that wait longest first; about persons, where some are given.
SELECT r.first_id, r.second_id, r.record_id, r.weight, r.probability, r.reasons, r.parameters, r.state, r.created_at, r.closed_at
FROM review r
WHERE r.state = @state::smallint
  AND (r.created_at, r.first_id, r.second_id) > (@after_at::timestamptz, @after_first::uuid, @after_second::uuid)
  AND (cardinality(@person_ids::uuid[]) = 0 OR r.first_id = ANY(@person_ids::uuid[]) OR r.second_id = ANY(@person_ids::uuid[]))
ORDER BY r.created_at, r.first_id, r.second_id
LIMIT @most;

-- name: Review :one
SELECT r.first_id, r.second_id, r.record_id, r.weight, r.probability, r.reasons, r.parameters, r.state, r.created_at, r.closed_at
FROM review r WHERE r.bucket = @bucket AND r.first_id = @first_id AND r.second_id = @second_id;

-- name: DecideReviews :exec
-- Every pair between two persons, or those joined into them, that waits, and the pair decided on.
UPDATE review r SET state = @state::smallint, closed_at = @at::timestamptz
WHERE r.first_id = ANY(@ones::uuid[]) AND r.second_id = ANY(@others::uuid[]) AND r.bucket = ANY(@buckets::smallint[])
  AND (r.state = 1 OR r.first_id = @first_id AND r.second_id = @second_id);

-- name: InsertParameters :exec
INSERT INTO parameters (revision, body, why, uploaded_by, uploaded_at, active)
VALUES (@revision, @body, @why, @uploaded_by, @uploaded_at, false)
ON CONFLICT (revision) DO NOTHING;

-- name: AllParameters :many
SELECT revision, body, why, uploaded_by, uploaded_at, active FROM parameters ORDER BY uploaded_at DESC, revision LIMIT @most;

-- name: OneParameters :one
SELECT revision, body, why, uploaded_by, uploaded_at, active FROM parameters WHERE revision = @revision;

-- name: DeactivateParameters :exec
UPDATE parameters SET active = false WHERE active AND revision <> @revision;

-- name: ActivateParameters :execrows
UPDATE parameters SET active = true WHERE revision = @revision;
