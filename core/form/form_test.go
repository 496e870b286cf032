package form_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/form"
	"github.com/leadmesh/leadmesh/core/lead"
)

// summary is a lead in one text, for comparing.
func summary(l *lead.Lead) string {
	var b strings.Builder
	put := func(name, v string) {
		if v != "" {
			fmt.Fprintf(&b, "%s=%s\n", name, v)
		}
	}
	if p := l.Primary(); p != nil {
		n := p.Name
		put("name", strings.Join(slices.DeleteFunc([]string{n.Prefix, n.Full, n.Given, n.Middle, n.Family, n.Company}, func(s string) bool { return s == "" }), "|"))
		for _, e := range p.Emails {
			put("email", e.Address)
		}
		for _, f := range p.Phones {
			put("phone", f.Raw)
		}
		put("city", p.Address.City)
		put("postal", p.Address.Postal)
	}
	for _, v := range l.Vehicles {
		put(strings.ToLower(v.Role.String()), strings.TrimSpace(fmt.Sprintf("%d %s %s %s", v.Year, v.Make, v.Model, v.Status)))
	}
	put("source", l.Source.Source)
	put("form", l.Source.Form)
	put("campaign", l.Campaign.ID)
	put("campaign_name", l.Campaign.Name)
	put("content", l.Campaign.Content)
	put("ad", l.Campaign.AdID)
	put("ad_group", l.Campaign.AdGroup)
	put("clicks", strings.Join(l.Campaign.ClickIDs, ","))
	for _, i := range l.Identifiers {
		put("id", i.Kind.String()+" "+i.Source+" "+i.Value)
	}
	put("comments", l.Comments)
	put("dealer", l.Dealer.Code+l.Dealer.Name)
	put("time_frame", l.TimeFrame.Text)
	if l.RequestType != lead.RequestTypeUnspecified {
		put("request", l.RequestType.String())
	}
	put("finance", l.Finance.Method)
	if l.Test {
		put("test", "yes")
	}
	if !l.RequestedAt.IsZero() {
		put("at", l.RequestedAt.Format("2006-01-02T15:04:05Z"))
	}
	for _, c := range l.Consents {
		put("consent", strings.TrimSpace(fmt.Sprintf("%s %s %s %s", c.State, c.Purpose, c.Channel, c.ContactPoint)))
	}
	for _, f := range l.Flags {
		put("flag", f.Code+" "+f.Field)
	}
	for _, e := range l.Extra {
		put("extra", e.Path+": "+e.Value)
	}
	return b.String()
}

