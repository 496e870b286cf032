package capture_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/adf"
	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/capture"
	"github.com/leadmesh/leadmesh/services/internal/mailtest"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

func (w *world) validate(kind capturev1.DocumentKind, body string) *capturev1.ValidateDocumentResponse {
	w.t.Helper()
	resp, err := w.service.ValidateDocument(w.ctx, &capturev1.ValidateDocumentRequest{Kind: kind, Body: []byte(body)})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

// told lists remarks as "KIND path rule" with the place where there is one.
func told(remarks []*capturev1.Remark) map[string]*capturev1.Remark {
	all := map[string]*capturev1.Remark{}
	for _, r := range remarks {
		all[strings.TrimPrefix(r.GetKind().String(), "REMARK_KIND_")+" "+r.GetPath()+" "+r.GetRule()] = r
	}
	return all
}

const sloppy = `<adf>
<prospect status="neu">
  <requestdate>03/02/2026 08:55</requestdate>
  <vehicle interest="Buy"><year>2026</year><make>Norrvind</make><model>Lomvi 5</model><glovebox>big</glovebox></vehicle>
  <customer><contact><name part=full>Ada Byron</name><email>ada@byron.example.com</email></contact>
    <comments>fish & chips</comments></customer>
  <vendor><vendorname>Norrvind of Denver</vendorname>
  <provider><name>Portal</name></provider>
</prospect></adf>
The desk`

func TestValidateExplainsADocument(t *testing.T) {
	w := newWorld(t, capture.Config{})
	resp := w.validate(capturev1.DocumentKind_DOCUMENT_KIND_ADF, sloppy)
	if len(resp.GetLeads()) != 1 {
		t.Fatal(resp)
	}
	l := resp.GetLeads()[0]
	if l.GetState() != leadv1.State_STATE_PENDING || l.GetLead().GetParties()[0].GetName().GetFull() != "Ada Byron" || l.GetLead().GetLeadId() != "" {
		t.Errorf("lead %v", l)
	}
	document, ofLead := told(resp.GetRemarks()), told(l.GetRemarks())
	for _, want := range []string{"REPAIRED  text_outside", "UNUSED #after outside_leads", "REPAIRED vendor unclosed_element"} {
		if document[want] == nil {
			t.Errorf("not told: %s in %v", want, resp.GetRemarks())
		}
	}
	if r := document["REPAIRED vendor unclosed_element"]; r.GetLine() != 8 || r.GetColumn() == 0 {
		t.Errorf("unclosed vendor at %d:%d", r.GetLine(), r.GetColumn())
	}
	for _, want := range []string{
		"DOUBTFUL prospect/@status bad_enum", "REPAIRED prospect/requestdate date_not_iso", "DOUBTFUL prospect/requestdate date_without_zone",
		"REPAIRED prospect/vehicle/@interest enum_spelling", "UNUSED prospect/vehicle/glovebox unknown_element",
	} {
		if r := ofLead[want]; r == nil || r.GetMessage() == "" || r.GetRemedy() == "" {
			t.Errorf("not told: %s in %v", want, l.GetRemarks())
		}
	}
	again, err := adf.Parse([]byte(l.GetStrictForm()))
	if err != nil || len(again.Repairs) > 0 || len(again.Prospects[0].Flags) > 0 || len(adf.Check(again)) > 0 {
		t.Errorf("the strict form is not strict: %v %v\n%s", err, again.Repairs, l.GetStrictForm())
	}
	if !strings.Contains(l.GetStrictForm(), "2026-03-02T08:55:00-05:00") {
		t.Errorf("the strict form does not have the market's zone:\n%s", l.GetStrictForm())
	}
	for _, r := range append(resp.GetRemarks(), l.GetRemarks()...) {
		for _, secret := range []string{"Ada", "byron", "fish"} {
			if strings.Contains(r.GetMessage()+r.GetPath()+r.GetRemedy(), secret) {
				t.Errorf("a remark quotes the document: %v", r)
			}
		}
	}
	if p := w.places(); p != (places{}) {
		t.Errorf("validating stored %+v", p)
	}
}

func TestValidateSaysWhatIsMissing(t *testing.T) {
	w := newWorld(t, capture.Config{})
	resp := w.validate(capturev1.DocumentKind_DOCUMENT_KIND_ADF, `<adf><prospect><vehicle><make>Norrvind</make></vehicle><customer><contact><name part="full">Ada</name></contact></customer></prospect></adf>`)
	l := resp.GetLeads()[0]
	missing := told(l.GetRemarks())
	for _, want := range []string{"MISSING prospect/requestdate strict_adf", "MISSING prospect/vendor strict_adf"} {
		if missing[want] == nil {
			t.Errorf("not told: %s in %v", want, l.GetRemarks())
		}
	}
	if l.GetStrictForm() != "" {
		t.Error("a strict form of a document that cannot be strict")
	}
	resp = w.validate(capturev1.DocumentKind_DOCUMENT_KIND_ADF, "<xml>\n <lead/></xml>")
	if r := resp.GetRemarks()[0]; r.GetRule() != "unreadable" || r.GetLine() != 1 || r.GetRemedy() == "" || resp.GetLeads()[0].GetState() != leadv1.State_STATE_PARKED {
		t.Errorf("an unreadable document: %v", resp)
	}
}

func TestValidateMail(t *testing.T) {
	w := newWorld(t, capture.Config{})
	const kind = capturev1.DocumentKind_DOCUMENT_KIND_MAIL
	resp := w.validate(kind, string(mailtest.Mixed("m", "Content-Type: text/plain\n\nHello", "Content-Type: text/xml\n\n"+sloppy)))
	if l := resp.GetLeads()[0]; l.GetPart() != "2" || l.GetStrictForm() == "" {
		t.Errorf("lead %v", l)
	}
	if told(resp.GetRemarks())["REPAIRED part 2 vendor unclosed_element"] == nil {
		t.Errorf("remarks %v", resp.GetRemarks())
	}
	resp = w.validate(kind, adaMail("m", "Hello"))
	if l := resp.GetLeads()[0]; l.GetState() != leadv1.State_STATE_PARKED || resp.GetRemarks()[0].GetRule() != "mail.no_document" {
		t.Errorf("a mail without a document: %v", resp)
	}
	resp = w.validate(kind, string(mailtest.Mail("m", "Precedence: bulk\n", []byte("news"))))
	if l := resp.GetLeads()[0]; l.GetState() != leadv1.State_STATE_REJECTED || l.GetCode() != "JUNK" || resp.GetRemarks()[0].GetRule() != "mail.bulk" {
		t.Errorf("bulk mail: %v", resp)
	}
	for _, req := range []*capturev1.ValidateDocumentRequest{{}, {Kind: kind}, {Kind: kind, Body: make([]byte, 5<<20)}, {Kind: capturev1.DocumentKind_DOCUMENT_KIND_LEAD, Body: []byte("{}")}} {
		if _, err := w.service.ValidateDocument(w.ctx, req); err == nil {
			t.Errorf("took a %s of %d bytes", req.GetKind(), len(req.GetBody()))
		}
	}
}

// TestCollectedDocumentsAreValidatedAsTheyAreTaken compares the explanation of every collected
// document with what becomes of it.
func TestCollectedDocumentsAreValidatedAsTheyAreTaken(t *testing.T) {
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
	strict := 0
	for _, c := range cases {
		t.Run(c.File, func(t *testing.T) {
			doc, err := os.ReadFile(filepath.Join(dir, c.File))
			if err != nil {
				t.Fatal(err)
			}
			explained := w.validate(capturev1.DocumentKind_DOCUMENT_KIND_ADF, string(doc)).GetLeads()
			taken, err := w.service.Ingest(w.ctx, &capturev1.IngestRequest{Kind: capturev1.DocumentKind_DOCUMENT_KIND_ADF, Body: doc})
			if err != nil || len(taken.GetResults()) != len(explained) {
				t.Fatalf("explained %d leads, took %d: %v", len(explained), len(taken.GetResults()), err)
			}
			for i, r := range taken.GetResults() {
				if r.GetDuplicateRequest() {
					continue
				}
				l := proto.CloneOf(w.lead(r.GetLeadId()).GetLead())
				l.LeadId = ""
				l.Flags = slices.DeleteFunc(l.Flags, func(f *leadv1.Flag) bool { return f.GetCode() == lead.FlagResendFirstSeen }) // known from the store only
				if diff := cmp.Diff(l, explained[i].GetLead(), protocmp.Transform()); diff != "" {
					t.Error(diff)
				}
				if rejected := r.GetState() == leadv1.State_STATE_REJECTED; rejected != (explained[i].GetState() == leadv1.State_STATE_REJECTED) || r.GetCode() != explained[i].GetCode() {
					t.Errorf("taken as %s, explained as %s", r.GetState(), explained[i].GetState())
				}
				if explained[i].GetStrictForm() != "" {
					strict++
				}
				for _, m := range explained[i].GetRemarks() {
					if m.GetRule() == "" || m.GetMessage() == "" || m.GetRemedy() == "" || m.GetKind() == 0 {
						t.Errorf("a remark without words: %v", m)
					}
					if strings.HasPrefix(m.GetMessage(), "this is doubtful") {
						t.Errorf("no words for %q", m.GetRule())
					}
				}
			}
		})
	}
	if strict < 10 {
		t.Errorf("%d strict forms of all documents", strict)
	}
}
