-- +goose Up

-- Where a merge stands among those of one moment: a record may show several persons to be one. Those of
-- before the column stand at 0 and count in the order of their persons.
ALTER TABLE person_merge ADD COLUMN place integer NOT NULL DEFAULT 0;
ALTER TABLE person_split ADD COLUMN merge_place integer NOT NULL DEFAULT 0; -- of the merge taken back
