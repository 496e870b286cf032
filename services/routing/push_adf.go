package routing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/adf"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/routing/internal/adfpost"
	"github.com/leadmesh/leadmesh/services/routing/internal/mailer"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

// adfSystem is the source of our identifiers in ADF documents.
const adfSystem = "leadmesh"

// document writes a lead for a dealer as ADF. Contact points that nobody may answer at are left out:
// the format has no place for a no.
func (p *pusher) document(rb *rulebook, d *delivery, k *postgres.Case, l *lead.Lead) ([]byte, error) {
	now := p.s.now()
	dealer := rb.network.dealers[d.DealerID]
	if dealer == nil {
		return nil, fmt.Errorf("dealer %s is not in the network", d.DealerID)
	}
	shown, withheld := reachable(l, d.DealerID, now)
	prospect := adf.NewProspect(shown, adf.Dispatch{
		System: adfSystem, Provider: p.cfg.Provider, Resend: d.Sent, Zone: dealer.zone, Vendor: vendor(dealer, k),
		Lines: append(consentLines(l, d.DealerID, withheld, now), rb.decisionLines(k, dealer.zone, now)...),
	})
	out, err := adf.Emit(adf.Document{Prospects: []adf.Prospect{prospect}})
	if err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return out, nil
}

// reachable is a lead without the contact points at which its customer may not be answered, and how
// many those were.
func reachable(l *lead.Lead, dealerID string, now time.Time) (shown *lead.Lead, withheld int) {
	out := *l
	out.Parties = slices.Clone(l.Parties)
	for i := range out.Parties {
		party := &out.Parties[i]
		allowed := contactPoints(l, party, dealerID, now)
		party.Phones = slices.DeleteFunc(slices.Clone(party.Phones), func(f lead.Phone) bool {
			number := f.E164
			if number == "" {
				number = f.Raw
			}
			return number != "" && !slices.Contains(allowed, number)
		})
		party.Emails = slices.DeleteFunc(slices.Clone(party.Emails), func(e lead.Email) bool {
			return e.Address != "" && !slices.Contains(allowed, e.Address)
		})
		withheld += len(l.Parties[i].Phones) + len(l.Parties[i].Emails) - len(party.Phones) - len(party.Emails)
	}
	return &out, withheld
}

// consentLines say what the customer allows.
func consentLines(l *lead.Lead, dealerID string, withheld int, now time.Time) []string {
	primary := l.Primary()
	if primary == nil {
		return nil
	}
	var answer, refused, marketing []string
	for _, c := range [...]struct {
		channel lead.Channel
		word    string
		email   bool
	}{{lead.ChannelCall, "phone", false}, {lead.ChannelSMS, "text", false}, {lead.ChannelEmail, "e-mail", true}} {
		points := pointsOf(l, primary, c.email)
		if len(points) == 0 {
			continue
		}
		may := func(point string) bool { return mayContact(l, dealerID, c.channel, point, now) }
		if slices.ContainsFunc(points, may) {
			answer = append(answer, c.word)
		} else {
			refused = append(refused, c.word)
		}
		if slices.ContainsFunc(points, func(point string) bool {
			return may(point) && lead.MayUse(l.Consents, lead.ConsentKey{
				Controller: lead.ControllerDealer, ControllerID: dealerID, Purpose: lead.PurposeMarketing, Channel: c.channel, ContactPoint: point,
			}, now)
		}) {
			marketing = append(marketing, c.word)
		}
	}
	lines := []string{"May be answered by: " + orNothing(answer)}
	if len(refused) > 0 {
		lines = append(lines, "Not by: "+strings.Join(refused, ", "))
	}
	if withheld > 0 {
		lines = append(lines, fmt.Sprintf("Left out: %d contact points at which the customer wants no answer", withheld))
	}
	return append(lines, "Marketing of the store allowed by: "+orNothing(marketing))
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "no channel"
	}
	return strings.Join(list, ", ")
}

// pointsOf are the contact points of a party as consent names them.
func pointsOf(l *lead.Lead, p *lead.Party, email bool) []string {
	var out []string
	if email {
		for i := range p.Emails {
			if a := p.Emails[i].Address; a != "" {
				out = append(out, lead.ContactPoint(a, l.Market))
			}
		}
		return out
	}
	for i := range p.Phones {
		number := p.Phones[i].E164
		if number == "" {
			number = p.Phones[i].Raw
		}
		if number != "" {
			out = append(out, lead.ContactPoint(number, l.Market))
		}
	}
	return out
}

