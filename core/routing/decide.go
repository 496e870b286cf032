package routing

import "github.com/leadmesh/leadmesh/core/lead"

// decide walks the seven steps over the facts of the receipt and writes what comes out. It reads
// nothing else: Choose and Replay both end here.
func decide(r *Receipt) {
	r.Step, r.Winner, r.WinDepartment, r.WinRole, r.Flags = StepUnspecified, "", 0, 0, 0
	free := len(r.Exclusions) == 0 && !r.NoConsent
	for i := range r.Candidates {
		c := &r.Candidates[i]
		c.Expected, c.Chance, c.Lost = 0, 0, LossUnspecified
		if !free || c.doubtful() {
			c.Lost = r.barred(c)
		}
	}
	switch {
	case r.dealerOwned():
		r.owner()
	case r.chosen(), r.knows(), r.territory(), r.expected(), r.uncertified(), r.overflow():
	default:
		r.desk()
	}
	if r.Step == StepUnspecified {
		r.Flags |= FlagUnassigned
	}
}

// barred is step 1: it returns why a candidate may not take the lead, or 0.
func (r *Receipt) barred(c *Candidate) Loss {
	switch {
	case r.NoConsent:
		return LossNoConsent
	case r.excluded(c.Dealer):
		return LossExcluded
	case c.Bars.Has(BarNotLive):
		return LossNotLive
	case c.Bars.Has(BarFranchise):
		return LossNoFranchise
	case c.Bars.Has(BarMarket):
		return LossOutOfMarket
	case c.Bars.Has(BarPaused):
		return LossPaused
	case c.Missing&r.mandatory() != 0:
		return LossNotCertified
	case c.Capped && c.Free <= 0 && !r.Test:
		return LossNoCapacity
	}
	return LossUnspecified
}

// doubtful reports whether one of the candidate's own facts may speak against it. It keeps the
// usual candidate off the slow way.
func (x *Candidate) doubtful() bool {
	return x.Bars != 0 || x.Missing != 0 || x.Capped && x.Free <= 0
}

func (r *Receipt) excluded(dealer string) bool {
	for _, e := range r.Exclusions {
		if e == dealer {
			return true
		}
	}
	return false
}

// mandatory returns the required programs that bind, as a set like Candidate.Missing.
func (r *Receipt) mandatory() (set uint64) {
	for i := range r.Programs {
		if r.Programs[i].Mandatory {
			set |= 1 << i
		}
	}
	return set
}

// dealerOwned reports whether only the owner's policy may move the lead.
func (r *Receipt) dealerOwned() bool {
	switch r.Origin {
	case lead.OriginDealer, lead.OriginThirdPartyDealerPaid, lead.OriginOEMForDealer:
		return true
	}
	return false
}

// owner sends a dealer-owned lead to its store, or else to the desk with the reason. The OEM's
// own rules (franchise, market, certificates, caps) are not held against a store's own lead.
func (r *Receipt) owner() {
	c := r.candidate(MarkNamed)
	if c == nil {
		r.Flags |= FlagOwnerUnknown
		r.toDesk(LossNotOwner)
		return
	}
	switch c.Lost {
	case LossNoFranchise, LossOutOfMarket:
		// A pause still counts when the franchise hid it.
		if c.Bars.Has(BarPaused) {
			break
		}
		r.Flags |= FlagOutsideFranchise
		fallthrough
	case LossUnspecified, LossNotCertified, LossNoCapacity:
		r.win(c, StepOwner, LossNotOwner)
		return
	}
	r.Flags |= FlagOwnerNotAllowed
	if c.Lost == LossExcluded {
		r.Flags |= FlagChosenDeclined
	}
	r.toDesk(LossNotOwner)
}

// chosen is step 2. A chosen store that may take the lead gets it, certified or not, over its
// cap or not; one that declined leaves the lead to the desk; one that may not take it hands over
// to its own overflow store, and failing that the later steps go on with the flag.
func (r *Receipt) chosen() bool {
	if r.Choice != lead.DealerChoiceCustomerChose && r.Choice != lead.DealerChoiceCustomerVehicle {
		return false
	}
	c := r.candidate(MarkNamed)
	if c == nil {
		if r.Dealer != "" || r.Doubts.Has(DoubtDealerUnknown) {
			r.Flags |= FlagChosenUnknown
		}
		return false
	}
	switch c.Lost {
	case LossUnspecified, LossNotCertified, LossNoCapacity:
		r.win(c, StepChosen, LossOtherChosen)
		return true
	case LossExcluded:
		r.Flags |= FlagChosenDeclined
		r.toDesk(LossOverflow)
		return true
	}
	r.Flags |= FlagChosenNotAllowed
	if o := r.candidate(MarkNamedOverflow); o != nil && o.Lost == LossUnspecified {
		r.win(o, StepOverflow, LossOverflow)
		return true
	}
	return false
}

