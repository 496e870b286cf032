package capture_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/capture"
)

// crowd are many leads; some are refused, and one is told more of than before.
func crowd() []*leadv1.Lead {
	leads := make([]*leadv1.Lead, 100)
	for i := range leads {
		leads[i] = someLead(i)
		leads[i].IdempotencyKey = fmt.Sprint("key ", i)
		leads[i].Identifiers = []*leadv1.Identifier{{Kind: leadv1.IdentifierKind_IDENTIFIER_KIND_SOURCE_LEAD, Source: "load", Value: fmt.Sprint(i)}}
		if i%20 == 7 {
			leads[i].Parties[0].Emails = nil // nobody to answer
		}
	}
	return leads
}

// image is what a world holds, row by row, without what its own secret makes of a lead.
func (w *world) image() (out []string) {
	w.t.Helper()
	for _, query := range []string{
		"SELECT 'lead ' || (to_jsonb(l) - '{bucket,lead_id,body,body_hash,lookup_keys,traceparent}'::text[])::text || array_length(lookup_keys, 1) || length(body) FROM lead l ORDER BY raw",
		"SELECT 'key ' || (to_jsonb(i) - '{bucket,lead_id,body_hash}'::text[])::text || (SELECT l.body_hash = i.body_hash FROM lead l WHERE l.lead_id = i.lead_id) FROM idempotency_key i ORDER BY key",
		"SELECT 'pending ' || (to_jsonb(p) - '{bucket,lead_id,attempts,next_attempt_at}'::text[])::text FROM pending p",
		"SELECT 'rejected ' || (to_jsonb(r) - '{bucket,lead_id}'::text[])::text FROM rejected r",
		"SELECT 'update ' || count(*) FROM lead_update",
		"SELECT 'event ' || (to_jsonb(o) - '{bucket,event_id,event}'::text[])::text || length(event) FROM outbox o",
	} {
		rows, err := w.pool.Query(w.ctx, query)
		if err != nil {
			w.t.Fatal(err)
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, list...)
	}
	return out
}

// Many leads at once leave the very rows that they leave in small groups.
func TestManyLeadsAreStoredAsFew(t *testing.T) {
	few, many := newWorld(t, capture.Config{}), newWorld(t, capture.Config{})
	for _, w := range []*world{few, many} {
		w.setDecide(refuse(problemv1.Reason_REASON_UNAVAILABLE)) // what is stored stays
		first := crowd()[:1]
		first[0].IdempotencyKey = ""
		w.batch(first...)
	}
	news := func() []*leadv1.Lead {
		leads := crowd()
		leads[0].Comments, leads[0].IdempotencyKey = "In red, please.", "" // more of a lead that is held
		return leads
	}
	for list := news(); len(list) > 0; list = list[10:] {
		few.batch(list[:10]...)
	}
	many.batch(news()...)
	want, got := few.image(), many.image()
	if n := many.places(); n.Leads != 100 || n.Rejected == 0 || n.Pending+n.Rejected != 100 {
		t.Errorf("places: %+v", n)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-few +many):\n%s", d)
	}
	for i, r := range many.batch(news()...) {
		if !r.GetDuplicateRequest() {
			t.Errorf("lead %d is taken twice: %v", i, r)
		}
	}
}
