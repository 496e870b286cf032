package postgres

import (
	"encoding/json"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/feedback/internal/postgres/db"
	"github.com/leadmesh/leadmesh/services/feedback/internal/projection"
)

// writeFacts lays facts out as columns.
func writeFacts(facts []leadFact) (db.InsertLeadFactsParams, error) {
	n := len(facts)
	buckets, ids := keys(facts)
	p := db.InsertLeadFactsParams{
		Buckets: buckets, LeadIds: ids,
		Test:            make([]bool, n),
		Brand:           make([]string, n),
		Source:          make([]string, n),
		Campaign:        make([]string, n),
		Flags:           make([]int32, n),
		Assignments:     make([]int32, n),
		BadContact:      make([]bool, n),
		RequestedAt:     make([]pgtype.Timestamptz, n),
		ReceivedAt:      make([]pgtype.Timestamptz, n),
		LineVersion:     make([]int64, n),
		Line:            make([]int16, n),
		StateVersion:    make([]int64, n),
		State:           make([]int16, n),
		StateAt:         make([]pgtype.Timestamptz, n),
		StateCode:       make([]string, n),
		StateActor:      make([]string, n),
		OwnerVersion:    make([]int64, n),
		DealerID:        make([]string, n),
		Desk:            make([]bool, n),
		ProbabilityPpm:  make([]int32, n),
		DeadlineVersion: make([]int64, n),
		DueAt:           make([]pgtype.Timestamptz, n),
		DueKind:         make([]string, n),
		AssignedAt:      make([]pgtype.Timestamptz, n),
		DeliveredAt:     make([]pgtype.Timestamptz, n),
		RespondedAt:     make([]pgtype.Timestamptz, n),
		EngagedAt:       make([]pgtype.Timestamptz, n),
		WorkedAt:        make([]pgtype.Timestamptz, n),
		Detail:          make([][]byte, n),
	}
	for i := range facts {
		f := &facts[i].fact
		p.Test[i] = f.Test
		p.Brand[i] = f.Brand
		p.Source[i] = f.Source
		p.Campaign[i] = f.Campaign
		p.Flags[i] = f.Flags
		p.Assignments[i] = f.Assignments
		p.BadContact[i] = f.BadContact
		p.RequestedAt[i] = stamp(f.RequestedAt)
		p.ReceivedAt[i] = stamp(f.ReceivedAt)
		p.LineVersion[i] = int64(f.Line.Version)
		p.Line[i] = int16(f.Line.Value)
		p.StateVersion[i] = int64(f.State.Version)
		p.State[i] = int16(f.State.Value.State)
		p.StateAt[i] = stamp(f.State.Value.At)
		p.StateCode[i] = f.State.Value.Code
		p.StateActor[i] = f.State.Value.Actor
		p.OwnerVersion[i] = int64(f.Owner.Version)
		p.DealerID[i] = f.Owner.Value.DealerID
		p.Desk[i] = f.Owner.Value.Desk
		p.ProbabilityPpm[i] = f.Owner.Value.ProbabilityPPM
		p.DeadlineVersion[i] = int64(f.Deadline.Version)
		p.DueAt[i] = stamp(f.Deadline.Value.At)
		p.DueKind[i] = f.Deadline.Value.Kind
		p.AssignedAt[i] = stamp(f.AssignedAt)
		p.DeliveredAt[i] = stamp(f.DeliveredAt)
		p.RespondedAt[i] = stamp(f.RespondedAt)
		p.EngagedAt[i] = stamp(f.EngagedAt)
		p.WorkedAt[i] = stamp(f.WorkedAt)
		if f.Detail.IsZero() {
			continue
		}
		detail, err := json.Marshal(&f.Detail)
		if err != nil {
			return p, err
		}
		p.Detail[i] = detail
	}
	return p, nil
}

// readFact reads what writeFacts wrote.
func readFact(r *db.LeadFact) (projection.Fact, error) {
	var f projection.Fact
	f.Test = r.Test
	f.Brand = r.Brand
	f.Source = r.Source
	f.Campaign = r.Campaign
	f.Flags = r.Flags
	f.Assignments = r.Assignments
	f.BadContact = r.BadContact
	f.RequestedAt = fromStamp(r.RequestedAt)
	f.ReceivedAt = fromStamp(r.ReceivedAt)
	f.Line.Version = projection.Version(r.LineVersion)
	f.Line.Value = lead.Line(r.Line)
	f.State.Version = projection.Version(r.StateVersion)
	f.State.Value.State = lead.State(r.State)
	f.State.Value.At = fromStamp(r.StateAt)
	f.State.Value.Code = r.StateCode
	f.State.Value.Actor = r.StateActor
	f.Owner.Version = projection.Version(r.OwnerVersion)
	f.Owner.Value.DealerID = r.DealerID
	f.Owner.Value.Desk = r.Desk
	f.Owner.Value.ProbabilityPPM = r.ProbabilityPpm
	f.Deadline.Version = projection.Version(r.DeadlineVersion)
	f.Deadline.Value.At = fromStamp(r.DueAt)
	f.Deadline.Value.Kind = r.DueKind
	f.AssignedAt = fromStamp(r.AssignedAt)
	f.DeliveredAt = fromStamp(r.DeliveredAt)
	f.RespondedAt = fromStamp(r.RespondedAt)
	f.EngagedAt = fromStamp(r.EngagedAt)
	f.WorkedAt = fromStamp(r.WorkedAt)
	if r.Detail != nil {
		if err := json.Unmarshal(r.Detail, &f.Detail); err != nil {
			return f, err
		}
	}
	return f, nil
}
