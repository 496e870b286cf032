package routing

// gathering writes candidates into a receipt.
type gathering struct {
	s        *Snapshot
	f        *Facts
	fr       *franchise
	live     *Live
	required uint64
	language uint32 // bit of the customer's language; 0 when no store speaks it
	speaks   bool   // the customer has one
	at       vector
	placed   bool
	found    nearest
	settled  bool   // no candidate can be replaced any more
	touched  uint64 // keeps the compiler from leaving out what list asks memory for
}

// locate finds the customer's place, and from it the nearest stores and the territories.
func (g *gathering) locate(r *Receipt) ([]distant, []holder) {
	x := g.s.places.find(g.f.Country, g.f.Postal, g.f.Region)
	r.Place = x.place
	if x.number >= 0 && !g.f.HasPoint {
		g.at, g.placed = x.at, true
		n := g.fr.near(g.s, x.number, x.at)
		r.Others[LossBeyondList] = n.farther
		return n.list[:n.n], n.territories
	}
	return g.locateElsewhere(r, x)
}

// locateElsewhere is the slow way, for places that no list of nearest stores is kept for.
func (g *gathering) locateElsewhere(r *Receipt, x site) ([]distant, []holder) {
	var territories []holder
	if x.number >= 0 {
		name := &g.s.places.names[x.number]
		territories = g.s.territories[territoryKey{name.country, name.code, g.fr.brand}]
	} else {
		var buf [maxPostal]byte
		code := appendPostal(buf[:0], g.f.Postal)
		territories = g.s.territories[territoryKey{g.f.Country, string(code), g.fr.brand}]
	}
	if g.f.HasPoint {
		x.at, r.Place = vectorOf(g.f.Latitude, g.f.Longitude), PlacePoint
	}
	if r.Place == PlaceUnknown {
		r.Others[LossBeyondList] = int32(len(g.fr.units))
		return nil, territories
	}
	g.at, g.placed = x.at, true
	g.fr.search(g.s, x.at, &g.found)
	r.Others[LossBeyondList] = int32(len(g.fr.units) - g.found.n)
	return g.found.list[:g.found.n], territories
}

// list writes the nearest stores. While all of them fit there is nothing to choose; beyond that
// stores that may take the lead go before nearer ones that may not, which are then counted only.
func (g *gathering) list(c *Choice, stores []distant) {
	r := &c.Receipt
	doubtful := len(r.Exclusions) > 0
	unseen, i := c.count, 0
	rows := r.Candidates[:min(len(stores), MaxCandidates)]
	// In a large network the stores are rarely in the cache. Asking for all of them before the
	// first is used lets the memory answer at once instead of one by one.
	for j := range rows {
		g.touched |= uint64(g.s.units[stores[j].unit].department)
		if g.live != nil {
			g.touched |= g.live.words[stores[j].unit].Load()
		}
	}
	for ; i < len(stores) && i+unseen < MaxCandidates; i++ {
		u := &g.s.units[stores[i].unit]
		var marks Mark
		if c.count > 0 {
			marks = c.see(u.dealer, &unseen)
		}
		x := &rows[i]
		g.write(x, u, stores[i].unit, stores[i].metres, marks)
		doubtful = doubtful || x.doubtful()
	}
	r.Candidates = rows[:i]
	if rest := stores[i:]; unseen == 0 && (!doubtful || r.NoConsent) {
		r.Others[LossBeyondList] += int32(len(rest))
	} else {
		g.listMore(c, rest, unseen)
	}
}

// see returns the marks of a dealer that is among the nearest, and counts it off.
func (c *Choice) see(dealer int32, unseen *int) Mark {
	for j := range c.named[:c.count] {
		if c.named[j].dealer == dealer {
			c.named[j].seen = true
			*unseen--
			return c.named[j].marks
		}
	}
	return 0
}

