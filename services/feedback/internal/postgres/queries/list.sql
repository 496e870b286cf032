-- name: ListUpdated :many
SELECT sqlc.embed(f) FROM lead_fact AS f
WHERE (f.updated_at, f.lead_id) > (@after::timestamptz, @after_lead_id::uuid)
ORDER BY f.updated_at, f.lead_id LIMIT @page_size;

-- name: ListUpdatedOfDealer :many
SELECT sqlc.embed(f) FROM lead_fact AS f
WHERE f.dealer_id = @dealer_id AND f.dealer_id <> '' AND (f.updated_at, f.lead_id) > (@after::timestamptz, @after_lead_id::uuid)
ORDER BY f.updated_at, f.lead_id LIMIT @page_size;

-- name: ListUpdatedAside :many
-- State is one that few leads are in.
SELECT sqlc.embed(f) FROM lead_fact AS f
WHERE f.state = @state AND f.state IN (1, 2, 4) AND (f.updated_at, f.lead_id) > (@after::timestamptz, @after_lead_id::uuid)
ORDER BY f.updated_at, f.lead_id LIMIT @page_size;