// decisionLines say how near the customer is, why this store has the lead, what to do and by when.
func (rb *rulebook) decisionLines(k *postgres.Case, zone *time.Location, now time.Time) []string {
	var lines []string
	if s := k.Decision.GetScore(); s != nil {
		line := fmt.Sprintf("Score: %d of 100", (s.GetPoints()+50)/100)
		if stage := lead.Stage(s.GetStage()).String(); stage != "" {
			line += ", " + strings.ToLower(stage)
		}
		lines = append(lines, line)
		if reasons := s.GetReasons(); len(reasons) > 0 {
			lines = append(lines, "Because of: "+strings.Join(reasons, "; "))
		}
	}
	if why := k.Decision.GetWhy(); why != "" {
		lines = append(lines, "Why this store: "+why)
	}
	if play := rb.playOf(k); play != nil {
		do := ""
		if len(play.Steps) > 0 {
			do = ": " + play.Steps[0].Do
		}
		lines = append(lines, "Play: "+play.Title+do)
	}
	policy, calendar := rb.policyOf(k)
	clock := k.Owner.Clock
	if k.Owner.DeliveredAt.IsZero() {
		clock, _ = sla.Apply(policy, calendar, clock, sla.Event{Kind: sla.EventDelivered, At: now})
	}
	for _, due := range [...]struct {
		key string
		at  time.Time
	}{{"Accept by", clock.Deadlines.AcceptBy}, {"Respond by", clock.Deadlines.RespondBy}} {
		if !due.at.IsZero() {
			lines = append(lines, due.key+": "+due.at.In(zone).Format("2006-01-02 15:04 MST"))
		}
	}
	return lines
}

// vendor is the dealer as a document names it, with its codes for the lead's brand.
func vendor(d *dealerView, k *postgres.Case) adf.Vendor {
	row := d.dealer
	v := adf.Vendor{IDs: []adf.ID{{Sequence: "1", Source: adfSystem, Value: row.GetDealerId()}}, Name: row.GetName(), URL: row.GetWebsite()}
	for _, c := range row.GetCodes() {
		if (c.GetBrand() == "" || c.GetBrand() == k.Brand) && c.GetCode() != "" {
			v.IDs = append(v.IDs, adf.ID{Sequence: strconv.Itoa(len(v.IDs) + 1), Source: c.GetScheme(), Value: c.GetCode()})
		}
	}
	phone, email := row.GetPhone(), row.GetEmail()
	department := &routingv1.DealerDepartment{}
	if part := d.department(k.Owner.Department); part != nil {
		department = part.row
	}
	if department.GetPhone() != "" {
		phone = department.GetPhone()
	}
	if department.GetEmail() != "" {
		email = department.GetEmail()
	}
	contact := adf.Contact{Names: []adf.Name{{Part: "full", Type: "business", Value: row.GetName()}}}
	if email != "" {
		contact.Emails = []adf.Email{{Value: email}}
	}
	if phone != "" {
		contact.Phones = []adf.Phone{{Type: "voice", Value: phone}}
	}
	a := adf.Address{City: row.GetCity(), RegionCode: row.GetRegion(), PostalCode: row.GetPostalCode(), Country: row.GetCountry()}
	if row.GetStreet() != "" {
		a.Streets = []adf.Street{{Line: "1", Value: row.GetStreet()}}
	}
	contact.Addresses = []adf.Address{a}
	v.Contacts = []adf.Contact{contact}
	return v
}

const defaultSubject = "New lead"

// letter is the mail that carries a document. Its identifier is the same each time, so that whoever
// gets two knows.
func (p *pusher) letter(d *delivery, hook *postgres.Webhook, document []byte) mailer.Message {
	m := mailer.Message{
		ID: d.LeadID.String() + "." + strconv.Itoa(d.Sequence), To: hook.Address, Subject: hook.Subject, Text: string(asciiXML(document)), At: p.s.now(),
	}
	if m.Subject == "" {
		m.Subject = defaultSubject
	}
	if hook.Attachment {
		m.Attachment, m.Name, m.Type = []byte(m.Text), "lead.xml", adfpost.TypeADF
		m.Text = "A new lead is attached as an ADF document.\n"
	}
	return m
}

// asciiXML writes what is not ASCII as references, which every reader of mail leaves alone. They
// stand for the same in text and in values of attributes, which is where such characters are.
func asciiXML(document []byte) []byte {
	out := make([]byte, 0, len(document))
	for _, r := range string(document) {
		if r < 0x80 {
			out = append(out, byte(r))
			continue
		}
		out = append(out, "&#"...)
		out = strconv.AppendInt(out, int64(r), 10)
		out = append(out, ';')
	}
	return out
}
