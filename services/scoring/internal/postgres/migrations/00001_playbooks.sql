-- +goose Up

-- One row per bundle that was ever active. The secret is made with the first apply and never
-- changes, so that the chance of old decisions can be worked out again.
CREATE TABLE playbook (
    revision   text        PRIMARY KEY CHECK (length(revision) = 64),
    bundle     bytea       NOT NULL, -- as core/playbook packs it
    secret     bytea       NOT NULL CHECK (length(secret) = 32),
    created_at timestamptz NOT NULL
);

-- The newest activation says which playbook the house works by.
CREATE TABLE activation (
    activation_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    revision      text        NOT NULL REFERENCES playbook,
    activated_at  timestamptz NOT NULL,
    activated_by  text        NOT NULL,
    note          text        NOT NULL
);
CREATE INDEX activation_revision ON activation (revision, activation_id);

-- Replicas that could not compile the active playbook; a row is fresh while its replica lives.
CREATE TABLE refusal (
    replica  uuid        PRIMARY KEY,
    revision text        NOT NULL,
    problem  text        NOT NULL,
    seen_at  timestamptz NOT NULL
);
