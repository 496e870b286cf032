package capture

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/adf"
	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	"github.com/leadmesh/leadmesh/services/capture/internal/mail"
	store "github.com/leadmesh/leadmesh/services/capture/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// maxRemarks is how many remarks a document and each of its leads get.
const maxRemarks = 200

// ValidateDocument says what Ingest would make of a document. It stores nothing.
func (s *Service) ValidateDocument(ctx context.Context, req *capturev1.ValidateDocumentRequest) (*capturev1.ValidateDocumentResponse, error) {
	body := req.GetBody()
	v := &validation{s: s, caller: rpc.CallerFrom(ctx), now: s.deps.Now().UTC().Truncate(time.Microsecond), source: req.GetSource()}
	switch req.GetKind() {
	case capturev1.DocumentKind_DOCUMENT_KIND_ADF:
		if p := fits(body, "an ADF document"); p != nil {
			return nil, p
		}
		return v.adf(body)
	case capturev1.DocumentKind_DOCUMENT_KIND_MAIL:
		if p := fits(body, "a mail"); p != nil {
			return nil, p
		}
		return v.mail(body)
	default:
		return nil, problem.Invalid(problem.Violation{Field: "kind", Description: "send ADF or MAIL"})
	}
}

// validation is one document being explained.
type validation struct {
	s      *Service
	caller rpc.Caller
	now    time.Time
	source string
	resp   capturev1.ValidateDocumentResponse
}

func (v *validation) adf(body []byte) (*capturev1.ValidateDocumentResponse, error) {
	doc, err := adf.Parse(body)
	if err != nil {
		v.resp.Remarks = append(v.resp.Remarks, unreadableRemark(err))
		return v.bare(readADF(body)[0])
	}
	return v.documents([]mail.Document{{Text: body, ADF: doc}})
}

func (v *validation) mail(body []byte) (*capturev1.ValidateDocumentResponse, error) {
	m := mail.Read(body)
	items := readMail(body)
	whole := items[len(items)-1] // the mail itself stands last, if at all
	switch {
	case whole.junk != "":
		v.resp.Remarks = append(v.resp.Remarks, remark(governed, "mail", whole.junk))
		return v.bare(whole)
	case len(m.Documents) == 0:
		v.resp.Remarks = append(v.resp.Remarks, mailRemark(m.Trouble))
		return v.bare(whole)
	case m.Trouble != "":
		v.resp.Remarks = append(v.resp.Remarks, mailRemark(m.Trouble))
	}
	return v.documents(m.Documents)
}

// bare answers for a document without a lead.
func (v *validation) bare(in *intake) (*capturev1.ValidateDocumentResponse, error) {
	in.setAside(v.now)
	v.resp.Leads = append(v.resp.Leads, v.standing(in))
	return &v.resp, nil
}

func (v *validation) standing(in *intake) *capturev1.ValidatedLead {
	l := &capturev1.ValidatedLead{State: stateOf(in.place), Code: in.code, Detail: in.detail}
	if in.place == store.Parked {
		l.Code = lead.ParkReasonData.String()
	}
	if in.mail != nil {
		l.Part = in.mail.part
	}
	return l
}

func (v *validation) documents(docs []mail.Document) (*capturev1.ValidateDocumentResponse, error) {
	for i := range docs {
		v.repairs(&docs[i])
	}
	for _, f := range leadsOf(docs) {
		l, err := v.lead(f, docs[f.doc].Part == "")
		if err != nil {
			return nil, err
		}
		v.resp.Leads = append(v.resp.Leads, l)
	}
	return &v.resp, nil
}

// repairs notes what had to be mended in a document's text, and the text around its leads.
func (v *validation) repairs(doc *mail.Document) {
	at := ""
	if doc.Part != "" {
		at = "part " + doc.Part + " "
	}
	add := func(r *capturev1.Remark) {
		if len(v.resp.GetRemarks()) < maxRemarks {
			r.Path = strings.TrimSpace(at + r.GetPath())
			v.resp.Remarks = append(v.resp.Remarks, r)
		}
	}
	for _, fix := range doc.ADF.Repairs {
		r := flagRemark(fix.Code, "", fix.Detail)
		r.Line, r.Column = int32(fix.Line), int32(fix.Column)
		add(r)
	}
	for _, e := range doc.ADF.Outside {
		if doc.Part == "" || !strings.HasPrefix(e.Path, "#") { // a mail has text around its document
			add(remark(unused, e.Path, "outside_leads"))
		}
	}
}

