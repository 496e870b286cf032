package adf_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/adf"
)

// written keeps the fields Emit writes.
func written(d adf.Document) adf.Document {
	var out adf.Document
	for _, p := range d.Prospects {
		p.Unknown, p.Flags, p.CommentFields, p.Consents, p.CommentVehicles, p.PreferredContact = nil, nil, nil, nil, nil, ""
		out.Prospects = append(out.Prospects, p)
	}
	return out
}

// complete adds what a lead needs to be written.
func complete(d adf.Document) adf.Document {
	for i := range d.Prospects {
		p := &d.Prospects[i]
		if _, assumed, _, ok := adf.ParseDate(p.RequestDate, nil); !ok || assumed {
			p.RequestDate = "2026-02-01T10:00:00+01:00"
		}
		if len(p.Customer.Contacts) == 0 {
			p.Customer.Contacts = []adf.Contact{{Names: []adf.Name{{Value: "A"}}}}
		}
		if p.Vendor.DisplayName() == "" {
			p.Vendor.Name = "Dealer"
		}
	}
	return d
}

// checkRoundTrip holds the law of Emit for the canonical form of any document.
func checkRoundTrip(t *testing.T, doc adf.Document) {
	t.Helper()
	strict := complete(doc.Canonical(time.UTC))
	out, err := adf.Emit(strict)
	if err != nil {
		t.Fatalf("canonical document not written: %v", errors.Join(err))
	}
	again, err := adf.Parse(out)
	if err != nil {
		t.Fatalf("emitted document not read: %v\n%s", err, out)
	}
	if diff := cmp.Diff(strict, written(again)); diff != "" {
		t.Fatalf("Parse(Emit(d)) differs (-want +got):\n%s\n%s", diff, out)
	}
	if len(again.Repairs) > 0 || len(again.Outside) > 0 {
		t.Fatalf("emitted document needs repair: %v", again.Repairs)
	}
}
