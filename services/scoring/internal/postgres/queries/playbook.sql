-- name: LockActivations :exec
-- Two activations at once would each miss the other; reading goes on meanwhile.
LOCK TABLE activation IN SHARE ROW EXCLUSIVE MODE;

-- name: GetActive :one
SELECT revision FROM activation ORDER BY activation_id DESC LIMIT 1;

-- name: GetBefore :one
-- The revision that was active before the present one.
SELECT a.revision FROM activation a
WHERE a.revision <> @revision
ORDER BY a.activation_id DESC LIMIT 1;

-- name: FindRevisions :many
-- By the whole revision or its beginning.
SELECT revision FROM playbook WHERE starts_with(revision, @beginning::text) ORDER BY revision LIMIT 2;

-- name: GetPlaybook :one
SELECT revision, bundle, secret FROM playbook WHERE revision = @revision;

-- name: InsertPlaybook :exec
INSERT INTO playbook (revision, bundle, secret, created_at) VALUES (@revision, @bundle, @secret, @created_at)
ON CONFLICT (revision) DO NOTHING;

-- name: InsertActivation :exec
INSERT INTO activation (revision, activated_at, activated_by, note) VALUES (@revision, @activated_at, @activated_by, @note);

-- name: ListPlaybooks :many
SELECT a.revision, a.activated_at, a.activated_by, a.note
FROM activation a
WHERE NOT EXISTS (SELECT FROM activation later WHERE later.revision = a.revision AND later.activation_id > a.activation_id)
ORDER BY a.activation_id DESC LIMIT @most;

-- name: PutRefusal :exec
INSERT INTO refusal (replica, revision, problem, seen_at) VALUES (@replica, @revision, @problem, @seen_at)
ON CONFLICT (replica) DO UPDATE SET revision = excluded.revision, problem = excluded.problem, seen_at = excluded.seen_at;

-- name: DeleteRefusals :exec
-- The replica's own, and those of replicas long gone.
DELETE FROM refusal WHERE replica = @replica OR seen_at < @before;

-- name: ListRefusals :many
SELECT revision, problem FROM refusal WHERE seen_at >= @since ORDER BY revision, replica;
