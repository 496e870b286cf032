-- +goose Up

-- One row per card that was uploaded. State is leadmesh.scoring.v1.ModelState.
CREATE TABLE model (
    model_id    bigint      NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE, -- order of upload
    revision    text        PRIMARY KEY CHECK (length(revision) = 64),
    line        smallint    NOT NULL,
    state       smallint    NOT NULL CHECK (state BETWEEN 1 AND 5),
    card        text        NOT NULL,
    scorecard   text        NOT NULL, -- hash of the playbook's table it was uploaded or last promoted against
    episode     bigint      NOT NULL DEFAULT 0, -- which of its times as a shadow this is, 0 before the first
    note        text        NOT NULL,
    uploaded_by text        NOT NULL,
    uploaded_at timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX model_shadow ON model (line) WHERE state = 3;
CREATE UNIQUE INDEX model_active ON model (line) WHERE state = 4;

-- What became of models: a row per change of state, and one for each upload.
CREATE TABLE model_change (
    change_id  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    revision   text        NOT NULL REFERENCES model,
    line       smallint    NOT NULL,
    from_state smallint    NOT NULL, -- 0 at the upload
    to_state   smallint    NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text        NOT NULL,
    note       text        NOT NULL,
    playbook   text        NOT NULL -- revision that was active, '' for none
);
CREATE INDEX model_change_revision ON model_change (revision, change_id);

-- What scored a line when, the newest last: the playbook's table where revision is NULL. A rollback
-- takes the newest row off, so that it stays in model_change alone.
CREATE TABLE model_reign (
    reign_id bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line     smallint NOT NULL,
    revision text     REFERENCES model
);
CREATE INDEX model_reign_line ON model_reign (line, reign_id);

-- What shadows would have done: absolute counts by the replica that decided, so that a report that
-- comes twice counts once. Never a row per lead.
CREATE TABLE shadow_count (
    revision       text     NOT NULL REFERENCES model,
    episode        bigint   NOT NULL,
    replica        uuid     NOT NULL,
    decided_points bigint[] NOT NULL, -- leads by ten buckets of ten points
    shadow_points  bigint[] NOT NULL,
    moves          bigint[] NOT NULL, -- four stages decided times four of the shadow
    PRIMARY KEY (revision, episode, replica)
);
