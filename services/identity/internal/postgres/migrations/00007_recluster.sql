-- +goose Up

-- What other parameters would make of the persons known: found out first, done when somebody says so.
CREATE TABLE recluster (
    recluster_id uuid        NOT NULL,
    revision     text        NOT NULL,
    state        smallint    NOT NULL, -- 1 reporting, 2 reported, 3 applying, 4 applied, 5 cancelled
    started_by   text        NOT NULL,
    note         text        NOT NULL,
    started_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    next_bucket  smallint    NOT NULL, -- the persons up to here were looked at
    next_person  uuid        NOT NULL,
    persons      bigint      NOT NULL,
    added        bigint      NOT NULL,
    removed      bigint      NOT NULL,
    moved        bigint      NOT NULL,
    reviews      bigint      NOT NULL,
    digest       text        NOT NULL, -- of the steps so far
    steps        bigint      NOT NULL,
    next_step    bigint      NOT NULL, -- the steps below it were applied or passed over
    applied      bigint      NOT NULL,
    skipped      bigint      NOT NULL,
    applied_by   text        NOT NULL,
    PRIMARY KEY (recluster_id)
);

CREATE UNIQUE INDEX recluster_at_work ON recluster ((true)) WHERE state IN (1, 3);
CREATE INDEX recluster_started ON recluster (started_at);

CREATE TABLE recluster_step (
    recluster_id uuid     NOT NULL,
    step         bigint   NOT NULL,
    kind         smallint NOT NULL, -- 1 two persons become one, 2 records leave, 3 a pair is to be looked at
    person_id    uuid     NOT NULL,
    other_id     uuid, -- of a pair
    record_ids   uuid[]   NOT NULL, -- that leave
    possible     boolean  NOT NULL, -- who leaves may still be the same person
    weight       integer  NOT NULL,
    reasons      text     NOT NULL,
    PRIMARY KEY (recluster_id, step)
);
