package capture

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/proto"
)

// intake is one lead on its way in. One goroutine works on it at a time.
type intake struct {
	lead        lead.Lead
	raw         []byte
	contentType string
	traceparent string // the sender's for this lead, then that of the lead's own span

	problem    *problem.Error // why it is not taken
	unreadable string         // why the document could not be read: no lead, only its raw form
	junk       string         // the rule by which it is no lead for anybody: rejected, only its raw form
	mail       *mailed        // of a lead that came in a mail
	form       formed         // of a document that senders of forms send

	// set by prepare
	credential string
	receivedAt time.Time
	hash       [32]byte
	sourceID   bool    // the identifier is derived from the format's own id
	baseID     lead.ID // from the sender's key
	reusedID   lead.ID // taken instead if the source id turns out to be another person's
	id         lead.ID // of the lead that holds it
	revision   string  // of the playbook that governed it; "" while there was none
	place      store.Place
	code       string // why rejected
	detail     string
	message    *leadv1.Lead
	body       []byte
	ctx        context.Context // of the lead's span
	span       trace.Span

	outcome outcome
}

// outcome is what a commit made of an intake.
type outcome uint8

const (
	undone    outcome = iota
	fresh             // a new lead, stored
	duplicate         // held before; nothing changed
	updated           // held before; the new facts were added to its timeline
)

// Limits of what a lead may carry. They are far above what forms send and keep one sender from
// filling the tables.
const (
	maxBatch       = 1_000
	maxKey         = 200
	maxParties     = 20
	maxVehicles    = 50
	maxIdentifiers = 100
	maxConsents    = 200
	maxContacts    = 50 // e-mail addresses, and phone numbers, of one party
	maxStreets     = 20
	maxOptions     = 500
	maxClickIDs    = 100
	maxLeadBytes   = 256 << 10
)

// keyNames tell apart the kinds of key a lead id is derived from.
const (
	bySourceID = "id|"
	byKey      = "key|"
	byContent  = "content|"
	byMail     = "mail|"
)

// parse reads what a sender sent in proto form: what only the house may set is dropped.
func parse(p *leadv1.Lead) (lead.Lead, []problem.Violation) {
	l, violations := leadconv.FromProto(p)
	l.ID, l.ReceivedAt, l.Changes, l.Flags, l.DigitalOnly = lead.ID{}, time.Time{}, nil, nil, false
	for i := range l.Parties {
		for k := range l.Parties[i].Emails {
			e := &l.Parties[i].Emails[k]
			*e = lead.Email{Raw: e.Raw, Address: e.Address}
		}
		for k := range l.Parties[i].Phones {
			f := &l.Parties[i].Phones[k]
			f.E164, f.Valid = "", false
		}
	}
	for i := range l.Vehicles {
		l.Vehicles[i].VINValid = false
	}
	return l, append(violations, check(&l)...)
}

// check finds what is too much or too long.
func check(l *lead.Lead) []problem.Violation {
	var v []problem.Violation
	most := func(field string, n, limit int) {
		if n > limit {
			v = append(v, problem.Violation{Field: field, Description: "has too many entries; send at most " + itoa(limit)})
		}
	}
	most("parties", len(l.Parties), maxParties)
	most("vehicles", len(l.Vehicles), maxVehicles)
	most("identifiers", len(l.Identifiers), maxIdentifiers)
	most("consents", len(l.Consents), maxConsents)
	most("campaign.click_ids", len(l.Campaign.ClickIDs), maxClickIDs)
	for i := range l.Parties[:min(len(l.Parties), maxParties)] {
		p, at := &l.Parties[i], "parties["+itoa(i)+"]."
		most(at+"emails", len(p.Emails), maxContacts)
		most(at+"phones", len(p.Phones), maxContacts)
		most(at+"address.streets", len(p.Address.Streets), maxStreets)
	}
	for i := range l.Vehicles[:min(len(l.Vehicles), maxVehicles)] {
		most("vehicles["+itoa(i)+"].options", len(l.Vehicles[i].Options), maxOptions)
	}
	if why := badKey(l.IdempotencyKey); why != "" {
		v = append(v, problem.Violation{Field: "idempotency_key", Description: why})
	}
	return v
}

// badKey says what is wrong with an idempotency key; "" if nothing.
func badKey(key string) string {
	if len(key) > maxKey && utf8.RuneCountInString(key) > maxKey {
		return "is longer than 200 characters; send a shorter one, such as a UUID"
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }) {
		return "holds control characters; send printable text, such as a UUID"
	}
	return ""
}

// scope limits a lead to what its caller may send.
func (in *intake) scope(caller rpc.Caller) {
	l := &in.lead
	l.Test = l.Test || caller.Test
	if !caller.OnlyDealer() {
		return
	}
	if l.Dealer.ID != "" && l.Dealer.ID != caller.DealerID {
		in.problem = problem.New(problemv1.Reason_REASON_NOT_YOUR_DEALER,
			"the lead names another dealer than the token's; leave dealer.dealer_id out or send your own")
		return
	}
	l.Dealer.ID = caller.DealerID
	if l.Origin == lead.OriginUnspecified {
		l.Origin = lead.OriginDealer
	}
}

