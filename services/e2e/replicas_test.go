package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/audit"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// TestReplicas runs every service twice on one database: capacity is exact, rotation is fair, and
// a lead that both drive is decided once.
func TestReplicas(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two houses")
	}
	a := inProcess(t, nil)
	b := inProcess(t, func(c *house.Config) { c.DatabaseURL = a.db })
	b.db = a.db
	r := &replicas{worlds: []*world{a, b}}
	for _, c := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"a store takes no more than it declared", r.capacity},
		{"a chosen store goes over what it declared, and that is counted", r.overCapacity},
		{"equal persons take turns", r.rotation},
		{"a lead that both drive is decided once", r.pending},
	} {
		t.Run(c.name, c.run)
	}
	eventually(t, patience, "all events are in the log", func() bool {
		return a.database(t).count(t, `SELECT (SELECT count(*) FROM capture.outbox) + (SELECT count(*) FROM routing.outbox)`) == 0
	})
	lawsKept(t, a, r.sent)
}

// replicas are two houses on one database.
type replicas struct {
	worlds []*world
	sent   int
}

// send submits n leads of different customers through both replicas at once.
func (r *replicas) send(t *testing.T, name string, n int, more string) []*leadv1.Decision {
	t.Helper()
	decisions := make([]*leadv1.Decision, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			s := &submission{name: fmt.Sprintf("%s-%d", name, i), kind: "lead", body: fmt.Sprintf(
				`{"request_type":"REQUEST_TYPE_QUOTE","origin":"ORIGIN_OEM","parties":[{"name":{"given":"Replica","family":"%s%d"},
				"emails":[{"address":"%s-%d@example.com"}],"address":{"postal_code":"80001","country":"US"}}],
				"vehicles":[{"make":"Norrvind","model":"Skarv","year":2026}]%s}`, name, i, name, i, more)}
			a := r.worlds[i%2].submit(t.Context(), s)
			if a.code >= http.StatusMultipleChoices || a.err != nil {
				t.Errorf("%s was answered %d %s %v", s.name, a.code, a.reason, a.err)
				return
			}
			decisions[i] = a.results[0].GetDecision()
		})
	}
	wg.Wait()
	r.sent += n
	return decisions
}

// change puts a changed dealer and waits until both replicas decide with it.
func (r *replicas) change(t *testing.T, id string, change func(*routingv1.Dealer)) {
	t.Helper()
	got := &routingv1.GetDealerResponse{}
	r.worlds[0].get(t, "ops", "/v1/dealers/"+id, got)
	d := proto.CloneOf(got.GetDealer())
	change(d)
	d.Name += " (" + t.Name() + ")"
	body, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if code, raw := r.worlds[0].call(t, "ops", http.MethodPut, "/v1/dealers/"+id, nil, string(body)); code != http.StatusOK {
		t.Fatalf("putting the dealer was answered %d %s", code, raw)
	}
	for _, w := range r.worlds {
		eventually(t, patience, "a replica knows the change", func() bool { return w.nameOf(t, id) == d.GetName() })
	}
}