func leads(t *testing.T, contentType, body string, spec *form.Spec) []string {
	t.Helper()
	forms, _, err := form.Read(form.Generic, contentType, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	r := form.NewReader()
	var out []string
	for i := range forms {
		l := r.Lead(&forms[i], spec)
		out = append(out, summary(&l))
	}
	return out
}

func TestRead(t *testing.T) {
	spec := &form.Spec{
		Name: "site", Set: form.Defaults{Source: lead.Source{Source: "oem_site", Medium: "display"}, Dealer: lead.DealerReference{Scheme: "nv"}, Line: lead.LineSales},
		Fields: map[string]form.Rule{
			lead.Fold("¿Qué coche?"): {Field: form.VehicleModel, Values: map[string]string{lead.Fold("El grande"): "Lomvi 5"}},
			"q7":                     {Field: form.DealerCode},
			"junk":                   {Field: form.Ignored},
		},
		Consents: []form.ConsentRule{
			{Key: "box1", Purpose: lead.PurposeMarketing, Channels: []lead.Channel{lead.ChannelEmail, lead.ChannelSMS}, Controller: lead.ControllerOEM, TextVersion: "v7"},
			{Key: "box2", Purpose: lead.PurposeProfiling, PreTicked: true},
		},
	}
	const urlencoded = "application/x-www-form-urlencoded; charset=utf-8"
	for name, tt := range map[string]struct {
		contentType, body string
		spec              *form.Spec
		want              []string
	}{
		"google, auto questions, no column id": {"application/json", `{"lead_id":"G1","form_id":7,"campaign_id":12345678901,"adgroup_id":2,"creative_id":3,"gcl_id":"Cj0","google_key":"secret","is_test":false,
			"lead_submit_time":"2026-05-04T09:30:00.123Z","asset_group_id":9,"user_column_data":[{"column_name":"Full Name","string_value":"Ada Byron"},{"column_id":"WORK_EMAIL","column_name":"","string_value":"ada@byron.example.com"},
			{"column_id":"VEHICLE_MODEL","string_value":"Lomvi 5"},{"column_id":"PREFERRED_DEALERSHIP","string_value":"Norrvind Denver"},{"column_id":"VEHICLE_PURCHASE_TIMELINE","string_value":"within 3 months"},
			{"column_id":"VEHICLE_CONDITION","string_value":"New"},{"column_id":"VEHICLE_PAYMENT_TYPE","string_value":"Lease"},{"column_id":"VEHICLE_OWNERSHIP","string_value":"Yes"},{"column_id":"SHOE_SIZE","string_value":"44"}]}`, nil,
			[]string{`name=Ada Byron
email=ada@byron.example.com
sought=0  Lomvi 5 NEW
source=google
form=7
campaign=12345678901
ad=3
ad_group=2
clicks=gclid:Cj0
id=SOURCE_LEAD google G1
dealer=Norrvind Denver
time_frame=within 3 months
finance=Lease
at=2026-05-04T09:30:00Z
flag=unknown_field form.SHOE_SIZE
extra=form.asset_group_id: 9
extra=form.VEHICLE_OWNERSHIP: Yes
extra=form.SHOE_SIZE: 44
`}},
		"graph, free questions, boxes": {"application/json", `{"id":"901","created_time":"2026-05-04T09:30:00+0000","campaign_name":"Spring","platform":"ig","is_organic":false,"field_data":[{"values":["Ada"],"name":"first_name"},
			{"name":"last_name","values":["Byron"]},{"name":"correo_electrónico","values":["ada@byron.example.com"]},{"name":"numéro_de_téléphone","values":["+33 6 12 34 56 78"]},{"name":"¿qué_modelo_te_interesa?","values":["Lomvi 5"]},
			{"name":"क्या_आप_टेस्ट_ड्राइव_चाहते_हैं?","values":["हाँ"]}],"form_id":"55","vehicle":"2025 Norrvind Tindra",
			"custom_disclaimer_responses":[{"checkbox_key":"marketing_email","is_checked":"1"},{"checkbox_key":"sms_marketing","is_checked":""},{"checkbox_key":"optional_1","is_checked":true}]}`, nil,
			[]string{`name=Ada|Byron
email=ada@byron.example.com
phone=+33 6 12 34 56 78
sought=0  Lomvi 5
source=meta
form=55
campaign_name=Spring
id=SOURCE_LEAD meta 901
at=2026-05-04T09:30:00Z
consent=GRANTED MARKETING EMAIL ada@byron.example.com
consent=NONE MARKETING SMS +33 6 12 34 56 78
flag=unknown_field form.क्या_आप_टेस्ट_ड्राइव_चाहते_हैं?
flag=unknown_field form.boxes.optional_1
extra=form.क्या_आप_टेस्ट_ड्राइव_चाहते_हैं?: हाँ
extra=form.vehicle: 2025 Norrvind Tindra
extra=form.boxes.optional_1: ticked
`}},
		"meta's test lead": {"application/json", `{"leadgen_id":1.5e1,"field_data":[{"name":"full_name","values":["<test lead: dummy data for full_name>"]},{"name":"email","values":["test@fb.com"]}]}`, nil,
			[]string{"email=test@fb.com\nsource=meta\nid=SOURCE_LEAD meta 1.5e1\ntest=yes\nextra=form.full_name: <test lead: dummy data for full_name>\n"}},
		"a mapping, a value, pre-ticked, utm": {urlencoded, "vorname=Ada&nachname=Byron&Ihre+E-Mail-Adresse=ada%40byron.example.com&%C2%BFQu%C3%A9+coche%3F=el+GRANDE&q7=NV-1&junk=x&utm_campaign=Spring&gclid=Cj1&box1=on&box2=on&website_url=http%3A%2F%2Fspam.example", spec,
			[]string{`name=Ada|Byron
email=ada@byron.example.com
sought=0  Lomvi 5
source=oem_site
campaign_name=Spring
clicks=gclid:Cj1
dealer=NV-1
consent=GRANTED MARKETING EMAIL ada@byron.example.com
consent=GRANTED MARKETING SMS
consent=NONE PROFILING
flag=unknown_field form.website_url
extra=form.website_url: http://spam.example
`}},
		"multipart, brackets, answer no": {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"lead[your-email]\"\r\n\r\nada@byron.example.com\r\n--b\r\nContent-Disposition: form-data; name=\"May we email you offers?\"\r\n\r\nNo\r\n--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"car.jpg\"\r\n\r\nJPEG\r\n--b--\r\n", nil,
			[]string{"email=ada@byron.example.com\nconsent=DENIED MARKETING EMAIL ada@byron.example.com\nflag=unknown_field form.photo\nextra=form.photo: car.jpg\n"}},
		"nested, a list of leads": {"application/json", `[{"customer":{"name":"Ada Byron","contact":{"mobilePhone":"(303) 555-0123"}},"vehicle":{"make":"Norrvind","model":"Lomvi 5","year":2026},"dealer":{"code":"NV-1"},"trade":{"model":"Volt"}},{"姓名":"张三","手机号":"+8613800138000","意向车型":"Lomvi 3"}]`, nil,
			[]string{"name=Ada Byron\nphone=(303) 555-0123\nsought=2026 Norrvind Lomvi 5\ntraded=0  Volt\ndealer=NV-1\n", "name=张三\nphone=+8613800138000\nsought=0  Lomvi 3\n"}},
		"linkedin's api": {"application/json", `{"formResponse":{"answers":[{"questionId":1,"name":"firstName","answerDetails":{"textQuestionAnswer":{"answer":"Ada"}}},{"questionId":2,"name":"emailAddress","answerDetails":{"textQuestionAnswer":{"answer":"ada@byron.example.com"}}}]},"submittedAt":1777887000000,"id":"x-1"}`, nil,
			[]string{"name=Ada\nemail=ada@byron.example.com\nsource=linkedin\nid=SOURCE_LEAD linkedin x-1\nat=2026-05-04T09:30:00Z\n"}},
		"typed answers": {"application/json", `{"form_response":{"token":"t1","answers":[{"type":"email","email":"ada@byron.example.com","field":{"id":"a","ref":"email"}},{"type":"choice","choice":{"label":"Lomvi 5"},"field":{"ref":"which model"}}]}}`, nil,
			[]string{"email=ada@byron.example.com\nsought=0  Lomvi 5\nflag=unknown_field form.form_response.token\nextra=form.form_response.token: t1\n"}},
		"contact in free text only": {"application/json", `{"text":"call me: +1 (303) 555-0123"}`, nil,
			[]string{"phone=+1 (303) 555-0123\ncomments=call me: +1 (303) 555-0123\nflag=contact_from_text parties[0]\n"}},
		"a guess denies no answer": {urlencoded, "email=ada%40byron.example.com&Do+you+accept+part+exchange%3F=No&privacy=on", nil,
			[]string{"email=ada@byron.example.com\nconsent=GRANTED ANSWER_INQUIRY\nflag=unknown_field form.Do you accept part exchange?\nextra=form.Do you accept part exchange?: No\n"}},
		"latin-1": {urlencoded, "nom=Lef%E8vre&pr%E9nom=Zo%EB", nil, []string{"name=Zoë|Lefèvre\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, leads(t, tt.contentType, tt.body, tt.spec)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadNotices(t *testing.T) {
	notices, ignored, err := form.ReadNotices([]byte(`{"object":"page","entry":[{"id":77,"time":1,"changes":[{"field":"leadgen","value":{"leadgen_id":9007199254740993,"form_id":"F","email":"x"}},{"field":"feed","value":{"leadgen_id":"2"}}]},
		{"id":"78","changes":[{"field":"leadgen","value":{"leadgen_id":"3","page_id":"79","created_time":1777887000}}]}]}`))
	if err != nil || ignored != 1 || len(notices) != 2 {
		t.Fatalf("%d notices, %d ignored, %v", len(notices), ignored, err)
	}
	if n := notices[0]; n.LeadID != "9007199254740993" || n.PageID != "77" || n.FormID != "F" || !slices.Equal(n.Unknown, []string{"email"}) {
		t.Errorf("first: %+v", n)
	}
	if n := notices[1]; n.LeadID != "3" || n.PageID != "79" {
		t.Errorf("second: %+v", n)
	}
}

func TestWithout(t *testing.T) {
	for name, tt := range map[string]struct{ contentType, body, rest string }{
		"json":       {"application/json", `{"a":{"key":"stays"}, "key" : "se\u0063ret", "b":1}`, `{"a":{"key":"stays"}, "key" : "", "b":1}`},
		"urlencoded": {"application/x-www-form-urlencoded", "a=1&k%65y=secret&b=2", "a=1&k%65y=&b=2"},
		"multipart": {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nsecret\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n",
			"--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			values, rest := form.Without(tt.contentType, []byte(tt.body), "key")
			if !slices.Equal(values, []string{"secret"}) || string(rest) != tt.rest {
				t.Errorf("%q, %q", values, rest)
			}
		})
	}
}

// TestSharedPayloads reads collected payloads of real senders and tools.
func TestSharedPayloads(t *testing.T) {
	for name, want := range map[string][]string{
		"arabic.json":                        {"name=محمد أحمد", "email=mohamed.ahmed@example.sa", "phone=+966501234567", "source=instagram", "comments=الرجاء الاتصال بأسرع وقت"},
		"hindi.json":                         {"name=अमित शर्मा", "email=amit.sharma@example.in", "phone=+919876543210", "source=facebook"},
		"google_flat.json":                   {"name=Kate Brewster", "email=katherine.brewster@rebellion.net", "phone=+1 (213) 555-0144", "campaign=992039"},
		"google_lead_form_documented.json":   {"name=Jane Doe", "email=jane@example.com", "phone=+11234567890", "campaign=456", "ad_group=789", "at=2026-07-21T10:00:00Z"},
		"google_lead_form_is_test.json":      {"name=FirstName LastName", "phone=+919876543210", "test=yes", "id=SOURCE_LEAD google TeSter", "ad=1011"},
		"google_lead_form_no_column_id.json": {"name=Juan Pérez", "email=juan@email.com", "phone=+5210000000", "city=Monterrey", "source=google"},
		"instagram_text.json":                {"email=grace@cyberdyne.com", "phone=+15550001234", "source=instagram"},
		"linkedin_answers.json":              {"name=Sarah Connor|Cyberdyne Systems", "email=sconnor@cyberdyne.com", "phone=+1 415-555-0199", "source=linkedin", "form=Enterprise B2B Survey"},
		"meta_bridge_flat.json":              {"name=Robert Patrick", "email=t1000@liquid.metal", "phone=0018885552390", "ad=ad-3301", "id=SOURCE_LEAD meta fb-992019"},
		"meta_field_data_in_webhook.json":    {"name=FB Lead Test", "email=fb_x@test.com", "form=789", "id=SOURCE_LEAD meta lead_x"},
		"meta_graph_lead_detail.json":        {"name=Rajesh Kumar", "phone=+91 98765 43210", "ad=123456", "content=MG Hector Campaign", "form=789012"},
		"meta_leadgen_fields_inline.json":    {"name=Model 101", "email=t800@skynet.com", "phone=+1-800-555-3829", "form=form-777"},
		"webform_urlencoded_1.txt":           {"name=Kyle Reese", "email=kreese@resistance.net", "phone=+19995551984", "source=website", "comments=Send prop asap"},
		"webform_urlencoded_2.txt":           {"name=Dr. Silberman", "email=silberman@mentalhealth.org", "phone=5552910", "comments=Urgent"},
	} {
		t.Run(name, func(t *testing.T) {
			contentType := "application/json"
			if strings.HasSuffix(name, ".txt") {
				contentType = "application/x-www-form-urlencoded"
			}
			got := leads(t, contentType, string(shared(t, name)), nil)
			for _, line := range want {
				if !strings.Contains("\n"+got[0], "\n"+line+"\n") {
					t.Errorf("no %q in\n%s", line, got[0])
				}
			}
			if strings.Contains(got[0], "unknown_field") {
				t.Errorf("something was not known:\n%s", got[0])
			}
		})
	}
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
