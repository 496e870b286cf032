package capture

import (
	"context"
	"encoding/binary"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/cursor"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// ResubmitLead has a lead that stands still judged anew, and waits for its decision as long as a
// sender does.
func (s *Service) ResubmitLead(ctx context.Context, req *capturev1.ResubmitLeadRequest) (*capturev1.ResubmitLeadResponse, error) {
	id, err := parseID(req.GetLeadId())
	if err != nil {
		return nil, err
	}
	if why := badReason(req.GetReason(), false); why != "" {
		return nil, problem.Invalid(problem.Violation{Field: "reason", Description: why})
	}
	actor, now := rpc.CallerFrom(ctx).String(), s.deps.Now().UTC().Truncate(time.Microsecond)
	w, err := s.rejudge(ctx, id, actor, req.GetReason(), now.Add(driverLease), now)
	if err != nil {
		return nil, err
	}
	resubmitted := true
	if w.m.Place == store.HandedOver {
		resp, err := s.deps.Cases.RefreshCases(ctx, &routingv1.RefreshCasesRequest{Refreshes: []*routingv1.CaseRefresh{
			{LeadId: id.String(), DecideAgain: true, Actor: actor, Note: req.GetReason()},
		}})
		if err != nil {
			return nil, problem.Unavailable(err)
		}
		for _, c := range resp.GetCases() {
			if p := problem.FromProto(c.GetProblem()); p != nil {
				return nil, p
			}
			resubmitted = c.GetChanged()
		}
	}
	s.relay.Wake()
	s.goOn(ctx, w)
	standing, err := s.standing(ctx, id)
	return &capturev1.ResubmitLeadResponse{Standing: standing, Resubmitted: resubmitted}, err
}

// rejudge judges a lead anew that Capture is the authority for. Others are left as they are.
func (s *Service) rejudge(ctx context.Context, id lead.ID, actor, reason string, dueAt, now time.Time) (*mended, error) {
	w := &mended{}
	err := s.store.Mend(ctx, id, func(m *store.Mending, events *outbox.Rows) (store.Mended, error) {
		*w = mended{m: m}
		if m.Place == store.HandedOver {
			return store.Mended{}, nil
		}
		j, err := s.judge(m, nil)
		if err != nil {
			return store.Mended{}, err
		}
		if j == nil {
			return store.Mended{}, problem.New(problemv1.Reason_REASON_WRONG_STATE,
				"the lead's document still cannot be read; send a readable one, or its fields, with PATCH /v1/leads/%s", id)
		}
		w.j = j
		w.done, err = j.route(m, actor, reason, dueAt, now, events)
		return w.done, err
	})
	return w, err
}

// RejectLead closes a lead that nobody owns. One that is pending may be deciding this moment: it is
// left alone.
func (s *Service) RejectLead(ctx context.Context, req *capturev1.RejectLeadRequest) (*capturev1.RejectLeadResponse, error) {
	id, err := parseID(req.GetLeadId())
	if err != nil {
		return nil, err
	}
	code := lead.RejectCode(req.GetCode())
	var bad []problem.Violation
	if code.String() == "" {
		bad = append(bad, problem.Violation{Field: "code", Description: "is required: say why, such as REJECT_CODE_JUNK"})
	}
	if why := badReason(req.GetNote(), false); why != "" {
		bad = append(bad, problem.Violation{Field: "note", Description: why})
	}
	if len(bad) > 0 {
		return nil, problem.Invalid(bad...)
	}
	actor, now := rpc.CallerFrom(ctx).String(), s.deps.Now().UTC().Truncate(time.Microsecond)
	var place store.Place
	changed := false
	err = s.store.Mend(ctx, id, func(m *store.Mending, events *outbox.Rows) (store.Mended, error) {
		place, changed = m.Place, false
		switch {
		case place == store.HandedOver, place == store.Rejected && m.Code == code.String() && m.RejectedBy != "":
			return store.Mended{}, nil
		case place == store.Pending:
			return store.Mended{}, problem.New(problemv1.Reason_REASON_WRONG_STATE, "the lead is pending and may be decided this moment; reject it when it is parked, or have its owner return it")
		}
		l := &lead.Lead{ID: id, Test: m.Test, ReceivedAt: m.ReceivedAt}
		if len(m.Body) > 0 {
			held, err := decode(m.Body)
			if err != nil {
				return store.Mended{}, err
			}
			l = held
		}
		changed = true
		done := store.Mended{To: store.Rejected, DueAt: now, Code: code.String(), Detail: req.GetNote(), Actor: actor}
		return done, events.Add(id, rejectedEvent(l, m, done.Code, actor, req.GetNote(), now), now)
	})
	if err != nil {
		return nil, err
	}
	if place == store.HandedOver {
		resp, err := s.deps.Cases.RejectCase(ctx, &routingv1.RejectCaseRequest{LeadId: id.String(), Code: code.String(), Note: req.GetNote(), Actor: actor})
		if err != nil {
			return nil, problem.From(err)
		}
		changed = resp.GetChanged()
	}
	s.relay.Wake()
	standing, err := s.standing(ctx, id)
	return &capturev1.RejectLeadResponse{Standing: standing, Changed: changed}, err
}

const (
	resubmitPage    = 100
	resubmitPageMax = 1_000
)

// BatchResubmitLeads has the leads that stand still for one reason judged anew, in the background.
// Those rejected by hand stay.
func (s *Service) BatchResubmitLeads(ctx context.Context, req *capturev1.BatchResubmitLeadsRequest) (*capturev1.BatchResubmitLeadsResponse, error) {
	now := s.deps.Now().UTC().Truncate(time.Microsecond)
	b, err := parseResubmit(req, now)
	if err != nil {
		return nil, err
	}
	b.actor = rpc.CallerFrom(ctx).String()
	resp := &capturev1.BatchResubmitLeadsResponse{}
	var n int
	switch {
	case b.park == lead.ParkReasonData:
		n, err = s.store.RecallParked(ctx, b.period, now, b.limit, req.GetDryRun())
	case b.park != lead.ParkReasonUnspecified:
		var woken *routingv1.WakeCasesResponse
		woken, err = s.deps.Cases.WakeCases(ctx, &routingv1.WakeCasesRequest{
			Reason: leadv1.ParkReason(b.park), Since: timestamppb.New(b.period.Since), Until: timestamppb.New(b.period.Until),
			Limit: int32(b.limit), DryRun: req.GetDryRun(),
		})
		n = int(woken.GetCount())
	default:
		return resp, s.reviseRejected(ctx, b, req.GetDryRun(), now, resp)
	}
	if err != nil {
		return nil, problem.From(err)
	}
	resp.Matched = int32(n)
	if !req.GetDryRun() {
		resp.Resubmitted = int32(n)
		if n == b.limit { // those taken match no longer: the next call goes on by itself
			resp.NextPageToken = rejectedToken(store.RejectedPlace{At: b.period.Since})
		}
	}
	return resp, nil
}

// reviseRejected judges rejected leads anew, one after the other.
func (s *Service) reviseRejected(ctx context.Context, b resubmit, dryRun bool, now time.Time, resp *capturev1.BatchResubmitLeadsResponse) error {
	rows, err := s.store.Rejected(ctx, b.code, b.period, b.after, b.limit)
	if err != nil {
		return err
	}
	resp.Matched = int32(len(rows))
	if len(rows) == b.limit {
		resp.NextPageToken = rejectedToken(rows[len(rows)-1])
	}
	if dryRun {
		return nil
	}
	for _, r := range rows {
		revived := false
		err := s.store.Mend(ctx, r.LeadID, func(m *store.Mending, events *outbox.Rows) (store.Mended, error) {
			revived = false
			if m.Place != store.Rejected || m.RejectedBy != "" {
				return store.Mended{}, nil
			}
			j, err := s.judge(m, nil)
			if j == nil || err != nil || !j.verdict.Accepted() {
				return store.Mended{}, err
			}
			revived = true
			return j.route(m, b.actor, "", now, now, events)
		})
		if err != nil {
			return err
		}
		if revived {
			resp.Resubmitted++
		}
	}
	s.relay.Wake()
	return nil
}

// resubmit is a request for a batch that has been checked.
type resubmit struct {
	park   lead.ParkReason
	code   string
	period store.Period
	after  store.RejectedPlace
	limit  int
	actor  string
}

func parseResubmit(req *capturev1.BatchResubmitLeadsRequest, now time.Time) (resubmit, error) {
	b := resubmit{code: strings.TrimPrefix(req.GetCode(), "REJECT_CODE_"), limit: int(req.GetLimit()), period: store.Period{Since: time.Unix(0, 0).UTC(), Until: now.Add(time.Hour)}}
	var bad []problem.Violation
	wrong := func(field, what string) { bad = append(bad, problem.Violation{Field: field, Description: what}) }
	park, parked := lead.ParseParkReason(strings.TrimPrefix(b.code, "PARK_REASON_"))
	if b.park = park; !parked || park == lead.ParkReasonUnspecified {
		if _, ok := lead.ParseRejectCode(b.code); !ok {
			wrong("code", "is required: DATA, CONSENT or NURTURE for parked leads, or a reject code such as NO_CONTACT_POINT")
		}
	}
	if t := req.GetSince(); t != nil {
		if b.period.Since = t.AsTime(); !t.IsValid() {
			wrong("since", "is no valid time")
		}
	}
	if t := req.GetUntil(); t != nil {
		if b.period.Until = t.AsTime(); !t.IsValid() || !b.period.Until.After(b.period.Since) {
			wrong("until", "is no valid time after since")
		}
	}
	if b.limit == 0 {
		b.limit = resubmitPage
	}
	if b.limit < 1 || b.limit > resubmitPageMax {
		wrong("limit", "is 1 to 1,000, or absent for 100")
	}
	b.after.At = b.period.Since.Add(-time.Microsecond)
	if t := req.GetPageToken(); t != "" {
		after, ok := parseRejectedToken(t)
		if !ok {
			wrong("page_token", "is none that an answer of this call held; leave it out to begin anew")
		}
		b.after = after
	}
	if len(bad) > 0 {
		return b, problem.Invalid(bad...)
	}
	return b, nil
}

const rejectedVersion = 1

func rejectedToken(p store.RejectedPlace) string {
	b := binary.BigEndian.AppendUint64([]byte{rejectedVersion}, uint64(p.At.UnixMicro()))
	return cursor.Text(append(b, p.LeadID[:]...))
}

// parseRejectedToken reads what rejectedToken wrote. Its time is one the database can hold.
func parseRejectedToken(text string) (p store.RejectedPlace, ok bool) {
	b, read := cursor.Bytes(text)
	if !read || len(b) != 1+8+len(p.LeadID) || b[0] != rejectedVersion {
		return p, false
	}
	at := time.UnixMicro(int64(binary.BigEndian.Uint64(b[1:]))).UTC()
	if year := at.Year(); year < 1969 || year > 9999 {
		return p, false
	}
	return store.RejectedPlace{At: at, LeadID: lead.ID(b[9:])}, true
}
