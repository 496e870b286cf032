-- +goose NO TRANSACTION
-- +goose Up

-- Two in one file: each is skipped if it is there already, and what an interrupted build left is
-- dropped before.
CREATE INDEX CONCURRENTLY IF NOT EXISTS delivery_lead ON delivery (lead_id);

-- job_id is -1 while a delivery that is sent again waits until its address has room.
CREATE INDEX CONCURRENTLY IF NOT EXISTS delivery_again ON delivery (webhook_id, job_id, created_at, delivery_id) WHERE state = 1 AND job_id <> 0;