// identify derives the lead's identifiers from the sender's keys.
func (in *intake) identify(secret []byte, credential string, receivedAt time.Time) {
	l := &in.lead
	in.credential, in.receivedAt = credential, receivedAt
	in.hash = lead.Fingerprint(l)
	if in.bare() {
		in.hash = sha256.Sum256(in.raw)
		in.baseID = lead.NewID(secret, credential, "", byContent+string(in.raw))
		if in.mail != nil && in.mail.key != "" {
			in.hash = sha256.Sum256([]byte(in.mail.key))
			in.baseID = lead.NewID(secret, credential, "", byMail+in.mail.key)
		}
		in.id = in.baseID
		return
	}
	source, id := sourceID(l)
	switch {
	case id != "":
		in.sourceID = true
		in.baseID = lead.NewID(secret, credential, source, bySourceID+id)
		in.reusedID = lead.NewID(secret, credential, source, bySourceID+id+"|"+hex.EncodeToString(in.hash[:]))
	case l.IdempotencyKey != "":
		in.baseID = lead.NewID(secret, credential, "", byKey+l.IdempotencyKey)
	case in.mail != nil && in.mail.key != "": // with what it says: some systems give every mail the same
		in.baseID = lead.NewID(secret, credential, "", byMail+in.mail.key+"|"+hex.EncodeToString(in.hash[:]))
	default:
		when := receivedAt.UTC().Format(time.DateOnly)
		if !l.RequestedAt.IsZero() {
			when = l.RequestedAt.UTC().Format(time.RFC3339Nano)
		}
		in.baseID = lead.NewID(secret, credential, "", byContent+hex.EncodeToString(in.hash[:])+"|"+when)
	}
	in.id = in.baseID
}

// bare reports whether only the raw form is kept, since there is no lead in it.
func (in *intake) bare() bool { return in.unreadable != "" || in.junk != "" }

// sourceID is the format's own id of a lead with the system that issued it. "null" or a template's
// mark is no id: every lead of its sender would be the same.
func sourceID(l *lead.Lead) (source, id string) {
	for _, i := range l.Identifiers {
		if i.Kind == lead.IDKindSourceLead && i.Value != "" && !lead.Placeholder(i.Value) {
			if i.Source != "" {
				return i.Source, i.Value
			}
			if l.Source.Provider != "" {
				return l.Source.Provider, i.Value
			}
			return l.Source.Source, i.Value
		}
	}
	return "", ""
}

// govern applies the playbook's rules, if there is a playbook, and writes the lead's stored form.
func (s *Service) govern(in *intake) error {
	l := &in.lead
	l.ID, l.ReceivedAt = in.id, in.receivedAt
	in.place = store.Pending
	if g, revision := s.governor(); g != nil {
		s.placeTimes(g, l)
		verdict := g.Apply(l, in.receivedAt)
		in.revision = revision
		if !verdict.Accepted() {
			in.place, in.code, in.detail = store.Rejected, verdict.Reject.String(), verdict.Rule
		}
	}
	return in.encode()
}

// governor returns the active rules; a playbook without a name gets one, since "" stands for a lead
// that was not governed.
func (s *Service) governor() (*governance.Governor, string) {
	g, revision := s.deps.Governor()
	return g, cmp.Or(revision, "unnamed")
}

// encode writes the lead's stored form anew.
func (in *intake) encode() error {
	in.message = leadconv.ToProto(&in.lead)
	body, err := proto.Marshal(in.message)
	if err != nil {
		return problem.Internal(err)
	}
	if len(body) > maxLeadBytes {
		return problem.New(problemv1.Reason_REASON_TOO_LARGE, "the lead is larger than 256 KiB; send less text with it")
	}
	in.body = body
	return nil
}

// requestedAt is the time the customer's wait counts from, as far as it is known.
func (in *intake) requestedAt() time.Time {
	t, _ := lead.RequestedAt(in.lead.RequestedAt, in.receivedAt)
	return t
}

// contradicts reports whether two leads of one source id are of different people: they share no
// e-mail address and no phone number, though both give one of the same kind.
func contradicts(a, b *lead.Lead) bool {
	mailsA, phonesA := contacts(a)
	mailsB, phonesB := contacts(b)
	if meet(mailsA, mailsB) || meet(phonesA, phonesB) {
		return false
	}
	return len(mailsA) > 0 && len(mailsB) > 0 || len(phonesA) > 0 && len(phonesB) > 0
}

func contacts(l *lead.Lead) (mails, phones map[string]bool) {
	mails, phones = map[string]bool{}, map[string]bool{}
	for i := range l.Parties {
		for _, e := range l.Parties[i].Emails {
			if e.Key == "" {
				e = lead.ParseEmail(e.Address)
			}
			if e.Key != "" {
				mails[e.Key] = true
			}
		}
		for _, f := range l.Parties[i].Phones {
			if f.E164 == "" {
				f = lead.ParsePhone(f.Raw, l.Market)
			}
			if f.E164 != "" {
				phones[f.E164] = true
			}
		}
	}
	return mails, phones
}

func meet(a, b map[string]bool) bool {
	for k := range a {
		if b[k] {
			return true
		}
	}
	return false
}
