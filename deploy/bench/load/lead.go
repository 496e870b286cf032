// Package load makes leads for load tests, sends them at full speed or at a fixed rate, and sums up
// how long they took.
package load

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/deploy/sample"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Maker makes made-up leads: people all over the country who ask for the cars of the sample
// catalogue. Everybody has a name from a list but an e-mail address and a phone number of their own;
// two leads of a hundred are from somebody who asked before. Not safe for concurrent use.
type Maker struct {
	random *rand.Rand
	run    string
	made   int
	places []place
	models []model
	recent []*leadv1.Lead // some of the leads made, to be asked again
}

type place struct{ postal, city, region string }

type model struct{ brand, code, make, name string }

// repeated is the share of leads, in hundredths, that somebody sends who asked before.
const repeated = 2

// NewMaker makes a maker. Leads of makers with different run names never share a key.
func NewMaker(run string, seed uint64) (*Maker, error) {
	m := &Maker{random: rand.New(rand.NewPCG(seed, 1)), run: run}
	var err error
	if m.places, err = places(); err != nil {
		return nil, err
	}
	m.models, err = models()
	return m, err
}

func places() ([]place, error) {
	var out []place
	err := rows("postal/us.csv.gz", func(row map[string]string) {
		out = append(out, place{postal: row["postal"], city: row["place"], region: row["region"]})
	})
	if err == nil && len(out) == 0 {
		err = errors.New("the sample has no postal codes")
	}
	return out, err
}

func models() ([]model, error) {
	makes := map[string]string{"NORRVIND": "Norrvind", "SOLVANE": "Solvane"}
	var out []model
	err := rows("network/catalogue.csv", func(row map[string]string) {
		if row["on_sale_to"] == "" {
			out = append(out, model{brand: row["brand"], code: row["model_code"], make: makes[row["brand"]], name: row["model"]})
		}
	})
	if err == nil && len(out) == 0 {
		err = errors.New("the sample has no models")
	}
	return out, err
}

// rows reads a table of the sample, compressed or not.
func rows(name string, take func(map[string]string)) error {
	file, err := sample.Files().Open(name)
	if err != nil {
		return fmt.Errorf("read the sample: %w", err)
	}
	defer file.Close()
	var in io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(file); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
	table, err := csv.NewReader(in).ReadAll()
	if err != nil || len(table) == 0 {
		return errors.Join(fmt.Errorf("read %s", name), err)
	}
	for _, fields := range table[1:] {
		row := make(map[string]string, len(fields))
		for i, f := range fields {
			row[table[0][i]] = f
		}
		take(row)
	}
	return nil
}

// Sent makes a lead as a sender would write it.
func (m *Maker) Sent(at time.Time) *leadv1.Lead {
	m.made++
	key := fmt.Sprintf("%s-%d", m.run, m.made)
	l := m.again()
	if l == nil {
		l = m.fresh()
		if len(m.recent) < 1_000 {
			m.recent = append(m.recent, l)
		} else {
			m.recent[m.random.IntN(len(m.recent))] = l
		}
	}
	l.IdempotencyKey = key
	l.Identifiers = []*leadv1.Identifier{{Kind: leadv1.IdentifierKind_IDENTIFIER_KIND_SOURCE_LEAD, Source: "load", Value: key}}
	l.RequestedAt = timestamppb.New(at.Add(-time.Duration(m.random.IntN(3600)) * time.Second))
	return l
}

// again is a lead of somebody who asked before, as often as said; else nil.
func (m *Maker) again() *leadv1.Lead {
	if len(m.recent) == 0 || m.random.IntN(100) >= repeated {
		return nil
	}
	first := m.recent[m.random.IntN(len(m.recent))]
	return &leadv1.Lead{
		RequestType: first.GetRequestType(), Origin: first.GetOrigin(), Brand: first.GetBrand(), Source: first.GetSource(),
		Campaign: first.GetCampaign(), Parties: first.GetParties(), Vehicles: first.GetVehicles(), Consents: first.GetConsents(),
		Comments: "I have not heard from you yet. " + first.GetComments(),
	}
}

