package routing

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/signal"
	"github.com/leadmesh/leadmesh/core/sla"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"github.com/leadmesh/leadmesh/services/internal/scoreconv"
)

// rulebook is everything a decision is made with: one playbook and one network, compiled together.
// It is immutable but for Live, which holds hints.
type rulebook struct {
	playbook *playbook.Playbook   // with the tables of the active models
	scorer   string               // names what scores, for receipts
	shadow   *playbookfeed.Shadow // decides nothing; nil: there is none
	secret   []byte               // of the playbook's revision
	network  *networkView
	stores   *routing.Snapshot
	live     *routing.Live
	clocks   clockTable
}

// engine makes decisions from the rulebook in force; swapping it is one pointer.
type engine struct {
	rules atomic.Pointer[rulebook]
}

// inquiry is a lead that waits for its decision, with all that is known about it.
type inquiry struct {
	lead        lead.Lead
	profile     signal.Profile
	rawLead     []byte // as it came, for storing
	rawProfile  []byte
	person      lead.ID
	traceparent string
	attempt     int // from 1
	exclusions  []string
	mergeable   bool

	// What a search may ask for that no lead says.
	point      *point
	department lead.Department
	programs   []string
	blind      bool // to what stores have left and how well they do
}

// point is a place on earth in millionths of a degree.
type point struct{ latitude, longitude int32 }

// verdict is what the engine says about an inquiry. The caller owns it; it may be used again.
type verdict struct {
	rules     *rulebook
	inputs    scoring.Inputs
	result    scoring.Result
	line      lead.Line
	facts     routing.Facts
	choice    routing.Choice
	named     []routing.Input // the inputs by name
	lots      *routing.Lots   // of the rules that decided last
	canonical []byte
	decidedAt time.Time
	park      lead.ParkReason // zero unless the lead is parked
	parkWhy   string
	reviewAt  time.Time
	doubts    []string
}

// receipt is the canonical form of the last choice. The bytes are the verdict's and change with its
// next use.
func (v *verdict) receipt() []byte {
	v.canonical = v.choice.Receipt.AppendCanonical(v.canonical[:0])
	return v.canonical
}

// decide scores the inquiry and chooses its dealer. It reads no database.
func (rb *rulebook) decide(q *inquiry, now time.Time, v *verdict) {
	if v.rules != rb {
		v.lots = routing.NewLots(rb.secret)
	}
	v.rules, v.decidedAt, v.park, v.doubts = rb, now.Truncate(time.Microsecond), 0, v.doubts[:0]
	l := &q.lead
	facts := scoring.Facts{Profiling: rb.profiling(l, now), Catalogue: rb.playbook.Catalogue, Currency: rb.playbook.Currency}
	model, known := rb.network.soughtModel(l)
	if facts.SoughtKnown = known; known {
		facts.SoughtPowertrain, facts.ProgramRequired = model.powertrain, model.program != ""
	}
	scoring.Extract(l, &q.profile, now, facts, &v.inputs)
	rb.playbook.Scoring.Score(&v.inputs, &v.result)

	v.line = l.Line
	if l.Trigger {
		if v.line == lead.LineUnspecified {
			v.line = rb.playbook.Scoring.Triggered(&v.result)
		}
		if rb.playbook.Scoring.Nurture(&v.result) {
			v.line = lead.LineNurture
		}
	}
	if v.line == lead.LineUnspecified {
		v.line = lead.LineSales
	}
	mayShare := rb.mayShare(l, now)
	switch {
	case !mayShare:
		v.parkFor(q, lead.ParkReasonConsent, "the customer's consent does not allow an answer", now)
	case v.line == lead.LineNurture:
		v.parkFor(q, lead.ParkReasonNurture, "below every threshold", now)
	}
	rb.choose(q, v, mayShare, model)
}

