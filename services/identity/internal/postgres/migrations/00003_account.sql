-- +goose Up

-- Organisations that persons act for. Its identifier is made from the key it was first known by.
CREATE TABLE account (
    bucket     smallint    NOT NULL,
    account_id uuid        NOT NULL,
    name       text        NOT NULL, -- as first given
    created_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, account_id)
);

-- What an organisation is known by. Only a hash of the key is kept.
CREATE TABLE account_key (
    bucket     smallint NOT NULL, -- of the key
    key_hash   uuid     NOT NULL, -- first 16 bytes of SHA-256
    account_id uuid     NOT NULL,
    PRIMARY KEY (bucket, key_hash)
);

ALTER TABLE person ADD COLUMN account_id uuid; -- that the person acts for, the latest
