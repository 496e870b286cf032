package capture_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/capture"
	"github.com/leadmesh/leadmesh/services/internal/mailtest"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

// adaADF is a lead in ADF, with an id of its source or without.
func adaADF(id, comments string) string {
	if id != "" {
		id = `<id source="Portal">` + id + `</id>`
	}
	return `<?xml version="1.0"?><adf><prospect>` + id + `<requestdate>2026-03-02T08:55:00Z</requestdate>
<vehicle interest="buy"><year>2026</year><make>Norrvind</make><model>Lomvi 5</model></vehicle>
<customer><contact><name part="full">Ada Byron</name><email>ada@byron.example.com</email></contact><comments>` + comments + `</comments></customer>
<vendor><vendorname>Norrvind of Denver</vendorname></vendor><provider><name part="full">Portal</name></provider></prospect></adf>`
}

func adaMail(messageID, adf string) string {
	return string(mailtest.Mail(messageID, "Content-Type: text/plain\n", []byte(adf)))
}

// mailTo sends a mail as the door for mails does.
func (w *world) mailTo(source, provider, body string) []*capturev1.LeadResult {
	w.t.Helper()
	resp, err := w.service.Ingest(w.ctx, &capturev1.IngestRequest{
		Kind: capturev1.DocumentKind_DOCUMENT_KIND_MAIL, Body: []byte(body), Source: source, Provider: provider,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range resp.GetResults() {
		if r.GetProblem() != nil {
			w.t.Fatal(r.GetProblem())
		}
	}
	return resp.GetResults()
}

func (w *world) lead(id string) *capturev1.GetLeadResponse {
	w.t.Helper()
	got, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: id})
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

func (w *world) raw(id string) *capturev1.GetRawLeadResponse {
	w.t.Helper()
	got, err := w.service.GetRawLead(w.ctx, &capturev1.GetRawLeadRequest{LeadId: id})
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

func TestMailBecomesItsLead(t *testing.T) {
	w := newWorld(t, capture.Config{})
	body := adaMail("m1", adaADF("P-1", "call me"))
	got := w.mailTo("portal_mail", "Portal Inc", body)
	if len(got) != 1 || got[0].GetState() != leadv1.State_STATE_ASSIGNED {
		t.Fatal(got)
	}
	l := w.lead(got[0].GetLeadId()).GetLead()
	if l.GetSource().GetSource() != "portal_mail" || l.GetSource().GetProvider() != "Portal" || l.GetParties()[0].GetName().GetFull() != "Ada Byron" {
		t.Errorf("lead %v", l)
	}
	if raw := w.raw(got[0].GetLeadId()); string(raw.GetBody()) != body || raw.GetContentType() != "message/rfc822" {
		t.Errorf("raw form: %s, %d bytes of %d", raw.GetContentType(), len(raw.GetBody()), len(body))
	}
	noProvider := strings.Replace(adaADF("", "x"), `<provider><name part="full">Portal</name></provider>`, "", 1)
	l = w.lead(w.mailTo("portal_mail", "Portal Inc", adaMail("m2", noProvider))[0].GetLeadId()).GetLead()
	if l.GetSource().GetProvider() != "Portal Inc" {
		t.Errorf("the mailbox's provider is not noted: %v", l.GetSource())
	}
}

// TestTheSameMailIsOneLead tells mails that came twice from leads that came again.
func TestTheSameMailIsOneLead(t *testing.T) {
	for name, c := range map[string]struct {
		first, second string
		duplicate     bool
		leads         int
	}{
		"sent again by a relay":               {adaMail("m1", adaADF("", "a")), "Received: from elsewhere\r\n" + adaMail("m1", adaADF("", "a")), true, 1},
		"another mail that says the same":     {adaMail("m1", adaADF("", "a")), adaMail("m2", adaADF("", "a")), false, 2},
		"the same Message-ID, another lead":   {adaMail("m1", adaADF("", "a")), adaMail("m1", adaADF("", "b")), false, 2},
		"another mail, the same source id":    {adaMail("m1", adaADF("P-1", "a")), adaMail("m2", adaADF("P-1", "a")), true, 1},
		"no Message-ID, the same content":     {adaMail("", adaADF("", "a")), adaMail("", adaADF("", "a")), true, 1},
		"unreadable, sent again by a relay":   {adaMail("m1", "call me"), "Received: from elsewhere\r\n" + adaMail("m1", "call me"), true, 1},
		"unreadable, the same Message-ID":     {adaMail("m1", "call me"), adaMail("m1", "call me now"), false, 2},
		"unreadable, without a Message-ID":    {adaMail("", "call me"), adaMail("", "call me"), true, 1},
		"automatic, sent again":               {string(mailtest.Mail("m1", "Precedence: bulk\n", []byte("news"))), string(mailtest.Mail("m1", "Precedence: bulk\n", []byte("news"))), true, 1},
		"the same lead, then as a direct one": {adaMail("m1", adaADF("P-1", "a")), "", true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, capture.Config{})
			first := w.mailTo("", "", c.first)
			w.advance(26 * 60 * 60 * 1e9) // a relay may try for days
			var second []*capturev1.LeadResult
			if c.second == "" {
				var err error
				if second, err = w.ingest(capturev1.DocumentKind_DOCUMENT_KIND_ADF, adaADF("P-1", "a"), ""); err != nil {
					t.Fatal(err)
				}
			} else {
				second = w.mailTo("", "", c.second)
			}
			if same := first[0].GetLeadId() == second[0].GetLeadId(); same != c.duplicate || second[0].GetDuplicateRequest() != c.duplicate {
				t.Errorf("same lead %v, duplicate %v, want %v", same, second[0].GetDuplicateRequest(), c.duplicate)
			}
			if n := w.places().Leads; n != c.leads {
				t.Errorf("%d leads, want %d", n, c.leads)
			}
		})
	}
}

