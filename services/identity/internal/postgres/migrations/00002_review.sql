-- +goose Up

-- Revisions of the matching parameters; without an active one those of the program hold.
CREATE TABLE parameters (
    revision    text        NOT NULL, -- core/identity Params.Revision
    body        text        NOT NULL, -- core/identity Params.Marshal
    why         text        NOT NULL,
    uploaded_by text        NOT NULL,
    uploaded_at timestamptz NOT NULL,
    active      boolean     NOT NULL,
    PRIMARY KEY (revision)
);

CREATE UNIQUE INDEX parameters_active ON parameters (active) WHERE active;

-- Pairs of persons that may be one: somebody is to look. A person joined since stands for the one
-- joined into.
CREATE TABLE review (
    bucket      smallint    NOT NULL, -- of the first person
    first_id    uuid        NOT NULL, -- the smaller identifier of both
    second_id   uuid        NOT NULL,
    record_id   uuid        NOT NULL, -- the record that showed it
    weight      integer     NOT NULL, -- thousandths of a bit
    probability integer     NOT NULL, -- parts per million
    reasons     text        NOT NULL, -- code:weight, strongest first, separated by spaces
    parameters  text        NOT NULL, -- revision they were weighed by
    state       smallint    NOT NULL, -- 1 open, 2 decided the same, 3 decided different, 4 joined by evidence
    created_at  timestamptz NOT NULL,
    closed_at   timestamptz,
    PRIMARY KEY (bucket, first_id, second_id),
    CONSTRAINT two_persons_in_order CHECK (first_id < second_id),
    CONSTRAINT open_or_closed CHECK ((state = 1) = (closed_at IS NULL))
);

CREATE INDEX review_open ON review (created_at, first_id, second_id) WHERE state = 1;
CREATE INDEX review_second ON review (second_id);

-- What people decided about two persons, never changed: the latest word on a pair holds, for those
-- who are joined into either of them too. Each decision stands here from both sides.
CREATE TABLE pair_decision (
    bucket       smallint    NOT NULL, -- of the person
    person_id    uuid        NOT NULL,
    other_id     uuid        NOT NULL,
    decided_at   timestamptz NOT NULL,
    other_bucket smallint    NOT NULL,
    same         boolean     NOT NULL,
    decided_by   text        NOT NULL,
    why          text        NOT NULL,
    PRIMARY KEY (bucket, person_id, other_id, decided_at),
    CONSTRAINT about_two_persons CHECK (person_id <> other_id)
);

ALTER TABLE person_merge ADD COLUMN parameters text; -- revision that showed it
