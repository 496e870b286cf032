-- name: PutWebhook :one
INSERT INTO webhook (webhook_id, dealer_id, department, url, secret, enabled)
VALUES (@webhook_id, @dealer_id, @department, @url, @secret, @enabled)
ON CONFLICT (dealer_id, department) DO UPDATE SET url = excluded.url, enabled = excluded.enabled,
    secret = CASE WHEN @keep_secret::boolean THEN webhook.secret ELSE excluded.secret END
RETURNING webhook_id;

-- name: WebhookOf :one
SELECT webhook_id, dealer_id, department, url, secret, enabled FROM webhook WHERE dealer_id = @dealer_id AND department = @department;

-- name: WebhookByID :one
SELECT webhook_id, dealer_id, department, url, secret, enabled FROM webhook WHERE webhook_id = @webhook_id;

-- name: EnabledWebhooks :many
SELECT webhook_id, dealer_id, department, url FROM webhook WHERE enabled;

-- name: DisableWebhook :execrows
UPDATE webhook SET enabled = false WHERE webhook_id = @webhook_id AND enabled;

-- name: InsertDeliveries :exec
INSERT INTO delivery (delivery_id, lead_id, sequence, dealer_id, webhook_id, state, traceparent, created_at, at)
SELECT unnest(@delivery_ids::uuid[]), unnest(@lead_ids::uuid[]), unnest(@sequences::integer[]), unnest(@dealer_ids::text[]),
    unnest(@webhook_ids::text[]), 1, unnest(@traceparents::text[]), unnest(@created_at::timestamptz[]), unnest(@created_at::timestamptz[]);

-- name: DeliveryByID :one
SELECT * FROM delivery WHERE delivery_id = @delivery_id;

-- name: SetDelivery :exec
UPDATE delivery SET state = @state, attempts = @attempts, last_answer = @last_answer, at = @at WHERE delivery_id = @delivery_id;

-- name: ListDeliveries :many
SELECT * FROM delivery
WHERE (@dealer_id::text = '' OR dealer_id = @dealer_id) AND (@state::smallint = 0 OR state = @state)
    AND (created_at, delivery_id) < (@before_at::timestamptz, @before_id::uuid)
ORDER BY created_at DESC, delivery_id DESC LIMIT @page_size;

-- name: OldestPendingDelivery :one
SELECT coalesce(min(created_at), 'epoch'::timestamptz)::timestamptz AS oldest FROM delivery WHERE state = 1;

-- name: LockDelivery :one
SELECT * FROM delivery WHERE delivery_id = @delivery_id FOR UPDATE;

-- name: SetDeliveryJob :exec
UPDATE delivery SET job_id = @job_id, state = 1, at = @at WHERE delivery_id = @delivery_id;

-- name: PendingOf :many
SELECT delivery_id, lead_id FROM delivery WHERE state = 1 AND webhook_id = @webhook_id ORDER BY created_at LIMIT @most;
