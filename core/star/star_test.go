package star_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/star"
)

const modern = `<?xml version="1.0" encoding="UTF-8"?>
<s:ProcessSalesLead xmlns:s="http://www.starstandard.org/STAR/5" releaseID="5.4.4" systemEnvironmentCode="Production">
 <s:ApplicationArea><s:Sender><s:TaskID>Lead</s:TaskID><s:CreatorNameCode>Portal</s:CreatorNameCode><s:SenderNameCode>CarPortal</s:SenderNameCode></s:Sender>
  <s:CreationDateTime>2026-05-04T09:30:00Z</s:CreationDateTime><s:BODID>bod-77</s:BODID>
  <s:Destination><s:DestinationNameCode>OEM</s:DestinationNameCode><s:DealerNumberID schemeID="norrvind">NV-12</s:DealerNumberID><s:DealerTargetCountry>US</s:DealerTargetCountry></s:Destination></s:ApplicationArea>
 <s:ProcessSalesLeadDataArea><s:Process/><s:SalesLead><s:SalesLeadHeader>
  <s:DocumentIdentificationGroup><s:DocumentIdentification><s:DocumentID>L-1</s:DocumentID></s:DocumentIdentification></s:DocumentIdentificationGroup>
  <s:SaleClassCode>New</s:SaleClassCode><s:LeadSourceCode>portal_us</s:LeadSourceCode>
  <s:CustomerComments>Please call after six.
Preferred Contact: Email
--- VEHICLE INFORMATION ---
VEHICLE INFORMATION
Phone: 303-555-0150
CUSTOMER COMMENT INFORMATION
Does it tow a horse?
[number of leads previously submitted: 2]</s:CustomerComments>
  <s:CustomerProspect><s:ProspectParty><s:SpecifiedPerson><s:GivenName>Ada</s:GivenName><s:FamilyName>Byron &amp; Co</s:FamilyName>
   <s:ResidenceAddress><s:LineOne>1 Main St</s:LineOne><s:CityName>Denver</s:CityName><s:CountryID>US</s:CountryID><s:Postcode>80205</s:Postcode></s:ResidenceAddress>
   <s:TelephoneCommunication><s:ChannelCode>Cell</s:ChannelCode><s:AreaNumberCode>303</s:AreaNumberCode><s:LocalNumber>5550123</s:LocalNumber></s:TelephoneCommunication>
   <s:URICommunication><s:URIID>ada@byron.example.com</s:URIID><s:ChannelCode>Email</s:ChannelCode></s:URICommunication></s:SpecifiedPerson></s:ProspectParty></s:CustomerProspect>
  <s:Marketing><s:ProgramIdDescription>Spring</s:ProgramIdDescription><s:MarketingID>M-9</s:MarketingID></s:Marketing>
  <s:LeadCreationDateTime>2026-05-04T09:29:00Z</s:LeadCreationDateTime><s:ShoeSize>44</s:ShoeSize></s:SalesLeadHeader>
  <s:SalesLeadDetail><s:LeadStatus>New</s:LeadStatus><s:LeadRequestTypeString>Test Drive</s:LeadRequestTypeString>
   <s:SalesLeadLineItem><s:SalesLeadVehicleLineItem><s:SalesLeadVehicle><s:ModelYear>2026</s:ModelYear><s:MakeString>Norrvind</s:MakeString><s:Model>Lomvi 5</s:Model><s:VehicleID>1HGCM82633A004352</s:VehicleID></s:SalesLeadVehicle>
   <s:TradeInVehicle><s:MakeString>Ostra</s:MakeString><s:Model>Volt</s:Model></s:TradeInVehicle></s:SalesLeadVehicleLineItem></s:SalesLeadLineItem></s:SalesLeadDetail></s:SalesLead></s:ProcessSalesLeadDataArea></s:ProcessSalesLead> trailing words`

const older = `<star:ProcessSalesLead xmlns:star="http://www.starstandards.org/STAR" environment="x"><star:ApplicationArea><star:Sender><star:CreatorNameCode>XT</star:CreatorNameCode><star:DealerNumber>70001</star:DealerNumber></star:Sender>
<star:CreationDateTime>2026-05-04T09:30:00</star:CreationDateTime><star:BODId>old-1</star:BODId></star:ApplicationArea><star:DataArea><star:SalesLead><star:Header><star:DocumentId>D-5</star:DocumentId>
<star:IndividualProspect><star:PersonName><star:GivenName>Carl</star:GivenName><star:FamilyName>Gauss</star:FamilyName></star:PersonName><star:Address><star:AddressLine>2 Elm</star:AddressLine><star:City>Reno</star:City><star:PostalCode>89501</star:PostalCode></star:Address>
<star:Contact><star:Telephone desc="Evening Phone">775-555-0101</star:Telephone><star:EMailAddress>carl@gauss.example.com</star:EMailAddress><star:PreferredContactMethod>Phone</star:PreferredContactMethod></star:Contact></star:IndividualProspect></star:Header>
<star:Detail><star:Vehicle><star:Make>Norrvind</star:Make><star:Model>Tindra</star:Model><star:Year>2025</star:Year></star:Vehicle></star:Detail></star:SalesLead></star:DataArea></star:ProcessSalesLead>`

