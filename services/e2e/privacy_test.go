package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// mark stands in every text that this suite's customer gives away.
const mark = "zyxmark"

// marks are what must not be found where operators look: the mark, and what cannot carry it.
func marks(w *world) []string {
	list := []string{mark, "2125550186", "212-555-0186", "555-0186", "1931-07-19"}
	for _, token := range w.token {
		list = append(list, token)
	}
	return list
}

// marked is the lead of a customer whose every fact is marked.
func marked(key, more string) string {
	return fmt.Sprintf(`{"idempotency_key":%q,"request_type":"REQUEST_TYPE_QUOTE","origin":"ORIGIN_OEM","source":{"channel":"web","source":"oem_site"},
		"parties":[{"name":{"given":"Zyxmarkgiven","family":"Zyxmarkfamily"},"emails":[{"address":"zyxmark.%s@example.com"}],
		"phones":[{"number":"+1 212-555-0186"}],"born":"1931-07-19",
		"address":{"streets":["7 Zyxmark Street"],"city":"Zyxmarkville","postal_code":"85257","country":"US"}}],
		"vehicles":[{"make":"Norrvind","model":"Tindra","year":2026,"vin":"ZYXMARKV1N0000001","comments":"zyxmark car"}],"comments":"zyxmark comment"%s}`, key, key, more)
}

