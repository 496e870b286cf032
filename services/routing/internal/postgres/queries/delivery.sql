-- name: InsertDeliveries :exec
INSERT INTO delivery (delivery_id, lead_id, sequence, dealer_id, webhook_id, state, traceparent, created_at, at)
SELECT unnest(@delivery_ids::uuid[]), unnest(@lead_ids::uuid[]), unnest(@sequences::integer[]), unnest(@dealer_ids::text[]),
    unnest(@webhook_ids::text[]), 1, unnest(@traceparents::text[]), unnest(@created_at::timestamptz[]), unnest(@created_at::timestamptz[]);

-- name: DeliveryByID :one
SELECT * FROM delivery WHERE delivery_id = @delivery_id;

-- name: SetDelivery :exec
UPDATE delivery SET state = @state, attempts = @attempts, last_answer = @last_answer, at = @at, sent = @sent, tries = @tries
WHERE delivery_id = @delivery_id;

-- name: MarkDeliverySent :exec
UPDATE delivery SET sent = true WHERE delivery_id = @delivery_id AND NOT sent;

-- name: ListDeliveries :many
SELECT * FROM delivery
WHERE (@dealer_id::text = '' OR dealer_id = @dealer_id) AND (@state::smallint = 0 OR state = @state)
    AND (@webhook_id::text = '' OR webhook_id = @webhook_id) AND (@last_answer::text = '' OR last_answer = @last_answer)
    AND created_at >= @from_at::timestamptz AND created_at < @to_at::timestamptz
    AND (created_at, delivery_id) < (@before_at::timestamptz, @before_id::uuid)
ORDER BY created_at DESC, delivery_id DESC LIMIT @page_size;

-- name: ListDeliveriesOfLead :many
SELECT * FROM delivery
WHERE lead_id = @lead_id AND (@dealer_id::text = '' OR dealer_id = @dealer_id) AND (@state::smallint = 0 OR state = @state)
    AND (@webhook_id::text = '' OR webhook_id = @webhook_id) AND (@last_answer::text = '' OR last_answer = @last_answer)
    AND created_at >= @from_at::timestamptz AND created_at < @to_at::timestamptz
    AND (created_at, delivery_id) < (@before_at::timestamptz, @before_id::uuid)
ORDER BY created_at DESC, delivery_id DESC LIMIT @page_size;

-- name: OldestPendingDelivery :one
SELECT coalesce(min(created_at), 'epoch'::timestamptz)::timestamptz AS oldest FROM delivery WHERE state = 1 AND job_id >= 0;

-- name: LockDelivery :one
SELECT * FROM delivery WHERE delivery_id = @delivery_id FOR UPDATE;

-- name: SetDeliveryJob :exec
UPDATE delivery SET job_id = @job_id, state = 1, at = @at WHERE delivery_id = @delivery_id;

-- name: HoldPending :exec
UPDATE delivery SET job_id = -1, at = @at WHERE state = 1 AND webhook_id = @webhook_id;

-- name: QueueRange :many
UPDATE delivery SET job_id = -1, state = 1, at = @at, request_id = @request_id
WHERE delivery_id IN (
    SELECT d.delivery_id FROM delivery d
    WHERE d.dealer_id = @dealer_id AND (@webhook_id::text = '' OR d.webhook_id = @webhook_id) AND d.state = @state
        AND d.created_at >= @from_at::timestamptz AND d.created_at < @to_at::timestamptz AND (@request_id::text = '' OR d.request_id <> @request_id)
        AND (d.created_at, d.delivery_id) > (@after_at::timestamptz, @after_id::uuid)
    ORDER BY d.created_at, d.delivery_id LIMIT @most FOR UPDATE)
RETURNING created_at, delivery_id;

-- name: WaitingWebhooks :many
-- One look into the index per address, however much waits for it.
WITH RECURSIVE waiting AS (
    (SELECT d.webhook_id FROM delivery d WHERE d.state = 1 AND d.job_id <> 0 AND d.job_id = -1 ORDER BY d.webhook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.webhook_id FROM delivery d WHERE d.state = 1 AND d.job_id <> 0 AND d.job_id = -1 AND d.webhook_id > w.webhook_id
        ORDER BY d.webhook_id LIMIT 1)
    FROM waiting w WHERE w.webhook_id IS NOT NULL
)
SELECT webhook_id::text FROM waiting WHERE webhook_id IS NOT NULL;

-- name: UnderWay :one
SELECT count(*) FROM delivery WHERE state = 1 AND job_id <> 0 AND job_id > 0 AND webhook_id = @webhook_id AND at <= @at;

-- name: TakeWaiting :many
SELECT delivery_id, lead_id FROM delivery WHERE state = 1 AND job_id <> 0 AND job_id = -1 AND webhook_id = @webhook_id
ORDER BY created_at, delivery_id LIMIT @most FOR UPDATE SKIP LOCKED;

-- name: SetDeliveryJobs :exec
UPDATE delivery d SET job_id = j.job_id, at = @at
FROM (SELECT unnest(@delivery_ids::uuid[]) AS delivery_id, unnest(@job_ids::bigint[]) AS job_id) j WHERE d.delivery_id = j.delivery_id;