const profile = `{"Origin":"Site","Sender":{"TaskID":"t","ReferenceID":"r","CreatorNameCode":"Agency","SenderNameCode":"OEM-CH","Url":"https://x.example"},"CreationDateTime":"2026-05-04T09:30:00Z",
"Destination":{"DealerNumberID":"4711","DealerTargetCountry":"CH"},"SalesLead":{"ID":"CH-1","LeadTypeCode":"Lead","LeadRequestTypeString":"BROCHURE","LeadCreationsDateTime":"2026-05-04T09:29:00+02:00","PreferredLanguageCode":"fr",
"CustomerComments":"Bonjour","Customer":{"FirstName1":"Marie","LastName1":"Curie","TelP1":"+41 44 668 18 00","EmailP1":"marie@curie.example.com","Zip":"8001","City":"Zurich"},
"Privacy":[{"Reason":"Marketing","Disclaimer":"We may write to you.","Consents":[{"Type":"Email","Value":"OptIn"},{"Type":"SMS","Value":"OptOut"},{"Type":"Post","Value":null},{"Type":"Telephone","Value":"None"}]},{"Reason":"Profiling","Disclaimer":"p","Consents":[{"Value":"OptIn"}]}],
"Vehicle":{"VehicleID":"77","MakeString":"Norrvind","ModelString":"Lomvi 3","VIN":"","Url":"https://x.example/3"}}}`

