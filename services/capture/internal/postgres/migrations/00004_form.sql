-- +goose Up
-- What a parked document is, so that it can be read again: its kind (leadmesh.capture.v1.DocumentKind;
-- NULL: ADF) and its sender in the sources file. A lead of which only an id is known waits here for
-- its form: fetch_at is when it is asked for; NULL: it is not.
ALTER TABLE parked
    ADD COLUMN kind smallint,
    ADD COLUMN intake text,
    ADD COLUMN fetch_at timestamptz,
    ADD COLUMN fetch_attempts integer NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE parked DROP COLUMN kind, DROP COLUMN intake, DROP COLUMN fetch_at, DROP COLUMN fetch_attempts;