// listMore looks at the stores beyond the first rows.
func (g *gathering) listMore(c *Choice, stores []distant, unseen int) {
	r := &c.Receipt
	for i := range stores {
		u := &g.s.units[stores[i].unit]
		marks := c.see(u.dealer, &unseen)
		if n := len(r.Candidates); n+unseen < MaxCandidates {
			r.Candidates = r.Candidates[:n+1]
			g.write(&r.Candidates[n], u, stores[i].unit, stores[i].metres, marks)
			g.settled = false
			continue
		}
		g.replace(r, u, stores[i], marks)
	}
}

// replace puts a store in the place of the farthest unmarked one that may not take the lead, or
// counts it.
func (g *gathering) replace(r *Receipt, u *unit, at distant, marks Mark) {
	var x Candidate
	g.write(&x, u, at.unit, at.metres, marks)
	loss := r.barred(&x)
	if !g.settled && (loss == LossUnspecified || marks != 0) {
		for i := len(r.Candidates) - 1; i >= 0; i-- {
			out := &r.Candidates[i]
			if why := r.barred(out); why != LossUnspecified && out.Marks == 0 {
				r.Others[why]++
				copy(r.Candidates[i:], r.Candidates[i+1:])
				r.Candidates[len(r.Candidates)-1] = x
				return
			}
		}
		g.settled = true
	}
	if loss == LossUnspecified {
		loss = LossBeyondList
	}
	r.Others[loss]++
}

// extra adds the named stores that are not among the nearest, each at its place in the order.
func (g *gathering) extra(c *Choice) {
	r := &c.Receipt
	for i := range c.named[:c.count] {
		x := &c.named[i]
		if x.seen || len(r.Candidates) == MaxCandidates {
			continue
		}
		d := &g.s.dealers[x.dealer]
		number := g.s.unitFor(d, r.Brand, r.Department)
		var bars Bar
		if number < 0 {
			bars = BarFranchise
			number = g.s.unitFor(d, "", r.Department)
			for kind := 0; number < 0 && kind < departments; kind++ {
				number = d.units[kind]
			}
		}
		if m := g.fr.market; m.allows == nil || !m.allows[d.country] {
			bars |= BarMarket
		}
		distance := int32(-1)
		if g.placed {
			distance = metres(g.at.chord2(d.at))
		}
		var row Candidate
		if number >= 0 {
			g.write(&row, &g.s.units[number], number, distance, x.marks)
		} else {
			// A rooftop without any department, closed long ago, say.
			g.write(&row, &unit{id: d.id, dealer: x.dealer, status: d.status, cap: -1}, -1, distance, x.marks)
		}
		row.Bars |= bars
		n := len(r.Candidates)
		r.Candidates = r.Candidates[:n+1]
		for n > 0 && row.before(&r.Candidates[n-1]) {
			r.Candidates[n] = r.Candidates[n-1]
			n--
		}
		r.Candidates[n] = row
	}
}

// write fills in the facts of one candidate.
func (g *gathering) write(x *Candidate, u *unit, number, distance int32, marks Mark) {
	// Field by field: a literal would be built beside and copied.
	x.Dealer, x.Department, x.Distance, x.Marks, x.Bars, x.Missing = u.id, u.department, distance, marks, 0, 0
	x.Capped, x.Free, x.Performance, x.Open, x.OtherLanguage = u.cap >= 0, max(u.cap, 0), 0, true, false
	x.Expected, x.Chance, x.Lost = 0, 0, LossUnspecified
	if u.status != StatusLive {
		x.Bars = g.bars(u)
	}
	if g.required != 0 {
		x.Missing = g.s.missing(u, g.required, g.f.DecidedAt)
	}
	if g.speaks {
		x.OtherLanguage = u.languages&g.language == 0
	}
	if g.live != nil && number >= 0 {
		x.Open, x.Performance, x.Free = unpackLive(g.live.words[number].Load())
	}
	if !x.Capped {
		x.Free = 0
	}
}

// bars returns what the status of a store has against it at the time of the decision.
func (g *gathering) bars(u *unit) Bar {
	switch u.status {
	case StatusOnboarding:
		if !g.f.Test {
			return BarNotLive
		}
	case StatusPaused:
		if u.paused.Holds(g.f.DecidedAt) {
			return BarPaused
		}
	case StatusClosing, StatusClosed:
		return BarNotLive
	}
	return 0
}
