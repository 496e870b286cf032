package identity

import (
	"crypto/sha256"
	"fmt"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"google.golang.org/protobuf/proto"
)

// person is a person while one transaction works on it. Golden and profile are decoded when first
// used: most candidates are only compared.
type person struct {
	row      postgres.Person
	into     *person // the person this one was joined into
	facts    identity.Record
	prepared *identity.Prepared // the facts; nil until compared
	golden   *lead.Party
	profile  *signal.Profile
	consents []fact // that hold; every fact once
	held     bool   // consents are read
	fresh    bool   // not in the database yet
	told     bool   // something was said of it in this transaction
	dirty    bool
	encoded  []byte // the profile, once nothing changes any more
}

func newPerson(row postgres.Person) (*person, error) {
	facts, err := identity.Unmarshal(row.Facts)
	if err != nil {
		return nil, fmt.Errorf("facts of a person: %w", err)
	}
	return &person{row: row, facts: facts}, nil
}

// ready returns the facts as the matcher compares them.
func (p *person) ready(m *identity.Matcher) *identity.Prepared {
	if p.prepared == nil {
		v := m.Prepare(&p.facts)
		p.prepared = &v
	}
	return p.prepared
}

// know replaces what is known of the person.
func (p *person) know(facts identity.Record) { p.facts, p.prepared, p.dirty = facts, nil, true }

// root is the person that p is today.
func (p *person) root() *person {
	for p.into != nil {
		p = p.into
	}
	return p
}

// older orders persons by who survives when two are found to be one.
func (p *person) older(o *person) bool {
	if !p.row.CreatedAt.Equal(o.row.CreatedAt) {
		return p.row.CreatedAt.Before(o.row.CreatedAt)
	}
	return p.row.ID.String() < o.row.ID.String()
}

func (p *person) readGolden() (*lead.Party, error) {
	if p.golden == nil {
		var pb leadv1.Party
		if err := proto.Unmarshal(p.row.Golden, &pb); err != nil {
			return nil, fmt.Errorf("golden record of a person: %w", err)
		}
		g, _ := leadconv.PartyFromProto("", &pb) // codes were checked when they came in
		p.golden = &g
	}
	return p.golden, nil
}

func (p *person) readProfile() (*signal.Profile, error) {
	if p.profile == nil {
		v, err := signal.Unmarshal(p.row.Profile)
		if err != nil {
			return nil, fmt.Errorf("profile of a person: %w", err)
		}
		p.profile = &v
	}
	return p.profile, nil
}

// absorb adds what a record says; party is the record's, nil when none was given.
func (p *person) absorb(r *identity.Record, party *lead.Party) error {
	empty := p.blank()
	if !empty && !p.facts.Adds(r) {
		return nil
	}
	if party != nil {
		said := []identity.Statement{{Party: *party, At: r.At}}
		if !empty {
			g, err := p.readGolden()
			if err != nil {
				return err
			}
			said = append(said, identity.Statement{Party: *g, At: p.facts.At})
		}
		g, _ := identity.Golden(said)
		p.golden = &g
	}
	p.know(identity.Union(&p.facts, r))
	p.told = true
	return nil
}

// blank reports whether nothing was said of the person yet.
func (p *person) blank() bool { return p.fresh && !p.told }

// profileBytes encodes the profile; call it only when nothing changes it any more.
func (p *person) profileBytes() []byte {
	if p.encoded == nil {
		if p.profile == nil {
			return p.row.Profile
		}
		p.encoded = p.profile.Marshal()
	}
	return p.encoded
}

// encode fills the row with what the person has become.
func (p *person) encode() error {
	if p.golden != nil {
		b, err := proto.Marshal(leadconv.PartyToProto(p.golden))
		if err != nil {
			return fmt.Errorf("encode a golden record: %w", err)
		}
		p.row.Golden = b
	}
	p.row.Facts = p.facts.Marshal()
	p.row.Profile = p.profileBytes()
	if p.row.Golden == nil {
		p.row.Golden = []byte{}
	}
	if p.row.Profile == nil {
		p.row.Profile = []byte{}
	}
	return nil
}

// points are the person's contact points as consent facts name them.
func (p *person) points(market string) ([]string, error) {
	g, err := p.readGolden()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range g.Emails {
		out = append(out, lead.ContactPoint(e.Address, market))
	}
	for _, f := range g.Phones {
		out = append(out, lead.ContactPoint(f.E164, market))
	}
	return out, nil
}

// fact is one consent fact in its stored form.
type fact struct {
	id  lead.ID
	pb  *leadv1.Consent
	raw []byte
}

func newFact(pb *leadv1.Consent) (fact, error) {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(pb)
	if err != nil {
		return fact{}, fmt.Errorf("encode a consent fact: %w", err)
	}
	return fact{id: hash(raw), pb: pb, raw: raw}, nil
}

func readFact(id lead.ID, raw []byte) (fact, error) {
	pb := &leadv1.Consent{}
	if err := proto.Unmarshal(raw, pb); err != nil {
		return fact{}, fmt.Errorf("decode a consent fact: %w", err)
	}
	return fact{id: id, pb: pb, raw: raw}, nil
}

// said adds a stored consent fact to what is known of the person.
func (p *person) said(c postgres.Consent) error {
	f, err := readFact(c.ID, c.Fact)
	if err != nil {
		return err
	}
	p.consents = append(p.consents, f)
	return nil
}

// readStops reads revocations that bind everybody, by their contact point.
func readStops(rows []postgres.Stop) (map[lead.ID][]fact, error) {
	stops := map[lead.ID][]fact{}
	for _, r := range rows {
		f, err := readFact(r.ConsentID, r.Fact)
		if err != nil {
			return nil, err
		}
		stops[r.Point] = append(stops[r.Point], f)
	}
	return stops, nil
}

// stops reports whether the fact is a revocation that binds everybody who shares its contact point.
func (f *fact) stops() bool {
	return f.pb.GetState() == leadv1.ConsentState_CONSENT_STATE_REVOKED && f.pb.GetContactPoint() != ""
}

// restricts reports whether the fact takes something away.
func (f *fact) restricts() bool {
	switch f.pb.GetState() {
	case leadv1.ConsentState_CONSENT_STATE_GRANTED, leadv1.ConsentState_CONSENT_STATE_UNSPECIFIED:
		return false
	}
	return true
}

// pointHash hashes a contact point as matching compares it, so that a revocation binds every
// spelling of an e-mail address.
func pointHash(point string) lead.ID {
	if e := lead.ParseEmail(point); e.Valid {
		point = e.Key
	}
	return hash([]byte(point))
}

func hash(b []byte) lead.ID {
	sum := sha256.Sum256(b)
	return lead.ID(sum[:16])
}
