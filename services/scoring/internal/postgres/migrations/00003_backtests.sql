-- +goose Up

-- What models would have done with leads decided in the past. State is leadmesh.scoring.v1.BacktestState.
CREATE TABLE backtest (
    sequence    bigint      NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE, -- order of beginning
    backtest_id uuid        PRIMARY KEY,
    revision    text        NOT NULL REFERENCES model,
    line        smallint    NOT NULL,
    playbook    text        NOT NULL REFERENCES playbook, -- that the model scores beside
    from_at     timestamptz NOT NULL, -- leads received from here on
    to_at       timestamptz NOT NULL, -- and before
    state       smallint    NOT NULL CHECK (state BETWEEN 1 AND 4),
    note        text        NOT NULL,
    started_by  text        NOT NULL,
    started_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    alive_at    timestamptz NOT NULL, -- when a job of it last gave a sign of life
    next_page   text        NOT NULL DEFAULT '', -- Routing's token of the page to read next
    progress    integer     NOT NULL DEFAULT 0, -- millionths
    leads       bigint      NOT NULL DEFAULT 0,
    problem     text        NOT NULL DEFAULT '',
    report      bytea, -- leadmesh.scoring.v1.BacktestReport
    CONSTRAINT done_is_reported CHECK ((state = 2) = (report IS NOT NULL))
);
CREATE UNIQUE INDEX backtest_at_work ON backtest ((true)) WHERE state = 1;
CREATE INDEX backtest_revision ON backtest (revision, sequence);

-- The leads scored so far, until the report: a row per page, never one per lead.
CREATE TABLE backtest_part (
    backtest_id uuid   NOT NULL REFERENCES backtest,
    part        bigint GENERATED ALWAYS AS IDENTITY,
    leads       bytea  NOT NULL, -- leadmesh.scoring.v1.BacktestRows
    PRIMARY KEY (backtest_id, part)
);
