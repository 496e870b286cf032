-- name: InsertTraining :exec
INSERT INTO training (training_id, line, playbook, deciding, from_at, to_at, state, step, note, started_by, started_at, updated_at, alive_at, recalibrate)
VALUES (@training_id, @line, @playbook, @deciding, @from_at, @to_at, 1, 1, @note, @started_by, @started_at, @started_at, @started_at, @recalibrate);

-- name: GetTraining :one
SELECT * FROM training WHERE training_id = @training_id;

-- name: LockTraining :one
SELECT * FROM training WHERE training_id = @training_id FOR UPDATE;

-- name: ListTrainings :many
-- The latest begun first; 0 is any line.
SELECT * FROM training
WHERE sequence < @before AND (@line::smallint = 0 OR line = @line)
ORDER BY sequence DESC LIMIT @most;

-- name: UpdateTraining :exec
UPDATE training SET state = @state, step = @step, updated_at = @updated_at, alive_at = @updated_at, next_page = @next_page,
    progress = @progress, leads = @leads, problem = @problem, revision = @revision, report = @report
WHERE training_id = @training_id;

-- name: TouchTraining :exec
UPDATE training SET alive_at = @alive_at WHERE training_id = @training_id AND state = 1;

-- name: TakeStalledTraining :many
-- The one at work, if nobody has given a sign of life for long.
UPDATE training SET alive_at = @alive_at WHERE state = 1 AND alive_at < @before RETURNING training_id;

-- name: InsertTrainingPart :exec
INSERT INTO training_part (training_id, leads) VALUES (@training_id, @leads);

-- name: ListTrainingParts :many
SELECT part, leads FROM training_part WHERE training_id = @training_id AND part > @after ORDER BY part LIMIT @most;

-- name: DeleteTrainingParts :exec
DELETE FROM training_part WHERE training_id = @training_id;

-- name: ForgetTrainings :execrows
-- Those that ended before a time and are not among the newest. One whose model was ever a shadow or active
-- stays: the model says that it comes from it.
DELETE FROM training t
WHERE t.state <> 1 AND t.updated_at < @before
    AND t.sequence <= (SELECT x.sequence FROM training x ORDER BY x.sequence DESC LIMIT 1 OFFSET @newest)
    AND NOT EXISTS (SELECT FROM model_change c WHERE c.revision = t.revision AND c.to_state IN (3, 4));
