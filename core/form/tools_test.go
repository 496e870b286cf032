package form_test

import (
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/form"
)

// TestToolsWriteTheSameDifferently reads forms as bridges, builders and old pages write them down.
func TestToolsWriteTheSameDifferently(t *testing.T) {
	const asJSON, urlencoded = "application/json", "application/x-www-form-urlencoded"
	for name, tt := range map[string]struct {
		contentType, body string
		want              []string // lines of the leads, "--" between two
		never             []string // parts of lines
	}{
		"a bridge's titles": {asJSON, `{"Full Name":"Ada Byron","Phone Number":"+1 303 555 0123","Form Id":"77","Campaign Name":"C1","Ad Set Name":"AS","Leadgen Id":"99","Page Id":"5","Platform":"fb"}`,
			[]string{"name=Ada Byron", "phone=+1 303 555 0123", "source=meta", "form=77", "campaign_name=C1", "ad_group=AS", "id=SOURCE_LEAD meta 99"}, []string{"flag="}},
		"arrays of one":      {asJSON, `{"leadgen_id":"1","data":{"full_name":["Ada Byron"],"which_model?":["Lomvi 5"]}}`, []string{"name=Ada Byron", "sought=0  Lomvi 5"}, []string{"flag="}},
		"answers as a text":  {asJSON, `{"id":"1","field_data":"[{\"name\":\"email\",\"values\":[\"ada@b.example.com\"]},{\"name\":\"full_name\",\"values\":[\"Ada Byron\"]}]"}`, []string{"name=Ada Byron", "email=ada@b.example.com", "id=SOURCE_LEAD meta 1"}, []string{"flag="}},
		"google's as a text": {asJSON, `{"lead_id":"g","adgroup_id":0,"user_column_data":"[{\"column_id\":\"EMAIL\",\"string_value\":\"a@b.example.com\"}]"}`, []string{"email=a@b.example.com", "id=SOURCE_LEAD google g", "extra=form.adgroup_id: 0"}, []string{"flag=", "ad_group="}},
		"google's test":      {asJSON, `{"lead_id":"g","is_test":"true","user_column_data":[]}`, []string{"test=yes"}, nil},
		"google in camels":   {asJSON, `{"leadId":"g","userColumnData":[{"columnId":"FULL_NAME","stringValue":"Ada Byron"}],"formId":1}`, []string{"name=Ada Byron", "form=1", "id=SOURCE_LEAD google g"}, []string{"flag="}},
		"a body in a body":   {asJSON, `{"body":"{\"lead\":{\"name\":\"Ada Byron\",\"comments\":\"[urgent] call\"}}"}`, []string{"name=Ada Byron", "comments=[urgent] call"}, []string{"flag="}},
		"a body in a field":  {urlencoded, "formID=9&rawRequest=%7B%22q3_name%22%3A%7B%22first%22%3A%22Ada%22%2C%22last%22%3A%22Byron%22%7D%7D", []string{"name=Ada|Byron", "form=9"}, []string{"flag="}},
		"a list in an envelope": {asJSON, `{"campaign_name":"Fair","id":"batch-1","data":{"records":[{"fields":{"Name":"Ada Byron","Email":"ada@b.example.com"}},{"fields":{"Name":"Bea Curie","Phone":"303 555 0123"}}]}}`,
			[]string{"name=Ada Byron", "email=ada@b.example.com", "campaign_name=Fair", "extra=form.id: batch-1", "--", "name=Bea Curie", "phone=303 555 0123", "campaign_name=Fair"}, []string{"id=SOURCE_LEAD"}},
		"what stands beside leads": {asJSON, `{"source":"fair","leads":[{"name":"Ada Byron"}]}`, []string{"name=Ada Byron", "source=fair"}, nil},
		"goods are no people":      {asJSON, `{"name":"Ada Byron","items":[{"sku":"1"},{"sku":"2"}]}`, []string{"name=Ada Byron", "extra=form.items.0.sku: 1", "extra=form.items.1.sku: 2"}, []string{"--"}},
		"questions under keys":     {asJSON, `{"fields":{"1":{"name":"Name","value":"Ada Byron","id":1},"2":{"name":"E-mail","value":"a@b.example.com","id":2}}}`, []string{"name=Ada Byron", "email=a@b.example.com"}, []string{"flag=", "id="}},
		"a choice by its id":       {asJSON, `{"data":{"fields":[{"label":"Full name","value":"Ada Byron"},{"label":"Model","value":["id1"],"options":[{"id":"id1","text":"Lomvi 5"},{"id":"id2","text":"Lomvi 3"}]}]}}`, []string{"name=Ada Byron", "sought=0  Lomvi 5"}, []string{"Lomvi 3", "id1"}},
		"declarations in a list": {asJSON, `{"email":"a@b.example.com","consents":[{"type":"marketing","channel":"email","value":true},{"name":"profiling","granted":false,"required":true,"text":"We look at what you do."}]}`,
			[]string{"consent=GRANTED MARKETING EMAIL a@b.example.com", "consent=NONE PROFILING", "extra=form.declaration[1] required: true", "extra=form.declaration[1] text: We look at what you do."}, []string{"name=profiling", "ANSWER_INQUIRY"}},
		"a newsletter is no letter": {urlencoded, "email=a%40b.example.com&newsletter=1", []string{"consent=GRANTED MARKETING EMAIL a@b.example.com"}, []string{"POST"}},
		"somebody else":             {asJSON, `{"first_name":"Ada","email":"a@b.example.com","spouse_name":"Carl","dealer":{"name":"Norrvind Denver","email":"sales@dealer.example.com"},"salesperson":{"phone":"303 555 0199"},"vehicle":{"name":"Lomvi 5"}}`, []string{"name=Ada", "email=a@b.example.com", "dealer=Norrvind Denver", "sought=0  Lomvi 5", "extra=form.spouse_name: Carl", "extra=form.dealer.email: sales@dealer.example.com", "extra=form.salesperson.phone: 303 555 0199", "flag=unknown_field form.salesperson.phone"}, []string{"name=Carl", "email=sales", "phone=303"}},
		"cars with roles":           {asJSON, `{"email":"a@b.example.com","vehicles":[{"year":2024,"make":"Norrvind","model":"Lomvi 5"},{"year":2019,"make":"Ostra","model":"Volt","role":"trade-in"}]}`, []string{"sought=2024 Norrvind Lomvi 5", "traded=2019 Ostra Volt"}, nil},
		"two wishes":                {urlencoded, "email=a%40b.example.com&interest[]=Test+drive&interest[]=Quote", []string{"request=TEST_DRIVE", "extra=form.interest: Quote"}, nil},
		"a country's number":        {asJSON, `{"email":"a@b.example.com","phone_country_code":"+49"}`, []string{"extra=form.phone_country_code: +49"}, nil},
		"semicolons in a text":      {urlencoded, "comments=red; or blue;\r\nsoon&name=Ada", []string{"name=Ada", "comments=red; or blue;\r\nsoon"}, nil},
		"semicolons and lines":      {urlencoded, "name=Ada;email=a@b.example.com\r\ncity=Reno", []string{"name=Ada", "email=a@b.example.com", "city=Reno"}, nil},
		"php's brackets":            {urlencoded, "lead[first_name]=Ada&lead[contact][email]=a%40b.example.com&lead[vehicle][model]=Lomvi+5&lead[trade][model]=Volt", []string{"name=Ada", "email=a@b.example.com", "sought=0  Lomvi 5", "traded=0  Volt"}, []string{"flag="}},
		"no values":                 {asJSON, `{"first_name":"Ada","last_name":"null","phone":"N/A","zip":null,"city":""}`, []string{"name=Ada", "flag=placeholder_value form.last_name"}, []string{"phone=", "name=Ada|"}},
		"linkedin's ids":            {asJSON, `{"type":"LEAD_ACTION","leadGenFormResponse":"urn:li:leadGenFormResponse:1-2","occurredAt":1777887000000}`, []string{"source=linkedin", "id=SOURCE_LEAD linkedin urn:li:leadGenFormResponse:1-2", "at=2026-05-04T09:30:00Z"}, nil},
		"a campaign's name":         {asJSON, `{"formResponse":{"answers":[{"questionId":1,"answerDetails":{"textQuestionAnswer":{"answer":"Ada"}}}]},"leadMetadataInfo":{"sponsoredLeadMetadataInfo":{"campaign":{"id":"urn:7","name":"CC"}}}}`, []string{"campaign=urn:7", "campaign_name=CC", "extra=form.1: Ada", "flag=unknown_field form.1"}, []string{"name=CC|"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := "\n" + strings.Join(leads(t, tt.contentType, tt.body, &form.Spec{Name: "site"}), "--\n")
			all := got
			for _, line := range tt.want {
				if line == "--" { // what follows is of the next lead
					_, next, _ := strings.Cut(got, "\n--\n")
					got = "\n" + next
				} else if !strings.Contains(got, "\n"+line+"\n") {
					t.Errorf("no %q in%s", line, got)
				}
			}
			for _, part := range tt.never {
				for line := range strings.Lines(all) {
					if strings.HasPrefix(line, part) || !strings.HasSuffix(part, "=") && strings.Contains(line, part) {
						t.Errorf("%q in %s", part, all)
					}
				}
			}
		})
	}
}
