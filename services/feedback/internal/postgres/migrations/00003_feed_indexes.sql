-- +goose NO TRANSACTION
-- +goose Up

-- Lists are read along these; other filters sort out what a bounded reading finds. Few leads are
-- pending, rejected or parked.
CREATE INDEX CONCURRENTLY IF NOT EXISTS lead_fact_updated ON lead_fact (updated_at, lead_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS lead_fact_dealer ON lead_fact (dealer_id, updated_at, lead_id) WHERE dealer_id <> '';
CREATE INDEX CONCURRENTLY IF NOT EXISTS lead_fact_aside ON lead_fact (state, updated_at, lead_id) WHERE state IN (1, 2, 4);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS lead_fact_aside;
DROP INDEX CONCURRENTLY IF EXISTS lead_fact_dealer;
DROP INDEX CONCURRENTLY IF EXISTS lead_fact_updated;
