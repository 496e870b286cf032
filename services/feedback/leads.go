package feedback

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	store "github.com/leadmesh/leadmesh/services/feedback/internal/postgres"
	"github.com/leadmesh/leadmesh/services/feedback/internal/projection"
	"github.com/leadmesh/leadmesh/services/internal/cursor"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	listRead  = 5_000 // leads read for one page, at most; most of them may not match
	listChunk = 1_000
)

// listQuery is a request for leads that has been checked.
type listQuery struct {
	along    store.Along
	after    store.UpdatedPlace
	dealerID string
	state    lead.State
	line     lead.Line
	source   string
	code     string
	page     int
}

// ListLeads answers leads in the order in which what is told of them last changed. Facts are written
// by one folder at a time, so a lead that changes later stands behind every place answered so far.
func (s *Service) ListLeads(ctx context.Context, req *feedbackv1.ListLeadsRequest) (*feedbackv1.ListLeadsResponse, error) {
	q, err := parseList(rpc.CallerFrom(ctx), req)
	if err != nil {
		return nil, err
	}
	now := s.now()
	watermark, err := s.watermark(ctx, now)
	if err != nil {
		return nil, err
	}
	found, at, more, err := s.list(ctx, q)
	if err != nil {
		return nil, err
	}
	resp := &feedbackv1.ListLeadsResponse{Watermark: timestamppb.New(watermark)}
	var aside []lead.ID // whose state was given words
	for i := range found {
		if st := found[i].Fact.State.Value.State; st == lead.StateParked || st == lead.StateRejected {
			aside = append(aside, found[i].LeadID)
		}
	}
	notes, err := s.store.Notes(ctx, aside)
	if err != nil {
		return nil, err
	}
	for i := range found {
		resp.Leads = append(resp.Leads, summaryOf(&found[i], notes[found[i].LeadID], now))
	}
	if !at.UpdatedAt.IsZero() {
		resp.ResumeToken = formatUpdated(at)
	}
	if more {
		resp.NextPageToken = resp.ResumeToken
	}
	return resp, nil
}

// list reads leads until the page is full or enough was read, and returns the place behind what it
// looked at.
func (s *Service) list(ctx context.Context, q listQuery) (found []store.LeadState, at store.UpdatedPlace, more bool, err error) {
	at = q.after
	for read := 0; read < listRead; read += listChunk {
		rows, err := s.store.Updated(ctx, q.along, at, listChunk)
		if err != nil {
			return nil, at, false, err
		}
		for i := range rows {
			if len(found) == q.page {
				return found, at, true, nil
			}
			if q.matches(&rows[i].Fact) {
				found = append(found, rows[i])
			}
			at = rows[i].UpdatedPlace
		}
		if len(rows) < listChunk {
			return found, at, false, nil
		}
	}
	return found, at, true, nil
}

// matches leaves out leads whose capture was not seen yet: they come when it is.
func (q *listQuery) matches(f *projection.Fact) bool {
	return !f.ReceivedAt.IsZero() &&
		(q.dealerID == "" || f.Owner.Value.DealerID == q.dealerID) &&
		(q.state == lead.StateUnspecified || f.State.Value.State == q.state) &&
		(q.line == lead.LineUnspecified || f.Line.Value == q.line) &&
		(q.source == "" || f.Source == q.source) &&
		(q.code == "" || f.State.Value.Code == q.code)
}

