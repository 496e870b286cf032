-- +goose Up

-- Who bought a vehicle when. Whoever bought it owns it until somebody else does.
CREATE TABLE sale (
    bucket        smallint    NOT NULL, -- of the vehicle
    vin           text        NOT NULL,
    sold_at       timestamptz NOT NULL,
    person_id     uuid        NOT NULL,
    person_bucket smallint    NOT NULL,
    dealer_id     text        NOT NULL,
    PRIMARY KEY (bucket, vin, sold_at, person_id)
);

CREATE INDEX sale_person ON sale (person_id);
