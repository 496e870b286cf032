-- name: PastAssignments :many
SELECT sequence, dealer_id, department, role, person_id, assigned_at, ended_at, ended_by, code, clock, grant_facts
FROM past_assignment WHERE bucket = @bucket AND lead_id = @lead_id ORDER BY sequence;

-- name: UpdatePastClock :exec
UPDATE past_assignment SET clock = @clock, code = @code
WHERE bucket = @bucket AND lead_id = @lead_id AND sequence = @sequence;

-- name: DropInterest :execrows
DELETE FROM open_interest
WHERE bucket = @bucket AND person_id = @person_id AND brand = @brand AND line = @line AND dealer_id = @dealer_id AND lead_id = @lead_id;

-- name: InterestOf :many
SELECT dealer_id, lead_id FROM open_interest
WHERE bucket = @bucket AND person_id = @person_id AND brand = @brand AND line = @line;

-- name: OpenOfLine :many
SELECT DISTINCT ON (bucket, person_id) person_id, lead_id FROM open_interest
WHERE (bucket, person_id) >= (@from_bucket::smallint, @from_person::uuid) AND (bucket, person_id) <= (@to_bucket::smallint, @to_person::uuid)
  AND line = @line
ORDER BY bucket, person_id, lead_id LIMIT @most;

-- name: Inbox :many
SELECT lead_id, next_deadline FROM (
    (SELECT a.lead_id, a.next_deadline FROM assignment a
     WHERE a.dealer_id = @dealer_id AND (a.next_deadline, a.lead_id) > (@after::timestamptz, @after_id::uuid)
       AND (@department::smallint = 0 OR a.department = @department::smallint)
       AND (@person_id::text = '' OR a.person_id = @person_id::text)
     ORDER BY a.next_deadline, a.lead_id LIMIT @page)
    UNION ALL
    (SELECT o.lead_id, o.next_deadline FROM assignment o
     WHERE o.offer_to = @dealer_id AND o.offer_to <> '' AND (o.next_deadline, o.lead_id) > (@after::timestamptz, @after_id::uuid)
       AND (@department::smallint = 0 OR o.department = @department::smallint) AND @person_id::text = ''
     ORDER BY o.next_deadline, o.lead_id LIMIT @page)
) both_kinds ORDER BY next_deadline, lead_id LIMIT @page;

-- name: CountOpen :one
SELECT count(*)::integer FROM assignment WHERE dealer_id = @dealer_id;

-- name: Evidence :many
SELECT given.dealer_id, given.department, count(*)::integer AS leads,
       (count(*) FILTER (WHERE d.state BETWEEN 6 AND 11 OR given.ended_by IN ('declined', 'transferred', 'returned', 'closed')
           OR EXISTS (SELECT 1 FROM applied p WHERE p.bucket = given.bucket AND p.lead_id = given.lead_id)))::integer AS with_evidence
FROM (
    SELECT a.bucket, a.lead_id, a.dealer_id, a.department, '' AS ended_by FROM assignment a
    WHERE a.delivered_at BETWEEN @since::timestamptz AND @until::timestamptz
    UNION ALL
    SELECT p.bucket, p.lead_id, p.dealer_id, p.department, p.ended_by FROM past_assignment p
    WHERE p.assigned_at BETWEEN @since::timestamptz AND @until::timestamptz
) given JOIN decision d ON d.bucket = given.bucket AND d.lead_id = given.lead_id
GROUP BY given.dealer_id, given.department;

-- name: WasApplied :one
SELECT EXISTS (SELECT 1 FROM applied WHERE bucket = @bucket AND lead_id = @lead_id AND (id = @id OR id = @early_id AND activity = ''));

-- name: SetDecisionLead :exec
UPDATE decision SET lead = @lead WHERE bucket = @bucket AND lead_id = @lead_id;
