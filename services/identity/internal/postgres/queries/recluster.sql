-- name: InsertRecluster :exec
INSERT INTO recluster (recluster_id, revision, state, started_by, note, started_at, updated_at, next_bucket, next_person,
                       persons, added, removed, moved, reviews, digest, steps, next_step, applied, skipped, applied_by)
VALUES (@recluster_id, @revision, 1, @started_by, @note, @at, @at, 0, '00000000-0000-0000-0000-000000000000', 0, 0, 0, 0, 0, '', 0, 0, 0, 0, '');

-- name: Recluster :one
SELECT * FROM recluster WHERE recluster_id = @recluster_id;

-- name: LockRecluster :one
SELECT * FROM recluster WHERE recluster_id = @recluster_id FOR UPDATE;

-- name: Reclusters :many
SELECT * FROM recluster ORDER BY started_at DESC, recluster_id LIMIT @most;

-- name: ReclustersAtWork :one
SELECT count(*) FROM recluster WHERE state IN (1, 3);

-- name: UpdateRecluster :exec
UPDATE recluster SET state = @state, updated_at = @at, next_bucket = @next_bucket, next_person = @next_person, persons = @persons,
    added = @added, removed = @removed, moved = @moved, reviews = @reviews, digest = @digest, steps = @steps, next_step = @next_step,
    applied = @applied, skipped = @skipped, applied_by = @applied_by
WHERE recluster_id = @recluster_id;

-- name: InsertReclusterStep :exec
INSERT INTO recluster_step (recluster_id, step, kind, person_id, other_id, record_ids, possible, weight, reasons)
VALUES (@recluster_id, @step, @kind, @person_id, @other_id, @record_ids::uuid[], @possible, @weight, @reasons);

-- name: ReclusterSteps :many
SELECT * FROM recluster_step WHERE recluster_id = @recluster_id AND step >= @from_step ORDER BY step LIMIT @most;

-- name: ReclusterSample :many
-- The first of each kind.
SELECT s.recluster_id, s.step, s.kind, s.person_id, s.other_id, s.record_ids, s.possible, s.weight, s.reasons
FROM (SELECT 1 AS kind UNION ALL SELECT 2 UNION ALL SELECT 3) AS k
CROSS JOIN LATERAL (SELECT * FROM recluster_step r WHERE r.recluster_id = @recluster_id AND r.kind = k.kind ORDER BY r.step LIMIT @most) AS s
ORDER BY s.kind, s.step;

-- name: PersonsAfter :many
-- Persons that stand, bucket by bucket.
SELECT p.person_id, p.household_id, p.version, p.merged_into, p.consent_epoch, p.golden, p.facts, p.profile, p.created_at, p.account_id
FROM person p
WHERE (p.bucket, p.person_id) > (@bucket::smallint, @person_id::uuid) AND p.merged_into IS NULL
ORDER BY p.bucket, p.person_id LIMIT @most;

-- name: PersonsByID :many
SELECT p.person_id, p.household_id, p.version, p.merged_into, p.consent_epoch, p.golden, p.facts, p.profile, p.created_at, p.account_id
FROM person p
JOIN (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id) AS k ON p.bucket = k.bucket AND p.person_id = k.person_id;
