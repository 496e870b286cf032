-- +goose Up
-- Capture is the authority for a lead until Routing has decided it (Law 1): a captured lead is in
-- exactly one of pending, rejected and parked, or it was handed over and is in none of them.

-- The installation's secret: lead ids are derived with it, so it is made once and never leaves.
-- gen_random_uuid() is the server's strong random source; each gives 122 random bits.
CREATE TABLE installation (
    one        boolean     PRIMARY KEY DEFAULT true CHECK (one),
    secret     bytea       NOT NULL CHECK (length(secret) = 32),
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO installation (secret)
SELECT sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')) FROM generate_series(1, 4);

CREATE TABLE lead (
    bucket            smallint    NOT NULL,
    lead_id           uuid        NOT NULL,
    credential        text        NOT NULL,
    received_at       timestamptz NOT NULL,
    requested_at      timestamptz NOT NULL,
    test              boolean     NOT NULL,
    flags             smallint    NOT NULL,
    playbook_revision text        NOT NULL, -- of the governance applied; '' while it was not yet
    traceparent       text        NOT NULL,
    content_type      text        NOT NULL,
    body_hash         bytea       NOT NULL CHECK (length(body_hash) = 32), -- of the lead as parsed, before governance
    body              bytea       NOT NULL, -- leadmesh.lead.v1.Lead; empty if the document could not be read
    raw               bytea       NOT NULL, -- as received; of a batch, the element's own part
    PRIMARY KEY (bucket, lead_id)
) WITH (toast_tuple_target = 8160); -- a usual lead stays in its page: fewer writes, no compression

CREATE TABLE idempotency_key (
    bucket     smallint    NOT NULL, -- of credential and key
    credential text        NOT NULL,
    key        text        NOT NULL CHECK (length(key) BETWEEN 1 AND 240),
    body_hash  bytea       NOT NULL CHECK (length(body_hash) = 32),
    lead_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, credential, key)
);

-- New facts that came under the source id of a lead that is held.
CREATE TABLE lead_update (
    bucket    smallint    NOT NULL,
    lead_id   uuid        NOT NULL,
    update_id uuid        NOT NULL, -- derived from the lead and the body's hash
    at        timestamptz NOT NULL,
    body      bytea       NOT NULL, -- leadmesh.lead.v1.Lead
    raw       bytea       NOT NULL,
    PRIMARY KEY (bucket, lead_id, update_id)
);

CREATE TABLE pending (
    bucket          smallint    NOT NULL,
    lead_id         uuid        NOT NULL,
    since           timestamptz NOT NULL,
    attempts        smallint    NOT NULL CHECK (attempts >= 0),
    next_attempt_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, lead_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX pending_due ON pending (bucket, next_attempt_at);

CREATE TABLE rejected (
    bucket  smallint    NOT NULL,
    lead_id uuid        NOT NULL,
    at      timestamptz NOT NULL,
    code    text        NOT NULL CHECK (code IN ('SPAM_BOT', 'JUNK', 'NO_CONTACT_POINT', 'FAKE_CONTACT',
                            'SOLICITATION', 'JOB_APPLICANT', 'BLOCKED', 'OTHER')),
    detail  text        NOT NULL,
    PRIMARY KEY (bucket, lead_id)
);

CREATE TABLE parked (
    bucket    smallint    NOT NULL,
    lead_id   uuid        NOT NULL,
    at        timestamptz NOT NULL,
    owner     text        NOT NULL CHECK (owner <> ''),
    reason    text        NOT NULL CHECK (reason = 'DATA'),
    review_at timestamptz NOT NULL,
    detail    text        NOT NULL,
    PRIMARY KEY (bucket, lead_id)
);
CREATE INDEX parked_review ON parked (bucket, review_at);

CREATE TABLE outbox (
    bucket      smallint    NOT NULL,
    event_id    uuid        NOT NULL,
    recorded_at timestamptz NOT NULL,
    event       bytea       NOT NULL, -- leadmesh.lead.v1.Event
    PRIMARY KEY (bucket, event_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- One place per lead. The check runs once per statement over all its rows; joins by hash or scan
-- are switched off because the plan outlives the size the tables had when it was made.
-- +goose StatementBegin
CREATE FUNCTION one_place() RETURNS trigger LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    elsewhere int;
    unknown   int;
BEGIN
    IF NOT EXISTS (SELECT FROM fresh) THEN
        RETURN NULL;
    END IF;
    SELECT count(*) FILTER (WHERE l.lead_id IS NULL),
           count(*) FILTER (WHERE (p.lead_id IS NOT NULL)::int + (r.lead_id IS NOT NULL)::int + (k.lead_id IS NOT NULL)::int <> 1)
    INTO unknown, elsewhere
    FROM fresh f
    LEFT JOIN lead l     ON l.bucket = f.bucket AND l.lead_id = f.lead_id
    LEFT JOIN pending p  ON p.bucket = f.bucket AND p.lead_id = f.lead_id
    LEFT JOIN rejected r ON r.bucket = f.bucket AND r.lead_id = f.lead_id
    LEFT JOIN parked k   ON k.bucket = f.bucket AND k.lead_id = f.lead_id;
    IF unknown > 0 THEN
        RAISE EXCEPTION 'a row of % has no lead', TG_TABLE_NAME
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'place_of_a_lead';
    END IF;
    IF elsewhere > 0 THEN
        RAISE EXCEPTION 'a lead of % is in another place too', TG_TABLE_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = 'one_place';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER one_place AFTER INSERT ON pending REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION one_place();
CREATE TRIGGER one_place AFTER INSERT ON rejected REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION one_place();
CREATE TRIGGER one_place AFTER INSERT ON parked REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION one_place();

-- +goose Down
DROP TABLE outbox, parked, rejected, pending, lead_update, idempotency_key, lead, installation;
DROP FUNCTION one_place;
