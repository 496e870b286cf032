package governance

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Verdict is what became of a lead. The zero value is acceptance.
type Verdict struct {
	Reject lead.RejectCode // zero: accepted
	Rule   string          // the rule that refused it; no personal data
}

// Accepted reports whether the lead may go on.
func (v Verdict) Accepted() bool { return v.Reject == lead.RejectCodeUnspecified }

// Apply normalises the lead in place, records every rewriting as a Change and every doubt as a
// Flag, decides what the sender left open (market, source, request type, origin, line, dealer
// choice, brand, trigger, test) and says whether it is a lead at all. At is the moment of the
// decision: ages and plausible years are counted from it, time frames from the time of request.
// ReceivedAt must be set. The same lead, rules and moment always give the same result, and a
// second Apply changes nothing. The caller must own the lead's slices.
func (g *Governor) Apply(l *lead.Lead, at time.Time) Verdict {
	w := work{g: g, l: l, at: at}
	w.decideMarket()
	if !g.skip[stepText] {
		w.texts()
	}
	w.requestedAt()
	w.source()
	w.parties()
	w.vehicles()
	w.timeFrame()
	w.money()
	w.consents()
	w.decide()
	w.required()
	words := splitWords(l.Comments)
	w.detectTest(words)
	return g.reject.judge(l, words)
}

// Zones names the IANA zones in which the times that a lead's sender wrote without a zone may be
// meant: that of its source, "" if the rules give none, and that of its market. The lead may still
// be as its sender wrote it. Between the two stands the dealer's zone, which the rules do not know.
func (g *Governor) Zones(l *lead.Lead) (source, market string) {
	if rule := g.sourceOf(l); rule != nil {
		source = rule.Zone
	}
	return source, g.marketOf(l.Market).zone
}

// sourceOf recognises the source by its name, else by its provider; nil if it is none of the rules'.
func (g *Governor) sourceOf(l *lead.Lead) *source {
	name := l.Source.Source
	if name == "" {
		name = l.Source.Provider
	}
	if name == "" {
		return nil
	}
	return g.sources[lead.Fold(name)]
}

// marketOf finds a market by its country's code or name; the first if there is no such market.
func (g *Governor) marketOf(country string) *market {
	if m := g.markets[country]; m != nil {
		return m
	}
	if code, ok := lead.CountryCode(country); ok && g.markets[code] != nil {
		return g.markets[code]
	}
	return g.first
}

// work is one Apply under way.
type work struct {
	g      *Governor
	l      *lead.Lead
	at     time.Time
	market *market
}

// change records a rewriting.
func (w *work) change(path, rule, before, after string) {
	if w.l.Changes == nil {
		w.l.Changes = make([]lead.Change, 0, 12)
	}
	w.l.Changes = append(w.l.Changes, lead.Change{Field: path, Rule: rule, Before: before, After: after})
}

// set writes a text field if it differs, and records it.
func (w *work) set(f field, i int, rule string, p *string, v string) {
	if *p != v {
		w.change(f.path(i), rule, *p, v)
		*p = v
	}
}

func (w *work) decideMarket() {
	m := w.l.Market
	if m != "" {
		if c, ok := lead.CountryCode(m); ok {
			m = c
		}
	}
	w.market = w.g.markets[m]
	if w.market == nil {
		w.market = w.g.first
		if m == "" {
			m = w.market.country
		}
	}
	if m != w.l.Market {
		w.change("market", "market", w.l.Market, m)
		w.l.Market = m
	}
}

// texts frees every text field of needless spaces and placeholders and applies the field rules.
func (w *work) texts() {
	visit(w.l, func(f field, i int, p *string) {
		rule := w.g.fields[f]
		s := *p
		if s != "" {
			if f.multiline() {
				s = strings.TrimSpace(s)
			} else {
				s = lead.Squeeze(s)
			}
			if s != *p {
				w.set(f, i, "trim", p, s)
			}
			// A name in proper case may well be somebody's: Placeholder knows that.
			if s != "" && lead.Placeholder(s) && f != fieldVIN {
				w.l.AddFlag(lead.FlagPlaceholderValue, f.path(i), "")
				w.set(f, i, "placeholder", p, "")
				s = ""
			}
		}
		v, cut := rule.shape(s)
		if cut {
			w.l.AddFlag(lead.FlagValueTruncated, f.path(i), "")
		}
		w.set(f, i, "field", p, v)
	})
	w.identifiers()
}

// identifiers drops those that are too long to be any system's. Cut, one might be somebody else's.
func (w *work) identifiers() {
	kept := w.l.Identifiers[:0]
	for i, id := range w.l.Identifiers {
		if tooLong(id.Source) || tooLong(id.Value) {
			w.l.AddFlag(lead.FlagValueTruncated, "identifiers["+strconv.Itoa(i)+"]", "")
			continue
		}
		kept = append(kept, id)
	}
	w.l.Identifiers = kept
}

func tooLong(s string) bool { return len(s) > usualMax && utf8.RuneCountInString(s) > usualMax }

