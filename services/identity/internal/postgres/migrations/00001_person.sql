-- +goose Up

-- One row per person. A person joined into another keeps the row as it was, so that the old
-- identifier stays readable and a split restores what was; records and keys keep pointing to it.
CREATE TABLE person (
    bucket        smallint    NOT NULL,
    person_id     uuid        NOT NULL,
    household_id  uuid        NOT NULL,
    version       bigint      NOT NULL,
    merged_into   uuid, -- the surviving person, never one that is joined itself
    consent_epoch smallint    NOT NULL DEFAULT 0, -- of the consent facts that hold
    golden        bytea       NOT NULL, -- leadmesh.lead.v1.Party: best name and contact points
    facts         bytea       NOT NULL, -- core/identity Record: what matching compares
    profile       bytea       NOT NULL, -- core/signal Profile
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    PRIMARY KEY (bucket, person_id),
    CONSTRAINT merged_into_another CHECK (merged_into <> person_id)
) WITH (fillfactor = 75);

CREATE INDEX person_merged ON person (merged_into) WHERE merged_into IS NOT NULL;

-- What one lead or signal said of its person. Never changed, never moved.
CREATE TABLE record (
    bucket    smallint    NOT NULL, -- of the person
    person_id uuid        NOT NULL,
    record_id uuid        NOT NULL,
    lead_id   uuid, -- absent for a signal
    body      bytea       NOT NULL, -- leadmesh.lead.v1.Lead: the party, identifiers, owned vehicles
    weight    integer     NOT NULL, -- thousandths of a bit
    reasons   text        NOT NULL, -- code:weight, strongest first, separated by spaces
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, person_id, record_id)
);

-- Who can be found by a key. Only a hash of the key is kept.
CREATE TABLE match_key (
    bucket    smallint NOT NULL, -- of the key
    kind      smallint NOT NULL, -- core/identity KeyKind
    key_hash  uuid     NOT NULL, -- first 16 bytes of SHA-256
    person_id uuid     NOT NULL,
    PRIMARY KEY (bucket, kind, key_hash, person_id)
);

-- Which person a lead is from; resolving it again answers the same.
CREATE TABLE lead_person (
    bucket      smallint NOT NULL, -- of the lead
    lead_id     uuid     NOT NULL,
    person_id   uuid     NOT NULL,
    created     boolean  NOT NULL, -- the lead made the person known
    contradicts boolean  NOT NULL, -- its source id is held for somebody else
    weight      integer  NOT NULL,
    reasons     text     NOT NULL,
    PRIMARY KEY (bucket, lead_id)
);

-- Which two persons were found to be one, when and why.
CREATE TABLE person_merge (
    bucket      smallint    NOT NULL, -- of the person joined
    person_id   uuid        NOT NULL,
    merged_into uuid        NOT NULL,
    record_id   uuid        NOT NULL, -- the record that showed it
    weight      integer     NOT NULL,
    reasons     text        NOT NULL,
    merged_at   timestamptz NOT NULL,
    PRIMARY KEY (bucket, person_id)
);

-- Append-only consent facts. When persons are joined, the facts that hold for them together are
-- written under the next epoch; those of before stay.
CREATE TABLE consent (
    bucket      smallint    NOT NULL, -- of the person
    person_id   uuid        NOT NULL,
    epoch       smallint    NOT NULL,
    consent_id  uuid        NOT NULL, -- hash of the fact
    fact        bytea       NOT NULL, -- leadmesh.lead.v1.Consent
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, person_id, epoch, consent_id)
);

-- Revocations by contact point: one binds everybody who shares the point.
CREATE TABLE contact_stop (
    bucket     smallint NOT NULL, -- of the contact point
    point_hash uuid     NOT NULL,
    consent_id uuid     NOT NULL,
    person_id  uuid     NOT NULL,
    fact       bytea    NOT NULL,
    PRIMARY KEY (bucket, point_hash, consent_id)
);

-- Signals noted already.
CREATE TABLE signal_seen (
    bucket      smallint    NOT NULL, -- of the signal
    signal_key  uuid        NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, signal_key)
);

CREATE INDEX signal_seen_age ON signal_seen USING brin (received_at);

-- Signals as they came: what a split applies again.
CREATE TABLE signal (
    bucket      smallint    NOT NULL, -- of the person
    person_id   uuid        NOT NULL,
    occurred_at timestamptz NOT NULL,
    signal_key  uuid        NOT NULL,
    kind        smallint    NOT NULL, -- lead.SignalKind
    received_at timestamptz NOT NULL,
    body        bytea       NOT NULL, -- leadmesh.identity.v1.Signal
    PRIMARY KEY (bucket, person_id, occurred_at, signal_key)
);