// knows is step 3: the store that the sender calls the customer's own, else the one of the last
// service visit, else the one that sold the vehicle.
func (r *Receipt) knows() bool {
	p := &r.Policy
	if r.Choice == lead.DealerChoiceExistingCustomer {
		if c := r.candidate(MarkNamed); c != nil && c.Lost == LossUnspecified && r.reaches(c) {
			r.win(c, StepKnown, LossOtherKnows)
			return true
		}
	}
	if c := r.candidate(MarkServiced); c != nil && c.Lost == LossUnspecified && r.within(r.ServicedAt, p.ServiceMemory) && r.reaches(c) {
		r.win(c, StepKnown, LossOtherKnows)
		return true
	}
	if c := r.candidate(MarkSold); c != nil && c.Lost == LossUnspecified && r.within(r.SoldAt, p.SellingMemory) && r.reaches(c) {
		r.win(c, StepKnown, LossOtherKnows)
		return true
	}
	return false
}

// within reports whether the time lies at most memory seconds before the decision. A time after
// the decision, which clocks that disagree produce, counts as just now.
func (r *Receipt) within(at, memory int64) bool {
	return at > 0 && r.DecidedAt-at <= memory
}

// reaches reports whether the store is near enough to count as knowing the customer. A place
// known only as a region or country is no reason to take a customer from their own store.
func (r *Receipt) reaches(c *Candidate) bool {
	return r.Place.coarse() || c.Distance < 0 || c.Distance <= r.Policy.KnownDistance
}

// territory is step 4.
func (r *Receipt) territory() bool {
	if r.Policy.Market == MarketPolicyBestOfK {
		return false
	}
	c := r.candidate(MarkTerritory)
	if c == nil || c.Lost != LossUnspecified {
		return false
	}
	r.win(c, StepTerritory, LossOtherArea)
	return true
}

// uncertified runs steps 3 to 5 again without the mandatory certificates, where nobody who may
// take the lead holds them and every one of them falls back to a store without.
func (r *Receipt) uncertified() bool {
	required, falls := false, true
	for i := range r.Programs {
		if r.Programs[i].Mandatory {
			required = true
			falls = falls && r.Programs[i].Fallback == FallbackUncertified
		}
	}
	if !required || !falls {
		return false
	}
	for i := range r.Candidates {
		c := &r.Candidates[i]
		if c.Lost != LossNotCertified {
			continue
		}
		c.Lost = LossUnspecified
		if c.Capped && c.Free <= 0 && !r.Test {
			c.Lost = LossNoCapacity
		}
	}
	if r.knows() || r.territory() || r.expected() {
		r.Flags |= FlagProgramFallback
		return true
	}
	return false
}

// overflow is the first half of step 7: the store that takes over from the territory's, then the
// one that the playbook names.
func (r *Receipt) overflow() bool {
	for _, m := range [...]Mark{MarkTerritoryOverflow, MarkOverflow} {
		if m == MarkTerritoryOverflow && r.Policy.Market == MarketPolicyBestOfK {
			continue
		}
		// Too far is a limit of step 5 only; the playbook knows where its overflow store stands.
		if c := r.candidate(m); c != nil && (c.Lost == LossUnspecified || c.Lost == LossTooFar) {
			r.win(c, StepOverflow, LossOverflow)
			return true
		}
	}
	return false
}

// desk is the second half of step 7.
func (r *Receipt) desk() { r.toDesk(LossOverflow) }

func (r *Receipt) toDesk(others Loss) {
	r.lose(others)
	if r.Policy.Desk == "" {
		return
	}
	r.Step, r.Winner, r.WinRole = StepDesk, r.Policy.Desk, lead.RoleManager
}

// win gives the lead to a candidate and writes down why the others did not get it.
func (r *Receipt) win(c *Candidate, step Step, others Loss) {
	c.Lost = LossUnspecified
	if r.refers(c, step) {
		r.Flags |= FlagReferralPlay
	}
	r.lose(others)
	c.Lost = LossUnspecified
	r.Step, r.Winner, r.WinDepartment, r.WinRole = step, c.Dealer, c.Department, r.role()
}

// refers reports whether the winner is to work the lead with the referral play: the customer came to
// this very store, by choice or as its own, and it lacks a certificate; or it lacks one that binds
// and has the lead only because nobody has it. Where the order of choice found a store, a program
// that does not bind only weighs in step 5.
func (r *Receipt) refers(c *Candidate, step Step) bool {
	switch step {
	case StepOwner, StepChosen, StepKnown:
		return c.Missing != 0
	}
	return c.Missing&r.mandatory() != 0
}

// lose writes the reason to all who have none yet.
func (r *Receipt) lose(others Loss) {
	for i := range r.Candidates {
		if r.Candidates[i].Lost == LossUnspecified {
			r.Candidates[i].Lost = others
		}
	}
}

// role is step 6: complaints go to the manager, fleet accounts to the fleet desk, engagement
// without any request or visit to the BDC, the rest by line.
func (r *Receipt) role() lead.Role {
	switch {
	case r.Line == lead.LineCare:
		return lead.RoleManager
	case r.FleetAccount:
		return lead.RoleFleet
	case r.DigitalOnly:
		return lead.RoleBDC
	}
	return r.Policy.Role
}