// requestedAt applies Law 2 to the source's time.
func (w *work) requestedAt() {
	t, plausible := lead.RequestedAt(w.l.RequestedAt, w.l.ReceivedAt)
	if !plausible {
		w.l.AddFlag(lead.FlagRequestedAtImplausible, "requested_at", "")
	}
	if !t.Equal(w.l.RequestedAt) {
		if !w.l.RequestedAt.IsZero() {
			w.change("requested_at", "requested_at", w.l.RequestedAt.UTC().Format(time.RFC3339), t.UTC().Format(time.RFC3339))
		}
		w.l.RequestedAt = t
	}
}

// source fills in what a sender left out about a source that the rules know.
func (w *work) source() {
	s := &w.l.Source
	rule := w.g.sourceOf(w.l)
	if rule == nil {
		return
	}
	w.set(fieldSourceSource, 0, "source", &s.Source, rule.Source)
	w.fill(fieldSourceChannel, "source", &s.Channel, rule.Channel)
	w.fill(fieldSourceSubSource, "source", &s.SubSource, rule.SubSource)
	w.fill(fieldSourceProvider, "source", &s.Provider, rule.Provider)
	w.fill(fieldSourceMedium, "source", &s.Medium, rule.Medium)
	if w.l.Origin == lead.OriginUnspecified && rule.origin != lead.OriginUnspecified {
		w.l.Origin = rule.origin
		w.change("origin", "source", "", rule.origin.String())
	}
	if rule.Trigger && w.l.RequestType == lead.RequestTypeUnspecified && w.l.RawRequest == "" && !w.l.Trigger {
		w.l.Trigger = true
		w.change("trigger", "source", "", "true")
	}
	if rule.Test && !w.l.Test {
		w.l.Test = true
		w.change("test", "source", "", "true")
	}
}

func (w *work) fill(f field, rule string, p *string, v string) {
	if *p == "" && v != "" {
		w.set(f, 0, rule, p, v)
	}
}

func (w *work) timeFrame() {
	tf := &w.l.TimeFrame
	if w.g.skip[stepTimeFrames] || tf.Text == "" || !tf.Earliest.IsZero() || !tf.Latest.IsZero() {
		return
	}
	text := tf.Text
	if phrase, ok := w.g.frames[lead.Fold(text)]; ok {
		text = phrase
	}
	read := lead.ParseTimeFrame(text, w.l.RequestedAt)
	if read.Earliest.IsZero() && read.Latest.IsZero() {
		return
	}
	tf.Earliest, tf.Latest = read.Earliest, read.Latest
	w.change("time_frame", "time_frame", tf.Text, period(tf.Earliest)+"/"+period(tf.Latest))
}

func period(t time.Time) string {
	if t.IsZero() {
		return ".."
	}
	return t.Format(time.DateOnly)
}

// money gives amounts without a currency the market's.
func (w *work) money() {
	if w.g.skip[stepDefaults] {
		return
	}
	f := &w.l.Finance
	w.currency("finance.down_payment", &f.DownPayment)
	w.currency("finance.monthly", &f.Monthly)
	w.currency("finance.balance", &f.Balance)
	for i := range w.l.Vehicles {
		v := &w.l.Vehicles[i]
		if v.Price.Minor != 0 && v.Price.Currency == "" || v.Payoff.Minor != 0 && v.Payoff.Currency == "" {
			prefix := "vehicles[" + strconv.Itoa(i) + "]"
			w.currency(prefix+".price", &v.Price)
			w.currency(prefix+".payoff", &v.Payoff)
		}
	}
}

func (w *work) currency(path string, m *lead.Money) {
	if m.Minor == 0 || m.Currency != "" {
		return
	}
	m.Currency = w.market.currency
	w.l.AddFlag(lead.FlagCurrencyUnknown, path, m.Currency)
	w.change(path, "currency", "", m.Currency)
}

// consents brings the contact points of consent facts into the spelling they are compared in.
func (w *work) consents() {
	for i := range w.l.Consents {
		c := &w.l.Consents[i]
		if c.ContactPoint == "" {
			continue
		}
		if p := lead.ContactPoint(c.ContactPoint, w.market.country); p != c.ContactPoint {
			w.change("consents["+strconv.Itoa(i)+"].contact_point", "contact_point", c.ContactPoint, p)
			c.ContactPoint = p
		}
	}
}

// required flags the empty fields that rules want filled. A field of parties or vehicles counts
// once for each of them.
func (w *work) required() {
	visit(w.l, func(f field, i int, p *string) {
		if rule := w.g.fields[f]; rule != nil && rule.required && *p == "" {
			w.l.AddFlag(lead.FlagRequiredMissing, f.path(i), "")
		}
	})
}

// detectTest marks test leads by an address or a phrase; a name alone only flags.
func (w *work) detectTest(words []word) {
	if w.l.Test {
		return
	}
	rule := ""
	for i := range w.l.Parties {
		for _, e := range w.l.Parties[i].Emails {
			if e.Valid && w.g.test.domains.Has(e.Domain()) {
				rule = "test_email"
			}
		}
	}
	if rule == "" && w.g.test.phrases.count(words) != nil {
		rule = "test_phrase"
	}
	if rule != "" {
		w.l.Test = true
		w.change("test", rule, "", "true")
	}
}
