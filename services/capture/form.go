package capture

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/leadmesh/leadmesh/core/form"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/star"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/sources"
)

// formed is what an intake keeps of the form it was read from.
type formed struct {
	kind   capturev1.DocumentKind // 0 if it was none
	source string                 // its sender in the sources file
	waits  bool                   // only its id is known: the form is fetched
}

const (
	waitsForForm = "only its id is known; its form is being fetched"
	idWithout    = "the form holds an id and no answers; send Meta's own webhook calls to /v1/meta/SOURCE"
	urnWithout   = "LinkedIn's call names a form response and holds no answers; send the response itself as it reads in LinkedIn's Lead Sync API"
)

// openForm finds the leads of a document that a sender of forms sent. One that cannot be read
// becomes a lead that is parked with its raw form: nobody reads an answer there.
func (s *Service) openForm(req *capturev1.IngestRequest) ([]*intake, error) {
	items, ignored, err := s.readDocument(req)
	if ignored > 0 {
		s.meters.ignored.Add(context.Background(), int64(ignored))
	}
	return items, err
}

// readDocument does so, and counts the parts that tell of no lead.
func (s *Service) readDocument(req *capturev1.IngestRequest) (items []*intake, ignored int, err error) {
	body := req.GetBody()
	if len(body) > maxBody {
		return nil, 0, problem.New(problemv1.Reason_REASON_TOO_LARGE, "the body is larger than 4 MiB; send fewer leads at once")
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, 0, problem.New(problemv1.Reason_REASON_UNREADABLE_BODY, "the body is empty")
	}
	spec, err := s.spec(req.GetIntake())
	if err != nil {
		return nil, 0, err
	}
	switch req.GetKind() {
	case capturev1.DocumentKind_DOCUMENT_KIND_META_NOTIFICATION:
		items, ignored = s.readNotices(body, spec)
	case capturev1.DocumentKind_DOCUMENT_KIND_STAR:
		items = readSTAR(body, spec)
	case capturev1.DocumentKind_DOCUMENT_KIND_GOOGLE_FORM:
		items, ignored = s.readForms(form.Google, req.GetContentType(), body, spec)
	default:
		kind := form.Generic
		if src := s.sources().Find(req.GetIntake()); src != nil && src.Kind == sources.LinkedIn {
			kind = form.LinkedIn
		}
		items, ignored = s.readForms(kind, req.GetContentType(), body, spec)
	}
	for _, in := range items {
		in.form.kind, in.form.source = req.GetKind(), req.GetIntake()
		if in.unreadable != "" {
			in.lead = lead.Lead{Test: spec.Test || in.lead.Test, Source: spec.Set.Source}
			if in.lead.Source.Source == "" {
				in.lead.Source.Source = spec.Name
			}
			continue
		}
		if v := check(&in.lead); len(v) > 0 {
			in.unreadable = "the form holds more than a lead takes: " + v[0].Field
		}
	}
	return items, ignored, nil
}

// sources are the senders that are declared; nil if none are.
func (s *Service) sources() *sources.File {
	if s.deps.Sources == nil {
		return nil
	}
	return s.deps.Sources()
}

// spec is what is declared of a source. Without a sources file every name is taken, with one only
// the names in it: the file may be on its way to this process.
func (s *Service) spec(name string) (*form.Spec, error) {
	file := s.sources()
	if file == nil || name == "" {
		return &form.Spec{Name: name}, nil
	}
	if src := file.Find(name); src != nil {
		return &src.Spec, nil
	}
	p := problem.New(problemv1.Reason_REASON_UNAVAILABLE, "the sources file of capture has no source of this name yet")
	p.RetryAfter = time.Second
	return nil, p
}

func (s *Service) readForms(kind form.Kind, contentType string, body []byte, spec *form.Spec) ([]*intake, int) {
	forms, ignored, err := form.Read(kind, contentType, body)
	if err != nil {
		return []*intake{{raw: body, unreadable: "the form could not be read: " + err.Error()}}, ignored
	}
	items := make([]*intake, len(forms))
	for i := range forms {
		in := &intake{lead: s.forms.Lead(&forms[i], spec), raw: forms[i].Raw}
		if len(in.lead.Parties) == 0 && !in.lead.Test {
			in.unreadable = map[form.Kind]string{form.Meta: idWithout, form.LinkedIn: urnWithout}[forms[i].Kind]
		}
		items[i] = in
	}
	return items, ignored
}

// readNotices finds the leads that Meta tells of by id.
func (s *Service) readNotices(body []byte, spec *form.Spec) ([]*intake, int) {
	notices, ignored, err := form.ReadNotices(body)
	if err != nil {
		return []*intake{{raw: body, unreadable: "the webhook call could not be read"}}, 0
	}
	items := make([]*intake, len(notices))
	for i := range notices {
		n := &notices[i]
		bare := n.Bare()
		in := &intake{lead: s.forms.Lead(&bare, spec), raw: n.Raw, form: formed{waits: true}}
		if _, id := sourceID(&in.lead); id == "" {
			in.form.waits, in.unreadable = false, "the webhook call names no lead"
		}
		items[i] = in
	}
	return items, ignored
}

// readSTAR finds the leads of a STAR document; of one with several each keeps the whole as its raw
// form.
func readSTAR(body []byte, spec *form.Spec) []*intake {
	doc, err := star.Parse(body)
	if err != nil {
		why := star.ErrSyntax
		if errors.Is(err, star.ErrNoLead) {
			why = star.ErrNoLead
		}
		return []*intake{{raw: body, unreadable: why.Error()}}
	}
	items := make([]*intake, len(doc.Leads))
	for i := range doc.Leads {
		l := &doc.Leads[i]
		spec.Fill(l)
		items[i] = &intake{lead: *l, raw: body[:min(len(body), maxBody/len(doc.Leads))]}
	}
	return items
}