// lead takes one lead as far as Ingest would before it stores it.
func (v *validation) lead(f foundLead, plain bool) (*capturev1.ValidatedLead, error) {
	in := f.intake
	if plain {
		in.mail = nil
	}
	v.s.label(in, &capturev1.IngestRequest{Source: v.source}, 0, 1)
	if in.scope(v.caller); in.problem != nil {
		return nil, in.problem
	}
	in.receivedAt = v.now
	before := len(in.lead.Flags)
	if !in.bare() {
		if err := v.s.govern(in); err != nil {
			return nil, err
		}
	} else {
		in.setAside(v.now)
	}
	l := v.standing(in)
	l.Lead = leadconv.ToProto(&in.lead)
	l.Remarks = v.remarks(f, before)
	l.StrictForm = v.strict(f, l)
	if len(l.Remarks) > maxRemarks {
		l.Remarks = l.Remarks[:maxRemarks]
	}
	return l, nil
}

// remarks says what was found odd in a lead: by the reader, then by governance.
func (v *validation) remarks(f foundLead, before int) []*capturev1.Remark {
	var list []*capturev1.Remark
	told := map[string]bool{}
	for _, flag := range f.prospect.Flags {
		list = append(list, flagRemark(flag.Code, flag.Path, flag.Detail))
		told[flag.Path] = true
	}
	for _, e := range f.prospect.Unknown {
		if !told[e.Path] {
			told[e.Path] = true
			list = append(list, remark(unused, e.Path, "kept_as_extra"))
		}
	}
	l := &f.intake.lead
	for _, flag := range l.Flags[min(before, len(l.Flags)):] {
		list = append(list, remark(doubtful, flag.Field, flag.Code))
	}
	for _, c := range l.Changes {
		r := remark(governed, c.Field, c.Rule)
		r.Message = "the rule " + c.Rule + " of the playbook rewrites this field; the sender's value is kept in the lead's changes"
		r.Remedy = "nothing need be done; send the value as rewritten to see no change"
		list = append(list, r)
	}
	if f.intake.place == store.Rejected {
		r := remark(governed, "", "rejected")
		r.Rule = cmp.Or(f.intake.detail, f.intake.code)
		r.Message = "the playbook rejects this lead as " + f.intake.code
		r.Remedy = "send a reachable contact and what the customer asks for; ask marketing operations where the rule is wrong"
		list = append(list, r)
	}
	if l.Resend {
		list = append(list, remark(governed, "prospect/@status", "resend"))
	}
	return list
}

// strict writes the lead as strict ADF; where the format demands more than it says, the remarks
// tell and there is none.
func (v *validation) strict(f foundLead, l *capturev1.ValidatedLead) string {
	zone := time.UTC
	if g, _ := v.s.governor(); g != nil {
		zone = v.s.zoneOf(g, &f.intake.lead)
	}
	doc := adf.Document{Prospects: []adf.Prospect{*f.prospect}}.Canonical(zone)
	problems := adf.Check(doc)
	for _, p := range problems {
		l.Remarks = append(l.Remarks, &capturev1.Remark{
			Kind: capturev1.RemarkKind_REMARK_KIND_MISSING, Path: p.Path, Rule: "strict_adf",
			Message: "strict ADF: " + p.Rule, Remedy: remedyOf(p.Rule),
		})
	}
	if len(problems) > 0 {
		return ""
	}
	text, err := adf.Emit(doc)
	if err != nil {
		return ""
	}
	return string(text)
}

// remedyOf says what to do about a rule of strict ADF.
func remedyOf(rule string) string {
	switch {
	case strings.Contains(rule, "iso 8601"):
		return "send the date and time of the request with its zone, such as 2026-05-04T09:30:00-05:00"
	case strings.Contains(rule, "needed"):
		return "send it; without it no strict document can be written"
	case strings.HasPrefix(rule, "not one of"):
		return "send one of the values listed"
	case strings.HasPrefix(rule, "more than"):
		return "send one; the others are kept as extra fields"
	default:
		return "leave it out or correct it"
	}
}