func (m *Maker) fresh() *leadv1.Lead {
	r := m.random
	given, family := pick(r, givenNames), pick(r, familyNames)
	home, car := m.places[r.IntN(len(m.places))], m.models[r.IntN(len(m.models))]
	source := pick(r, sources)
	return &leadv1.Lead{
		RequestType: pick(r, requestTypes), Origin: leadv1.Origin_ORIGIN_OEM, Brand: car.brand,
		Source:   &leadv1.Source{Channel: "web", Source: source, Provider: "load", Form: "request"},
		Campaign: &leadv1.Campaign{CampaignId: fmt.Sprintf("C-%02d", r.IntN(40)), Medium: "cpc", Term: car.name + " near me"},
		Parties: []*leadv1.Party{{
			Role: leadv1.PartyRole_PARTY_ROLE_PRIMARY,
			Name: &leadv1.Name{Given: given, Family: family},
			Emails: []*leadv1.Email{{
				Address: fmt.Sprintf("%s.%s.%s.%d@example.com", strings.ToLower(given), strings.ToLower(family), m.run, m.made),
			}},
			Phones: []*leadv1.Phone{{Number: m.phone()}},
			Address: &leadv1.Address{
				Streets: []string{fmt.Sprintf("%d %s", 1+r.IntN(9_900), pick(r, streets))},
				City:    home.city, Region: home.region, PostalCode: home.postal, Country: "US",
			},
		}},
		Vehicles: []*leadv1.Vehicle{{
			Role: leadv1.VehicleRole_VEHICLE_ROLE_SOUGHT, Status: leadv1.VehicleStatus_VEHICLE_STATUS_NEW,
			Interest: leadv1.Interest_INTEREST_BUY, Make: car.make, Model: car.name, Year: 2026,
		}},
		TimeFrame: &leadv1.TimeFrame{Text: pick(r, timeFrames)},
		Comments:  pick(r, comments),
		Consents: []*leadv1.Consent{
			consent(leadv1.Purpose_PURPOSE_ANSWER_INQUIRY), consent(leadv1.Purpose_PURPOSE_SHARE_WITH_DEALER),
		},
	}
}

// phone is a number nobody else of this maker has: the count, spread over area codes and exchanges.
func (m *Maker) phone() string {
	n := m.made
	line := n % 10_000
	exchange := 220 + (n/10_000)%180 // 220 to 399: no 555, no service code but 311
	if exchange == 311 {
		exchange = 400
	}
	area := areas[(n/1_800_000+int(m.random.Uint32()%4)*5)%len(areas)]
	return fmt.Sprintf("(%s) %03d-%04d", area, exchange, line)
}

