-- name: LatestKept :many
-- The re-scoring whose scores hold.
SELECT * FROM rescoring WHERE state = 2 AND slot IS NOT NULL ORDER BY sequence DESC LIMIT 1;

-- name: InsertRescoring :exec
INSERT INTO rescoring (rescoring_id, revision, playbook, scorer, as_of, slot, before_id, state, note, started_by, updated_at, alive_at)
VALUES (@rescoring_id, @revision, @playbook, @scorer, @as_of, @slot, @before_id, 1, @note, @started_by, @as_of, @as_of);

-- name: GetRescoring :one
SELECT * FROM rescoring WHERE rescoring_id = @rescoring_id;

-- name: GetRescoringAt :one
SELECT * FROM rescoring WHERE sequence = @sequence;

-- name: LockRescoring :one
SELECT * FROM rescoring WHERE rescoring_id = @rescoring_id FOR UPDATE;

-- name: ListRescorings :many
-- The latest begun first.
SELECT * FROM rescoring WHERE sequence < @before ORDER BY sequence DESC LIMIT @most;

-- name: SlotTaken :one
-- Whether a slot was filled again since a re-scoring.
SELECT EXISTS (SELECT FROM rescoring WHERE sequence > @sequence AND slot = @slot AND (persons > 0 OR state = 2)) AS taken;

-- name: BegunSince :one
-- Whether a re-scoring to be kept was begun at a time or later.
SELECT EXISTS (SELECT FROM rescoring WHERE slot IS NOT NULL AND as_of >= @since) AS begun;

-- name: UpdateRescoring :exec
UPDATE rescoring SET state = @state, updated_at = @updated_at, alive_at = @updated_at, next_page = @next_page,
    last_person = @last_person, progress = @progress, persons = @persons, problem = @problem, report = @report
WHERE rescoring_id = @rescoring_id;

-- name: TouchRescoring :exec
UPDATE rescoring SET alive_at = @alive_at WHERE rescoring_id = @rescoring_id AND state = 1;

-- name: TakeStalledRescoring :many
-- The one at work, if nobody has given a sign of life for long.
UPDATE rescoring SET alive_at = @alive_at WHERE state = 1 AND alive_at < @before RETURNING rescoring_id;

-- name: PersonScoresBetween :many
-- The scores of a slot after one person and up to another, in order.
SELECT * FROM person_score
WHERE slot = @slot AND (bucket, person_id) > (@after_bucket::smallint, @after_person::uuid)
    AND (bucket, person_id) <= (@last_bucket::smallint, @last_person::uuid)
ORDER BY bucket, person_id LIMIT @most;

-- name: FindPersonScores :many
-- Of so many scores of a slot after one person those that fulfil what is asked; 0 asks for nothing.
SELECT s.* FROM (
    SELECT * FROM person_score
    WHERE slot = @slot AND (bucket, person_id) > (@after_bucket::smallint, @after_person::uuid)
    ORDER BY bucket, person_id LIMIT @look
) s
WHERE (@segment::int = 0 OR s.levels[@segment::int] BETWEEN 1 AND @level::int)
    AND (@line::int = 0 OR s.stages[@line::int] >= @stage::int)
ORDER BY s.bucket, s.person_id LIMIT @most;

-- name: PersonScoreAfter :many
-- Who stands so many places after one person.
SELECT person_id FROM person_score
WHERE slot = @slot AND (bucket, person_id) > (@after_bucket::smallint, @after_person::uuid)
ORDER BY bucket, person_id LIMIT 1 OFFSET @places;

-- name: GetPersonScore :many
SELECT * FROM person_score
WHERE slot = @slot AND bucket = @bucket AND person_id = @person_id;

-- name: ListForgettableRescorings :many
-- Those that ended before a time and are not among the newest; the one whose scores hold stays.
SELECT r.rescoring_id FROM rescoring r
WHERE r.state <> 1 AND r.updated_at < @before
    AND r.sequence <= (SELECT x.sequence FROM rescoring x ORDER BY x.sequence DESC LIMIT 1 OFFSET @newest)
    AND r.sequence <> (SELECT coalesce(max(x.sequence), 0) FROM rescoring x WHERE x.state = 2 AND x.slot IS NOT NULL);

-- name: ForgetBefore :exec
-- What was counted against re-scorings that are to be forgotten was counted against none there is.
UPDATE rescoring SET before_id = NULL WHERE before_id = ANY(@rescoring_ids::uuid[]);

-- name: ForgetRescorings :exec
DELETE FROM rescoring WHERE rescoring_id = ANY(@rescoring_ids::uuid[]);
