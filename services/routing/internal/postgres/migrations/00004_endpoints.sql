-- +goose Up

-- A push address takes signed events (1), ADF by HTTP (2) or ADF by e-mail (3). What is not an event
-- has an empty url, so that a process that knows only events cannot send one there: its attempts
-- fail and are made again by another. A url that such a process puts makes the row a webhook again.
ALTER TABLE webhook
    ADD COLUMN kind             smallint NOT NULL DEFAULT 1, -- counts while url is empty
    ADD COLUMN address          text     NOT NULL DEFAULT '', -- url or mailbox of kinds 2 and 3
    ADD COLUMN content_type     text     NOT NULL DEFAULT '',
    ADD COLUMN attachment       boolean  NOT NULL DEFAULT false,
    ADD COLUMN subject          text     NOT NULL DEFAULT '',
    ADD COLUMN authorization_value text  NOT NULL DEFAULT '', -- of the header of that name
    ADD COLUMN old_secret       text     NOT NULL DEFAULT '', -- signs too until then
    ADD COLUMN old_secret_until timestamptz,
    ADD COLUMN nightly_test     boolean  NOT NULL DEFAULT false,
    ADD COLUMN tested_at        timestamptz, -- the last nightly test
    ADD COLUMN test_answer      text     NOT NULL DEFAULT '';

ALTER TABLE delivery
    ADD COLUMN sent       boolean NOT NULL DEFAULT false, -- the endpoint may hold it: sent once more, it is a repetition
    ADD COLUMN tries      text[], -- the last attempts: when, how long, what was answered
    ADD COLUMN request_id text    NOT NULL DEFAULT ''; -- the last range it was sent again with
