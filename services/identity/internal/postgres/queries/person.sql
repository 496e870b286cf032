-- name: Person :one
SELECT person_id, household_id, version, merged_into, consent_epoch, golden, facts, profile, created_at, account_id
FROM person WHERE bucket = @bucket AND person_id = @person_id;

-- name: Joined :many
SELECT person_id FROM person WHERE merged_into = @person_id ORDER BY person_id;

-- name: Records :many
SELECT r.person_id, r.record_id, r.lead_id, r.body, r.weight, r.reasons, r.linked_at
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id) AS k
JOIN record r ON r.bucket = k.bucket AND r.person_id = k.person_id AND r.left_at IS NULL
ORDER BY r.linked_at DESC, r.record_id
LIMIT @most;

-- name: CountRecords :one
SELECT count(*)
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id) AS k
JOIN record r ON r.bucket = k.bucket AND r.person_id = k.person_id AND r.left_at IS NULL;