func TestMailsThatHoldNoLeadAreKept(t *testing.T) {
	w := newWorld(t, capture.Config{})
	long := strings.Replace(adaADF("", "x"), "</customer>", "<more>"+strings.Repeat("<note>"+strings.Repeat("word ", 800)+"</note>", 100)+"</more></customer>", 1)
	for name, c := range map[string]struct {
		body, state, detail string
	}{
		"a person writes":   {adaMail("p1", "I would like a car"), "PARKED DATA", "no ADF document was found in the mail"},
		"no lead in it":     {adaMail("p2", "<adf></adf>"), "PARKED DATA", "the mail could not be read: no lead was found in its ADF document"},
		"more than is kept": {adaMail("p3", long), "PARKED DATA", "the lead in the document is larger than is kept"},
		"a bounce":          {string(mailtest.Mail("p4", "X-Failed-Recipients: a@example.com\n", []byte(adaADF("P-9", "x")))), "REJECTED JUNK", "mail.bounce"},
		"an answer":         {string(mailtest.Mail("p5", "Auto-Submitted: auto-replied\n", []byte("away"))), "REJECTED JUNK", "mail.auto_reply"},
		"a newsletter":      {string(mailtest.Mail("p6", "List-Id: <n.example.com>\n", []byte("news"))), "REJECTED JUNK", "mail.bulk"},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.mailTo("box", "", c.body)[0]
			if got := strings.TrimPrefix(r.GetState().String(), "STATE_") + " " + r.GetCode(); got != c.state {
				t.Errorf("%s, want %s", got, c.state)
			}
			if raw := w.raw(r.GetLeadId()); string(raw.GetBody()) != c.body || raw.GetContentType() != "message/rfc822" {
				t.Error("the mail is not kept as received")
			}
			if strings.HasPrefix(c.state, "PARKED") {
				p := w.lead(r.GetLeadId()).GetDecision().GetParking()
				if p.GetOwner() == "" || p.GetReviewAt() == nil || p.GetDetail() != c.detail {
					t.Errorf("parked with %v, want an owner, a review date and %q", p, c.detail)
				}
			} else if n := w.count("SELECT count(*) FROM rejected WHERE lead_id = $1 AND detail = $2", r.GetLeadId(), c.detail); n != 1 {
				t.Errorf("not rejected by %s", c.detail)
			}
		})
	}
	if p := w.places(); p.Pending+p.Decided != 0 {
		t.Errorf("somebody must work on one: %+v", p)
	}
}

