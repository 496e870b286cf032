-- +goose Up

-- A record that a split took away stays where it was, marked, beside its copy at the other person.
ALTER TABLE record ADD COLUMN left_at timestamptz;

-- The lead that a fact came with; zero for what a merge or a split derived, absent in rows of
-- before this column.
ALTER TABLE consent ADD COLUMN origin uuid;

ALTER TABLE person_merge ADD COLUMN actor text; -- who merged; absent when the evidence did
ALTER TABLE person_merge ADD COLUMN note text;
ALTER TABLE person_merge ADD COLUMN household_before uuid; -- of the survivor

-- Every time one person became two: a merge taken back, or records that left.
CREATE TABLE person_split (
    bucket        smallint    NOT NULL, -- of the person
    person_id     uuid        NOT NULL, -- who stayed
    split_id      uuid        NOT NULL,
    new_person_id uuid        NOT NULL, -- who left
    split_at      timestamptz NOT NULL,
    actor         text        NOT NULL,
    note          text        NOT NULL,
    record_ids    uuid[]      NOT NULL, -- that moved
    -- The merge that was taken back; absent when only records left.
    merged_into   uuid,
    merge_record  uuid,
    weight        integer,
    reasons       text,
    merged_at     timestamptz,
    merge_actor   text,
    merge_note    text,
    PRIMARY KEY (bucket, person_id, split_id),
    CONSTRAINT a_merge_or_none CHECK ((merged_into IS NULL) = (merged_at IS NULL))
);

CREATE INDEX person_split_person ON person_split (person_id);
CREATE INDEX person_split_new ON person_split (new_person_id);
CREATE INDEX person_split_into ON person_split (merged_into) WHERE merged_into IS NOT NULL;
