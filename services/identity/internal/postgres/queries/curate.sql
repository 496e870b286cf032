-- name: StoryPersons :many
-- Persons and everybody joined into them.
SELECT p.person_id, p.household_id, p.version, p.merged_into, p.consent_epoch, p.golden, p.facts, p.profile, p.created_at, p.account_id
FROM person p
JOIN (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id) AS k ON p.bucket = k.bucket AND p.person_id = k.person_id
UNION ALL
SELECT p.person_id, p.household_id, p.version, p.merged_into, p.consent_epoch, p.golden, p.facts, p.profile, p.created_at, p.account_id
FROM person p WHERE p.merged_into = ANY(@person_ids::uuid[]);

-- name: StoryRecords :many
SELECT r.person_id, r.record_id, r.lead_id, r.body, r.weight, r.reasons, r.linked_at, r.left_at
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id) AS k
JOIN record r ON r.bucket = k.bucket AND r.person_id = k.person_id;

-- name: StorySignals :many
SELECT s.person_id, s.occurred_at, s.signal_key, s.kind, s.received_at, s.body
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id) AS k
JOIN signal s ON s.bucket = k.bucket AND s.person_id = k.person_id;

-- name: StoryConsents :many
SELECT c.person_id, c.epoch, c.consent_id, c.fact, c.recorded_at, c.origin
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id) AS k
JOIN consent c ON c.bucket = k.bucket AND c.person_id = k.person_id;

-- name: MergesOf :many
SELECT m.person_id, m.merged_into, m.record_id, m.weight, m.reasons, m.merged_at, m.actor, m.note, m.household_before, m.place
FROM person_merge m
JOIN (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id) AS k ON m.bucket = k.bucket AND m.person_id = k.person_id
UNION
SELECT m.person_id, m.merged_into, m.record_id, m.weight, m.reasons, m.merged_at, m.actor, m.note, m.household_before, m.place
FROM person_merge m WHERE m.merged_into = ANY(@person_ids::uuid[]);

-- name: SplitsOf :many
SELECT s.person_id, s.split_id, s.new_person_id, s.split_at, s.actor, s.note, s.record_ids,
       s.merged_into, s.merge_record, s.weight, s.reasons, s.merged_at, s.merge_actor, s.merge_note, s.merge_place
FROM person_split s
WHERE s.person_id = ANY(@person_ids::uuid[]) OR s.new_person_id = ANY(@person_ids::uuid[]) OR s.merged_into = ANY(@person_ids::uuid[]);

-- name: HeldKeys :many
-- Which of the persons hold which of the keys.
SELECT m.kind, m.key_hash, m.person_id
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@kinds::smallint[]) AS kind, unnest(@key_hashes::uuid[]) AS key_hash) AS k
JOIN match_key m ON m.bucket = k.bucket AND m.kind = k.kind AND m.key_hash = k.key_hash
WHERE m.person_id = ANY(@person_ids::uuid[]);

-- name: DeleteKeys :exec
DELETE FROM match_key m
USING (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@kinds::smallint[]) AS kind, unnest(@key_hashes::uuid[]) AS key_hash, unnest(@person_ids::uuid[]) AS person_id) AS k
WHERE m.bucket = k.bucket AND m.kind = k.kind AND m.key_hash = k.key_hash AND m.person_id = k.person_id;

-- name: DeleteMerges :exec
DELETE FROM person_merge m
USING (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id) AS k
WHERE m.bucket = k.bucket AND m.person_id = k.person_id;

-- name: InsertSplit :exec
INSERT INTO person_split (bucket, person_id, split_id, new_person_id, split_at, actor, note, record_ids,
                          merged_into, merge_record, weight, reasons, merged_at, merge_actor, merge_note, merge_place)
VALUES (@bucket, @person_id, @split_id, @new_person_id, @split_at, @actor, @note, @record_ids::uuid[],
        @merged_into, @merge_record, @weight, @reasons, @merged_at, @merge_actor, @merge_note, @merge_place);

-- name: LeaveRecords :exec
UPDATE record r SET left_at = @at::timestamptz
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id, unnest(@record_ids::uuid[]) AS record_id) AS k
WHERE r.bucket = k.bucket AND r.person_id = k.person_id AND r.record_id = k.record_id;

-- name: MoveLeads :exec
UPDATE lead_person l SET person_id = @person_id::uuid
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@lead_ids::uuid[]) AS lead_id) AS k
WHERE l.bucket = k.bucket AND l.lead_id = k.lead_id;

-- name: MoveSignals :exec
UPDATE signal s SET bucket = @new_bucket::smallint, person_id = @new_person_id::uuid
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id, unnest(@occurred_at::timestamptz[]) AS occurred_at, unnest(@signal_keys::uuid[]) AS signal_key) AS k
WHERE s.bucket = k.bucket AND s.person_id = k.person_id AND s.occurred_at = k.occurred_at AND s.signal_key = k.signal_key;

-- name: HouseholdMembers :many
SELECT p.person_id, p.golden FROM person p
WHERE p.household_id = @household_id AND p.household_id <> p.person_id AND p.merged_into IS NULL
ORDER BY p.created_at, p.person_id LIMIT @most;

-- name: ReturnRecords :exec
-- Records that come back to a person they had left.
UPDATE record r SET left_at = NULL, linked_at = @at::timestamptz
FROM (SELECT unnest(@record_ids::uuid[]) AS record_id) AS k
WHERE r.bucket = @bucket AND r.person_id = @person_id AND r.record_id = k.record_id AND r.left_at IS NOT NULL;

-- name: DecisionsAbout :many
-- What people decided about persons, from either side.
SELECT d.person_id, d.other_id, d.decided_at, d.same, d.decided_by, d.why
FROM (SELECT unnest(@buckets::smallint[]) AS bucket, unnest(@person_ids::uuid[]) AS person_id) AS k
JOIN pair_decision d ON d.bucket = k.bucket AND d.person_id = k.person_id;
