-- +goose NO TRANSACTION
-- +goose Up

-- Leads are written while these are built.
CREATE INDEX CONCURRENTLY IF NOT EXISTS lead_lookup ON lead USING gin (lookup_keys) WITH (fastupdate = off);
CREATE INDEX CONCURRENTLY IF NOT EXISTS rejected_code ON rejected (code, at, lead_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS parked_fetch ON parked (fetch_at) WHERE fetch_at IS NOT NULL;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS parked_fetch;
DROP INDEX CONCURRENTLY IF EXISTS rejected_code;
DROP INDEX CONCURRENTLY IF EXISTS lead_lookup;
