package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/sla"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
	"google.golang.org/protobuf/proto"
)

// Case is a decided lead as it stands.
type Case struct {
	LeadID       lead.ID
	Version      int64
	State        lead.State
	PersonID     lead.ID
	Brand        string
	Line         lead.Line
	Test         bool
	Chosen       bool // the customer chose the store
	Attempt      int  // of the last decision, from 1
	DealerID     string
	MergedInto   lead.ID
	Parking      Parking
	ClosedCode   string
	ClosedAt     time.Time
	ReturnedFrom lead.ID
	ReceivedAt   time.Time
	DecidedAt    time.Time
	Playbook     string
	Traceparent  string
	Lead         []byte // leadmesh.lead.v1.Lead
	Profile      []byte
	Decision     *leadv1.Decision // as answered, without the owner
	Owner        *Assignment      // nil unless open

	owned  bool       // it had an owner when it was read
	before Assignment // that owner
	whole  bool       // a sweep saves all of it, not only its clock
}

// Parking says why and until when nobody works a lead.
type Parking struct {
	Reason   lead.ParkReason
	Owner    string
	ReviewAt time.Time
}

// Assignment is the owner of an open lead.
type Assignment struct {
	Sequence    int
	Attempt     int
	DealerID    string
	Department  lead.Department
	Role        lead.Role
	PersonID    string
	AssignedAt  time.Time
	DeliveredAt time.Time
	Deadline    sla.Deadline
	Clock       sla.State
	Grant       routing.GrantFacts
	OfferTo     string // a transfer is offered to this dealer
	OfferUntil  time.Time
}

// Open reports whether somebody owns the lead.
func (k *Case) Open() bool { return k.Owner != nil }

// Cases reads the cases of leads; leads that are not decided are left out.
func (s *Store) Cases(ctx context.Context, leadIDs []lead.ID) ([]*Case, error) {
	buckets, list := ids(leadIDs)
	rows, err := s.q.Cases(ctx, buckets, list)
	if err != nil {
		return nil, edge("read cases", err)
	}
	out := make([]*Case, 0, len(rows))
	for i := range rows {
		c, err := s.caseOf(&rows[i])
		if err != nil {
			return nil, edge("read a case", err)
		}
		out = append(out, c)
	}
	return out, nil
}

// Case reads one case; the problem NOT_FOUND if the lead is not decided.
func (s *Store) Case(ctx context.Context, id lead.ID) (*Case, error) {
	list, err := s.Cases(ctx, []lead.ID{id})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, problem.NotFound("decided lead")
	}
	return list[0], nil
}

// MergedLeads answers, for each of the leads, those that were merged into it.
func (s *Store) MergedLeads(ctx context.Context, leadIDs []lead.ID) (map[lead.ID][]lead.ID, error) {
	_, list := ids(leadIDs)
	rows, err := s.q.MergedLeads(ctx, list)
	if err != nil {
		return nil, edge("read merged leads", err)
	}
	out := map[lead.ID][]lead.ID{}
	for _, row := range rows {
		out[row.MergedInto.Bytes] = append(out[row.MergedInto.Bytes], row.LeadID.Bytes)
	}
	return out, nil
}

// Receipt is the replayable record of an attempt.
type Receipt struct {
	Canonical []byte
	Attempt   int // from 1
	Kept      int // receipts of the lead
}

// Receipt reads the receipt of an attempt, the last one if attempt is 0; the problem NOT_FOUND if
// there is none.
func (s *Store) Receipt(ctx context.Context, id lead.ID, attempt int) (Receipt, error) {
	row, err := s.q.LastReceipt(ctx, id.Bucket(), uuid(id), int32(attempt))
	if err != nil {
		if errors.Is(err, pgx.ErrNoRows) {
			return Receipt{}, problem.NotFound("receipt")
		}
		return Receipt{}, edge("read a receipt", err)
	}
	n, err := s.q.CountReceipts(ctx, id.Bucket(), uuid(id))
	if err != nil {
		return Receipt{}, edge("count receipts", err)
	}
	canonical, err := s.codec.Unpack(row.Canonical)
	return Receipt{Canonical: canonical, Attempt: int(row.Attempt), Kept: int(n)}, edge("unpack a receipt", err)
}

func (s *Store) caseOf(row *db.CasesRow) (*Case, error) {
	body, err := s.codec.Unpack(row.Lead)
	if err != nil {
		return nil, fmt.Errorf("unpack the lead: %w", err)
	}
	c := &Case{
		LeadID: row.LeadID.Bytes, Version: row.LeadVersion, State: lead.State(row.State), PersonID: row.PersonID.Bytes,
		Brand: row.Brand, Line: lead.Line(row.Line), Test: row.Test, Chosen: row.Chosen, Attempt: int(row.Attempt), DealerID: row.DealerID,
		MergedInto: row.MergedInto.Bytes, ClosedCode: row.ClosedCode, ClosedAt: row.ClosedAt.Time, ReturnedFrom: row.ReturnedFrom.Bytes,
		Parking:    Parking{Reason: lead.ParkReason(row.ParkReason), Owner: row.ParkOwner, ReviewAt: row.ReviewAt.Time},
		ReceivedAt: row.ReceivedAt.Time, DecidedAt: row.DecidedAt.Time, Playbook: row.Playbook, Traceparent: row.Traceparent,
		Lead: body, Profile: row.Profile, Decision: &leadv1.Decision{},
	}
	if err := proto.Unmarshal(row.Decision, c.Decision); err != nil {
		return nil, fmt.Errorf("decode the decision: %w", err)
	}
	if !row.Sequence.Valid {
		return c, nil
	}
	clock, err := sla.UnmarshalState(row.Clock)
	if err != nil {
		return nil, err
	}
	c.Owner = &Assignment{
		Sequence: int(row.Sequence.Int32), Attempt: int(row.AssignmentAttempt.Int32), DealerID: row.DealerID, Department: lead.Department(row.Department.Int16), Role: lead.Role(row.Role.Int16),
		PersonID: row.Assignee.String, AssignedAt: row.AssignedAt.Time, DeliveredAt: row.DeliveredAt.Time, Clock: clock,
		Deadline: sla.Deadline{At: row.NextDeadline.Time, Kind: sla.DeadlineKind(row.DeadlineKind.Int16)},
		OfferTo:  row.OfferTo.String, OfferUntil: row.OfferUntil.Time,
	}
	if err := json.Unmarshal(row.GrantFacts, &c.Owner.Grant); err != nil {
		return nil, fmt.Errorf("decode the grant's facts: %w", err)
	}
	c.owned, c.before = true, *c.Owner
	return c, nil
}

// CountSiblings counts the other open leads of the same shopper, brand and line at other stores.
func (s *Store) CountSiblings(ctx context.Context, k *Case) (int32, error) {
	n, err := s.q.CountSiblings(ctx, db.CountSiblingsParams{
		PersonID: uuid(k.PersonID), Brand: k.Brand, Line: int16(k.Line), LeadID: uuid(k.LeadID), DealerID: k.DealerID,
	})
	if err != nil {
		return 0, edge("count siblings", err)
	}
	return n, nil
}
