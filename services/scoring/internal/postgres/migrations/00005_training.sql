-- +goose Up

-- Points tables learned from leads decided in the past. State is leadmesh.scoring.v1.TrainingState, step
-- its TrainingStep.
CREATE TABLE training (
    sequence    bigint      NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE, -- order of beginning
    training_id uuid        PRIMARY KEY,
    line        smallint    NOT NULL,
    playbook    text        NOT NULL REFERENCES playbook, -- whose table it starts from
    deciding    text        REFERENCES model, -- that scored the line when it began; NULL: the playbook's table
    from_at     timestamptz NOT NULL, -- leads received from here on
    to_at       timestamptz NOT NULL, -- and before
    state       smallint    NOT NULL CHECK (state BETWEEN 1 AND 4),
    step        smallint    NOT NULL CHECK (step BETWEEN 1 AND 2),
    note        text        NOT NULL,
    started_by  text        NOT NULL,
    started_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    alive_at    timestamptz NOT NULL, -- when a job of it last gave a sign of life
    next_page   text        NOT NULL DEFAULT '', -- Routing's token of the page to read next
    progress    integer     NOT NULL DEFAULT 0, -- of the step, millionths
    leads       bigint      NOT NULL DEFAULT 0,
    problem     text        NOT NULL DEFAULT '',
    revision    text        REFERENCES model, -- that came out
    report      bytea, -- leadmesh.scoring.v1.TrainingReport
    CONSTRAINT done_is_reported CHECK ((state = 2) = (report IS NOT NULL))
);
CREATE UNIQUE INDEX training_at_work ON training ((true)) WHERE state = 1;
CREATE INDEX training_line ON training (line, sequence);

-- The leads read so far, until they are learned from: a row per page, never one per lead.
CREATE TABLE training_part (
    training_id uuid   NOT NULL REFERENCES training,
    part        bigint GENERATED ALWAYS AS IDENTITY,
    leads       bytea  NOT NULL, -- leadmesh.scoring.v1.TrainingRows
    PRIMARY KEY (training_id, part)
);
