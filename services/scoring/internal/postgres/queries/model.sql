-- name: LockModels :exec
-- Two changes at once would each miss the other; reading goes on meanwhile.
LOCK TABLE model IN SHARE ROW EXCLUSIVE MODE;

-- name: InsertModel :execrows
INSERT INTO model (revision, line, state, card, scorecard, note, uploaded_by, uploaded_at, changed_at)
VALUES (@revision, @line, @state, @card, @scorecard, @note, @uploaded_by, @uploaded_at, @uploaded_at)
ON CONFLICT (revision) DO NOTHING;

-- name: InsertModelChange :one
INSERT INTO model_change (revision, line, from_state, to_state, changed_at, changed_by, note, playbook)
VALUES (@revision, @line, @from_state, @to_state, @changed_at, @changed_by, @note, @playbook)
RETURNING change_id;

-- name: SetModelState :execrows
UPDATE model SET state = @state, changed_at = @changed_at WHERE revision = @revision AND state = @was;

-- name: SetModelScorecard :exec
UPDATE model SET scorecard = @scorecard WHERE revision = @revision;

-- name: SetModelEpisode :exec
UPDATE model SET episode = @episode WHERE revision = @revision;

-- name: GetModel :one
SELECT * FROM model WHERE revision = @revision;

-- name: FindModels :many
-- By the whole revision or its beginning.
SELECT revision FROM model WHERE starts_with(revision, @beginning::text) ORDER BY revision LIMIT 2;

-- name: GetModelInState :one
SELECT revision FROM model WHERE line = @line AND state = @state;

-- name: ListModels :many
-- The latest uploaded first; 0 is any line and any state.
SELECT * FROM model
WHERE model_id < @before AND (@line::smallint = 0 OR line = @line) AND (@state::smallint = 0 OR state = @state)
ORDER BY model_id DESC LIMIT @most;

-- name: ListModelsInForce :many
-- Without their cards: this is asked every second.
SELECT revision, line, state, episode, scorecard FROM model WHERE state IN (3, 4) ORDER BY line, state;

-- name: ListModelCards :many
SELECT * FROM model WHERE revision = ANY(@revisions::text[]) ORDER BY line, state;

-- name: ListModelChanges :many
SELECT * FROM model_change WHERE revision = @revision ORDER BY change_id DESC;

-- name: PushReign :exec
INSERT INTO model_reign (line, revision) VALUES (@line, @revision);

-- name: GetReigns :many
-- What scores the line now and what did before.
SELECT reign_id, revision FROM model_reign WHERE line = @line ORDER BY reign_id DESC LIMIT 2;

-- name: DeleteReign :exec
DELETE FROM model_reign WHERE reign_id = @reign_id;

-- name: PutShadowCount :exec
-- Only of the shadow's present time: what comes late from another is of no use.
INSERT INTO shadow_count (revision, episode, replica, decided_points, shadow_points, moves)
SELECT m.revision, m.episode, @replica, @decided_points, @shadow_points, @moves FROM model m
WHERE m.revision = @revision AND m.episode = @episode
ON CONFLICT (revision, episode, replica) DO UPDATE
SET decided_points = excluded.decided_points, shadow_points = excluded.shadow_points, moves = excluded.moves;

-- name: ListShadowCounts :many
SELECT decided_points, shadow_points, moves FROM shadow_count WHERE revision = @revision AND episode = @episode;

-- name: GetChangeTime :one
SELECT changed_at FROM model_change WHERE change_id = @change_id;
