-- +goose Up

-- The dealer network as it was last imported or put. Every change makes a new revision.
CREATE TABLE dealer (
    dealer_id text  NOT NULL PRIMARY KEY,
    dealer    bytea NOT NULL -- leadmesh.routing.v1.Dealer
);

CREATE TABLE territory (
    brand       text NOT NULL,
    country     text NOT NULL,
    postal_code text NOT NULL,
    valid_from  date NOT NULL,
    valid_to    date,
    dealer_id   text NOT NULL,
    PRIMARY KEY (brand, country, postal_code, valid_from)
);

CREATE TABLE program (
    program    text NOT NULL PRIMARY KEY,
    name       text NOT NULL,
    applies_to text NOT NULL,
    mandatory  boolean NOT NULL,
    fallback   text NOT NULL,
    valid_from date,
    valid_to   date
);

CREATE TABLE catalogue (
    brand      text  NOT NULL,
    model_code text  NOT NULL,
    model      bytea NOT NULL, -- leadmesh.routing.v1.CatalogueModel
    PRIMARY KEY (brand, model_code)
);

CREATE TABLE postal (
    country     text NOT NULL,
    postal_code text NOT NULL,
    region      text NOT NULL, -- ISO 3166-2 subdivision without the country
    latitude    integer NOT NULL, -- millionths of a degree
    longitude   integer NOT NULL,
    PRIMARY KEY (country, postal_code)
);

-- One row: the revision of all of the above.
CREATE TABLE network (
    only_row   boolean     NOT NULL PRIMARY KEY DEFAULT true CHECK (only_row),
    revision   bigint      NOT NULL,
    changed_at timestamptz NOT NULL
);

-- The long tables in one piece each, written with every change of theirs, so that a start reads two
-- rows instead of a hundred thousand. What is in the tables counts.
CREATE TABLE network_blob (
    kind text  NOT NULL PRIMARY KEY, -- territory, postal
    body bytea NOT NULL
);
ALTER TABLE network_blob ALTER COLUMN body SET STORAGE EXTERNAL;

INSERT INTO network (revision, changed_at) VALUES (0, '1970-01-01T00:00:00Z');

-- Where a dealer department wants its leads pushed.
CREATE TABLE webhook (
    webhook_id text     NOT NULL PRIMARY KEY,
    dealer_id  text     NOT NULL,
    department smallint NOT NULL, -- 0: every department
    url        text     NOT NULL,
    secret     text     NOT NULL,
    enabled    boolean  NOT NULL,
    UNIQUE (dealer_id, department)
);
