-- +goose Up

-- One row per decided lead: from the moment it exists, Routing alone says where the lead stands.
CREATE TABLE decision (
    bucket          smallint    NOT NULL,
    lead_id         uuid        NOT NULL,
    lead_version    bigint      NOT NULL,
    state           smallint    NOT NULL, -- lead.State
    person_id       uuid        NOT NULL,
    household_id    text        NOT NULL DEFAULT '',
    brand           text        NOT NULL,
    line            smallint    NOT NULL, -- lead.Line
    test            boolean     NOT NULL,
    chosen          boolean     NOT NULL, -- the customer chose the store
    attempt         integer     NOT NULL, -- of the last decision, from 1
    dealer_id       text        NOT NULL DEFAULT '', -- present or last owner
    merged_into     uuid,
    park_reason     smallint    NOT NULL DEFAULT 0, -- lead.ParkReason
    park_owner      text        NOT NULL DEFAULT '',
    review_at       timestamptz,
    closed_code     text        NOT NULL DEFAULT '',
    closed_at       timestamptz,
    returned_from   uuid,
    received_at     timestamptz NOT NULL,
    decided_at      timestamptz NOT NULL,
    playbook        text        NOT NULL,
    traceparent     text        NOT NULL,
    lead            bytea       NOT NULL, -- leadmesh.lead.v1.Lead, packed
    profile         bytea       NOT NULL,
    decision        bytea       NOT NULL, -- leadmesh.lead.v1.Decision as answered
    PRIMARY KEY (bucket, lead_id),
    CONSTRAINT merged_names_holder CHECK ((state = 3) = (merged_into IS NOT NULL)),
    CONSTRAINT parked_is_owned CHECK (state <> 4 OR (park_reason > 0 AND park_owner <> '' AND review_at IS NOT NULL)),
    CONSTRAINT state_is_ours CHECK (state BETWEEN 2 AND 12),
    CONSTRAINT closed_is_dated CHECK ((state IN (2, 10, 11, 12)) = (closed_at IS NOT NULL)),
    CONSTRAINT open_has_dealer CHECK (state NOT BETWEEN 5 AND 9 OR dealer_id <> '')
) WITH (fillfactor = 85);

CREATE INDEX decision_review ON decision (bucket, review_at) WHERE state = 4;
CREATE INDEX decision_merged ON decision (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX decision_person ON decision (person_id);

-- The replayable record of each attempt.
CREATE TABLE receipt (
    bucket    smallint    NOT NULL,
    lead_id   uuid        NOT NULL,
    attempt   integer     NOT NULL,
    canonical bytea       NOT NULL, -- packed
    PRIMARY KEY (bucket, lead_id, attempt)
);

-- Who owns an open lead. Law 1: dealer, role, next deadline and its kind are never absent.
CREATE TABLE assignment (
    bucket        smallint    NOT NULL,
    lead_id       uuid        NOT NULL,
    sequence      integer     NOT NULL, -- counts the owners, from 1
    attempt       integer     NOT NULL, -- of the decision behind it
    dealer_id     text        NOT NULL CHECK (dealer_id <> ''),
    department    smallint    NOT NULL,
    role          smallint    NOT NULL CHECK (role > 0),
    person_id     text        NOT NULL DEFAULT '',
    assigned_at   timestamptz NOT NULL,
    delivered_at  timestamptz,
    next_deadline timestamptz NOT NULL,
    deadline_kind smallint    NOT NULL CHECK (deadline_kind > 0),
    clock         bytea       NOT NULL, -- core/sla.State
    grant_facts   bytea       NOT NULL, -- what capacity and rotation knew: replay checks it
    offer_to      text        NOT NULL DEFAULT '', -- transfer offered to this dealer
    offer_until   timestamptz,
    PRIMARY KEY (bucket, lead_id),
    CONSTRAINT offer_is_dated CHECK ((offer_to = '') = (offer_until IS NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE INDEX assignment_deadline ON assignment (bucket, next_deadline) WITH (fillfactor = 70);
CREATE INDEX assignment_inbox ON assignment (dealer_id, next_deadline);
CREATE INDEX assignment_offer ON assignment (offer_to) WHERE offer_to <> '';
CREATE INDEX assignment_offer_due ON assignment (offer_until) WHERE offer_to <> '';

-- Owners a lead has had before.
CREATE TABLE past_assignment (
    bucket        smallint    NOT NULL,
    lead_id       uuid        NOT NULL,
    sequence      integer     NOT NULL,
    dealer_id     text        NOT NULL,
    department    smallint    NOT NULL,
    role          smallint    NOT NULL,
    person_id     text        NOT NULL,
    assigned_at   timestamptz NOT NULL,
    ended_at      timestamptz NOT NULL,
    ended_by      text        NOT NULL, -- declined, transferred, returned, closed, merged, moved
    code          text        NOT NULL,
    clock         bytea       NOT NULL,
    grant_facts   bytea       NOT NULL,
    PRIMARY KEY (bucket, lead_id, sequence)
);

-- One row per open person, brand, line and dealer, and one with dealer '': what makes a second
-- inquiry a duplicate. Rows go in the transaction that closes the lead.
CREATE TABLE open_interest (
    bucket    smallint NOT NULL, -- of the person
    person_id uuid     NOT NULL,
    brand     text     NOT NULL,
    line      smallint NOT NULL,
    dealer_id text     NOT NULL,
    lead_id   uuid     NOT NULL,
    PRIMARY KEY (bucket, person_id, brand, line, dealer_id)
);

CREATE INDEX open_interest_lead ON open_interest (lead_id);

-- What a dealer has taken today, and whose turn it is; always locked last and in order of dealer.
CREATE TABLE capacity (
    dealer_id text   NOT NULL PRIMARY KEY,
    book      jsonb  NOT NULL -- day, granted by department, last person by role, open by person
) WITH (fillfactor = 70);

-- Activities and outcomes that moved a lead already.
CREATE TABLE applied (
    bucket   smallint    NOT NULL,
    lead_id  uuid        NOT NULL,
    id       text        NOT NULL,
    at       timestamptz NOT NULL,
    activity bytea       NOT NULL, -- leadmesh.feedback.v1.Activity; empty for an outcome
    PRIMARY KEY (bucket, lead_id, id)
);

CREATE TABLE outbox (
    bucket      smallint    NOT NULL,
    event_id    uuid        NOT NULL,
    recorded_at timestamptz NOT NULL,
    event       bytea       NOT NULL,
    PRIMARY KEY (bucket, event_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
