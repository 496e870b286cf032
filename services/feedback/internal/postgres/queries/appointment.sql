-- name: LockAppointment :one
SELECT type, starts_at, time_zone, dealer_id, person_id, vin, transport, status, foreign_ids
FROM appointment
WHERE bucket = @bucket AND lead_id = @lead_id AND appointment_id = @appointment_id
FOR UPDATE;

-- name: InsertAppointment :execrows
INSERT INTO appointment (bucket, lead_id, appointment_id, type, starts_at, time_zone, dealer_id, person_id, vin, transport, status, foreign_ids, updated_at)
VALUES (@bucket, @lead_id, @appointment_id, @type, @starts_at, @time_zone, @dealer_id, @person_id, @vin, @transport, @status, @foreign_ids, @updated_at)
ON CONFLICT (bucket, lead_id, appointment_id) DO NOTHING;

-- name: UpdateAppointment :exec
UPDATE appointment
SET type = @type, starts_at = @starts_at, time_zone = @time_zone, dealer_id = @dealer_id, person_id = @person_id,
    vin = @vin, transport = @transport, status = @status, foreign_ids = @foreign_ids, updated_at = @updated_at
WHERE bucket = @bucket AND lead_id = @lead_id AND appointment_id = @appointment_id;

-- name: SettleAppointment :exec
-- Gives the lead's appointment nearest before a time the outcome that a milestone told.
UPDATE appointment SET status = @status, updated_at = @updated_at
WHERE appointment.bucket = @bucket AND appointment.lead_id = @lead_id AND appointment.appointment_id = (
    SELECT a.appointment_id FROM appointment AS a
    WHERE a.bucket = @bucket AND a.lead_id = @lead_id AND a.status IN (1, 2, 3) AND a.starts_at <= @starts_before
    ORDER BY a.starts_at DESC LIMIT 1);

-- name: ListLeadAppointments :many
SELECT appointment_id, lead_id, type, starts_at, time_zone, dealer_id, person_id, vin, transport, status, foreign_ids
FROM appointment
WHERE bucket = @bucket AND lead_id = @lead_id AND (@dealer_id::text = '' OR dealer_id = @dealer_id)
  AND starts_at >= @starts_from AND starts_at < @starts_until
ORDER BY starts_at, appointment_id
LIMIT 1000;

-- name: ListDealerAppointments :many
SELECT appointment_id, lead_id, type, starts_at, time_zone, dealer_id, person_id, vin, transport, status, foreign_ids
FROM appointment
WHERE dealer_id = @dealer_id AND starts_at >= @starts_from AND starts_at < @starts_until
ORDER BY starts_at, appointment_id
LIMIT 1000;
