-- name: AccountKeys :many
SELECT a.key_hash, a.account_id
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@key_hashes::uuid[]) AS key_hash) AS k
JOIN account_key a ON a.bucket = k.bucket AND a.key_hash = k.key_hash;

-- name: HoldAccountKeys :many
-- Nobody joins these organisations into others before the transaction ends.
SELECT a.key_hash, a.account_id
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@key_hashes::uuid[]) AS key_hash) AS k
JOIN account_key a ON a.bucket = k.bucket AND a.key_hash = k.key_hash
ORDER BY a.bucket, a.key_hash
FOR SHARE OF a;

-- name: InsertAccounts :exec
INSERT INTO account (bucket, account_id, name, created_at)
SELECT unnest(@buckets::smallint[]), unnest(@account_ids::uuid[]), unnest(@names::text[]), @at::timestamptz
ON CONFLICT DO NOTHING;

-- name: InsertAccountKeys :exec
INSERT INTO account_key (bucket, key_hash, account_id)
SELECT unnest(@buckets::smallint[]), unnest(@key_hashes::uuid[]), unnest(@account_ids::uuid[])
ON CONFLICT DO NOTHING;

-- name: Account :one
SELECT account_id, name, created_at FROM account WHERE bucket = @bucket AND account_id = @account_id;

-- name: Contacts :many
SELECT person_id FROM person WHERE account_id = @account_id AND merged_into IS NULL ORDER BY created_at, person_id LIMIT @most;

-- name: JoinAccount :exec
-- Whoever is known by the identifier of the one, which is a key too, is the other.
UPDATE account_key SET account_id = @survivor WHERE bucket = @bucket AND key_hash = @joined AND account_id = @joined;

-- name: FollowAccount :exec
UPDATE person SET account_id = @survivor::uuid, version = version + 1, updated_at = @at::timestamptz WHERE account_id = @joined::uuid;
