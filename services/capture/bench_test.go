package capture_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/capture"
)

// BenchmarkBatch takes batches of 1,000 new leads all the way, the other services answering at once.
func BenchmarkBatch(b *testing.B) {
	w := newWorld(b, capture.Config{})
	defer w.run(w.service)()
	const size = 1_000
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		leads := make([]*leadv1.Lead, size)
		for i := range leads {
			leads[i] = someLead(n)
			leads[i].IdempotencyKey = fmt.Sprint("key-", n)
			n++
		}
		b.StartTimer()
		w.batch(leads...)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "leads/s")
}

// BenchmarkSingle takes single JSON leads from many callers at once.
func BenchmarkSingle(b *testing.B) {
	w := newWorld(b, capture.Config{})
	defer w.run(w.service)()
	var n atomic.Int64
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			body := fmt.Sprintf(`{"request_type":"QUOTE","parties":[{"name":{"full":"Ada Byron%d"},"emails":[{"address":"ada%d@byron.example.com"}]}]}`, i, i)
			resp, err := w.service.Ingest(w.ctx, &capturev1.IngestRequest{
				Kind: capturev1.DocumentKind_DOCUMENT_KIND_LEAD, Body: []byte(body), IdempotencyKey: fmt.Sprint("key-", i),
			})
			if err != nil || resp.GetResults()[0].GetDecision() == nil {
				b.Error(resp, err)
				return
			}
		}
	})
	b.ReportMetric(float64(n.Load())/b.Elapsed().Seconds(), "leads/s")
}
