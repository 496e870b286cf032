package capture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// ruleMended names, in the changes of a lead, what an operator changed.
const ruleMended = "mended"

const maxReason = 500 // characters of why somebody did something to a lead

// change is what an operator says of a lead: fields of it, or a document instead of one that could
// not be read.
type change struct {
	lead     *leadv1.Lead
	document *leadv1.Lead
	body     []byte // of either, as it is stored; set by settle
	raw      []byte // as it was sent: what tells one that is sent again
	actor    string
	reason   string
}

// UpdateLead changes fields of a lead that is held. A lead that stood still is judged anew; the
// answer waits for its decision as long as a sender's does.
func (s *Service) UpdateLead(ctx context.Context, req *capturev1.UpdateLeadRequest) (*capturev1.UpdateLeadResponse, error) {
	id, err := parseID(req.GetLeadId())
	if err != nil {
		return nil, err
	}
	c, err := s.parseChange(rpc.CallerFrom(ctx), req)
	if err != nil {
		return nil, err
	}
	if err := s.mayMend(ctx, id); err != nil {
		return nil, err
	}
	now := s.deps.Now().UTC().Truncate(time.Microsecond)
	var w mended
	err = s.store.Mend(ctx, id, func(m *store.Mending, events *outbox.Rows) (store.Mended, error) {
		w = mended{m: m}
		if err := c.settle(m, now); err != nil {
			return store.Mended{}, err
		}
		if bytes.Equal(m.Last.Raw, c.raw) && m.Last.Actor == c.actor && m.Last.Reason == c.reason {
			return store.Mended{}, nil // sent again
		}
		if err := c.fits(m); err != nil {
			return store.Mended{}, err
		}
		j, err := s.judge(m, c)
		if err != nil {
			return store.Mended{}, err
		}
		w.changed, w.j = true, j
		e := leadEvent(j.lead, eventUpdated, now)
		e.LeadId, e.Traceparent, e.Facts.Actor, e.Facts.Note = id.String(), m.Traceparent, c.actor, c.reason
		if err := events.Add(id, e, now); err != nil {
			return store.Mended{}, err
		}
		w.done, err = j.route(m, c.actor, c.reason, now.Add(driverLease), now, events)
		if m.Place == store.Rejected && m.RejectedBy != "" && err == nil {
			return store.Mended{}, problem.New(problemv1.Reason_REASON_WRONG_STATE, "the lead was rejected by hand, as %s; resubmit it first", m.Code)
		}
		at := now // the newest counts: it is later than the one before
		if !m.Last.At.Before(at) {
			at = m.Last.At.Add(time.Microsecond)
		}
		w.done.Update = &store.NewUpdate{UpdateID: c.id(m), At: at, Body: c.body, Raw: c.raw, Actor: c.actor, Reason: c.reason}
		return w.done, err
	})
	if err != nil {
		return nil, err
	}
	if w.changed {
		s.relay.Wake()
		if w.m.Place == store.HandedOver {
			s.tell(ctx, &w, c, now)
		}
		s.goOn(ctx, &w)
		s.wakeUpdates()
	}
	standing, err := s.standing(ctx, id)
	return &capturev1.UpdateLeadResponse{Standing: standing, Changed: w.changed}, err
}

// mended is what one mending came to.
type mended struct {
	m       *store.Mending
	j       *judged
	done    store.Mended
	changed bool
}

// goOn drives a lead that is on its way again.
func (s *Service) goOn(ctx context.Context, w *mended) {
	if w.j != nil && w.done.To == store.Pending {
		s.driveNow(ctx, w.m, w.j.message)
	}
}

// tell has Identity and Routing learn a change of a decided lead at once. What fails is done by the
// loop that hands updates over.
func (s *Service) tell(ctx context.Context, w *mended, c *change, now time.Time) {
	g, _ := s.governor()
	if g == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.AnswerWithin)
	defer cancel()
	ref := store.UpdateRef{LeadID: w.m.ID, UpdateID: w.done.Update.UpdateID}
	s.warn(ctx, "change not handed over yet", s.learn(ctx, g, []store.ClaimedUpdate{{
		UpdateRef: ref, At: now, Body: c.body, Traceparent: w.m.Traceparent, Actor: c.actor, Reason: c.reason,
	}}, now))
}

