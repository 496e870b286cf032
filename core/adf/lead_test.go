package adf_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/adf"
	nouns "github.com/leadmesh/leadmesh/core/lead"
)

func TestProspectAsLead(t *testing.T) {
	doc, err := adf.Parse([]byte(`<?xml version="1.0"?><adf><prospect status="resend">
<id sequence="1" source="portal.example.com">P-77</id>
<requestdate>2026-03-02T09:15:00-05:00</requestdate>
<vehicle interest="test-drive" status="new"><year>2026</year><make>Ostra</make><model>Volt 5</model>
 <price type="quote" currency="USD">42000</price><odometer units="mi">12</odometer></vehicle>
<vehicle interest="trade-in" status="used"><year>2019</year><make>Altra</make><model>Kombi</model><odometer units="km">81000</odometer></vehicle>
<customer><contact primarycontact="1"><name part="first">Ada</name><name part="last">Byron</name>
 <email>ada@byron.example.com</email><phone type="cellphone" time="evening">+1 202 555 0147</phone>
 <address><street line="1">1 Main St</street><city>Springfield</city><regioncode>IL</regioncode><postalcode>62701</postalcode><country>US</country></address></contact>
 <timeframe><description>within a month</description></timeframe><comments>Please call after six.</comments></customer>
<vendor><id source="oem">D100</id><vendorname>Springfield Ostra</vendorname></vendor>
<provider><name part="full">Cars Portal</name></provider>
<loyalty>gold</loyalty>
</prospect></adf>`))
	if err != nil {
		t.Fatal(err)
	}
	got := doc.Prospects[0].Lead(time.UTC)
	if !got.Flagged(string(adf.FlagUnknownElement)) {
		t.Errorf("flags = %v, want the unknown element among them", got.Flags)
	}
	got.Flags = nil
	want := nouns.Lead{
		Resend:      true,
		Identifiers: []nouns.Identifier{{Kind: nouns.IDKindSourceLead, Source: "portal.example.com", Value: "P-77"}},
		RequestedAt: time.Date(2026, 3, 2, 14, 15, 0, 0, time.UTC),
		Source:      nouns.Source{Provider: "Cars Portal"},
		Dealer:      nouns.DealerReference{Code: "D100", Scheme: "oem", Name: "Springfield Ostra"},
		Parties: []nouns.Party{{
			Role: nouns.PartyRolePrimary, Name: nouns.Name{Full: "Ada Byron", Given: "Ada", Family: "Byron"},
			Emails:   []nouns.Email{{Raw: "ada@byron.example.com", Address: "ada@byron.example.com"}},
			Phones:   []nouns.Phone{{Raw: "+1 202 555 0147", Type: nouns.PhoneTypeMobile}},
			Address:  nouns.Address{Streets: []string{"1 Main St"}, City: "Springfield", Region: "IL", Postal: "62701", Country: "US"},
			BestTime: "evening", Preferred: nouns.ChannelCall,
		}},
		Vehicles: []nouns.Vehicle{
			{Role: nouns.VehicleRoleSought, Status: nouns.VehicleStatusNew, Interest: nouns.InterestTestDrive, Year: 2026, Make: "Ostra", Model: "Volt 5",
				Price: nouns.Money{Minor: 4_200_000, Currency: "USD"}, Odometer: 12, OdometerUnit: nouns.OdometerUnitMI},
			{Role: nouns.VehicleRoleTraded, Status: nouns.VehicleStatusUsed, Interest: nouns.InterestTradeIn, Year: 2019, Make: "Altra", Model: "Kombi",
				Odometer: 81_000, OdometerUnit: nouns.OdometerUnitKM},
		},
		TimeFrame: nouns.TimeFrame{Text: "within a month"},
		Comments:  "Please call after six.",
		Extra:     []nouns.Field{{Path: "prospect/loyalty", Value: "gold"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lead (-want +got):\n%s", diff)
	}
}

func TestConsentStatementsNeverWiden(t *testing.T) {
	for _, answer := range []adf.Answer{adf.AnswerYes, adf.AnswerNo, adf.AnswerUnclear} {
		l := adf.Prospect{Consents: []adf.ConsentStatement{{Text: "words", Answer: answer, Path: "prospect/customer/comments"}}}.Lead(nil)
		for _, c := range l.Consents {
			if c.State == nouns.ConsentStateGranted && c.Purpose != nouns.PurposeAnswerInquiry {
				t.Errorf("%s: grants %s", answer, c.Purpose)
			}
		}
		if denied := len(l.Consents) == 1 && l.Consents[0].State == nouns.ConsentStateDenied; denied != (answer == adf.AnswerNo) {
			t.Errorf("%s: consents = %v", answer, l.Consents)
		}
	}
}

func TestUnfilledMarksIdentifyNobody(t *testing.T) {
	for _, mark := range []string{"{id}", "{{ lead.id }}", "${id}", "%%id%%", "##id##", "*|ID|*", "[[id]]", "@@id@@", "&lt;&lt;id&gt;&gt;", "&lt;%= id %&gt;"} {
		doc, err := adf.Parse([]byte(`<adf><prospect><id source="form">` + mark + `</id><vehicle interest="rent" status="demo"><make>Ostra</make></vehicle>
<customer><id source="crm">` + mark + `</id><contact><name part="full">Ada Byron</name><email>` + mark + `</email><phone>` + mark + `</phone><locale>fr</locale></contact></customer>
<vendor><id>` + mark + `</id><vendorname>Springfield Ostra</vendorname></vendor></prospect></adf>`))
		if err != nil {
			t.Fatal(err)
		}
		got := doc.Prospects[0].Lead(nil)
		if len(got.Identifiers) != 0 || got.Dealer.Code != "" || len(got.Parties[0].Emails)+len(got.Parties[0].Phones) != 0 {
			t.Errorf("%s: identifiers %v, dealer %v, party %v: want none of the marks", mark, got.Identifiers, got.Dealer, got.Parties[0])
		}
		if !got.Flagged(string(adf.FlagPlaceholder)) || got.Language != "fr" {
			t.Errorf("%s: flags = %v, language = %q", mark, got.Flags, got.Language)
		}
		kept := map[string]string{}
		for _, e := range got.Extra {
			kept[e.Path] = e.Value
		}
		if kept["prospect/vehicle[1]/@interest"] != "rent" || kept["prospect/vehicle[1]/@status"] != "demo" || kept["prospect/id"] == "" || kept["prospect/vendor/id"] == "" {
			t.Errorf("%s: extra = %v, want what no field holds", mark, kept)
		}
	}
}
