-- +goose Up

-- The event log: append only, unique on event_id within its lead's bucket. Every key begins with
-- bucket, so the table can be spread by it without another index.
CREATE TABLE event (
    bucket       smallint    NOT NULL,
    lead_id      uuid        NOT NULL,
    event_id     uuid        NOT NULL,
    lead_version bigint      NOT NULL,
    type         text        NOT NULL,
    source       text        NOT NULL,
    occurred_at  timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL,
    traceparent  text        NOT NULL,
    facts        bytea       NOT NULL, -- leadmesh.lead.v1.EventFacts
    PRIMARY KEY (bucket, lead_id, event_id)
) WITH (fillfactor = 100, autovacuum_vacuum_insert_scale_factor = 0.1);

-- How late events arrived, by source and minute: what the watermark stands on. slot spreads
-- sessions, so that two batches never wait for each other's row.
CREATE TABLE arrival (
    source     text        NOT NULL,
    minute     timestamptz NOT NULL,
    slot       smallint    NOT NULL,
    events     bigint      NOT NULL,
    max_lag_ms bigint      NOT NULL,
    PRIMARY KEY (minute, source, slot)
) WITH (fillfactor = 50);

-- What was appended and is not folded into lead_fact yet: one row for each append, with the leads it
-- is about. A row is written with its events and goes with the facts that tell them, so nothing is
-- read by "greater than the last" and nothing can be passed over.
CREATE TABLE unfolded (
    batch_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recorded_at timestamptz NOT NULL, -- of the oldest of its events: no watermark is later
    lead_ids    uuid[]      NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 5000);

-- Identifiers do not compress; trying costs more than the whole append.
ALTER TABLE unfolded ALTER COLUMN lead_ids SET STORAGE EXTERNAL;

-- One row a lead: its events folded. The widest columns come first, so that none is padded.
-- received_at is NULL until the captured event is in: such a row is outside every figure.
CREATE TABLE lead_fact (
    requested_at     timestamptz,
    received_at      timestamptz,
    state_at         timestamptz,
    due_at           timestamptz,
    assigned_at      timestamptz,
    delivered_at     timestamptz,
    responded_at     timestamptz,
    engaged_at       timestamptz,
    worked_at        timestamptz,
    events           integer     NOT NULL, -- folded so far: of two foldings the one of more is newer
    flags            integer     NOT NULL,
    assignments      integer     NOT NULL, -- owners so far
    probability_ppm  integer     NOT NULL,
    bucket           smallint    NOT NULL,
    line             smallint    NOT NULL,
    state            smallint    NOT NULL,
    test             boolean     NOT NULL,
    bad_contact      boolean     NOT NULL,
    desk             boolean     NOT NULL,
    lead_id          uuid        NOT NULL,
    brand            text        NOT NULL,
    source           text        NOT NULL,
    campaign         text        NOT NULL,
    state_code       text        NOT NULL,
    state_actor      text        NOT NULL,
    dealer_id        text        NOT NULL,
    due_kind         text        NOT NULL,
    detail           jsonb, -- store times, clocks, counts; NULL if there are none
    PRIMARY KEY (bucket, lead_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- Reports read by the time of receipt; it never changes, so updates stay on their page.
CREATE INDEX lead_fact_received ON lead_fact (received_at, lead_id);

-- What dealers reported, as they reported it.
CREATE TABLE report (
    bucket      smallint    NOT NULL,
    lead_id     uuid        NOT NULL,
    report_type smallint    NOT NULL CHECK (report_type IN (1, 2)), -- 1 activity, 2 outcome
    report_id   text        NOT NULL,
    dealer_id   text        NOT NULL,
    reporter    text        NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    payload     bytea       NOT NULL, -- leadmesh.feedback.v1.Activity or Outcome
    status      smallint    NOT NULL CHECK (status IN (0, 1, 2)), -- 0 waiting, 1 applied, 2 refused
    reason      text        NOT NULL, -- why it was refused, or waits
    PRIMARY KEY (bucket, lead_id, report_type, report_id)
);

-- Reports that Routing has not taken yet. A row goes when its report is applied or refused.
CREATE TABLE unapplied (
    bucket          smallint    NOT NULL,
    lead_id         uuid        NOT NULL,
    report_type     smallint    NOT NULL,
    report_id       text        NOT NULL,
    attempts        integer     NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, lead_id, report_type, report_id),
    FOREIGN KEY (bucket, lead_id, report_type, report_id) REFERENCES report
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE INDEX unapplied_due ON unapplied (bucket, next_attempt_at);

CREATE TABLE appointment (
    bucket         smallint    NOT NULL,
    lead_id        uuid        NOT NULL,
    appointment_id text        NOT NULL,
    type           text        NOT NULL,
    starts_at      timestamptz NOT NULL,
    time_zone      text        NOT NULL,
    dealer_id      text        NOT NULL,
    person_id      text        NOT NULL,
    vin            text        NOT NULL,
    transport      text        NOT NULL,
    status         smallint    NOT NULL CHECK (status BETWEEN 1 AND 6),
    foreign_ids    text[]      NOT NULL,
    updated_at     timestamptz NOT NULL,
    PRIMARY KEY (bucket, lead_id, appointment_id)
);

CREATE INDEX appointment_day ON appointment (dealer_id, starts_at);

-- Appointments whose outcome nobody told: the figures ask for them.
CREATE INDEX appointment_unreported ON appointment (bucket, lead_id, starts_at) WHERE status IN (1, 2, 3);
