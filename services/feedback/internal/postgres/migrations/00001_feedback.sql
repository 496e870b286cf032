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

-- One row a lead: its events folded, whatever their order. *_version says which event a group of
-- columns is from. received_at is NULL until the captured event is in: such a row is outside
-- every figure.
CREATE TABLE lead_fact (
    bucket           smallint    NOT NULL,
    lead_id          uuid        NOT NULL,
    test             boolean     NOT NULL,
    brand            text        NOT NULL,
    source           text        NOT NULL,
    campaign         text        NOT NULL,
    flags            integer     NOT NULL,
    assignments      integer     NOT NULL, -- owners so far
    bad_contact      boolean     NOT NULL,
    requested_at     timestamptz,
    received_at      timestamptz,
    line_version     bigint      NOT NULL,
    line             smallint    NOT NULL,
    state_version    bigint      NOT NULL,
    state            smallint    NOT NULL,
    state_at         timestamptz,
    state_code       text        NOT NULL,
    state_actor      text        NOT NULL,
    owner_version    bigint      NOT NULL,
    dealer_id        text        NOT NULL,
    desk             boolean     NOT NULL,
    probability_ppm  integer     NOT NULL,
    deadline_version bigint      NOT NULL,
    due_at           timestamptz,
    due_kind         text        NOT NULL,
    assigned_at      timestamptz,
    delivered_at     timestamptz,
    responded_at     timestamptz,
    engaged_at       timestamptz,
    worked_at        timestamptz,
    detail           jsonb, -- store times, clocks, counts; NULL if there are none
    PRIMARY KEY (bucket, lead_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

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
