package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	"github.com/leadmesh/leadmesh/services/feedback/internal/postgres/db"
)

// Appointment is a time agreed with a customer.
type Appointment struct {
	LeadID                                                 lead.ID
	ID, Type, TimeZone, DealerID, PersonID, VIN, Transport string
	StartsAt                                               time.Time
	Status                                                 feedbackv1.AppointmentStatus
	ForeignIDs                                             []string
}

// PutAppointment stores what change makes of the appointment held, nil if there is none. change
// may be called more than once and its error ends the work.
func (s *Store) PutAppointment(ctx context.Context, leadID lead.ID, id string, now time.Time, change func(held *Appointment) (Appointment, error)) (put Appointment, err error) {
	err = s.tx(ctx, func(q *db.Queries) error {
		held, err := lockAppointment(ctx, q, leadID, id)
		if err != nil {
			return err
		}
		if put, err = change(held); err != nil {
			return err
		}
		if held == nil {
			n, err := q.InsertAppointment(ctx, db.InsertAppointmentParams{
				Bucket: leadID.Bucket(), LeadID: uuid(leadID), AppointmentID: id, Type: put.Type, StartsAt: stamp(put.StartsAt),
				TimeZone: put.TimeZone, DealerID: put.DealerID, PersonID: put.PersonID, Vin: put.VIN, Transport: put.Transport,
				Status: int16(put.Status), ForeignIds: texts(put.ForeignIDs), UpdatedAt: stamp(now),
			})
			if err != nil || n > 0 {
				return err
			}
			// Somebody made it just now: it is there to be locked.
			if held, err = lockAppointment(ctx, q, leadID, id); err != nil {
				return err
			}
			if put, err = change(held); err != nil {
				return err
			}
		}
		return q.UpdateAppointment(ctx, db.UpdateAppointmentParams{
			Bucket: leadID.Bucket(), LeadID: uuid(leadID), AppointmentID: id, Type: put.Type, StartsAt: stamp(put.StartsAt),
			TimeZone: put.TimeZone, DealerID: put.DealerID, PersonID: put.PersonID, Vin: put.VIN, Transport: put.Transport,
			Status: int16(put.Status), ForeignIds: texts(put.ForeignIDs), UpdatedAt: stamp(now),
		})
	})
	return put, err
}

func lockAppointment(ctx context.Context, q *db.Queries, leadID lead.ID, id string) (*Appointment, error) {
	r, err := q.LockAppointment(ctx, leadID.Bucket(), uuid(leadID), id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &Appointment{
		LeadID: leadID, ID: id, Type: r.Type, TimeZone: r.TimeZone, DealerID: r.DealerID, PersonID: r.PersonID,
		VIN: r.Vin, Transport: r.Transport, StartsAt: fromStamp(r.StartsAt),
		Status: feedbackv1.AppointmentStatus(r.Status), ForeignIDs: r.ForeignIds,
	}, nil
}

// texts keeps an absent list from becoming NULL.
func texts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// SettleAppointment gives the lead's latest appointment without outcome that starts at or before
// a time the outcome told by a milestone. Without such an appointment nothing changes.
func (s *Store) SettleAppointment(ctx context.Context, leadID lead.ID, startsBefore time.Time, status feedbackv1.AppointmentStatus, now time.Time) error {
	return edge(s.q.SettleAppointment(ctx, int16(status), stamp(now), leadID.Bucket(), uuid(leadID), stamp(startsBefore)))
}

// Appointments returns those of a lead, or without lead those of a dealer, that start from a time
// on and before another; the earliest first, at most 1,000. A dealer given beside a lead narrows.
func (s *Store) Appointments(ctx context.Context, leadID lead.ID, dealerID string, from, until time.Time) ([]Appointment, error) {
	var rows []db.ListDealerAppointmentsRow
	if leadID.IsZero() {
		found, err := s.q.ListDealerAppointments(ctx, dealerID, stamp(from), stamp(until))
		if err != nil {
			return nil, edge(err)
		}
		rows = found
	} else {
		found, err := s.q.ListLeadAppointments(ctx, leadID.Bucket(), uuid(leadID), dealerID, stamp(from), stamp(until))
		if err != nil {
			return nil, edge(err)
		}
		for _, r := range found {
			rows = append(rows, db.ListDealerAppointmentsRow(r))
		}
	}
	list := make([]Appointment, len(rows))
	for i, r := range rows {
		list[i] = Appointment{
			LeadID: r.LeadID.Bytes, ID: r.AppointmentID, Type: r.Type, TimeZone: r.TimeZone, DealerID: r.DealerID,
			PersonID: r.PersonID, VIN: r.Vin, Transport: r.Transport, StartsAt: fromStamp(r.StartsAt),
			Status: feedbackv1.AppointmentStatus(r.Status), ForeignIDs: r.ForeignIds,
		}
	}
	return list, nil
}