func consent(p leadv1.Purpose) *leadv1.Consent {
	return &leadv1.Consent{
		Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: p, State: leadv1.ConsentState_CONSENT_STATE_GRANTED,
		TextVersion: "web-2026-02", Place: "norrvind.example/quote",
	}
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// Captured makes a lead as Capture hands it to Routing: identified, tidied and with its line. It
// returns the person too, whom nobody else of the run is.
func (m *Maker) Captured(at time.Time) (l *leadv1.Lead, person string) {
	l = m.fresh()
	m.made++
	id := lead.NewID([]byte(m.run), "lead", fmt.Sprint(m.made))
	l.LeadId, l.IdempotencyKey = id.String(), fmt.Sprintf("%s-%d", m.run, m.made)
	l.Identifiers = []*leadv1.Identifier{{Kind: leadv1.IdentifierKind_IDENTIFIER_KIND_SOURCE_LEAD, Source: "load", Value: l.GetIdempotencyKey()}}
	l.ReceivedAt = timestamppb.New(at)
	l.RequestedAt = timestamppb.New(at.Add(-time.Duration(m.random.IntN(3600)) * time.Second))
	l.Market, l.DealerChoice = "US", leadv1.DealerChoice_DEALER_CHOICE_NONE
	l.Line = lines[l.GetRequestType()]
	p := l.GetParties()[0]
	p.Emails[0].Valid, p.Phones[0].Valid = true, true
	digits := strings.NewReplacer("(", "", ")", "", " ", "", "-", "").Replace(p.Phones[0].GetNumber())
	p.Phones[0].E164 = "+1" + digits
	return l, lead.NewID([]byte(m.run), "person", fmt.Sprint(m.made)).String()
}

var (
	givenNames = []string{
		"Anna", "Ben", "Carla", "David", "Elena", "Frank", "Grace", "Henry", "Iris", "Jonas", "Karen", "Luis", "Maria", "Noah", "Olivia",
		"Peter", "Quinn", "Rosa", "Samuel", "Tina", "Ursula", "Victor", "Wendy", "Xavier", "Yvonne", "Zoe", "Amir", "Bianca", "Cole", "Dana",
	}
	familyNames = []string{
		"Abbott", "Barrera", "Carlson", "Dawson", "Ellison", "Fischer", "Garza", "Hobbs", "Ingram", "Jensen", "Keller", "Lambert", "Mercer",
		"Norris", "Ortega", "Parrish", "Quintero", "Ramsey", "Sawyer", "Thornton", "Underwood", "Vargas", "Whitaker", "Yates", "Zamora",
		"Bergstrom", "Castellano", "Delgado", "Eastman", "Fontaine", "Gallagher", "Hoffman", "Ibarra", "Kowalski", "Lindqvist", "Montoya",
	}
	streets = []string{"Main Street", "Oak Avenue", "Maple Drive", "Canal Street", "Hill Road", "2nd Street", "Park Lane", "Lake View Drive"}
	areas   = []string{
		"212", "213", "214", "215", "216", "303", "305", "312", "313", "314", "404", "407", "412", "415", "502", "503", "602", "612", "615", "617",
	}
	sources    = []string{"oem_site", "configurator", "owner_app", "google_ads", "meta_lead_ads"}
	timeFrames = []string{"within 2 weeks", "within 30 days", "1-3 months", "2-6 months"}
	comments   = []string{
		"What would it cost me out the door?", "Is one in stock in green or blue, with the tow package?",
		"Please call me after five, I work during the day.", "I would like to compare it with what I drive now. Do you take older cars in trade?", "",
	}
	requestTypes = []leadv1.RequestType{
		leadv1.RequestType_REQUEST_TYPE_QUOTE, leadv1.RequestType_REQUEST_TYPE_QUOTE, leadv1.RequestType_REQUEST_TYPE_TEST_DRIVE,
		leadv1.RequestType_REQUEST_TYPE_BROCHURE, leadv1.RequestType_REQUEST_TYPE_CONTACT, leadv1.RequestType_REQUEST_TYPE_TRADE_VALUE,
		leadv1.RequestType_REQUEST_TYPE_SERVICE_BOOKING, leadv1.RequestType_REQUEST_TYPE_PARTS,
	}
	lines = map[leadv1.RequestType]leadv1.Line{
		leadv1.RequestType_REQUEST_TYPE_QUOTE: leadv1.Line_LINE_SALES, leadv1.RequestType_REQUEST_TYPE_TEST_DRIVE: leadv1.Line_LINE_SALES,
		leadv1.RequestType_REQUEST_TYPE_BROCHURE: leadv1.Line_LINE_SALES, leadv1.RequestType_REQUEST_TYPE_CONTACT: leadv1.Line_LINE_SALES,
		leadv1.RequestType_REQUEST_TYPE_TRADE_VALUE: leadv1.Line_LINE_SALES, leadv1.RequestType_REQUEST_TYPE_SERVICE_BOOKING: leadv1.Line_LINE_SERVICE,
		leadv1.RequestType_REQUEST_TYPE_PARTS: leadv1.Line_LINE_ACCESSORIES,
	}
)
