-- +goose NO TRANSACTION
-- +goose Up

-- Who lives with whom. Somebody who lives alone is in no household but the own one, and not in here:
-- a lead of somebody new costs nothing.
CREATE INDEX CONCURRENTLY IF NOT EXISTS person_household ON person (household_id) WHERE household_id <> person_id;

-- Who was joined into whom.
CREATE INDEX CONCURRENTLY IF NOT EXISTS person_merge_into ON person_merge (merged_into);

-- Who acts for an organisation.
CREATE INDEX CONCURRENTLY IF NOT EXISTS person_account ON person (account_id) WHERE account_id IS NOT NULL;
