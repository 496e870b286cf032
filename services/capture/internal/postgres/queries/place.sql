-- name: GetPlaces :many
-- Where leads stand as far as Capture knows; a lead that was handed over has neither.
SELECT l.lead_id, (p.lead_id IS NOT NULL)::boolean AS pending,
    coalesce(r.code, '')::text AS reject_code, coalesce(k.reason, '')::text AS park_reason
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) AS i
JOIN lead l ON l.bucket = i.bucket AND l.lead_id = i.lead_id
LEFT JOIN pending p ON p.bucket = i.bucket AND p.lead_id = i.lead_id
LEFT JOIN rejected r ON r.bucket = i.bucket AND r.lead_id = i.lead_id
LEFT JOIN parked k ON k.bucket = i.bucket AND k.lead_id = i.lead_id;

-- name: GetLead :one
SELECT l.*, (p.lead_id IS NOT NULL)::boolean AS pending,
    coalesce(r.code, '')::text AS reject_code, coalesce(r.detail, '')::text AS reject_detail,
    coalesce(k.reason, '')::text AS park_reason, coalesce(k.owner, '')::text AS park_owner,
    coalesce(k.detail, '')::text AS park_detail, k.review_at AS park_review_at
FROM lead l
LEFT JOIN pending p ON p.bucket = l.bucket AND p.lead_id = l.lead_id
LEFT JOIN rejected r ON r.bucket = l.bucket AND r.lead_id = l.lead_id
LEFT JOIN parked k ON k.bucket = l.bucket AND k.lead_id = l.lead_id
WHERE l.bucket = @bucket AND l.lead_id = @lead_id;

-- name: GetRaw :one
SELECT credential, content_type, raw FROM lead WHERE bucket = @bucket AND lead_id = @lead_id;