// choose fills the receipt. A parked lead has one too: it says why nobody got the lead.
func (rb *rulebook) choose(q *inquiry, v *verdict, mayShare bool, model catalogueModel) {
	l := &q.lead
	v.named = scoreconv.AppendInputs(v.named[:0], &v.inputs)
	f := &v.facts
	*f = routing.Facts{
		DecidedAt: v.decidedAt.Unix(), Attempt: int32(q.attempt - 1), Exclusions: q.exclusions,
		LeadID: l.ID, Test: l.Test, Line: v.line, Brand: l.Brand, Origin: l.Origin, Choice: l.Choice, Consent: mayShare,
		Market: l.Market, Powertrain: model.powertrain, Model: model.code,
		FleetAccount: q.profile.Account || companyOf(l), DigitalOnly: l.DigitalOnly && scoring.DigitalOnly(l, &q.profile),
		ServiceDealer: q.profile.Servicing.ID, ServicedAt: q.profile.Servicing.At,
		SellingDealer: q.profile.Selling.ID, SoldAt: q.profile.Selling.At,
		WinChance: v.result.Probability[v.line], Points: v.result.Points[v.line], Stage: v.result.Stage[v.line],
		Inputs: v.named, Scorer: rb.scorer,
		Chance: v.lots.Draw(l.ID, routing.PurposeDraw, q.attempt), Live: rb.live,
		Department: q.department, Programs: q.programs,
	}
	if q.blind {
		f.Live = nil
	}
	if q.point != nil {
		f.HasPoint, f.Latitude, f.Longitude = true, q.point.latitude, q.point.longitude
	}
	if p := l.Primary(); p != nil {
		f.Country, f.Region, f.Postal = p.Address.Country, p.Address.Region, p.Address.Postal
		f.Language = primarySubtag(p.Language)
	}
	if f.Language == "" {
		f.Language = primarySubtag(l.Language)
	}
	if f.Country == "" {
		f.Country = l.Market
	}
	rb.findDealer(l, f)
	routing.Choose(rb.stores, f, &v.choice)
}

// findDealer finds the store that the lead names: by our id, by a code, by its name.
func (rb *rulebook) findDealer(l *lead.Lead, f *routing.Facts) {
	d := &l.Dealer
	if *d == (lead.DealerReference{}) {
		return
	}
	if _, ok := rb.network.dealers[d.ID]; ok && d.ID != "" {
		f.Dealer = d.ID
		return
	}
	for _, code := range [...]string{d.Code, d.ID} {
		if code == "" {
			continue
		}
		if found, ok := rb.stores.FindCode(routing.CodeQuery{Brand: l.Brand, Scheme: d.Scheme, Code: code, At: f.DecidedAt}); ok {
			f.Dealer = found.Dealer
			return
		}
	}
	if d.Name != "" {
		if found, ok := rb.stores.FindName(d.Name); ok {
			f.Dealer, f.DealerByName = found.Dealer, true
			return
		}
	}
	f.DealerLost = true
}

func (v *verdict) parkFor(q *inquiry, reason lead.ParkReason, why string, now time.Time) {
	v.park, v.parkWhy = reason, why
	kind := sla.ParkedForConsent
	if reason == lead.ParkReasonNurture {
		kind = sla.ParkedForNurture
	}
	p := v.rules.clock(v.line, v.result.Stage[v.line], false)
	v.reviewAt = p.ReviewAt(sla.Always(), now, kind)
}

// clock is the policy of the clocks for an assignment.
func (rb *rulebook) clock(line lead.Line, stage lead.Stage, fleet bool) *sla.Policy {
	account := 0
	if fleet {
		account = 1
	}
	if int(line) < lines && int(stage) < stages {
		return rb.clocks[line][stage][account]
	}
	return &sla.Policy{} // neither is one of ours
}

const (
	lines  = int(lead.LineCare) + 1
	stages = int(lead.StageReady) + 1
)

// clockTable holds the policy of the clocks by line, stage and whether the account is a fleet.
type clockTable [lines][stages][2]*sla.Policy

func newClockTable(rows sla.Table) (t clockTable) {
	for line := range t {
		for stage := range t[line] {
			for account, name := range [...]string{"", "fleet"} {
				p, ok := rows.Select(sla.Key{Line: lead.Line(line).String(), Stage: lead.Stage(stage).String(), Account: name})
				if !ok { // a playbook whose table has a hole is refused when it is compiled
					p = &sla.Policy{}
				}
				t[line][stage][account] = p
			}
		}
	}
	return t
}

// profiling is the effective consent to be profiled.
func (rb *rulebook) profiling(l *lead.Lead, now time.Time) lead.ConsentState {
	return lead.Effective(l.Consents, lead.ConsentKey{Controller: lead.ControllerOEM, Purpose: lead.PurposeProfiling}, now)
}

// mayShare reports whether a store may have the lead: an inquiry may be answered unless that was
// denied, a trigger lead needs granted marketing.
func (rb *rulebook) mayShare(l *lead.Lead, now time.Time) bool {
	if l.Trigger {
		return lead.MayTrigger(l.Consents, lead.ConsentKey{Controller: lead.ControllerOEM, Purpose: lead.PurposeMarketing}, now)
	}
	return lead.MayAnswer(l.Consents, lead.ConsentKey{Controller: lead.ControllerOEM}, now) &&
		lead.MayShare(l.Consents, "", now)
}

func companyOf(l *lead.Lead) bool {
	for i := range l.Parties {
		if l.Parties[i].Role == lead.PartyRoleCompany || l.Parties[i].Name.Company != "" {
			return true
		}
	}
	return false
}

func primarySubtag(tag string) string {
	if i := strings.IndexAny(tag, "-_"); i > 0 {
		tag = tag[:i]
	}
	return strings.ToLower(tag)
}