func parseList(caller rpc.Caller, req *feedbackv1.ListLeadsRequest) (listQuery, error) {
	f := &fields{}
	dealerID, err := dealerOf(caller, req.GetDealerId())
	if err != nil {
		return listQuery{}, err
	}
	q := listQuery{
		dealerID: dealerID, state: lead.State(req.GetState()), line: lead.Line(req.GetLine()), source: req.GetSource(), code: req.GetCode(),
		page: f.pageSize(req.GetPageSize()),
	}
	if _, ok := leadv1.State_name[int32(req.GetState())]; !ok {
		f.wrong("state", "is no known state")
	}
	if _, ok := leadv1.Line_name[int32(req.GetLine())]; !ok {
		f.wrong("line", "is no known line")
	}
	if t := req.GetUpdatedAfter(); t != nil {
		if !t.IsValid() || t.AsTime().Year() > 9999 {
			f.wrong("updated_after", "is no valid time")
		} else {
			q.after = store.UpdatedPlace{UpdatedAt: t.AsTime().Truncate(time.Microsecond), LeadID: lastLead}
		}
	}
	if t := req.GetPageToken(); t != "" {
		place, ok := parseUpdated(t)
		if !ok {
			f.wrong("page_token", "is none that an answer of this call held; leave it out to begin anew")
		}
		if place.UpdatedAt.After(q.after.UpdatedAt) {
			q.after = place
		}
	}
	switch q.state {
	case lead.StatePending, lead.StateRejected, lead.StateParked:
		q.along.State = q.state
	default:
		q.along.DealerID = dealerID
	}
	return q, f.err()
}

// lastLead stands behind every lead of its moment.
var lastLead = lead.ID{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}

const updatedVersion = 1

func formatUpdated(p store.UpdatedPlace) string {
	b := binary.BigEndian.AppendUint64([]byte{updatedVersion}, uint64(p.UpdatedAt.UnixMicro()))
	return cursor.Text(append(b, p.LeadID[:]...))
}

// parseUpdated reads what formatUpdated wrote. Its time is one the database can hold.
func parseUpdated(text string) (p store.UpdatedPlace, ok bool) {
	b, read := cursor.Bytes(text)
	if !read || len(b) != 1+8+len(p.LeadID) || b[0] != updatedVersion {
		return p, false
	}
	at := time.UnixMicro(int64(binary.BigEndian.Uint64(b[1:]))).UTC()
	if year := at.Year(); year < 1970 || year > 9999 {
		return p, false
	}
	return store.UpdatedPlace{UpdatedAt: at, LeadID: lead.ID(b[9:])}, true
}

func summaryOf(l *store.LeadState, note string, now time.Time) *feedbackv1.LeadSummary {
	f := &l.Fact
	state := f.State.Value
	out := &feedbackv1.LeadSummary{
		LeadId: l.LeadID.String(), State: leadv1.State(state.State), Code: state.Code, Detail: detailOf(state, note),
		StateSince: leadconv.Time(state.At), UpdatedAt: leadconv.Time(l.UpdatedAt), ReceivedAt: leadconv.Time(f.ReceivedAt),
		AgeSeconds: max(int64(now.Sub(f.ReceivedAt)/time.Second), 0), Line: leadv1.Line(f.Line.Value), Brand: f.Brand, Source: f.Source,
		Campaign: f.Campaign, Test: f.Test, FlagCount: f.Flags, DealerId: f.Owner.Value.DealerID, RespondedAt: leadconv.Time(f.RespondedAt),
	}
	switch {
	case state.State == lead.StateParked:
		out.ParkOwner, out.ReviewAt = state.Actor, leadconv.Time(f.Deadline.Value.At)
	case state.State >= lead.StateAssigned && state.State <= lead.StateOrdered:
		out.NextDeadline, out.DeadlineKind = leadconv.Time(f.Deadline.Value.At), f.Deadline.Value.Kind
	}
	return out
}

// detailOf says in words why a lead is parked or was rejected: in those of the event, else in those
// of its code.
func detailOf(s projection.State, note string) string {
	const language = "en"
	switch {
	case s.State == lead.StateParked && note == "":
		switch s.Code {
		case lead.ParkReasonConsent.String():
			return "the customer's consent does not allow an answer; it takes a newer consent"
		case lead.ParkReasonNurture.String():
			return "the points lie below every threshold; it takes more signals, or a request"
		}
		return "the document could not be read, or the road failed too often; mend the lead or resubmit it"
	case s.State == lead.StateRejected:
		words := lead.Label(language, "reject", s.Code)
		if words == s.Code {
			words = lead.Label(language, "return", s.Code)
		}
		if note != "" {
			words += ": " + note
		}
		return words
	}
	return note
}