func show(l *lead.Lead) string {
	var b strings.Builder
	p := l.Primary()
	if p != nil {
		fmt.Fprintf(&b, "%s|%s|%s;", p.Name.Given, p.Name.Family, p.Name.Full)
		for _, e := range p.Emails {
			fmt.Fprintf(&b, " %s", e.Address)
		}
		for _, f := range p.Phones {
			fmt.Fprintf(&b, " %s/%s", f.Raw, f.Type)
		}
		fmt.Fprintf(&b, "; %s %s %s; %s", strings.Join(p.Address.Streets, ","), p.Address.City, p.Address.Postal, p.Preferred)
	}
	for _, v := range l.Vehicles {
		fmt.Fprintf(&b, "\n%s %d %s %s %s %s %s", v.Role, v.Year, v.Make, v.Model, v.Status, v.VIN, v.Stock)
	}
	for _, i := range l.Identifiers {
		fmt.Fprintf(&b, "\n%s %s %s", i.Kind, i.Source, i.Value)
	}
	fmt.Fprintf(&b, "\ndealer %s %s %s; market %s; source %s %s; campaign %s %s; %s %s; at %s; test %v; %q", l.Dealer.Code, l.Dealer.Scheme, l.Dealer.Name, l.Market,
		l.Source.Source, l.Source.Provider, l.Campaign.ID, l.Campaign.Name, l.RequestType, l.RawRequest, l.RequestedAt.Format(time.RFC3339), l.Test, l.Comments)
	for _, c := range l.Consents {
		fmt.Fprintf(&b, "\n%s %s %s %s", c.State, c.Purpose, c.Channel, c.ContactPoint)
	}
	for _, f := range l.Flags {
		fmt.Fprintf(&b, "\nflag %s %s", f.Code, f.Field)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	for name, tt := range map[string]struct{ body, want string }{
		"prefix, tail, trade": {modern, `Ada|Byron & Co|; ada@byron.example.com 303 5550123/MOBILE; 1 Main St Denver 80205; EMAIL
SOUGHT 2026 Norrvind Lomvi 5 NEW 1HGCM82633A004352 
TRADED 0 Ostra Volt   
SOURCE_LEAD CarPortal L-1
OTHER bodid bod-77
dealer NV-12 norrvind ; market US; source portal_us CarPortal; campaign M-9 Spring; TEST_DRIVE ; at 2026-05-04T09:29:00Z; test false; "Does it tow a horse?"
flag unknown_field SalesLead/SalesLeadHeader/ShoeSize`},
		"older": {older, `Carl|Gauss|; carl@gauss.example.com 775-555-0101/HOME; 2 Elm Reno 89501; CALL
SOUGHT 2025 Norrvind Tindra   
SOURCE_LEAD XT D-5
OTHER bodid old-1
dealer 70001 star ; market ; source XT XT; campaign  ;  ; at 2026-05-04T09:30:00Z; test false; ""
flag zone_assumed requested_at`},
		"profile": {profile, `Marie|Curie|; marie@curie.example.com +41 44 668 18 00/;  Zurich 8001; 
SOUGHT 0 Norrvind Lomvi 3   77
SOURCE_LEAD OEM-CH CH-1
dealer 4711 star ; market CH; source Agency OEM-CH; campaign  ; BROCHURE ; at 2026-05-04T07:29:00Z; test false; "Bonjour"
GRANTED MARKETING EMAIL marie@curie.example.com
DENIED MARKETING SMS +41 44 668 18 00
NONE MARKETING POST 
NONE MARKETING CALL +41 44 668 18 00
GRANTED PROFILING  `},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := star.Parse([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, show(&d.Leads[0])); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTestEnvironmentMakesATestLead(t *testing.T) {
	d, err := star.Parse([]byte(strings.Replace(modern, `"Production"`, `"Test"`, 1)))
	if err != nil || !d.Test || !d.Leads[0].Test {
		t.Errorf("test %v, %v", d.Test, err)
	}
}

func TestSystemNotesAreKeptApart(t *testing.T) {
	d, err := star.Parse([]byte(modern))
	if err != nil {
		t.Fatal(err)
	}
	var note, whole bool
	for _, e := range d.Leads[0].Extra {
		note = note || e.Value == "number of leads previously submitted: 2"
		whole = whole || e.Path == "SalesLead/CustomerComments" && strings.Contains(e.Value, "Please call after six.")
	}
	if !note || !whole {
		t.Errorf("note kept %v, whole text kept %v: %v", note, whole, d.Leads[0].Extra)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, body := range []string{"", "x", "<a>", "<ProcessSalesLead><SalesLead>", "<adf/>", "{}", "[1]", strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)} {
		if d, err := star.Parse([]byte(body)); err == nil {
			t.Errorf("%.30q was read: %+v", body, d)
		}
	}
}

// TestSharedSample fills the marks of a real sender's template.
func TestSharedSample(t *testing.T) {
	raw := string(shared(t, "star_5_4_4_boatsmonitor.xml"))
	empty, err := star.Parse([]byte(raw))
	if err != nil || len(empty.Leads) != 1 || len(empty.Leads[0].Parties) != 0 || !empty.Leads[0].Flagged(lead.FlagPlaceholderValue) {
		t.Fatalf("the unfilled template: %+v, %v", empty, err)
	}
	fill := map[string]string{"GivenName": "Ada", "FamilyName": "Byron", "URIID": "ada@byron.example.com", "ChannelCode": "Email", "MakeString": "Ostra", "ModelDescription": "Sea 21",
		"ModelYear": "2024", "DocumentID": "B-1", "OrganizationID": "77", "MarketingID": "M1", "ProgramIdDescription": "Boats", "systemEnvironmentCode": "Production", "LeadComments": "hello",
		"LeadCreationDateTime": "2026-05-04T09:30:00Z", "SenderNameCode": "BM", "CreatorNameCode": "BM", "LeadSourceCode": "bm", "SaleClassCode": "Used", "CountryID": "US", "LeadRequestTypeString": "QUOTE"}
	d, err := star.Parse([]byte(regexp.MustCompile(`\{(\w+)\}`).ReplaceAllStringFunc(raw, func(m string) string { return fill[m[1:len(m)-1]] })))
	if err != nil {
		t.Fatal(err)
	}
	want := `Ada|Byron|; ada@byron.example.com;   ; 
SOUGHT 2024 Ostra Sea 21 USED  
SOURCE_LEAD BM B-1
dealer 77 star ; market ; source bm BM; campaign M1 Boats; QUOTE ; at 2026-05-04T09:30:00Z; test false; "hello"`
	if diff := cmp.Diff(want, show(&d.Leads[0])); diff != "" {
		t.Error(diff)
	}
}

func TestConfirmNamesTheDocument(t *testing.T) {
	d, err := star.Parse([]byte(modern))
	if err != nil {
		t.Fatal(err)
	}
	out := star.Confirm(d, []star.Result{{LeadID: "L<1>", OK: true}, {Reason: "no & no"}}, time.Unix(0, 0))
	dec := xml.NewDecoder(strings.NewReader(string(out)))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"<BODID>bod-77</BODID>", "L&lt;1&gt;", "<BODFailureMessage>", "<BODSuccessMessage>"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is missing in %s", want, out)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{modern, older, profile, "<a><SalesLead><Vehicle><Model>{m}</Model></Vehicle></SalesLead></a>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := star.Parse(body)
		if err != nil {
			return
		}
		for i := range d.Leads {
			if l := &d.Leads[i]; len(l.Extra) > 200 || len(l.Parties) > 20 || len(l.Vehicles) > 20 || len(l.Consents) > 100 {
				t.Fatalf("a lead larger than its limits: %d, %d, %d, %d", len(l.Extra), len(l.Parties), len(l.Vehicles), len(l.Consents))
			}
		}
	})
}

// shared reads a payload of the shared inputs beside the repository, or skips.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Skip("not inside the repository: no shared inputs")
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "..", "shared", "data", "payloads", name))
	if err != nil {
		t.Skipf("no shared input %s", name)
	}
	return raw
}
