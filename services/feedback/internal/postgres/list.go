package postgres

import (
	"context"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/feedback/internal/postgres/db"
	"github.com/leadmesh/leadmesh/services/feedback/internal/projection"
	"google.golang.org/protobuf/proto"
)

// UpdatedPlace is a place among leads in the order in which they last changed.
type UpdatedPlace struct {
	UpdatedAt time.Time
	LeadID    lead.ID
}

// LeadState is a lead as far as its events tell.
type LeadState struct {
	UpdatedPlace
	Fact projection.Fact
}

// Along says by which index leads are read; at most one is set. Without any, all leads are read.
type Along struct {
	DealerID string
	State    lead.State // PENDING, REJECTED or PARKED only
}

// Updated reads up to n leads in the order in which they last changed, after a place. Leads whose
// capture was not seen are among them: they have no time of receipt.
func (s *Store) Updated(ctx context.Context, along Along, after UpdatedPlace, n int) ([]LeadState, error) {
	var rows []db.LeadFact
	add := func(f db.LeadFact) { rows = append(rows, f) }
	at, id, page := stamp(after.UpdatedAt), uuid(after.LeadID), int32(n)
	if !at.Valid {
		at = stamp(time.Unix(0, 0))
	}
	switch {
	case along.DealerID != "":
		found, err := s.q.ListUpdatedOfDealer(ctx, along.DealerID, at, id, page)
		if err != nil {
			return nil, edge(err)
		}
		for i := range found {
			add(found[i].LeadFact)
		}
	case along.State != lead.StateUnspecified:
		found, err := s.q.ListUpdatedAside(ctx, int16(along.State), at, id, page)
		if err != nil {
			return nil, edge(err)
		}
		for i := range found {
			add(found[i].LeadFact)
		}
	default:
		found, err := s.q.ListUpdated(ctx, at, id, page)
		if err != nil {
			return nil, edge(err)
		}
		for i := range found {
			add(found[i].LeadFact)
		}
	}
	out := make([]LeadState, len(rows))
	for i := range rows {
		fact, err := readFact(&rows[i])
		if err != nil {
			return nil, edge(err)
		}
		out[i] = LeadState{UpdatedPlace: UpdatedPlace{UpdatedAt: fromStamp(rows[i].UpdatedAt), LeadID: rows[i].LeadID.Bytes}, Fact: fact}
	}
	return out, nil
}

// Notes returns, by lead, what the newest event that set its state said in words.
func (s *Store) Notes(ctx context.Context, ids []lead.ID) (map[lead.ID]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	buckets, leads := keys(ids)
	rows, err := s.q.ListEventsOf(ctx, buckets, leads)
	if err != nil {
		return nil, edge(err)
	}
	notes, newest := make(map[lead.ID]string, len(ids)), make(map[lead.ID]projection.Version, len(ids))
	for i := range rows {
		r := &rows[i]
		e := &leadv1.Event{Type: r.Type, Source: r.Source, LeadVersion: r.LeadVersion, Facts: &leadv1.EventFacts{}}
		if err := proto.Unmarshal(r.Facts, e.Facts); err != nil {
			return nil, edge(err)
		}
		told, id := projection.Of(e), lead.ID(r.LeadID.Bytes)
		switch v := told.State.Version; {
		case v == 0 || v < newest[id]:
		case v > newest[id]:
			newest[id], notes[id] = v, e.GetFacts().GetNote()
		default:
			notes[id] = max(notes[id], e.GetFacts().GetNote())
		}
	}
	return notes, nil
}
