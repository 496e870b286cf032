package routing

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/routing"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/audit"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/outbox"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/stream"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// monday is 10:00 in New York on a working Monday; the stores of the world are open.
var monday = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)

// world is a service with a small network: three stores near each other, in this order, and the
// desk. a and b name persons, c leaves that to its own system.
type world struct {
	t    testing.TB
	pool *pgxpool.Pool
	s    *Service
	rb   *rulebook
	now  time.Time
	made int
}

// newWorld makes a world in a database of its own. When the test ends, the laws must hold.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, now: monday, pool: pgtest.New(t, Migrations()).Pool("routing")}
	w.s = w.replica()
	w.rb = w.s.engine.rules.Load()
	t.Cleanup(w.checkLaws)
	return w
}

// replica is another service on the same database and clock.
func (w *world) replica() *Service {
	w.t.Helper()
	ctx := context.Background()
	tel, err := telemetry.New(ctx, telemetry.Config{Service: "routing", LogWriter: io.Discard})
	if err != nil {
		w.t.Fatal(err)
	}
	now := func() time.Time { return w.now }
	store, err := postgres.NewStore(w.pool)
	if err != nil {
		w.t.Fatal(err)
	}
	s := &Service{
		cfg: Config{Window: 64, Group: 64, Committers: 2}, store: store, stream: stream.NewServer(64),
		relay: outbox.NewRelay(w.pool, nil, tel.Log, now), tel: tel, log: tel.Log, now: now,
	}
	s.verdicts.New, s.inquiries.New = func() any { return &verdict{} }, func() any { return &inquiry{} }
	s.committer = newCommitter(s)
	if s.metrics, err = newMetrics(s); err != nil {
		w.t.Fatal(err)
	}
	if s.shadows, err = newShadowBook(tel, nil); err != nil {
		w.t.Fatal(err)
	}
	if s.push, err = newPusher(WebhookConfig{}, s, w.pool); err != nil {
		w.t.Fatal(err)
	}
	view, err := newNetworkView(testNetwork())
	if err != nil {
		w.t.Fatal(err)
	}
	rb, err := newRulebook(&playbookfeed.Snapshot{Playbook: samplePlaybook(w.t), Secret: []byte("0123456789abcdef0123456789abcdef")}, view)
	if err != nil {
		w.t.Fatal(err)
	}
	s.engine.rules.Store(rb)
	return s
}

