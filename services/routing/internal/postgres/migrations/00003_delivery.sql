-- +goose Up

-- One row per push of one event to one address. It holds no personal data: what is sent is made
-- from the case when it is sent.
CREATE TABLE delivery (
    delivery_id uuid        NOT NULL PRIMARY KEY, -- the event's id too
    lead_id     uuid        NOT NULL,
    sequence    integer     NOT NULL, -- of the owner it tells
    dealer_id   text        NOT NULL,
    webhook_id  text        NOT NULL,
    state       smallint    NOT NULL, -- 1 pending, 2 delivered, 3 dead
    attempts    integer     NOT NULL DEFAULT 0,
    last_answer text        NOT NULL DEFAULT '',
    traceparent text        NOT NULL,
    job_id      bigint      NOT NULL DEFAULT 0, -- the job that sends it; 0: the first one
    created_at  timestamptz NOT NULL,
    at          timestamptz NOT NULL, -- tried next; delivered; given up
    CONSTRAINT state_is_known CHECK (state BETWEEN 1 AND 3)
) WITH (fillfactor = 70);

CREATE INDEX delivery_newest ON delivery (created_at DESC, delivery_id DESC);
CREATE INDEX delivery_dealer ON delivery (dealer_id, created_at DESC, delivery_id DESC);
CREATE INDEX delivery_pending ON delivery (created_at) WHERE state = 1;
CREATE INDEX delivery_dead ON delivery (created_at DESC, delivery_id DESC) WHERE state = 3;