// mayMend refuses a store whose lead it is not.
func (s *Service) mayMend(ctx context.Context, id lead.ID) error {
	caller := rpc.CallerFrom(ctx)
	if !caller.OnlyDealer() {
		return nil
	}
	rec, err := s.store.Get(ctx, id)
	if err != nil {
		return err
	}
	decided, caseErr := s.decidedCase(ctx, id)
	return mayRead(caller, rec.Credential, decided, caseErr)
}

// parseChange checks a change by itself.
func (s *Service) parseChange(caller rpc.Caller, req *capturev1.UpdateLeadRequest) (*change, error) {
	c := &change{actor: caller.String(), reason: req.GetReason(), raw: req.GetDocument()}
	var bad []problem.Violation
	wrong := func(field, what string) { bad = append(bad, problem.Violation{Field: field, Description: what}) }
	if why := badReason(c.reason, true); why != "" {
		wrong("reason", why)
	}
	switch given := req.GetLead(); {
	case (given != nil) == (len(req.GetDocument()) > 0):
		wrong("lead", "send the fields to change, or a document instead, and not both")
	case given != nil:
		bad = append(bad, c.readFields(given)...)
	default:
		message, err := s.readMended(req.GetDocument())
		if err != nil {
			return nil, err
		}
		c.document = message
	}
	if len(bad) > 0 {
		return nil, problem.Invalid(bad...)
	}
	return c, nil
}

// settle writes the change in the form that leads are held in, for the lead it is about. A consent
// that names no time is given now: it is newer than those the lead came with.
func (c *change) settle(m *store.Mending, now time.Time) (err error) {
	if c.body != nil { // a transaction that is tried again
		return nil
	}
	said := c.document
	if c.lead != nil {
		base := &leadv1.Lead{}
		if err := proto.Unmarshal(m.Body, base); err != nil {
			return problem.Internal(err)
		}
		c.lead = c.normal(base.GetMarket())
		if c.raw, err = (proto.MarshalOptions{Deterministic: true}).Marshal(c.lead); err != nil {
			return problem.Internal(err)
		}
		for _, f := range c.lead.GetConsents() {
			if f.GetAt() == nil {
				f.At = leadconv.Time(now)
			}
		}
		said = proto.Clone(c.lead).(*leadv1.Lead)
		said.ReceivedAt = leadconv.Time(now)
	}
	if c.body, err = proto.Marshal(said); err != nil {
		return problem.Internal(err)
	}
	return nil
}

// badReason says what is wrong with why somebody did something; "" if nothing.
func badReason(reason string, required bool) string {
	switch {
	case strings.TrimSpace(reason) == "" && required:
		return "is required: say why, in words without personal data"
	case utf8.RuneCountInString(reason) > maxReason:
		return "is longer than 500 characters"
	}
	return ""
}

// readFields takes the fields to change.
func (c *change) readFields(given *leadv1.Lead) []problem.Violation {
	parsed, bad := parse(given)
	for i := range bad {
		bad[i].Field = "lead." + bad[i].Field
	}
	given.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if submitted[f.Name()] {
			bad = append(bad, problem.Violation{Field: "lead." + string(f.Name()), Description: "belongs to the lead as it was sent; nobody changes it"})
		}
		return true
	})
	for i, f := range given.GetConsents() {
		if f.GetState() == leadv1.ConsentState_CONSENT_STATE_GRANTED && strings.TrimSpace(f.GetEvidence()) == "" {
			bad = append(bad, problem.Violation{
				Field: "lead.consents[" + itoa(i) + "].evidence", Description: "is required to widen a consent: say what proves it, such as a recording's or certificate's address",
			})
		}
	}
	if proto.Size(given) == 0 {
		bad = append(bad, problem.Violation{Field: "lead", Description: "names no field to change"})
	}
	c.lead = only(given, leadconv.ToProto(&parsed))
	return bad
}

