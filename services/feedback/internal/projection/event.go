package projection

import (
	"strconv"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Types of events, without the prefix "leadmesh.lead." and the suffix ".v1".
const (
	captured         = "captured"
	mergedIn         = "merged_in"
	rejected         = "rejected"
	parked           = "parked"
	woken            = "woken"
	decided          = "decided"
	delivered        = "delivered"
	acknowledged     = "acknowledged"
	accepted         = "accepted"
	declined         = "declined"
	transferOffered  = "transfer_offered"
	transferDeclined = "transfer_declined"
	transferLapsed   = "transfer_lapsed"
	transferred      = "transferred"
	returned         = "returned"
	activity         = "activity"
	milestone        = "milestone"
	deadline         = "deadline"
	escalated        = "escalated"
	needless         = "escalation_needless"
	state            = "state"
	expired          = "expired"
	won              = "won"
	lost             = "lost"
	unwound          = "unwound"
	reopened         = "reopened"
)

// Of returns what one event tells. An event of an unknown type tells nothing: it is in the log for
// a later reading.
func Of(e *leadv1.Event) Fact {
	c := contribution{
		kind:  Kind(e.GetType()),
		event: e,
		facts: e.GetFacts(),
		at:    timeOf(e.GetOccurredAt()),
	}
	c.version = NewVersion(c.routing(), e.GetLeadVersion())
	c.capture()
	c.stateOf()
	c.owner()
	c.deadline()
	c.handoff()
	c.stamps()
	c.clocks()
	return c.fact
}

// Kind returns the word of a type: "captured" of "leadmesh.lead.captured.v1".
func Kind(eventType string) string {
	kind := strings.TrimPrefix(eventType, "leadmesh.lead.")
	return strings.TrimSuffix(kind, ".v1")
}

// contribution is one event being read.
type contribution struct {
	kind    string
	event   *leadv1.Event
	facts   *leadv1.EventFacts
	at      time.Time
	version Version
	fact    Fact
}

// routing reports whether Routing is the authority that the event comes from. The source says so;
// where it says nothing, the types that only Capture sends do.
func (c *contribution) routing() bool {
	switch source := c.event.GetSource(); {
	case strings.Contains(source, "routing"):
		return true
	case strings.Contains(source, "capture"):
		return false
	}
	return c.kind != captured && c.kind != rejected && (c.kind != parked || c.facts.GetCode() != lead.ParkReasonData.String())
}

func (c *contribution) capture() {
	f := c.facts
	if line, ok := lead.ParseLine(f.GetLine()); ok {
		c.fact.Line = Newest[lead.Line]{Version: c.version, Value: line}
	}
	if c.kind != captured {
		return
	}
	c.fact.Test = f.GetTest()
	c.fact.Brand, c.fact.Source, c.fact.Campaign = f.GetBrand(), f.GetSource(), f.GetCampaign()
	c.fact.Flags = f.GetFlags()
	c.fact.RequestedAt = timeOf(f.GetRequestedAt())
	c.fact.ReceivedAt = timeOf(f.GetReceivedAt())
	if c.fact.ReceivedAt.IsZero() {
		c.fact.ReceivedAt = c.at
	}
}

// implied is the state that a type stands for where its facts name none.
var implied = map[string]lead.State{
	captured: lead.StatePending, rejected: lead.StateRejected, returned: lead.StateRejected,
	parked: lead.StateParked, accepted: lead.StateAccepted, transferred: lead.StateAssigned,
	won: lead.StateWon, lost: lead.StateLost, expired: lead.StateExpired,
	unwound: lead.StateLost, reopened: lead.StateWorking,
}

// stateOf reads the state from the events that change it. The others may repeat the state that
// they left as it was; taking it from them would move the time since when it holds.
func (c *contribution) stateOf() {
	switch c.kind {
	case delivered, acknowledged, activity, milestone, deadline, escalated, needless,
		transferOffered, transferDeclined, transferLapsed, mergedIn:
		return
	}
	s, ok := lead.ParseState(c.facts.GetState())
	if !ok {
		s, ok = implied[c.kind]
	}
	if !ok && c.kind == woken && !c.routing() {
		s, ok = lead.StatePending, true
	}
	if !ok {
		return
	}
	c.fact.State = Newest[State]{Version: c.version, Value: State{
		State: s, At: c.at, Code: c.facts.GetCode(), Actor: c.facts.GetActor(),
	}}
	if s == lead.StateOrdered {
		c.fact.Detail.OrderedAt = c.at
	}
}

func (c *contribution) owner() {
	f := c.facts
	if f.GetDealerId() == "" || c.kind != decided && c.kind != transferred {
		return
	}
	c.fact.Owner = Newest[Owner]{Version: c.version, Value: Owner{
		DealerID: f.GetDealerId(), Desk: f.GetDesk(), ProbabilityPPM: f.GetProbabilityPpm(),
	}}
	if c.kind == transferred || f.GetState() == "" || f.GetState() == lead.StateAssigned.String() {
		c.fact.AssignedAt = c.at
		c.fact.Assignments = 1
	}
}

// deadline takes the next deadline from any event that names one. A deadline that fired without
// being met stays the one that is due; one that was met, and a step of the ladder, are not what
// the owner owes next.
func (c *contribution) deadline() {
	f := c.facts
	due := Deadline{At: timeOf(f.GetDueAt()), Kind: f.GetDeadlineKind()}
	switch c.kind {
	case escalated, needless, transferOffered, transferLapsed, transferDeclined, mergedIn:
		return
	case deadline:
		if f.GetVerdict() == "met" {
			return
		}
		if due.At.IsZero() {
			due.At = c.at
		}
	case milestone:
		if due.Kind == "" {
			return
		}
	}
	if !due.At.IsZero() {
		c.fact.Deadline = Newest[Deadline]{Version: c.version, Value: due}
	}
}

// handoff takes an offer, and what ends it: its answer, its time, or the end of the lead. An offer
// made in the same step that another one lapsed outweighs that, since it is the greater value.
func (c *contribution) handoff() {
	switch c.kind {
	case transferOffered:
		c.fact.Detail.Handoff = Newest[Handoff]{Version: c.version, Value: Handoff{
			DueAt: timeOf(c.facts.GetDueAt()), To: c.facts.GetRelatedId(),
		}}
	case transferred, transferDeclined, transferLapsed, declined, rejected, returned, won, lost, expired, unwound:
		c.fact.Detail.Handoff.Version = c.version
	}
}

func (c *contribution) stamps() {
	f := c.facts
	switch c.kind {
	case decided, transferred:
		c.fact.DeliveredAt = timeOf(f.GetDeliveredAt())
	case delivered:
		c.fact.DeliveredAt = c.at
		if at := timeOf(f.GetDeliveredAt()); !at.IsZero() {
			c.fact.DeliveredAt = at
		}
	case activity:
		if f.GetActor() != "" && f.GetActor() != "bot" && f.GetActor() != "system" {
			c.fact.WorkedAt = c.at
		}
		c.fact.BadContact = BadContact(f.GetCode())
	case milestone:
		c.milestone()
	}
}

func (c *contribution) milestone() {
	kind := c.facts.GetKind()
	if kind == "" {
		return
	}
	switch kind {
	case milestoneName(leadv1.Milestone_MILESTONE_DELIVERED):
		c.fact.DeliveredAt = c.at
		return
	case milestoneName(leadv1.Milestone_MILESTONE_RESPONDED):
		c.fact.RespondedAt = c.at
		if dealer := c.facts.GetDealerId(); dealer != "" {
			key := dealer + ":" + strconv.Itoa(int(c.facts.GetAttempt()))
			c.fact.Detail.StoreSeconds = map[string]int64{key: max(c.facts.GetStoreSeconds(), 0)}
		}
	case milestoneName(leadv1.Milestone_MILESTONE_ENGAGED):
		c.fact.EngagedAt = c.at
	case milestoneName(leadv1.Milestone_MILESTONE_ORDER):
		c.fact.Detail.OrderedAt = c.at
	}
	if c.facts.GetActor() != "bot" {
		c.fact.WorkedAt = c.at
	}
	c.add(kind)
}

// clocks notes verdicts: of a deadline under its kind, of a response, an acceptance and an
// acknowledgement under the clock that they stop. The newest one of a clock and dealer counts, so
// telling it twice does no harm, and a late report corrects a breach that was none.
func (c *contribution) clocks() {
	f := c.facts
	verdict := f.GetVerdict()
	if verdict != "met" && verdict != "breached" && verdict != "unknown" {
		return
	}
	clock := f.GetDeadlineKind()
	switch {
	case c.kind == acknowledged:
		clock = "ACKNOWLEDGE"
	case c.kind == accepted:
		clock = "ACCEPT"
	case c.kind == milestone && f.GetKind() == milestoneName(leadv1.Milestone_MILESTONE_RESPONDED):
		clock = "RESPOND"
	}
	if clock == "" {
		return
	}
	c.fact.Detail.Clocks = map[string]Clock{clock + ":" + f.GetDealerId(): {Version: c.version, Verdict: verdict}}
}

func (c *contribution) add(what string) {
	if c.fact.Detail.Counts == nil {
		c.fact.Detail.Counts = make(map[string]int32, 1)
	}
	c.fact.Detail.Counts[what]++
}

// BadContact reports whether a call result or return code says that the contact point is useless.
func BadContact(code string) bool {
	switch code {
	case "WRONG_NUMBER", "DISCONNECTED", "BOUNCED", "WRONG_PERSON":
		return true
	}
	return false
}

// milestoneName is a milestone as facts spell it: without the enum's prefix.
func milestoneName(m leadv1.Milestone) string { return strings.TrimPrefix(m.String(), "MILESTONE_") }

func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil || t.GetSeconds() == 0 && t.GetNanos() == 0 {
		return time.Time{}
	}
	return t.AsTime().Truncate(time.Microsecond)
}
