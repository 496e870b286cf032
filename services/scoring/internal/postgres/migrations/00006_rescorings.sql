-- +goose Up

-- What scored everybody whom Identity holds. State is leadmesh.scoring.v1.RescoringState.
CREATE TABLE rescoring (
    sequence     bigint      NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE, -- order of beginning
    rescoring_id uuid        PRIMARY KEY,
    revision     text        NOT NULL, -- model held against what is in force; '': what is in force scores and is kept
    playbook     text        NOT NULL REFERENCES playbook, -- that scores
    scorer       text        NOT NULL, -- as in receipts: the models in force beside it
    as_of        timestamptz NOT NULL,
    slot         smallint, -- of person_score; absent where nothing is kept
    before_id    uuid REFERENCES rescoring, -- whose scores are counted against; absent for none
    state        smallint    NOT NULL CHECK (state BETWEEN 1 AND 4),
    note         text        NOT NULL,
    started_by   text        NOT NULL,
    updated_at   timestamptz NOT NULL,
    alive_at     timestamptz NOT NULL, -- when a job of it last gave a sign of life
    next_page    text        NOT NULL DEFAULT '', -- Identity's token of the page to read next
    last_person  uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- scored last
    progress     integer     NOT NULL DEFAULT 0, -- millionths
    persons      bigint      NOT NULL DEFAULT 0,
    problem      text        NOT NULL DEFAULT '',
    report       bytea       NOT NULL DEFAULT '', -- leadmesh.scoring.v1.RescoringReport: what is counted so far
    CONSTRAINT kept_or_compared CHECK ((revision = '') = (slot IS NOT NULL))
);
CREATE UNIQUE INDEX rescoring_at_work ON rescoring ((true)) WHERE state = 1;
CREATE INDEX rescoring_kept ON rescoring (sequence) WHERE state = 2 AND slot IS NOT NULL;

-- The scores of everybody, a row per person: in one slot those that hold, in the other those that are
-- made to take their place, or were before. A slot is emptied at once before it is filled again.
CREATE TABLE person_score (
    slot           smallint   NOT NULL,
    bucket         smallint   NOT NULL,
    person_id      uuid       NOT NULL,
    points         smallint[] NOT NULL, -- by lead.Line, 1/100
    stages         smallint[] NOT NULL, -- by lead.Line; 0 where the line has no scorecard
    levels         smallint[] NOT NULL, -- by lead.Segment: rank of the level, 1 is the strongest; 0 for nobody of it
    active         smallint   NOT NULL, -- lead.Segment whose play is worth most
    next_line      smallint   NOT NULL, -- lead.Line to work for now
    no_consent     boolean    NOT NULL,
    index_points   smallint[], -- by lead.Index, 1/100; -1 where the playbook has none
    index_expected bigint[],   -- by lead.Index: parts per million, or minor units of the market's currency
    index_bands    smallint[], -- by lead.Index: rank of the band, 1 is the lowest; 0 for none
    PRIMARY KEY (slot, bucket, person_id)
) PARTITION BY LIST (slot);
CREATE TABLE person_score_0 PARTITION OF person_score FOR VALUES IN (0);
CREATE TABLE person_score_1 PARTITION OF person_score FOR VALUES IN (1);
