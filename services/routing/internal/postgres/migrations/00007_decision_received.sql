-- +goose NO TRANSACTION
-- +goose Up

-- Backtests and learning read the leads of a period in the order of receipt.
CREATE INDEX CONCURRENTLY IF NOT EXISTS decision_received ON decision (received_at);