// samplePlaybook reads the playbook that the product comes with.
func samplePlaybook(t testing.TB) *playbook.Playbook {
	t.Helper()
	root := filepath.Join("..", "..", "deploy", "sample", "playbook")
	files := playbook.Files{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p, mistakes := playbook.Read(files)
	if p == nil {
		t.Fatalf("the sample playbook has mistakes: %v", mistakes)
	}
	return p
}

const testBrand = "NORRVIND"

func testNetwork() *postgres.NetworkRows {
	store := func(id, setting string, longitude float64, persons ...string) *routingv1.Dealer {
		d := &routingv1.Dealer{
			DealerId: id, Name: "Store " + id, Kind: "ROOFTOP", Group: id, LegalEntity: id, Country: "US", PostalCode: "10001",
			Latitude: 40.75, Longitude: longitude, TimeZone: "America/New_York", Status: "LIVE",
		}
		for _, kind := range []leadv1.Department{leadv1.Department_DEPARTMENT_NEW, leadv1.Department_DEPARTMENT_SERVICE} {
			d.Departments = append(d.Departments, &routingv1.DealerDepartment{
				Department: kind, Brands: []string{testBrand}, Hours: "mo-su 00:00-24:00", PersonSetting: setting,
				Languages: []string{"en"}, Delivery: deliveryInbox,
			})
		}
		for _, p := range persons {
			d.Roster = append(d.Roster, &routingv1.RosterPerson{
				PersonId: id + "-" + p, Active: true, Roles: []leadv1.Role{leadv1.Role_ROLE_SALES, leadv1.Role_ROLE_SERVICE_ADVISOR}, Languages: []string{"en"},
			})
		}
		return d
	}
	desk := store("nv-desk", "LEADMESH", -80, "1")
	desk.Kind = "DESK"
	b := store("b", "LEADMESH", -73.90, "1", "2")
	b.Departments[0].CapacityPerDay = 2
	return &postgres.NetworkRows{
		Revision: "1",
		Dealers:  []*routingv1.Dealer{store("a", "LEADMESH", -73.99, "1", "2"), b, store("c", "CRM", -73.80), desk},
		Points:   []routing.PostalPoint{{Country: "US", Postal: "10001", Region: "NY", Latitude: 40_750_000, Longitude: -73_990_000}},
		Territories: []routing.Territory{
			{Country: "US", Postal: "10001", Brand: testBrand, Dealer: "a"},
		},
	}
}

// customer makes the lead of another customer; change alters it.
func (w *world) customer(change func(*leadv1.Lead)) lead.ID {
	w.t.Helper()
	w.made++
	return w.inquire(fmt.Sprint("person ", w.made), change)
}

// inquire decides and commits a lead of a person.
func (w *world) inquire(person string, change func(*leadv1.Lead)) lead.ID {
	w.t.Helper()
	q := w.inquiry(person, change)
	w.commit(q)
	return q.lead.ID
}

// inquiry is a lead of a person that waits for its decision.
func (w *world) inquiry(person string, change func(*leadv1.Lead)) *inquiry {
	w.t.Helper()
	w.made++
	id := lead.NewID([]byte("test"), "lead", fmt.Sprint(w.made))
	p := &leadv1.Lead{
		LeadId: id.String(), Line: leadv1.Line_LINE_SALES, RequestType: leadv1.RequestType_REQUEST_TYPE_QUOTE, Origin: leadv1.Origin_ORIGIN_OEM,
		Brand: testBrand, Market: "US", ReceivedAt: timestamppb.New(w.now), RequestedAt: timestamppb.New(w.now), Language: "en",
		Source: &leadv1.Source{Source: "web"},
		Parties: []*leadv1.Party{{
			Role: leadv1.PartyRole_PARTY_ROLE_PRIMARY, Name: &leadv1.Name{Given: "Ada", Family: "Moe"},
			Phones:  []*leadv1.Phone{{Number: "+12125550123", E164: "+12125550123", Valid: true}},
			Emails:  []*leadv1.Email{{Raw: "ada@example.com", Address: "ada@example.com", Valid: true}},
			Address: &leadv1.Address{PostalCode: "10001", Country: "US"},
		}},
	}
	if change != nil {
		change(p)
	}
	l, violations := leadconv.FromProto(p)
	if len(violations) > 0 {
		w.t.Fatalf("test lead: %v", violations)
	}
	raw, err := proto.Marshal(p)
	if err != nil {
		w.t.Fatal(err)
	}
	return &inquiry{lead: l, rawLead: raw, person: lead.NewID([]byte("test"), "person", person), attempt: 1, mergeable: mergeable(&l)}
}

// commit decides inquiries in one group.
func (w *world) commit(list ...*inquiry) {
	w.t.Helper()
	var failed error
	var jobs []*job
	for _, q := range list {
		jobs = append(jobs, &job{
			ctx: w.t.Context(), inquiry: q, started: time.Now(), deadline: time.Now().Add(time.Minute),
			finish: func(_ *leadv1.Decision, err error) {
				if err != nil {
					failed = err
				}
			},
		})
	}
	w.s.committer.group(w.t.Context(), jobs)
	if failed != nil {
		w.t.Fatal(failed)
	}
}

func chooses(dealer string) func(*leadv1.Lead) {
	return func(p *leadv1.Lead) {
		p.DealerChoice, p.Dealer = leadv1.DealerChoice_DEALER_CHOICE_CUSTOMER_CHOSE, &leadv1.DealerReference{DealerId: dealer}
	}
}

func (w *world) kase(id lead.ID) *postgres.Case {
	w.t.Helper()
	k, err := w.s.store.Case(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

// pass lets time go by and sweeps, as the loop would.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.now = w.now.Add(d)
	if _, err := w.s.sweepOnce(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) as(dealer string) context.Context {
	return rpc.WithCaller(w.t.Context(), rpc.Caller{Name: "dealer " + dealer, Roles: []rpc.Role{rpc.RoleDealer}, DealerID: dealer})
}

func (w *world) accept(dealer string, id lead.ID) *routingv1.LeadCase {
	w.t.Helper()
	resp, err := w.s.AcceptLead(w.as(dealer), &routingv1.AcceptLeadRequest{LeadId: id.String()})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.GetLeadCase()
}

func (w *world) decline(dealer string, id lead.ID) *routingv1.LeadCase {
	w.t.Helper()
	resp, err := w.s.DeclineLead(w.as(dealer), &routingv1.DeclineLeadRequest{LeadId: id.String(), Code: leadv1.DeclineCode_DECLINE_CODE_TOO_FAR})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.GetLeadCase()
}

// apply reports activities and answers what came of them, as "applied" or the reason.
func (w *world) apply(activities []*feedbackv1.Activity, outcomes ...*feedbackv1.Outcome) []string {
	w.t.Helper()
	resp, err := w.s.ApplyActivities(w.t.Context(), &routingv1.ApplyActivitiesRequest{Activities: activities, Outcomes: outcomes})
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, a := range resp.GetApplications() {
		if a.GetApplied() {
			out = append(out, "applied")
		} else {
			out = append(out, a.GetReason())
		}
	}
	return out
}

// call is a connected call of a named person that lasted a while.
func (w *world) call(id lead.ID, name, dealer string, at time.Time) *feedbackv1.Activity {
	return &feedbackv1.Activity{
		ActivityId: name, LeadId: id.String(), Kind: feedbackv1.ActivityKind_ACTIVITY_KIND_CALL, CallResult: leadv1.CallResult_CALL_RESULT_NO_ANSWER,
		OccurredAt: timestamppb.New(at), PersonId: dealer + "-1", DealerId: dealer,
	}
}

func (w *world) outcome(id lead.ID, name, dealer string, kind feedbackv1.OutcomeKind) *feedbackv1.Outcome {
	return &feedbackv1.Outcome{OutcomeId: name, LeadId: id.String(), Kind: kind, DealerId: dealer, OccurredAt: timestamppb.New(w.now)}
}

// events reads what was recorded about a lead, each as its kind with what tells it apart.
func (w *world) events(id lead.ID) []string {
	w.t.Helper()
	var out []string
	for _, e := range w.rawEvents() {
		if e.GetLeadId() == id.String() {
			out = append(out, spell(e))
		}
	}
	return out
}

func spell(e *leadv1.Event) string {
	kind := strings.TrimSuffix(strings.TrimPrefix(e.GetType(), "leadmesh.lead."), ".v1")
	f := e.GetFacts()
	for _, more := range []string{f.GetKind(), f.GetCode(), f.GetVerdict()} {
		if more != "" {
			kind += " " + more
		}
	}
	return kind
}

func (w *world) rawEvents() []*leadv1.Event {
	w.t.Helper()
	rows, err := w.pool.Query(context.Background(), "SELECT event FROM outbox ORDER BY recorded_at")
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	var out []*leadv1.Event
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			w.t.Fatal(err)
		}
		e := &leadv1.Event{}
		if err := proto.Unmarshal(raw, e); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func count(list []string, want string) int {
	n := 0
	for _, s := range list {
		if s == want {
			n++
		}
	}
	return n
}

// wrongBooks counts the persons who work another number of leads than the book of their store says.
const wrongBooks = `SELECT count(*) FROM capacity c, jsonb_each(c.book -> 'persons') p
	WHERE coalesce((p.value ->> 'open')::int, 0) <> (SELECT count(*) FROM assignment a JOIN decision d USING (bucket, lead_id)
		WHERE a.dealer_id = c.dealer_id AND a.person_id = p.key AND NOT d.test)`

// checkLaws checks the laws that must hold whatever was done: a lead is open if and only if it has
// an owner, only open leads hold interest, books know exactly the open work, every decision can be
// replayed, and nothing was told twice.
func (w *world) checkLaws() {
	ctx := context.Background()
	for _, law := range []struct{ name, violations string }{
		{"open without owner or owned without being open", `SELECT count(*) FROM decision d
			WHERE (d.state BETWEEN 5 AND 9) <> EXISTS (SELECT 1 FROM assignment a WHERE a.bucket = d.bucket AND a.lead_id = d.lead_id)`},
		{"owner of another dealer than the decision says", `SELECT count(*) FROM decision d JOIN assignment a USING (bucket, lead_id)
			WHERE a.dealer_id <> d.dealer_id`},
		{"interest of a lead that is not open", `SELECT count(*) FROM open_interest i JOIN decision d ON d.lead_id = i.lead_id
			WHERE d.state NOT BETWEEN 5 AND 9`},
		{"interest of another dealer than the owner", `SELECT count(*) FROM open_interest i JOIN decision d ON d.lead_id = i.lead_id
			WHERE i.dealer_id NOT IN ('', d.dealer_id)`},
		{"book with other open work than there is", wrongBooks},
	} {
		var n int
		if err := w.pool.QueryRow(ctx, law.violations).Scan(&n); err != nil {
			w.t.Errorf("%s: %v", law.name, err)
		}
		if n > 0 {
			w.t.Errorf("%d: %s", n, law.name)
		}
	}
	rows, err := w.pool.Query(ctx, "SELECT lead_id::text FROM decision")
	if err != nil {
		w.t.Fatal(err)
	}
	var list []lead.ID
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			w.t.Fatal(err)
		}
		id, err := lead.ParseID(text)
		if err != nil {
			w.t.Fatal(err)
		}
		list = append(list, id)
	}
	for _, id := range list {
		attempts, err := audit.Replay(ctx, w.pool, id)
		if err != nil {
			w.t.Errorf("lead %s cannot be replayed: %v", id, err)
		}
		for i, a := range attempts {
			if a.Err != nil || !bytes.Equal(a.Stored, a.Replayed) {
				w.t.Errorf("attempt %d of lead %s cannot be replayed: %v", i+1, id, a.Err)
			}
		}
	}
	told := map[string]bool{}
	for _, e := range w.rawEvents() {
		f := e.GetFacts()
		key := fmt.Sprint(e.GetLeadId(), " ", spell(e), " ", f.GetRole(), f.GetDeadlineKind(), f.GetAttempt(), f.GetRelatedId(), e.GetOccurredAt().AsTime())
		if told[key] {
			w.t.Errorf("told twice: %s", key)
		}
		told[key] = true
	}
}

func wantReason(t testing.TB, err error, want problemv1.Reason) {
	t.Helper()
	if err == nil || problem.From(err).Reason != want {
		t.Fatalf("want %s, got %v", want, err)
	}
}