// nameOf is the name that a replica's decisions give a store.
func (w *world) nameOf(t *testing.T, id string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(w.as(t.Context(), "oem"), patience)
	defer cancel()
	st, err := routingv1.NewDecisionServiceClient(w.grpc).Decide(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r := quote(1)
	r.Lead.Dealer, r.Lead.DealerChoice = &leadv1.DealerReference{DealerId: id}, leadv1.DealerChoice_DEALER_CHOICE_CUSTOMER_CHOSE
	if err := st.Send(r); err != nil {
		t.Fatal(err)
	}
	answer, err := st.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetDecision().GetAssignment().GetDealerName()
}

// capacity lets both replicas fill a store that takes five leads a day.
func (r *replicas) capacity(t *testing.T) {
	const store, limit = "nv-co-001", 5
	r.change(t, store, func(d *routingv1.Dealer) {
		for _, p := range d.GetDepartments() {
			if p.GetDepartment() == leadv1.Department_DEPARTMENT_NEW {
				p.CapacityPerDay = limit
			}
		}
	})
	r.send(t, "capacity", 40, "")
	r.settle(t)
	db := r.worlds[0].database(t)
	if n := db.count(t, `SELECT count(*) FROM routing.assignment WHERE dealer_id = $1`, store); n != limit {
		t.Errorf("the store has %d leads, it takes %d", n, limit)
	}
	if over := db.capped(t, store, limit); len(over) > 0 {
		t.Errorf("leads whose store nobody chose are over capacity: %v", over)
	}
}

// overCapacity lets customers choose a store that takes five leads a day: all of them get it, and
// each beyond the fifth says so, exactly.
func (r *replicas) overCapacity(t *testing.T) {
	const store, limit, leads = "nv-co-003", 5, 23
	r.change(t, store, func(d *routingv1.Dealer) {
		for _, p := range d.GetDepartments() {
			if p.GetDepartment() == leadv1.Department_DEPARTMENT_NEW {
				p.CapacityPerDay = limit
			}
		}
	})
	db := r.worlds[0].database(t)
	had := db.count(t, `SELECT count(*) FROM routing.assignment WHERE dealer_id = $1`, store)
	r.send(t, "over", leads, `,"dealer":{"dealer_id":"`+store+`"},"dealer_choice":"DEALER_CHOICE_CUSTOMER_CHOSE"`)
	r.settle(t)
	if n := db.count(t, `SELECT count(*) FROM routing.assignment WHERE dealer_id = $1`, store); n != had+leads {
		t.Errorf("the store has %d leads more, %d customers chose it", n-had, leads)
	}
	over := db.capped(t, store, limit)
	if want := min(had+leads-limit, leads); len(over) != want {
		t.Errorf("%d leads are over capacity, want %d", len(over), want)
	}
	for _, id := range over {
		got := &capturev1.GetLeadResponse{}
		if r.worlds[1].get(t, "oem", "/v1/leads/"+id, got); !slices.Contains(got.GetDecision().GetFlags(), lead.FlagOverCapacity) {
			t.Errorf("lead %s is over capacity and says %v", id, got.GetDecision().GetFlags())
		}
	}
}

// grants are what a store's grants went by and came to, by lead.
func (d database) grants(t *testing.T, store string) map[string]routing.GrantFacts {
	t.Helper()
	rows, err := d.conn.Query(t.Context(), `SELECT lead_id::text, grant_facts FROM routing.assignment JOIN routing.decision USING (bucket, lead_id)
		WHERE assignment.dealer_id = $1 AND NOT test`, store)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]routing.GrantFacts{}
	var id string
	var raw []byte
	if _, err := pgx.ForEachRow(rows, []any{&id, &raw}, func() error {
		var g routing.GrantFacts
		err := json.Unmarshal(raw, &g)
		out[id] = g
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// capped checks that a store's grants counted down from its limit one by one, whichever replica gave
// them: each number of places left was taken once, and who came when there were none chose the store
// and was counted. It returns those.
func (d database) capped(t *testing.T, store string, limit int64) (over []string) {
	t.Helper()
	taken := map[int64]int{}
	for id, g := range d.grants(t, store) {
		if !g.Capacity.Declared {
			continue // from before the store said so
		}
		if g.Verdict == routing.VerdictOverCapacity {
			over = append(over, id)
		}
		if beyond := g.Verdict == routing.VerdictOverCapacity; beyond != (g.Capacity.Free <= 0) || beyond && g.Ask.Refusable {
			t.Errorf("a lead was granted as %s with %d places left", g.Verdict, g.Capacity.Free)
		}
		taken[g.Capacity.Free]++
	}
	for free, n := range taken {
		if n != 1 || free > limit {
			t.Errorf("%d leads were granted the same place, with %d left of %d", n, free, limit)
		}
	}
	return over
}

// rotation lets both replicas give leads to a store with three equal persons.
func (r *replicas) rotation(t *testing.T) {
	const store, leads = "nv-co-002", 31
	r.change(t, store, func(d *routingv1.Dealer) {
		for _, p := range d.GetDepartments() {
			p.PersonSetting, p.BdcDealerId, p.CapacityPerDay = "LEADMESH", "", 0
		}
		d.Roster = nil
		for _, id := range []string{"x", "y", "z"} {
			d.Roster = append(d.Roster, &routingv1.RosterPerson{
				PersonId: store + "-" + id, Name: "Person " + id, Roles: []leadv1.Role{leadv1.Role_ROLE_SALES}, Languages: []string{"en"}, Active: true,
			})
		}
	})
	r.send(t, "rotation", leads, `,"dealer":{"dealer_id":"`+store+`"},"dealer_choice":"DEALER_CHOICE_CUSTOMER_CHOSE"`)
	r.settle(t)
	db := r.worlds[0].database(t)
	counts := map[string]int{}
	for _, id := range []string{"x", "y", "z"} {
		counts[id] = db.count(t, `SELECT count(*) FROM routing.assignment WHERE dealer_id = $1 AND person_id = $2`, store, store+"-"+id)
	}
	if sum := counts["x"] + counts["y"] + counts["z"]; sum < leads {
		t.Errorf("%d leads have a person, there are %d", sum, leads)
	}
	if hi, lo := max(counts["x"], counts["y"], counts["z"]), min(counts["x"], counts["y"], counts["z"]); hi-lo > 1 {
		t.Errorf("the persons have %v leads", counts)
	}
	// A grant knows who had the turn before it, so the grants of both replicas make one chain.
	before := map[string]int{}
	for _, g := range db.grants(t, store) {
		if !strings.HasPrefix(g.Person, store+"-") {
			continue // from before the roster was put
		}
		if g.Person == g.Last {
			t.Errorf("%s had two turns in a row among %d", g.Person, len(g.Persons))
		}
		before[g.Last]++
	}
	for _, id := range []string{"x", "y", "z"} { // all who had a turn are followed, but for the last
		if n := before[store+"-"+id]; n != counts[id] && n != counts[id]-1 {
			t.Errorf("%d turns followed those of %s, who had %d", n, id, counts[id])
		}
	}
}

// pending holds decisions up, and has both replicas drive the same leads when they may go on.
func (r *replicas) pending(t *testing.T) {
	const leads = 30
	db := r.worlds[0].database(t)
	release := r.worlds[0].hold(t, "routing.decision")
	r.send(t, "pending", leads, "")
	// The replica that took a lead in has it in its commit group by now. Without its lease the
	// drivers of both take the leads up again.
	db.exec(t, `UPDATE capture.pending SET next_attempt_at = now() - interval '1 second'`)
	eventually(t, patience, "the leads are taken up again", func() bool {
		return db.count(t, `SELECT count(*) FROM capture.pending WHERE next_attempt_at <= now()`) == 0
	})
	release()
	r.settle(t)
	eventually(t, patience, "the decisions are in the log", func() bool {
		return db.count(t, `SELECT count(*) FROM routing.outbox`) == 0
	})
	if n := db.count(t, `SELECT count(*) FROM (SELECT lead_id FROM feedback.event WHERE type = 'leadmesh.lead.decided.v1'
		GROUP BY lead_id HAVING count(*) > 1) AS x`); n != 0 {
		t.Errorf("%d leads were decided twice", n)
	}
	if n := db.count(t, `SELECT count(*) FROM capture.lead l WHERE 1 <> (SELECT count(*) FROM routing.decision d WHERE d.lead_id = l.lead_id)
		OR 1 <> (SELECT count(*) FROM routing.receipt r WHERE r.lead_id = l.lead_id)`); n != 0 {
		t.Errorf("%d leads have other than one decision with one receipt", n)
	}
	// What capacity counts is what was assigned, so nothing was consumed by a second decision.
	rows, err := db.conn.Query(t.Context(), `SELECT lead_id::text FROM routing.assignment`)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	pool, err := audit.Open(t.Context(), r.worlds[0].db)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for _, text := range ids {
		id, err := lead.ParseID(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := audit.Replay(t.Context(), pool, id); err != nil {
			t.Errorf("the grants of %s do not replay: %v", text, err)
		}
	}
	granted := db.count(t, `SELECT coalesce(sum(g.value::int), 0) FROM routing.capacity c, jsonb_each_text(c.book -> 'granted') AS g`)
	if granted != len(ids) {
		t.Errorf("%d leads are assigned, the books have granted %d", len(ids), granted)
	}
}

// settle waits until nothing is pending.
func (r *replicas) settle(t *testing.T) {
	t.Helper()
	db := r.worlds[0].database(t)
	eventually(t, patience, "everything is decided", func() bool {
		return db.count(t, `SELECT count(*) FROM capture.pending`) == 0
	})
}
