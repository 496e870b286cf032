// Package identity says whether two records are the same person, and what is known of a person from
// all of their records. It is pure: the same records give the same answers everywhere.
//
// Match is the seam: it alone weighs evidence. Blocking (Keys), households and the golden record
// stay as they are when another matcher takes its place.
package identity

import (
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// MaxValues bounds every list of a Record; Union drops the oldest values beyond it.
const MaxValues = 16

// Record is what is said of one person, in the form that is compared. One record holds what one
// lead or signal says, a union what all of a person's say. Lists hold no value twice, the oldest
// first. It is a plain value; copies share slices, which no function of this package writes to.
type Record struct {
	At        int64    // unix seconds of the latest statement in it
	Names     []Name   // of a human, folded
	Companies []string // folded
	Emails    []string // lead.Email.Key
	Phones    []string // E.164
	Addresses []string // folded texts, up to two of each address; see addressTexts
	Born      []string // YYYY-MM-DD
	IDs       []lead.Identifier
	VINs      []string // of vehicles the person owns or owned
	Traits    []Trait  // further facts of lists; Marshal does not keep them
}

// Trait is a fact of a person that lists have and leads do not. Value is folded by lead.Fold.
type Trait struct {
	Kind  TraitKind
	Value string
}

// TraitKind is what a Trait says.
type TraitKind uint8

// The values of TraitKind.
const (
	TraitNumber     TraitKind = iota + 1 // a number the state or an office gave the person; people mistype it
	TraitSex                             // the first letter of its word
	TraitBirthplace                      // a town or country
	TraitOccupation
)

// Name is a human's name, each part folded by lead.Fold. At least Given or Family is set.
type Name struct {
	Given, Middle, Family, Suffix string
}

// RecordOf makes the record of one party of a normalised lead. The lead's identifiers and the
// vehicles it owns or trades belong to its primary party.
func RecordOf(l *lead.Lead, p *lead.Party) Record {
	at := int64(0)
	if !l.RequestedAt.IsZero() {
		at = l.RequestedAt.Unix()
	} else if !l.ReceivedAt.IsZero() {
		at = l.ReceivedAt.Unix()
	}
	if p != l.Primary() {
		return NewRecord(p, nil, "", nil, at)
	}
	var vins []string
	for i := range l.Vehicles {
		if v := &l.Vehicles[i]; v.Role == lead.VehicleRoleOwned || v.Role == lead.VehicleRoleTraded {
			vins = append(vins, v.VIN)
		}
	}
	store := l.Dealer.ID
	if store == "" {
		store = l.Dealer.Code
	}
	return NewRecord(p, l.Identifiers, store, vins, at)
}

// NewRecord makes a record from its parts; p may be nil. Store is the dealer whose customer numbers
// the identifiers without a source are; without one such numbers name nobody and are left out. Of
// the identifiers only those that name a person are kept. At is in unix seconds.
func NewRecord(p *lead.Party, ids []lead.Identifier, store string, vins []string, at int64) Record {
	r := Record{At: at}
	if p != nil {
		r.readParty(p)
	}
	for _, id := range ids {
		if !NamesPerson(id.Kind) {
			continue
		}
		id.Source, id.Value = strings.ToLower(lead.Squeeze(id.Source)), lead.Squeeze(id.Value)
		if id.Source == "" && (id.Kind == lead.IDKindCRMCustomer || id.Kind == lead.IDKindDMSCustomer) {
			if id.Source = strings.ToLower(lead.Squeeze(store)); id.Source == "" {
				continue
			}
		}
		if id.Value != "" {
			r.IDs = add(r.IDs, id)
		}
	}
	for _, vin := range vins {
		if len(vin) == 17 {
			r.VINs = add(r.VINs, vin)
		}
	}
	return r
}

func (r *Record) readParty(p *lead.Party) {
	n := Name{
		Given: lead.Fold(p.Name.Given), Middle: lead.Fold(p.Name.Middle),
		Family: lead.Fold(p.Name.Family), Suffix: lead.Fold(p.Name.Suffix),
	}
	switch {
	case n.Given != "" || n.Family != "":
		r.Names = []Name{n}
	case p.Name.Company == "" && p.Name.Full != "":
		// A name that has no parts to tell compares as a whole.
		if full := lead.Fold(p.Name.Full); full != "" {
			r.Names = []Name{{Family: full}}
		}
	}
	if c := lead.Fold(p.Name.Company); c != "" {
		r.Companies = []string{c}
	}
	for _, e := range p.Emails {
		if e.Valid && e.Key != "" && !machine(e.Key) {
			r.Emails = add(r.Emails, e.Key)
		}
	}
	for _, f := range p.Phones {
		if f.E164 != "" {
			r.Phones = add(r.Phones, f.E164)
		}
	}
	r.Addresses = addressTexts(&p.Address)
	if p.Born != "" {
		r.Born = []string{p.Born}
	}
}

// ParseListEmail reads an e-mail address of a list that is only compared and never written to. What is
// no address for a typing error, as one without a full stop in its domain, still has a key to compare
// by and counts as valid.
func ParseListEmail(raw string) lead.Email {
	e := lead.ParseEmail(raw)
	if at := strings.IndexByte(raw, '@'); !e.Valid && at > 0 && len(raw)-at > 3 && len(raw) <= 254 && strings.IndexByte(strings.TrimSpace(raw), ' ') < 0 {
		e.Key, e.Valid = strings.ToLower(strings.TrimSpace(raw)), true
	}
	return e
}

// NamesPerson reports whether identifiers of a kind belong to a person. The others belong to a
// lead, a contract or somebody at the store.
func NamesPerson(k lead.IDKind) bool {
	switch k {
	case lead.IDKindAnonymous, lead.IDKindOEMAccount, lead.IDKindLoyalty,
		lead.IDKindCRMCustomer, lead.IDKindDMSCustomer:
		return true
	}
	return false
}

// Empty reports whether a record has nothing that a person could be found by.
func (r *Record) Empty() bool {
	return len(r.Emails)+len(r.Phones)+len(r.IDs)+len(r.VINs) == 0 && !slices.ContainsFunc(r.Addresses, firstText)
}

// Union returns what two records of one person say together; the values of the later one are
// taken for the newer ones.
func Union(a, b *Record) Record {
	if b.At < a.At {
		a, b = b, a
	}
	return Record{
		At:        b.At,
		Names:     join(a.Names, b.Names),
		Companies: join(a.Companies, b.Companies),
		Emails:    join(a.Emails, b.Emails),
		Phones:    join(a.Phones, b.Phones),
		Addresses: joinUpTo(2*MaxValues, a.Addresses, b.Addresses),
		Born:      join(a.Born, b.Born),
		IDs:       join(a.IDs, b.IDs),
		VINs:      join(a.VINs, b.VINs),
		Traits:    join(a.Traits, b.Traits),
	}
}

// Adds reports whether a union of r with b would hold anything that r does not.
func (r *Record) Adds(b *Record) bool {
	return missing(r.Names, b.Names) || missing(r.Companies, b.Companies) || missing(r.Emails, b.Emails) ||
		missing(r.Phones, b.Phones) || missing(r.Addresses, b.Addresses) || missing(r.Born, b.Born) ||
		missing(r.IDs, b.IDs) || missing(r.VINs, b.VINs) || missing(r.Traits, b.Traits)
}

func missing[T comparable](have, more []T) bool {
	return slices.ContainsFunc(more, func(v T) bool { return !slices.Contains(have, v) })
}

func join[T comparable](a, b []T) []T { return joinUpTo(MaxValues, a, b) }

func joinUpTo[T comparable](limit int, a, b []T) []T {
	if len(a) == 0 {
		return b
	}
	if !missing(a, b) {
		return a
	}
	out := make([]T, 0, len(a)+len(b))
	out = append(out, a...)
	for _, v := range b {
		out = add(out, v)
	}
	if len(out) > limit {
		out = out[len(out)-limit:]
	}
	return out
}

func add[T comparable](list []T, v T) []T {
	if slices.Contains(list, v) || len(list) == 2*MaxValues {
		return list
	}
	return append(list, v)
}

// machine reports an address that machines send from; everybody's leads may carry it.
func machine(key string) bool {
	local, _, _ := strings.Cut(key, "@")
	switch lead.Fold(local) {
	case "noreply", "donotreply", "nobody", "none", "noemail", "mailerdaemon":
		return true
	}
	return false
}
