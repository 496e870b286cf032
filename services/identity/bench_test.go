package identity_test

import (
	"fmt"
	"testing"

	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// typical makes the n-th lead of a stream in which every third is from somebody known.
func (w *world) typical(n int) *leadv1.Lead {
	who := n - n/3
	p := party(fmt.Sprintf("Given%c%c", 'a'+who%26, 'a'+who/26%26), fmt.Sprintf("Family%d", who), fmt.Sprintf("p%d@example.com", who), fmt.Sprintf("+1512%07d", who))
	p.Address = &leadv1.Address{Streets: []string{fmt.Sprintf("%d Main Street", who)}, City: "Austin", Region: "TX", PostalCode: "78745", Country: "US"}
	return w.newLead(p, identifier(sourceLead, "meta", fmt.Sprint(n)), func(l *leadv1.Lead) {
		l.Consents = []*leadv1.Consent{{
			Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose_PURPOSE_MARKETING,
			Channel: leadv1.Channel_CHANNEL_EMAIL, State: leadv1.ConsentState_CONSENT_STATE_GRANTED,
		}}
	})
}

func BenchmarkBatchResolve1000(b *testing.B) { benchmarkResolve(b, 1000) }
func BenchmarkBatchResolve1(b *testing.B)    { benchmarkResolve(b, 1) }

func benchmarkResolve(b *testing.B, size int) {
	w := newWorld(b)
	n := 0
	next := func() *identityv1.BatchResolveRequest {
		req := &identityv1.BatchResolveRequest{}
		for range size {
			req.Leads = append(req.Leads, w.typical(n))
			n++
		}
		return req
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		req := next()
		b.StartTimer()
		if _, err := w.BatchResolve(b.Context(), req); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "us/lead")
}
