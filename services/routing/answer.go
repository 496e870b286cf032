package routing

import (
	"fmt"
	"strconv"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/sla"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

// decision writes the verdict as it is answered and stored: everything but the owner.
func (v *verdict) decision(q *inquiry) *leadv1.Decision {
	r := &v.choice.Receipt
	pb := v.rules.playbook
	d := &leadv1.Decision{
		Attempt: int32(q.attempt), DecidedAt: leadconv.Time(v.decidedAt),
		Score:            scoreconv.ToProto(pb, &v.inputs, &v.result, v.line, false),
		PlaybookRevision: pb.Revision, NetworkRevision: v.rules.network.revision,
	}
	if !q.lead.ID.IsZero() {
		d.LeadId = q.lead.ID.String()
	}
	if v.park != lead.ParkReasonUnspecified {
		d.Disposition, d.State = leadv1.Disposition_DISPOSITION_PARKED, leadv1.State_STATE_PARKED
		d.Why = "parked: " + v.parkWhy
		d.Parking = &leadv1.Parking{
			Reason: leadv1.ParkReason(v.park), Owner: v.parkOwner(), ReviewAt: leadconv.Time(v.reviewAt), Detail: v.parkWhy,
		}
		return d
	}
	d.Disposition, d.State = leadv1.Disposition_DISPOSITION_ASSIGNED, leadv1.State_STATE_ASSIGNED
	d.Step, d.Why = r.Step.String(), why(r)
	for bit := routing.FlagReferralPlay; bit <= routing.FlagUnassigned; bit <<= 1 {
		if r.Flags.Has(bit) {
			d.Flags = append(d.Flags, flagName(bit))
		}
	}
	return d
}

func (v *verdict) parkOwner() string {
	p := v.rules.playbook.Parking
	switch v.park {
	case lead.ParkReasonConsent:
		return p.ConsentOwner
	case lead.ParkReasonNurture:
		return p.NurtureOwner
	}
	return p.DataOwner
}

// dryAssignment says who would own the lead and by when; nobody is granted anything.
func (v *verdict) dryAssignment(q *inquiry, sender bool) *leadv1.Assignment {
	if v.park != lead.ParkReasonUnspecified {
		return nil
	}
	a := v.owner(q)
	if err := v.rules.start(a, v.line, v.result.Stage[v.line], v.fleet(q), sender); err != nil {
		return nil
	}
	return v.rules.network.assignment(a)
}

// owner is the owner that the choice names, before capacity and turn.
func (v *verdict) owner(q *inquiry) *postgres.Assignment {
	r := &v.choice.Receipt
	return &postgres.Assignment{
		Sequence: 1, Attempt: q.attempt, DealerID: r.Winner, Department: r.WinDepartment, Role: r.WinRole, AssignedAt: v.decidedAt,
	}
}

func (v *verdict) fleet(q *inquiry) bool { return q.profile.Account || companyOf(&q.lead) }

// start begins the clocks of an owner. A store that reads our inbox has the lead at once.
func (rb *rulebook) start(a *postgres.Assignment, line lead.Line, stage lead.Stage, fleet, sender bool) error {
	policy, calendar := rb.clock(line, stage, fleet), rb.network.calendar(a.DealerID, a.Department)
	a.Clock = sla.Begin(policy, calendar, sla.Facts{At: a.AssignedAt, Sender: sender})
	if rb.network.delivery(a.DealerID, a.Department) == deliveryInbox {
		a.DeliveredAt = a.AssignedAt
		a.Clock, _ = sla.Apply(policy, calendar, a.Clock, sla.Event{Kind: sla.EventDelivered, At: a.AssignedAt})
	}
	return setDeadline(a, policy, calendar)
}

// setDeadline writes the one next deadline of an owner.
func setDeadline(a *postgres.Assignment, policy *sla.Policy, calendar *sla.Calendar) error {
	d, ok := sla.Next(policy, calendar, a.Clock)
	if !ok {
		return fmt.Errorf("an open lead of %s has no next deadline", a.DealerID)
	}
	a.Deadline = d
	return nil
}

// assignment writes an owner as it is answered.
func (n *networkView) assignment(a *postgres.Assignment) *leadv1.Assignment {
	c := &a.Clock
	var times leadconv.Times
	out := &leadv1.Assignment{
		DealerId: a.DealerID, Department: leadv1.Department(a.Department), Role: leadv1.Role(a.Role), PersonId: a.PersonID,
		Sequence: int32(a.Sequence), AssignedAt: times.Of(a.AssignedAt), DeliveredAt: times.Of(a.DeliveredAt),
		AcceptedAt: times.Of(c.AcceptedAt), RespondedAt: times.Of(c.RespondedAt), EngagedAt: times.Of(c.EngagedAt),
		NextDeadline: times.Of(a.Deadline.At), DeadlineKind: a.Deadline.Kind.String(),
		AcceptBy: times.Of(c.Deadlines.AcceptBy), RespondBy: times.Of(c.Deadlines.RespondBy),
		Escalation: int32(min(c.Level, sla.LevelField)), Attempts: int32(len(c.Attempts)),
	}
	if d := n.dealers[a.DealerID]; d != nil {
		out.DealerName = d.dealer.GetName()
	}
	return out
}

// flagName is a flag of a receipt as answers spell it.
func flagName(f routing.Flag) string {
	switch f {
	case routing.FlagReferralPlay:
		return "referral_play"
	case routing.FlagProgramFallback:
		return "program_fallback"
	case routing.FlagChosenNotAllowed:
		return "chosen_not_allowed"
	case routing.FlagChosenDeclined:
		return "chosen_declined"
	case routing.FlagChosenUnknown:
		return "chosen_unknown"
	case routing.FlagOwnerNotAllowed:
		return "owner_not_allowed"
	case routing.FlagOwnerUnknown:
		return "owner_unknown"
	case routing.FlagOutsideFranchise:
		return "outside_franchise"
	}
	return "unassigned"
}

// why says in one sentence why this dealer.
func why(r *routing.Receipt) string {
	if r.Step == routing.StepUnspecified {
		return ""
	}
	c := r.Won()
	var short [96]byte
	text := append(short[:0], reasonOf(r.Step, c)...)
	if c != nil && c.Distance >= 0 {
		text = append(text, ", "...)
		text = strconv.AppendFloat(text, float64(c.Distance)/1000, 'f', 1, 64)
		text = append(text, " km away"...)
	}
	return string(text)
}

// reasonOf is why a step found its dealer; c is the candidate that won, if it is one.
func reasonOf(step routing.Step, c *routing.Candidate) string {
	switch step {
	case routing.StepOwner:
		return "the lead is the store's own"
	case routing.StepChosen:
		return "the customer chose this store"
	case routing.StepKnown:
		switch {
		case c != nil && c.Marks.Has(routing.MarkServiced):
			return "the customer's last service visit was here"
		case c != nil && c.Marks.Has(routing.MarkSold):
			return "the customer bought here"
		}
		return "the store knows the customer"
	case routing.StepTerritory:
		return "the store's area of responsibility"
	case routing.StepExpected:
		return "the best expected result among near stores"
	case routing.StepOverflow:
		return "takes over from a store that may not take the lead now"
	}
	return "no store may take the lead: the manufacturer's desk does"
}

// weekMinute is a time as minutes since Monday 00:00 in a zone.
func weekMinute(t time.Time, zone *time.Location) int16 {
	local := t.In(zone)
	day := (int(local.Weekday()) + 6) % 7
	return int16(day*24*60 + local.Hour()*60 + local.Minute())
}
