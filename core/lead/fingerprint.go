package lead

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"
)

// fingerprintVersion is the first byte hashed. It changes when the order or choice of fields does,
// since stored fingerprints are compared for as long as leads are kept.
const fingerprintVersion = 1

// Fingerprint hashes what a sender said: every field of the lead except its ID, the times of
// request and receipt, Test, and what this system adds (Line, DigitalOnly, Changes, Flags). Take
// it at one fixed point, after parsing and before governance rewrites the lead: rules change
// with the playbook, a body does not. Identifiers, consents and extra fields count as sets, all
// other lists in order.
func Fingerprint(l *Lead) [sha256.Size]byte {
	f := fingerprint{buf: make([]byte, 0, 1024)}
	f.buf = append(f.buf, fingerprintVersion)
	f.num(int64(l.RequestType), int64(l.Origin), int64(l.Choice))
	f.flag(l.Trigger)
	f.text(l.RawRequest, l.Brand, l.Market, l.Dealer.ID, l.Dealer.Code, l.Dealer.Scheme, l.Dealer.Name)
	f.text(l.Source.Channel, l.Source.Source, l.Source.SubSource, l.Source.Provider, l.Source.Medium, l.Source.Form)
	c := &l.Campaign
	f.text(c.ID, c.Name, c.Medium, c.Offer, c.Term, c.Content, c.AdID, c.AdGroup)
	f.list(c.ClickIDs)
	f.identifiers(l.Identifiers)
	f.num(int64(len(l.Parties)))
	for i := range l.Parties {
		f.party(&l.Parties[i])
	}
	f.num(int64(len(l.Vehicles)))
	for i := range l.Vehicles {
		f.vehicle(&l.Vehicles[i])
	}
	f.text(l.TimeFrame.Text)
	f.when(l.TimeFrame.Earliest, l.TimeFrame.Latest)
	f.text(l.Finance.Method)
	f.money(l.Finance.DownPayment, l.Finance.Monthly, l.Finance.Balance)
	f.text(l.Comments, l.Language)
	f.consents(l.Consents, l.ReceivedAt)
	extra := sorted(l.Extra, func(a, b Field) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Value, b.Value))
	})
	f.num(int64(len(extra)))
	for _, e := range extra {
		f.text(e.Path, e.Value)
	}
	return sha256.Sum256(f.buf)
}

// sorted returns the list in order; the list itself if it is in order already.
func sorted[T any](list []T, compare func(a, b T) int) []T {
	if slices.IsSortedFunc(list, compare) {
		return list
	}
	list = slices.Clone(list)
	slices.SortFunc(list, compare)
	return list
}

// fingerprint gathers length-prefixed values, so that no two leads run together to one stream.
type fingerprint struct{ buf []byte }

func (f *fingerprint) num(values ...int64) {
	for _, v := range values {
		f.buf = binary.AppendVarint(f.buf, v)
	}
}

func (f *fingerprint) flag(v bool) {
	b := byte(0)
	if v {
		b = 1
	}
	f.buf = append(f.buf, b)
}

func (f *fingerprint) text(values ...string) {
	for _, s := range values {
		f.buf = binary.AppendUvarint(f.buf, uint64(len(s)))
		f.buf = append(f.buf, s...)
	}
}

func (f *fingerprint) list(values []string) {
	f.num(int64(len(values)))
	f.text(values...)
}

func (f *fingerprint) when(values ...time.Time) {
	for _, t := range values {
		if t.IsZero() {
			f.flag(false)
			continue
		}
		f.flag(true)
		f.num(t.Unix(), int64(t.Nanosecond()))
	}
}

func (f *fingerprint) money(values ...Money) {
	for _, m := range values {
		f.num(m.Minor)
		f.text(m.Currency)
	}
}

func (f *fingerprint) identifiers(ids []Identifier) {
	ids = sorted(ids, func(a, b Identifier) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Value, b.Value))
	})
	f.num(int64(len(ids)))
	for _, id := range ids {
		f.num(int64(id.Kind))
		f.text(id.Source, id.Value)
	}
}

func (f *fingerprint) party(p *Party) {
	f.num(int64(p.Role), int64(p.Preferred))
	n := &p.Name
	f.text(n.Full, n.Prefix, n.Given, n.Middle, n.Family, n.Suffix, n.Company)
	f.num(int64(len(p.Emails)))
	for _, e := range p.Emails {
		f.text(cmp.Or(e.Address, e.Raw))
	}
	f.num(int64(len(p.Phones)))
	for _, ph := range p.Phones {
		f.text(cmp.Or(ph.E164, ph.Raw), ph.Extension)
		f.num(int64(ph.Type))
		f.flag(ph.Preferred)
	}
	f.list(p.Address.Streets)
	f.text(p.Address.Unit, p.Address.City, p.Address.Region, p.Address.Postal, p.Address.Country)
	f.text(p.Born, p.Language, p.BestTime)
}

func (f *fingerprint) vehicle(v *Vehicle) {
	f.num(int64(v.Role), int64(v.Status), int64(v.Interest), int64(v.Year), int64(v.Powertrain), v.Odometer, int64(v.OdometerUnit))
	f.text(v.Make, v.Model, v.ModelCode, v.Trim, v.Body, v.VIN, v.Stock, v.Color, v.Condition, v.Lender, v.Comments)
	f.money(v.Price, v.Payoff)
	f.list(v.Options)
}

func (f *fingerprint) consents(facts []Consent, received time.Time) {
	facts = sorted(facts, func(a, b Consent) int {
		return cmp.Or(cmp.Compare(a.Controller, b.Controller), cmp.Compare(a.ControllerID, b.ControllerID),
			cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.ContactPoint, b.ContactPoint),
			cmp.Compare(a.State, b.State), a.At.Compare(b.At), a.ValidUntil.Compare(b.ValidUntil), cmp.Compare(a.TextVersion, b.TextVersion),
			cmp.Compare(a.Place, b.Place), cmp.Compare(a.Evidence, b.Evidence))
	})
	f.num(int64(len(facts)))
	for i := range facts {
		c := &facts[i]
		f.num(int64(c.Controller), int64(c.Purpose), int64(c.Channel), int64(c.State))
		f.text(c.ControllerID, c.ContactPoint, c.TextVersion, c.Place, c.Evidence)
		at := c.At
		if at.Equal(received) {
			at = time.Time{} // the sender gave none and receipt stands in
		}
		f.when(at, c.ValidUntil)
	}
}
