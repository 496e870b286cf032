-- name: ListLeadFacts :many
-- Answers captured leads in order of receipt from a place on, with their appointments whose time
-- has passed without an outcome.
SELECT sqlc.embed(f),
    (SELECT count(*) FROM appointment AS a
     WHERE a.bucket = f.bucket AND a.lead_id = f.lead_id AND a.status IN (1, 2, 3) AND a.starts_at < @passed_before
    )::bigint AS unreported
FROM lead_fact AS f
WHERE (received_at, lead_id) > (@after_received_at::timestamptz, @after_lead_id::uuid)
  AND received_at < @received_before::timestamptz
  AND (@dealer_id::text = '' OR f.dealer_id = @dealer_id)
  AND (@source::text = '' OR f.source = @source)
  AND (@campaign::text = '' OR f.campaign = @campaign)
  AND (@line::smallint = 0 OR f.line = @line)
  AND (@brand::text = '' OR f.brand = @brand)
ORDER BY received_at, lead_id
LIMIT @page_size;