// TestAParkedMailIsReadAgainAtItsReview checks that the sweep reads a mail as a mail.
func TestAParkedMailIsReadAgainAtItsReview(t *testing.T) {
	w := newWorld(t, capture.Config{PollEvery: 1e7})
	r := w.mailTo("box", "", adaMail("p1", "I would like a car"))[0]
	// A later reader understands more: the mail turns into one that is understood today.
	if _, err := w.pool.Exec(w.ctx, "UPDATE lead SET raw = $1",
		string(mailtest.Mail("p1", "Content-Transfer-Encoding: base64\n", mailtest.Base64([]byte(adaADF("", "x")))))); err != nil {
		t.Fatal(err)
	}
	w.advance(25 * 60 * 60 * 1e9)
	defer w.run(w.service)()
	w.eventually("the mail is read", func() bool { p := w.places(); return p.Decided == 1 && p.Parked == 0 })
	if l := w.lead(r.GetLeadId()).GetLead(); l.GetParties()[0].GetName().GetFull() != "Ada Byron" {
		t.Errorf("lead %v", l)
	}
}

func TestMailWithSeveralDocuments(t *testing.T) {
	xml := func(doc string) string { return "Content-Type: text/xml\n\n" + doc }
	grace := strings.NewReplacer("Ada Byron", "Grace Hopper", "ada@byron", "grace@hopper", "P-1", "P-2").Replace(adaADF("P-1", "x"))
	for name, c := range map[string]struct {
		parts []string
		want  []string
	}{
		"two leads":                        {[]string{xml(adaADF("P-1", "x")), xml(grace)}, []string{"Ada Byron", "Grace Hopper"}},
		"one of them twice":                {[]string{xml(adaADF("P-1", "x")), xml(grace), "Content-Type: text/plain\n\n" + adaADF("P-1", "x")}, []string{"Ada Byron", "Grace Hopper"}},
		"in text and attached, without id": {[]string{"Content-Type: text/plain\n\n" + strings.ReplaceAll(adaADF("", "call  me"), "> <", ">\r\n<"), xml(adaADF("", "call me"))}, []string{"Ada Byron"}},
		"the same id, other people":        {[]string{xml(adaADF("P-1", "x")), xml(strings.ReplaceAll(grace, "P-2", "P-1"))}, []string{"Ada Byron", "Grace Hopper"}},
		"other ids, the same words":        {[]string{xml(adaADF("P-1", "x")), xml(adaADF("P-3", "x"))}, []string{"Ada Byron", "Ada Byron"}},
		"two prospects in a document":      {[]string{xml(strings.Replace(adaADF("P-1", "x"), "</adf>", grace[strings.Index(grace, "<prospect>"):], 1))}, []string{"Ada Byron", "Grace Hopper"}},
		"one of them broken":               {[]string{xml("<adf></adf>"), xml(adaADF("P-1", "x"))}, []string{"Ada Byron", "parked"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, capture.Config{})
			body := string(mailtest.Mixed("m1", c.parts...))
			var got []string
			for _, r := range w.mailTo("", "", body) {
				full := "parked"
				if l := w.lead(r.GetLeadId()); l.GetLead() != nil {
					full = l.GetLead().GetParties()[0].GetName().GetFull()
				}
				got = append(got, full)
				if raw := w.raw(r.GetLeadId()); string(raw.GetBody()) != body {
					t.Errorf("%s does not keep the mail", full)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestALargeMailOfManyLeadsKeepsEachPart keeps one mail from filling the tables.
func TestALargeMailOfManyLeadsKeepsEachPart(t *testing.T) {
	w := newWorld(t, capture.Config{})
	var parts []string
	for i := range 30 {
		parts = append(parts, "Content-Type: text/xml\n\n"+strings.ReplaceAll(adaADF(fmt.Sprint("P-", i), "x"), "ada@", fmt.Sprint("ada", i, "@")))
	}
	parts = append(parts, "Content-Type: image/png\n\n"+strings.Repeat("x", 200<<10))
	body := string(mailtest.Mixed("m1", parts...))
	results := w.mailTo("", "", body)
	if len(results) != 30 {
		t.Fatalf("%d leads", len(results))
	}
	raw := w.raw(results[7].GetLeadId())
	if raw.GetContentType() != "application/x-adf+xml" || !bytes.Contains(raw.GetBody(), []byte("P-7<")) || len(raw.GetBody()) > 2000 {
		t.Errorf("raw form %s, %d bytes", raw.GetContentType(), len(raw.GetBody()))
	}
}

var spaces = regexp.MustCompile(`\s+`)

// plainly is a lead without what the ways of mail change: identifiers, white space, and the flags
// of a document's text.
func plainly(l *leadv1.Lead) *leadv1.Lead {
	l = proto.CloneOf(l)
	l.LeadId = ""
	l.Comments = strings.TrimSpace(spaces.ReplaceAllString(l.GetComments(), " "))
	l.Flags = slices.DeleteFunc(l.Flags, func(f *leadv1.Flag) bool { return f.GetCode() == "repaired_entity" || f.GetCode() == "stray_text" })
	for _, e := range l.GetExtra() {
		e.Value = strings.TrimSpace(spaces.ReplaceAllString(e.GetValue(), " "))
	}
	for _, v := range l.GetVehicles() {
		v.Comments = strings.TrimSpace(spaces.ReplaceAllString(v.GetComments(), " "))
	}
	return l
}

// TestCollectedDocumentsAreTheSameByMail mails every collected document in every form and compares
// the leads with those of the document sent directly.
func TestCollectedDocumentsAreTheSameByMail(t *testing.T) {
	dir := corpusDir(t)
	raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		File string `json:"file"`
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, capture.Config{})
	w.governor = sampleGovernor(t)
	as := func(name string) {
		w.ctx = rpc.WithCaller(t.Context(), rpc.Caller{Name: name, Roles: []rpc.Role{rpc.RoleOEM}})
	}
	type outcome struct {
		State, Code string
		Lead        *leadv1.Lead
	}
	outcomes := func(results []*capturev1.LeadResult) (all []outcome) {
		for _, r := range results {
			all = append(all, outcome{r.GetState().String(), r.GetCode(), plainly(w.lead(r.GetLeadId()).GetLead())})
		}
		return all
	}
	for _, c := range cases {
		t.Run(c.File, func(t *testing.T) {
			doc, err := os.ReadFile(filepath.Join(dir, c.File))
			if err != nil {
				t.Fatal(err)
			}
			as(c.File)
			direct, err := w.service.Ingest(w.ctx, &capturev1.IngestRequest{Kind: capturev1.DocumentKind_DOCUMENT_KIND_ADF, Body: doc})
			if err != nil {
				t.Fatal(err)
			}
			want := outcomes(direct.GetResults())
			for _, form := range mailtest.Forms() {
				as(c.File + "/" + form.Name)
				if diff := cmp.Diff(want, outcomes(w.mailTo("", "", string(form.Wrap(c.File, doc)))), protocmp.Transform()); diff != "" {
					t.Errorf("%s: %s", form.Name, diff)
				}
			}
		})
	}
}
