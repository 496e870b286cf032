-- +goose Up
-- Identity learns what an update brings: contact points and consents. NULL: it has.
ALTER TABLE lead_update ADD COLUMN next_attempt_at timestamptz;
UPDATE lead_update SET next_attempt_at = at;
CREATE INDEX lead_update_due ON lead_update (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

-- +goose Down
DROP INDEX lead_update_due;
ALTER TABLE lead_update DROP COLUMN next_attempt_at;
