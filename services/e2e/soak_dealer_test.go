package e2e_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/protobuf/proto"
)

// dealerFlow is a dealer's side of Law 1: what came in and went out by the log, and where its leads
// stand by the figures. Who declines a lead has given it back as who returns it.
type dealerFlow struct {
	assigned, transferredIn  int
	open, won, lost, expired int
	transferredOut, returned int
}

func (b *dealerFlow) holds() bool {
	return b.assigned+b.transferredIn == b.open+b.won+b.lost+b.expired+b.transferredOut+b.returned
}

// dealersBalance holds each dealer's equation up to the log and the figures.
func (d database) dealersBalance(t *testing.T) {
	t.Helper()
	dealers := map[string]*dealerFlow{}
	of := func(id string) *dealerFlow {
		if dealers[id] == nil {
			dealers[id] = &dealerFlow{}
		}
		return dealers[id]
	}
	rows, err := d.conn.Query(t.Context(), `SELECT type, facts FROM feedback.event WHERE source = 'routing'`)
	if err != nil {
		t.Fatal(err)
	}
	var kind string
	var raw []byte
	if _, err := pgx.ForEachRow(rows, []any{&kind, &raw}, func() error {
		f := &leadv1.EventFacts{}
		if err := proto.Unmarshal(raw, f); err != nil {
			return err
		}
		switch strings.TrimSuffix(strings.TrimPrefix(kind, "leadmesh.lead."), ".v1") {
		case "decided":
			if f.GetState() == lead.StateAssigned.String() {
				of(f.GetDealerId()).assigned++
			}
		case "transferred":
			of(f.GetDealerId()).transferredIn++
			of(f.GetRelatedId()).transferredOut++
		case "declined", "returned":
			of(f.GetDealerId()).returned++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	// A merged lead names the dealer of its decision, who never had it: an open lead is merged only
	// after its owner declined it, so there is none to count.
	rows, err = d.conn.Query(t.Context(), `SELECT dealer_id, count(*) FILTER (WHERE state BETWEEN 5 AND 9),
		count(*) FILTER (WHERE state = 10), count(*) FILTER (WHERE state = 11), count(*) FILTER (WHERE state = 12)
		FROM feedback.lead_fact WHERE dealer_id <> '' GROUP BY dealer_id`)
	if err != nil {
		t.Fatal(err)
	}
	var dealer string
	var open, won, lost, expired int
	if _, err := pgx.ForEachRow(rows, []any{&dealer, &open, &won, &lost, &expired}, func() error {
		b := of(dealer)
		b.open, b.won, b.lost, b.expired = open, won, lost, expired
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for id, b := range dealers {
		if !b.holds() {
			t.Errorf("the figures of %s do not dealerFlow: %+v", id, *b)
		}
	}
	if len(dealers) < len(soakStores) {
		t.Errorf("%d dealers have figures, at least %d had leads", len(dealers), len(soakStores))
	}
}
