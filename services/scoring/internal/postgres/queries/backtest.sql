-- name: InsertBacktest :exec
INSERT INTO backtest (backtest_id, revision, line, playbook, from_at, to_at, state, note, started_by, started_at, updated_at, alive_at, against, scorecard)
VALUES (@backtest_id, @revision, @line, @playbook, @from_at, @to_at, 1, @note, @started_by, @started_at, @started_at, @started_at, @against, @scorecard);

-- name: GetBacktest :one
SELECT * FROM backtest WHERE backtest_id = @backtest_id;

-- name: LockBacktest :one
SELECT * FROM backtest WHERE backtest_id = @backtest_id FOR UPDATE;

-- name: ListBacktests :many
-- The latest begun first; '' is any revision.
SELECT * FROM backtest
WHERE sequence < @before AND (@revision::text = '' OR revision = @revision)
ORDER BY sequence DESC LIMIT @most;

-- name: LastDoneBacktest :many
-- The latest begun of a revision that has a report.
SELECT * FROM backtest WHERE revision = @revision AND state = 2 ORDER BY sequence DESC LIMIT 1;

-- name: UpdateBacktest :exec
UPDATE backtest SET state = @state, updated_at = @updated_at, alive_at = @updated_at, next_page = @next_page, progress = @progress,
    leads = @leads, problem = @problem, report = @report
WHERE backtest_id = @backtest_id;

-- name: TouchBacktest :exec
UPDATE backtest SET alive_at = @alive_at WHERE backtest_id = @backtest_id AND state = 1;

-- name: TakeStalledBacktest :many
-- The one at work, if nobody has given a sign of life for long.
UPDATE backtest SET alive_at = @alive_at WHERE state = 1 AND alive_at < @before RETURNING backtest_id;

-- name: InsertBacktestPart :exec
INSERT INTO backtest_part (backtest_id, leads) VALUES (@backtest_id, @leads);

-- name: ListBacktestParts :many
SELECT part, leads FROM backtest_part WHERE backtest_id = @backtest_id AND part > @after ORDER BY part LIMIT @most;

-- name: DeleteBacktestParts :exec
DELETE FROM backtest_part WHERE backtest_id = @backtest_id;

-- name: ForgetBacktests :execrows
-- Those that ended before a time and are not among the newest. What a model is judged by stays: its last
-- report, and the last there was whenever it became active.
DELETE FROM backtest b
WHERE b.state <> 1 AND b.updated_at < @before
    AND b.sequence <= (SELECT x.sequence FROM backtest x ORDER BY x.sequence DESC LIMIT 1 OFFSET @newest)
    AND NOT (b.state = 2 AND (
        NOT EXISTS (SELECT FROM backtest x WHERE x.revision = b.revision AND x.state = 2 AND x.sequence > b.sequence)
        OR EXISTS (
            SELECT FROM model_change c WHERE c.revision = b.revision AND c.to_state = 4 AND c.changed_at >= b.updated_at
                AND NOT EXISTS (
                    SELECT FROM backtest x
                    WHERE x.revision = b.revision AND x.state = 2 AND x.sequence > b.sequence AND x.updated_at <= c.changed_at))));
