-- name: PutWebhook :one
INSERT INTO webhook (webhook_id, dealer_id, department, url, secret, enabled, kind, address, content_type, attachment, subject,
    authorization_value, nightly_test)
VALUES (@webhook_id, @dealer_id, @department, @url, @secret, @enabled, @kind, @address, @content_type, @attachment, @subject,
    @authorization_value, @nightly_test)
ON CONFLICT (dealer_id, department) DO UPDATE SET url = excluded.url, enabled = excluded.enabled,
    secret = CASE WHEN @keep_secret::boolean THEN webhook.secret ELSE excluded.secret END,
    old_secret = CASE WHEN @keep_secret THEN webhook.old_secret ELSE '' END,
    kind = excluded.kind, address = excluded.address, content_type = excluded.content_type, attachment = excluded.attachment,
    subject = excluded.subject, nightly_test = excluded.nightly_test,
    authorization_value = CASE WHEN excluded.authorization_value = '' AND excluded.kind = 2 THEN webhook.authorization_value
        ELSE excluded.authorization_value END
RETURNING webhook_id;

-- name: WebhookOf :one
SELECT * FROM webhook WHERE dealer_id = @dealer_id AND department = @department;

-- name: WebhookByID :one
SELECT * FROM webhook WHERE webhook_id = @webhook_id;

-- name: EnabledWebhooks :many
SELECT webhook_id, dealer_id, department, (CASE WHEN url <> '' THEN 1 ELSE kind END)::smallint AS kind FROM webhook WHERE enabled;

-- name: ListWebhooks :many
SELECT * FROM webhook WHERE (@dealer_id::text = '' OR dealer_id = @dealer_id) ORDER BY dealer_id, department;

-- name: DisableWebhook :execrows
UPDATE webhook SET enabled = false WHERE webhook_id = @webhook_id AND enabled;

-- name: DeleteWebhook :execrows
DELETE FROM webhook WHERE webhook_id = @webhook_id;

-- name: RotateWebhook :execrows
UPDATE webhook SET old_secret = CASE WHEN @until::timestamptz > @at::timestamptz THEN secret ELSE '' END, old_secret_until = @until, secret = @secret
WHERE webhook_id = @webhook_id;

-- name: ClaimNightlyTest :one
UPDATE webhook SET tested_at = @at WHERE webhook_id = @webhook_id AND enabled AND nightly_test
    AND (tested_at IS NULL OR tested_at < @not_since) RETURNING webhook_id;

-- name: SetTestAnswer :exec
UPDATE webhook SET test_answer = @answer WHERE webhook_id = @webhook_id;

-- name: NightlyTests :many
SELECT webhook_id, dealer_id FROM webhook WHERE enabled AND nightly_test AND (tested_at IS NULL OR tested_at < @not_since::timestamptz);
