package star_test

import (
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/star"
)

// TestSendersWriteTheSameDifferently reads documents as other senders put them together.
func TestSendersWriteTheSameDifferently(t *testing.T) {
	const person = `<CustomerProspect><ProspectParty><SpecifiedPerson><GivenName>Ada</GivenName><URICommunication><URIID>ada@b.example.com</URIID></URICommunication></SpecifiedPerson></ProspectParty></CustomerProspect>`
	bod := func(id, dealer, lead string) string {
		return `<x:ProcessSalesLead xmlns:x="http://www.starstandard.org/STAR/5"><x:ApplicationArea><x:Sender><x:SenderNameCode>P</x:SenderNameCode></x:Sender><x:CreationDateTime>2026-05-04T09:30:00Z</x:CreationDateTime><x:BODID>` +
			id + `</x:BODID><x:Destination><x:DealerNumberID>` + dealer + `</x:DealerNumberID></x:Destination></x:ApplicationArea><x:DataArea>` + lead + `</x:DataArea></x:ProcessSalesLead>`
	}
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	for name, tt := range map[string]struct {
		body        string
		leads       int
		want, never []string // parts of all leads
		test        bool
	}{
		"two leads of one envelope": {bod("b1", "77", `<SalesLead><ID>1</ID>`+person+`</SalesLead><SalesLead><ID>2</ID>`+person+`</SalesLead>`), 2, []string{"SOURCE_LEAD P 1", "SOURCE_LEAD P 2", "dealer 77"}, []string{"flag"}, false},
		"two envelopes":             {`<batch>` + bod("b1", "77", `<SalesLead>`+person+`</SalesLead>`) + bod("b2", "78", `<SalesLead>`+person+`</SalesLead>`) + `</batch>`, 2, []string{"SOURCE_LEAD P b1", "SOURCE_LEAD P b2", "dealer 77", "dealer 78"}, []string{"flag"}, false},
		"in SOAP":                   {`<soap:Envelope xmlns:soap="s"><soap:Body><content>` + bod("b1", "77", `<SalesLead>`+person+`</SalesLead>`) + `</content></soap:Body></soap:Envelope>`, 1, []string{"SOURCE_LEAD P b1", "ada@b.example.com"}, []string{"flag"}, false},
		"as a text":                 {`<content>` + escaped.Replace(bod("b1", "77", `<SalesLead>`+person+`</SalesLead>`)) + `</content>`, 1, []string{"SOURCE_LEAD P b1", "ada@b.example.com", "dealer 77"}, []string{"flag"}, false},
		"a list of the profile":     {`[{"SalesLead":{"ID":"1","Customer":{"LastName1":"A"}}},{"SalesLead":{"ID":"2","Customer":{"LastName1":"B"}}}]`, 2, []string{"|A|", "|B|", "SOURCE_LEAD  2"}, []string{"flag"}, false},
		"CDATA and entities":        {bod("b1", "7", `<SalesLead>`+person+`<CustomerComments><![CDATA[<b>red</b> & ]]>J&#246;rg M&uuml;ller &x; AT&T</CustomerComments></SalesLead>`), 1, []string{`"<b>red</b> & Jörg Müller &x; AT&T"`}, []string{"flag"}, false},
		"a trade-in with its odometer beside it": {bod("b1", "7", `<SalesLead>`+person+`<SalesLeadVehicle><ModelDescription>2026 Norrvind Lomvi 5</ModelDescription></SalesLeadVehicle><TradeIn><Vehicle><ModelYear>2015</ModelYear><Model>Volt</Model></Vehicle><InDeliveryOdometerMeasure unitCode="mile">88000</InDeliveryOdometerMeasure></TradeIn></SalesLead>`), 1,
			[]string{"SOUGHT 2026  Norrvind Lomvi 5", "TRADED 2015  Volt"}, []string{"flag"}, false},
		"older, of a test system": {`<ProcessSalesLead environment="Test"><ApplicationArea><BODId>o</BODId></ApplicationArea><DataArea><SalesLead><Header><LeadType>Internet</LeadType><IndividualProspect><FamilyName>Gauss</FamilyName><CellPhone>7755550101</CellPhone></IndividualProspect></Header><Detail><SalesVehicle><Model>Tindra</Model><SaleClass>Used</SaleClass><Price currencyID="USD">31,000</Price></SalesVehicle></Detail></SalesLead></DataArea></ProcessSalesLead>`, 1,
			[]string{"|Gauss|", "7755550101/MOBILE", "SOUGHT 0  Tindra USED", "test true"}, []string{"flag"}, true},
		"a co-buyer and a refusal": {bod("b1", "7", `<SalesLead>`+person+`<CoBuyer><GivenName>Carl</GivenName></CoBuyer><DoNotCallIndicator>true</DoNotCallIndicator><DoNotEmail>0</DoNotEmail></SalesLead>`), 1, []string{"parties 2", "DENIED MARKETING CALL", "flag unknown_field SalesLead/DoNotEmail"}, []string{"DENIED MARKETING EMAIL", "Carl|"}, false},
		"what nobody knows":        {bod("b1", "7", `<SalesLead>`+person+`<PrivacyOptOut>true</PrivacyOptOut></SalesLead>`), 1, []string{"flag unknown_field SalesLead/PrivacyOptOut", "extra SalesLead/PrivacyOptOut: true"}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := star.Parse([]byte(tt.body))
			if err != nil || len(d.Leads) != tt.leads || d.Test != tt.test {
				t.Fatalf("%d leads, test %v, %v", len(d.Leads), d.Test, err)
			}
			var all strings.Builder
			for i := range d.Leads {
				l := &d.Leads[i]
				all.WriteString(show(l) + "\n")
				if len(l.Parties) > 1 {
					all.WriteString("parties 2\n")
				}
				for _, v := range l.Vehicles {
					if name == "a trade-in with its odometer beside it" && v.Role.String() == "TRADED" && v.Odometer != 88_000 {
						t.Errorf("odometer %d", v.Odometer)
					}
				}
				for _, e := range l.Extra {
					all.WriteString("extra " + e.Path + ": " + e.Value + "\n")
				}
			}
			for _, part := range tt.want {
				if !strings.Contains(all.String(), part) {
					t.Errorf("no %q in\n%s", part, &all)
				}
			}
			for _, part := range tt.never {
				if strings.Contains(all.String(), part) {
					t.Errorf("%q in\n%s", part, &all)
				}
			}
		})
	}
}