// readMended reads the readable form of a lead: ADF with one prospect, or JSON.
func (s *Service) readMended(raw []byte) (*leadv1.Lead, error) {
	unreadable := func(why string) error {
		return problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the document cannot be read: %s", why)
	}
	if len(raw) > maxBody {
		return nil, problem.New(problemv1.Reason_REASON_TOO_LARGE, "the document is larger than 4 MiB")
	}
	var in *intake
	if trimmed := bytes.TrimSpace(raw); bytes.HasPrefix(trimmed, []byte("{")) {
		if p := validate(trimmed); p != nil {
			return nil, p
		}
		in = s.readJSON(trimmed)
	} else if items := readADF(raw); len(items) == 1 {
		in = items[0]
	} else {
		return nil, unreadable("it holds " + itoa(len(items)) + " prospects; send the one this lead is")
	}
	switch {
	case in.problem != nil:
		return nil, in.problem
	case in.unreadable != "":
		return nil, unreadable(in.unreadable)
	}
	in.lead.IdempotencyKey = ""
	return leadconv.ToProto(&in.lead), nil
}

// fits reports why a change cannot be made to a lead as it stands; nil if it can.
func (c *change) fits(m *store.Mending) error {
	if c.document != nil && len(m.Body) > 0 {
		return problem.New(problemv1.Reason_REASON_WRONG_STATE, "the lead's document was read; send the fields to change as lead")
	}
	if m.Place != store.HandedOver || c.lead == nil {
		return nil
	}
	var bad []string
	c.lead.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if settled[f.Name()] {
			bad = append(bad, string(f.Name()))
		}
		return true
	})
	if len(bad) > 0 {
		return problem.New(problemv1.Reason_REASON_WRONG_STATE, "the lead is decided, and %s is what it was decided by; transfer or decline it instead", strings.Join(bad, ", "))
	}
	return nil
}

// normal is the change in the form that leads are held in: the first party is the primary one unless
// it says otherwise, and contact points are of the lead's market.
func (c *change) normal(market string) *leadv1.Lead {
	l, violations := leadconv.FromProto(c.lead)
	if len(violations) > 0 {
		return c.lead // it was checked before
	}
	if l.Market != "" {
		market = l.Market
	}
	for i := range l.Parties {
		p := &l.Parties[i]
		if i == 0 && p.Role == lead.PartyRoleUnspecified {
			p.Role = lead.PartyRolePrimary
		}
		for k, e := range p.Emails {
			if read := lead.ParseEmail(e.Address); read.Key != "" {
				p.Emails[k] = read
			}
		}
		for k := range p.Phones {
			if read := lead.ParsePhone(p.Phones[k].Raw, market); read.E164 != "" {
				p.Phones[k].E164, p.Phones[k].Valid = read.E164, read.Valid
			}
		}
	}
	for i := range l.Vehicles {
		if v := &l.Vehicles[i]; v.Role == lead.VehicleRoleUnspecified {
			v.Role = lead.VehicleRoleSought
		}
	}
	return only(c.lead, leadconv.ToProto(&l))
}

// only takes out of a lead what another one does not have: what the form of leads adds by itself.
func only(given, l *leadv1.Lead) *leadv1.Lead {
	l.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if !given.ProtoReflect().Has(f) {
			l.ProtoReflect().Clear(f)
		}
		return true
	})
	return l
}

// id names the update that a change becomes; it differs from that of the update before.
func (c *change) id(m *store.Mending) lead.ID {
	h := sha256.Sum256(append(append([]byte(c.actor+"\x00"+c.reason+"\x00"), c.body...), m.Last.UpdateID[:]...))
	return lead.NewID(h[:], m.ID.String(), "mend")
}

// standing answers where a lead stands now, at its authority.
func (s *Service) standing(ctx context.Context, id lead.ID) (*capturev1.Standing, error) {
	rec, err := s.store.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	now := s.states(ctx, []lead.ID{id})[id]
	if now.problem != nil {
		return nil, now.problem
	}
	r := &capturev1.LeadResult{}
	now.fill(r)
	out := &capturev1.Standing{LeadId: id.String(), State: r.GetState(), Code: r.GetCode(), Decision: r.GetDecision()}
	if now.decided == nil {
		out.Detail = rec.Detail
	} else if p := r.GetDecision().GetParking(); p != nil && out.State == leadv1.State_STATE_PARKED {
		out.Code, out.Detail = lead.ParkReason(p.GetReason()).String(), p.GetDetail()
	}
	return out, nil
}
