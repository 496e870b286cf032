package routing

import (
	"math/bits"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Choice is where Choose leaves its result. The caller owns it and may use it again: its slices
// keep their room, so that from the second time on nothing is allocated. Not safe for concurrent
// use. Whoever keeps a receipt beyond the next Choose must encode or copy it first.
type Choice struct {
	Receipt Receipt

	named [7]naming
	count int
}

// naming is a dealer that the lead or the network names, with its marks.
type naming struct {
	dealer int32
	marks  Mark
	seen   bool
}

// Choose decides who follows a lead up. It never fails: where nobody may take the lead the
// receipt says so. The same facts always give the same receipt.
func Choose(s *Snapshot, f *Facts, c *Choice) {
	r := &c.Receipt
	exclusions, inputs := r.Exclusions[:0], r.Inputs[:0]
	programs, candidates := r.Programs[:0], r.Candidates[:0]
	if cap(candidates) < MaxCandidates {
		candidates = make([]Candidate, 0, MaxCandidates)
	}
	hi, _ := bits.Mul64(f.Chance, million)
	*r = Receipt{
		Rules: Rules, LeadID: f.LeadID, DecidedAt: f.DecidedAt, Attempt: f.Attempt, Exclusions: append(exclusions, f.Exclusions...),
		Playbook: s.playbook, Network: s.network, Model: f.Scorer, Test: f.Test, Line: f.Line, Brand: f.Brand,
		Department: f.Department, Origin: f.Origin, Choice: f.Choice, Dealer: f.Dealer, Market: f.Market, NoConsent: !f.Consent,
		FleetAccount: f.FleetAccount, DigitalOnly: f.DigitalOnly, WinChance: min(max(f.WinChance, 0), million), Points: f.Points,
		Stage: f.Stage, Inputs: append(inputs, f.Inputs...), Programs: programs, Draw: int32(hi), Candidates: candidates,
	}
	if int(r.Line) >= lineCount {
		r.Line = lead.LineUnspecified
	}
	if r.Department == lead.DepartmentUnspecified || int(r.Department) >= departments {
		r.Department = departmentByLine(r.Line, r.FleetAccount)
	}
	if r.Market == "" {
		r.Market = f.Country
	}
	c.gather(s, f)
	decide(r)
}

// gather writes the facts of the snapshot into the receipt.
func (c *Choice) gather(s *Snapshot, f *Facts) {
	r := &c.Receipt
	fr, doubt := s.franchise(r.Market, r.Brand, r.Department)
	r.Doubts = doubt
	rule := &fr.rules[r.Line]
	r.terms(fr.market, rule, s.roles[r.Line])
	required, unknown := s.required(f)
	if unknown {
		r.Doubts |= DoubtProgramUnknown
	}
	for rest := required; rest != 0; rest &= rest - 1 {
		p := &s.programs[bits.TrailingZeros64(rest)]
		r.Programs = append(r.Programs, Requirement{p.code, p.mandatory && rule.MandatoryCounts, p.fallback})
	}

	g := gathering{s: s, f: f, fr: fr, required: required, live: f.Live}
	if f.Live != nil && len(f.Live.words) != len(s.units) {
		g.live = nil // of another snapshot: its numbers mean other departments
	}
	if f.Language != "" {
		g.language, g.speaks = s.languages[f.Language], true
	}
	stores, territories := g.locate(r)
	c.name(s, f, fr, territories)
	g.list(c, stores)
	g.extra(c)
}

// terms copies the numbers of the policy that apply to the lead.
func (r *Receipt) terms(m *market, rule *Rule, role lead.Role) {
	r.Policy = Terms{
		Market: m.policy, K: m.k, NormalDistance: rule.NormalDistance,
		KnownDistance: int32(min(int64(rule.NormalDistance)*int64(rule.KnownFactor)/1000, maxDistance)), MaxDistance: rule.MaxDistance,
		PerformanceCap: rule.PerformanceCap, Floor: max(rule.MinimumShare, rule.Exploration), Equals: rule.Equals, Closed: rule.Closed,
		MissingProgram: rule.MissingProgram, OtherLanguage: rule.OtherLanguage, ServiceMemory: rule.ServiceMemory,
		SellingMemory: rule.SellingMemory, Role: role, Desk: m.desk,
	}
}

// name collects the dealers that the lead, the territory and the playbook name.
func (c *Choice) name(s *Snapshot, f *Facts, fr *franchise, territories []holder) {
	c.count = 0
	r := &c.Receipt
	if f.DealerLost {
		r.Doubts |= DoubtDealerUnknown
	}
	if f.Dealer != "" {
		if n := c.mark(s, f.Dealer, MarkNamed); n < 0 {
			r.Doubts |= DoubtDealerUnknown
		} else {
			if f.DealerByName {
				r.Doubts |= DoubtDealerByName
			}
			c.add(s.dealers[n].overflow, MarkNamedOverflow)
		}
	}
	if f.ServiceDealer != "" && c.mark(s, f.ServiceDealer, MarkServiced) >= 0 {
		r.ServicedAt = f.ServicedAt
	}
	if f.SellingDealer != "" && c.mark(s, f.SellingDealer, MarkSold) >= 0 {
		r.SoldAt = f.SoldAt
	}
	for i := range territories {
		if territories[i].valid.Holds(f.DecidedAt) {
			n := s.heirOf(territories[i].dealer)
			c.add(n, MarkTerritory)
			c.add(s.dealers[n].overflow, MarkTerritoryOverflow)
			break
		}
	}
	c.add(fr.takes[r.Line], MarkOverflow)
}

// mark enters a dealer by its id, or its successor; it returns the number, -1 if unknown.
func (c *Choice) mark(s *Snapshot, id string, m Mark) int32 {
	n, ok := s.byID[id]
	if !ok || s.dealers[n].kind != KindRooftop {
		return -1
	}
	heir := s.heirOf(n)
	if heir != n {
		c.Receipt.Doubts |= DoubtSucceeded
	}
	c.add(heir, m)
	return heir
}

func (c *Choice) add(dealer int32, m Mark) {
	if dealer < 0 {
		return
	}
	for i := range c.named[:c.count] {
		if c.named[i].dealer == dealer {
			c.named[i].marks |= m
			return
		}
	}
	c.named[c.count] = naming{dealer: dealer, marks: m}
	c.count++
}
