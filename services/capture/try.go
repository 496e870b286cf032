package capture

import (
	"github.com/leadmesh/leadmesh/core/form"
	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	"github.com/leadmesh/leadmesh/services/internal/sources"
)

// Tried is what a document would become.
type Tried struct {
	Lead       lead.Lead // before governance
	Unreadable string    // why it would be parked with its raw form alone; "" if it would not
	Waits      bool      // it would wait for its form
}

// TryForm reads a body as Ingest would if a source of the file sent it. Nothing is stored. A fetched
// form of Meta is taken beside its webhook calls.
func TryForm(file *sources.File, src *sources.Source, contentType string, body []byte) ([]Tried, error) {
	s := &Service{forms: form.NewReader(), deps: Deps{Sources: func() *sources.File { return file }}}
	kind := capturev1.DocumentKind_DOCUMENT_KIND_FORM
	switch src.Kind {
	case sources.Meta:
		if _, _, err := form.ReadNotices(body); err == nil {
			kind = capturev1.DocumentKind_DOCUMENT_KIND_META_NOTIFICATION
		}
	case sources.Google:
		kind = capturev1.DocumentKind_DOCUMENT_KIND_GOOGLE_FORM
	case sources.STAR:
		kind = capturev1.DocumentKind_DOCUMENT_KIND_STAR
	}
	items, _, err := s.readDocument(&capturev1.IngestRequest{Kind: kind, Body: body, ContentType: contentType, Intake: src.Name})
	if err != nil {
		return nil, err
	}
	out := make([]Tried, len(items))
	for i, in := range items {
		out[i] = Tried{Lead: in.lead, Unreadable: in.unreadable, Waits: in.form.waits}
	}
	return out, nil
}
