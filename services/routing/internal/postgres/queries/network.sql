-- name: NetworkRevision :one
SELECT revision, changed_at FROM network;

-- name: Dealers :many
SELECT dealer_id, dealer FROM dealer ORDER BY dealer_id;

-- name: DealerByID :one
SELECT dealer FROM dealer WHERE dealer_id = @dealer_id;

-- name: Territories :many
SELECT brand, country, postal_code, valid_from, valid_to, dealer_id FROM territory
ORDER BY brand, country, postal_code, valid_from;

-- name: Programs :many
SELECT program, name, applies_to, mandatory, fallback, valid_from, valid_to FROM program ORDER BY program;

-- name: Catalogue :many
SELECT brand, model_code, model FROM catalogue ORDER BY brand, model_code;

-- name: PostalPoints :many
SELECT country, postal_code, region, latitude, longitude FROM postal ORDER BY country, postal_code;

-- name: TouchNetwork :one
UPDATE network SET revision = revision + 1, changed_at = @changed_at RETURNING revision;

-- name: LockNetwork :one
SELECT revision, changed_at FROM network FOR UPDATE;

-- name: NetworkBlobs :many
SELECT kind, body FROM network_blob;

-- name: SetNetworkBlob :exec
INSERT INTO network_blob (kind, body) VALUES (@kind, @body) ON CONFLICT (kind) DO UPDATE SET body = excluded.body;

-- name: PutDealers :exec
INSERT INTO dealer (dealer_id, dealer) SELECT unnest(@dealer_ids::text[]), unnest(@dealers::bytea[])
ON CONFLICT (dealer_id) DO UPDATE SET dealer = excluded.dealer;

-- name: DeleteDealers :exec
DELETE FROM dealer WHERE dealer_id = ANY(@dealer_ids::text[]);

-- name: PutCatalogue :exec
INSERT INTO catalogue (brand, model_code, model)
SELECT unnest(@brands::text[]), unnest(@model_codes::text[]), unnest(@models::bytea[])
ON CONFLICT (brand, model_code) DO UPDATE SET model = excluded.model;

-- name: DeleteCatalogue :exec
DELETE FROM catalogue WHERE (brand, model_code) IN (SELECT unnest(@brands::text[]), unnest(@model_codes::text[]));

-- name: DeletePrograms :exec
DELETE FROM program;

-- name: InsertPrograms :copyfrom
INSERT INTO program (program, name, applies_to, mandatory, fallback, valid_from, valid_to)
VALUES (@program, @name, @applies_to, @mandatory, @fallback, @valid_from, @valid_to);

-- name: DeleteTerritories :exec
DELETE FROM territory WHERE (brand, country, postal_code, valid_from) IN
    (SELECT unnest(@brands::text[]), unnest(@countries::text[]), unnest(@postal_codes::text[]), unnest(@valid_from::date[]));

-- name: InsertTerritories :copyfrom
INSERT INTO territory (brand, country, postal_code, valid_from, valid_to, dealer_id)
VALUES (@brand, @country, @postal_code, @valid_from, @valid_to, @dealer_id);

-- name: DeletePostal :exec
DELETE FROM postal WHERE (country, postal_code) IN (SELECT unnest(@countries::text[]), unnest(@postal_codes::text[]));

-- name: InsertPostal :copyfrom
INSERT INTO postal (country, postal_code, region, latitude, longitude)
VALUES (@country, @postal_code, @region, @latitude, @longitude);

-- name: OpenCounts :many
SELECT dealer_id, count(*)::integer AS open FROM assignment WHERE dealer_id = ANY(@dealer_ids::text[]) GROUP BY dealer_id;
