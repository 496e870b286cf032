-- +goose Up

-- The feed of events for pollers: one row an append, with its events in their order. Rows come to be
-- in any order of commits; they get their numbers later, by one after the other, and each number
-- only when all smaller ones can be seen. So "after number n" passes over nothing.
CREATE TABLE feed (
    batch_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number      bigint      UNIQUE, -- NULL until it is numbered
    recorded_at timestamptz NOT NULL DEFAULT now(),
    events      integer     NOT NULL,
    lead_ids    uuid[]      NOT NULL, -- of each event
    event_ids   uuid[]      NOT NULL
);
CREATE INDEX feed_unnumbered ON feed (batch_id) WHERE number IS NULL;

-- Identifiers do not compress; where they lie does not change when a row is numbered.
ALTER TABLE feed ALTER COLUMN lead_ids SET STORAGE EXTERNAL, ALTER COLUMN event_ids SET STORAGE EXTERNAL;

-- The last number given and the last one forgotten; whoever numbers locks it. The secret marks
-- cursors as ours.
CREATE TABLE feed_end (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    numbered  bigint  NOT NULL,
    forgotten bigint  NOT NULL,
    secret    bytea   NOT NULL CHECK (length(secret) = 32)
);
INSERT INTO feed_end (numbered, forgotten, secret)
SELECT 0, 0, sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')) FROM generate_series(1, 4);

-- Whoever appends, also a process of the release before, feeds.
-- +goose StatementBegin
CREATE FUNCTION feed_append() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO feed (events, lead_ids, event_ids)
    SELECT count(*), array_agg(lead_id ORDER BY occurred_at, lead_version, event_id), array_agg(event_id ORDER BY occurred_at, lead_version, event_id)
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER feed_append AFTER INSERT ON event REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION feed_append();

-- When what is told of a lead last changed. Facts are written by one folder at a time, so the order
-- of these moments is the order of commits. Leads of before count as changed now: one moment for
-- all, which Postgres keeps beside the table instead of writing it into every row. What differs from
-- row to row is the default only afterwards.
ALTER TABLE lead_fact ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE lead_fact ALTER COLUMN updated_at SET DEFAULT clock_timestamp();
-- +goose StatementBegin
CREATE FUNCTION fact_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER fact_updated BEFORE UPDATE ON lead_fact FOR EACH ROW
    WHEN (OLD.events <> NEW.events) EXECUTE FUNCTION fact_updated();

-- +goose Down
DROP TRIGGER feed_append ON event;
DROP FUNCTION feed_append;
DROP TABLE feed, feed_end;
DROP TRIGGER fact_updated ON lead_fact;
DROP FUNCTION fact_updated;
ALTER TABLE lead_fact DROP COLUMN updated_at;