// privacy sends a marked customer down every road there is and looks for the marks where operators
// look.
func privacy(t *testing.T, w *world, c *watch, dealer *crm) {
	var errors strings.Builder // every body of an error, and every problem of a batch
	send := func(method, route, body string, header map[string]string) (int, []byte) {
		code, raw := w.callOnce(t, "oem", method, route, header, body)
		if code >= http.StatusBadRequest {
			fmt.Fprintf(&errors, "%s %d: %s\n", method, code, raw)
		}
		return code, raw
	}
	once := func(body string) (int, *capturev1.LeadResult) {
		r := &capturev1.LeadResult{}
		code, raw := send(http.MethodPost, "/v1/leads", body, nil)
		if code < http.StatusMultipleChoices {
			if err := unmarshal(raw, r); err != nil {
				t.Fatal(err)
			}
		}
		return code, r
	}
	lead := func(body string) (r *capturev1.LeadResult) {
		eventually(t, patience, "the lead is decided", func() bool {
			var code int
			code, r = once(body)
			return code != http.StatusServiceUnavailable && r.GetState() != leadv1.State_STATE_PENDING
		})
		return r
	}

	first := lead(marked("ok", chosenStore(pushedDealer)))
	if first.GetState() != leadv1.State_STATE_ASSIGNED {
		t.Fatalf("the marked lead is %v", first.GetState())
	}
	if again := lead(marked("ok2", chosenStore(pushedDealer)+`,"campaign":{"name":"spring"}`)); again.GetState() == leadv1.State_STATE_UNSPECIFIED {
		t.Errorf("a second inquiry is %v", again.GetState())
	}
	merged := lead(strings.Replace(marked("ok3", chosenStore(pushedDealer)), "zyxmark.ok3@", "zyxmark.ok@", 1))
	if merged.GetState() != leadv1.State_STATE_MERGED {
		t.Errorf("the same customer again is %v, want merged", merged.GetState())
	}
	if r := lead(`{"idempotency_key":"zyxmark-nobody","parties":[{"name":{"given":"Zyxmarkgiven","family":"Zyxmarkfamily"}}],"comments":"zyxmark"}`); r.GetState() != leadv1.State_STATE_REJECTED {
		t.Errorf("without a contact point it is %v", r.GetState())
	}
	lead(marked("ok", `,"comments_more":"zyxmark other body"`)) // the key is taken
	for _, body := range []string{
		`{"request_type":"zyxmark","parties":"zyxmark"}`, `{"parties":[{"name":{"given":"zyxmark"`, `"zyxmark"`, `{"zyxmark":`,
		`{"parties":[{"emails":[{"address":"zyxmark@@zyxmark"}],"phones":[{"number":"zyxmark"}]}],"vehicles":[{"year":"zyxmark","odometer":"zyxmark","price":{"minor":"zyxmark","currency":"zyxmark"}}],"requested_at":"zyxmark"}`,
		`{"idempotency_key":"` + strings.Repeat(mark, 60) + `","comments":"` + strings.Repeat(mark, 5_000) + `"}`,
	} {
		lead(body)
		send(http.MethodPost, "/v1/leads:batch", `{"leads":[`+body+`]}`, nil)
		send(http.MethodPost, "/v1/leads:score", `{"lead":`+body+`}`, nil)
	}
	for _, doc := range []string{
		"zyxmark is no document", `<?xml version="1.0"?><adf><prospect><customer><contact><name part="full">Zyxmark`,
		`<?xml version="1.0"?><adf><prospect><requestdate>zyxmark</requestdate><vehicle><year>zyxmark</year><make>zyxmark</make><vin>zyxmark</vin></vehicle>
		<customer><contact><name part="full">Zyxmark</name><email>zyxmark@example.com</email><phone>212-555-0186</phone></contact></customer></prospect></adf>`,
		"<adf>\xff\xfe zyxmark", `<!DOCTYPE zyxmark SYSTEM "http://127.0.0.1:1/zyxmark"><adf><prospect/></adf>`,
	} {
		send(http.MethodPost, "/v1/adf", doc, map[string]string{"Content-Type": "application/xml"})
	}
	send(http.MethodPost, "/v1/adf", "zyxmark", map[string]string{"Content-Type": "application/zyxmark", "Idempotency-Key": mark})
	for _, route := range []string{"/v1/leads/zyxmark", "/v1/persons/zyxmark", "/v1/zyxmark", "/v1/leads/" + first.GetLeadId() + "?color=zyxmark", "/v1/dealers/zyxmark/inbox", "/v1/deliveries?dealer_id=zyxmark&state=zyxmark"} {
		send(http.MethodGet, route, "", nil)
	}
	for route, body := range map[string]string{
		"/v1/activities:batch":                       `{"activities":[{"activity_id":"zyxmark","lead_id":"` + first.GetLeadId() + `","kind":"ACTIVITY_KIND_NOTE","person_id":"p","raw_code":"zyxmark","raw_text":"zyxmark 212-555-0186"}]}`,
		"/v1/outcomes:batch":                         `{"outcomes":[{"lead_id":"zyxmark","kind":"zyxmark"}]}`,
		"/v1/signals:batch":                          `{"signals":[{"kind":"zyxmark","party":{"emails":[{"address":"zyxmark"}]}}]}`,
		"/v1/leads/" + first.GetLeadId() + ":return": `{"code":"zyxmark","note":"zyxmark"}`,
		"/v1/appointments":                           `{"appointment":{"lead_id":"zyxmark","note":"zyxmark"}}`,
		"/v1/network:import":                         `{"files":[{"name":"zyxmark.csv","content":"enl4bWFyaw=="}]}`,
	} {
		send(http.MethodPost, route, body, nil)
		send(http.MethodPost, route, `{"`+strings.TrimPrefix(body, `{"`)[:3]+`zyxmark`, nil)
	}
	errors.WriteString(overGRPC(t, w))
	dealer.refuse.Store(true)
	lead(strings.ReplaceAll(marked("push", chosenStore(pushedDealer)), `"Tindra"`, `"Lomvi 5"`)) // merges or is pushed: both fail to arrive
	lead(marked("push2", chosenStore(pushedDealer)+`,"line":"LINE_SERVICE"`))
	brokenDatabase(t, w, once)
	send(http.MethodPost, "/v1/leads/"+first.GetLeadId()+":decline", `{"code":"DECLINE_CODE_NO_CAPACITY","note":"zyxmark does not answer 212-555-0186"}`, nil)
	eventually(t, patience, "a push failed", func() bool { return len(riverRows(t, w, "errors IS NOT NULL")) > 0 })
	dealer.refuse.Store(false)
	if !strings.Contains(w.written(), `"level":"DEBUG"`) {
		t.Error("the log is not at its most talkative")
	}
	for place, text := range map[string]string{
		"the log": w.written(), "spans and metrics sent": c.told(), "/metrics": w.openMetrics(t), "errors answered": errors.String(), "the queue": riverRows(t, w, "true"),
	} {
		if text == "" {
			t.Errorf("nothing was written to %s: the test looks at the wrong place", place)
		}
		low := strings.ToLower(text)
		for _, m := range marks(w) {
			if i := strings.Index(low, strings.ToLower(m)); i >= 0 {
				t.Errorf("%s holds personal data: ...%s...", place, text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
}

// overGRPC sends the marked customer to the doors of gRPC, well and badly, and returns what was
// answered as wrong.
func overGRPC(t *testing.T, w *world) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(w.as(t.Context(), "oem"), patience)
	defer cancel()
	good, bad := &leadv1.Lead{}, &leadv1.Lead{}
	if err := unmarshal([]byte(marked("grpc", "")), good); err != nil {
		t.Fatal(err)
	}
	if err := unmarshal([]byte(marked("grpcbad", "")), bad); err != nil {
		t.Fatal(err)
	}
	bad.LeadId, bad.Comments = "zyxmark", strings.Repeat("zyxmark ", 5_000)
	bad.Parties[0].Born = "zyxmark"
	bad.RequestedAt = &timestamppb.Timestamp{Seconds: -1 << 60}
	var out strings.Builder
	resp, err := capturev1.NewCaptureServiceClient(w.grpc).BatchCreateLeads(ctx, &capturev1.BatchCreateLeadsRequest{Leads: []*leadv1.Lead{good, bad}})
	fmt.Fprintf(&out, "%v\n", err)
	for _, r := range resp.GetResults() {
		fmt.Fprintf(&out, "%v\n", r.GetProblem())
	}
	_, err = capturev1.NewCaptureServiceClient(w.grpc).GetLead(ctx, &capturev1.GetLeadRequest{LeadId: mark})
	fmt.Fprintf(&out, "%v\n", err)
	st, err := routingv1.NewDecisionServiceClient(w.routing(t)).Decide(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range []*leadv1.Lead{good, bad} {
		for mode := range routingv1.DecideMode_name {
			r := &routingv1.DecideRequest{Sequence: uint64(10*i) + uint64(mode), Mode: routingv1.DecideMode(mode), Lead: l, PersonId: mark, Traceparent: mark}
			if err := st.Send(r); err != nil {
				t.Fatal(err)
			}
			answer, err := st.Recv()
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "%v\n", answer.GetProblem())
		}
	}
	if err := st.CloseSend(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// riverRows are the rows of the queue of pushes, as text.
func riverRows(t *testing.T, w *world, where string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), w.db)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var rows string
	if err := conn.QueryRow(t.Context(), `SELECT coalesce(string_agg(j::text, E'\n'), '') FROM routing_river.river_job j WHERE `+where).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// brokenDatabase lets every service's writes fail for a moment.
func brokenDatabase(t *testing.T, w *world, once func(string) (int, *capturev1.LeadResult)) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), w.db)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	exec := func(sql string) {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	for i, table := range []string{"capture.lead", "identity.person", "routing.decision"} {
		exec("ALTER TABLE " + table + " ADD CONSTRAINT broken CHECK (false) NOT VALID")
		_, r := once(strings.ReplaceAll(marked(fmt.Sprintf("db%d", i), chosenStore(pushedDealer)), "mark", fmt.Sprintf("mark%d", i)))
		if s := r.GetState(); s != leadv1.State_STATE_UNSPECIFIED && s != leadv1.State_STATE_PENDING {
			t.Errorf("with a broken %s the lead is %v", table, s)
		}
		exec("ALTER TABLE " + table + " DROP CONSTRAINT broken")
	}
}
