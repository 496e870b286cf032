-- name: Cases :many
SELECT d.bucket, d.lead_id, d.lead_version, d.state, d.person_id, d.brand, d.line, d.test, d.chosen, d.attempt,
       d.dealer_id, d.merged_into, d.park_reason, d.park_owner, d.review_at, d.closed_code, d.closed_at,
       d.returned_from, d.received_at, d.decided_at, d.playbook, d.traceparent, d.lead, d.profile, d.decision,
       a.sequence, a.attempt AS assignment_attempt, a.department, a.role, a.person_id AS assignee, a.assigned_at, a.delivered_at, a.next_deadline,
       a.deadline_kind, a.clock, a.grant_facts, a.offer_to, a.offer_until
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) k
JOIN decision d ON d.bucket = k.bucket AND d.lead_id = k.lead_id
LEFT JOIN assignment a ON a.bucket = d.bucket AND a.lead_id = d.lead_id;

-- name: MergedLeads :many
SELECT merged_into, lead_id FROM decision WHERE merged_into = ANY(@lead_ids::uuid[]) ORDER BY decided_at;

-- name: LastReceipt :one
SELECT attempt, canonical FROM receipt
WHERE bucket = @bucket AND lead_id = @lead_id AND (@attempt::integer = 0 OR attempt = @attempt::integer)
ORDER BY attempt DESC LIMIT 1;

-- name: CountReceipts :one
SELECT count(*) FROM receipt WHERE bucket = @bucket AND lead_id = @lead_id;

-- name: LockCases :many
SELECT d.lead_id FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) k
JOIN decision d ON d.bucket = k.bucket AND d.lead_id = k.lead_id
ORDER BY d.lead_id FOR UPDATE OF d;

-- name: UpdateDecision :exec
UPDATE decision SET lead_version = @lead_version, state = @state, line = @line, chosen = @chosen, attempt = @attempt, dealer_id = @dealer_id, merged_into = @merged_into,
    park_reason = @park_reason, park_owner = @park_owner, review_at = @review_at, closed_code = @closed_code,
    closed_at = @closed_at, decided_at = @decided_at, playbook = @playbook, profile = @profile, decision = @decision
WHERE bucket = @bucket AND lead_id = @lead_id;

-- name: UpdateAssignment :exec
UPDATE assignment SET sequence = @sequence, attempt = @attempt, dealer_id = @dealer_id, department = @department, role = @role, person_id = @person_id,
    assigned_at = @assigned_at, delivered_at = @delivered_at, next_deadline = @next_deadline, deadline_kind = @deadline_kind,
    clock = @clock, grant_facts = @grant_facts, offer_to = @offer_to, offer_until = @offer_until
WHERE bucket = @bucket AND lead_id = @lead_id;

-- name: DeleteAssignment :exec
DELETE FROM assignment WHERE bucket = @bucket AND lead_id = @lead_id;

-- name: InsertPastAssignment :exec
INSERT INTO past_assignment (bucket, lead_id, sequence, dealer_id, department, role, person_id, assigned_at, ended_at, ended_by, code, clock, grant_facts)
VALUES (@bucket, @lead_id, @sequence, @dealer_id, @department, @role, @person_id, @assigned_at, @ended_at, @ended_by, @code, @clock, @grant_facts)
ON CONFLICT DO NOTHING;

-- name: NoteApplied :execrows
INSERT INTO applied (bucket, lead_id, id, at, activity) VALUES (@bucket, @lead_id, @id, @at, @activity) ON CONFLICT DO NOTHING;

-- name: AppliedActivities :many
SELECT activity FROM applied WHERE bucket = @bucket AND lead_id = @lead_id AND activity <> '' ORDER BY at, id;

-- name: CountSiblings :one
SELECT count(*)::integer FROM decision
WHERE person_id = @person_id AND brand = @brand AND line = @line AND lead_id <> @lead_id AND state BETWEEN 5 AND 9 AND dealer_id <> @dealer_id;
