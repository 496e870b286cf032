package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// mix makes submissions of every sort: customers who ask again, here or of another store, stores
// that have no more capacity, test leads, leads that are refused or parked.
type mix struct {
	mu     sync.Mutex
	random *rand.Rand
	past   []*submission // some of them come a second time
}

func newMix(seed uint64) *mix { return &mix{random: rand.New(rand.NewPCG(seed, 2))} }

// soakStores lie near each other, so that they fill up and customers go from one to the other.
var soakStores = []string{"nv-co-001", "nv-co-002", "nv-co-003", "nv-co-004", "nv-co-005", "nv-co-006"}

// postalCodesOfSoak lie near these stores, most of them.
var postalCodesOfSoak = append([]string{"80205", "80920", "80260", "80550", "80120"}, postalCodes...)

// submission makes the n-th request, or one that was made before.
func (m *mix) submission(kind string, n int) *submission {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.past) > 0 && m.random.IntN(12) == 0 {
		if old := m.past[m.random.IntN(len(m.past))]; old.kind == kind {
			again := *old
			again.held = nil
			return &again
		}
	}
	s := &submission{name: "soak-" + strconv.Itoa(n), kind: kind}
	switch kind {
	case "lead":
		s.body = restBody(m.lead(n))
	case "list":
		var list []string
		for i := range 1 + m.random.IntN(8) {
			l := m.lead(n)
			l.IdempotencyKey = s.name + "-" + strconv.Itoa(i)
			s.leads, list = append(s.leads, l), append(list, restBody(l))
		}
		s.body = `{"leads":[` + strings.Join(list, ",") + `]}`
	case "adf":
		s.body = newSubmission(kind, n).body
	case "batch":
		for i := range 1 + m.random.IntN(12) {
			l := m.lead(n)
			l.IdempotencyKey = s.name + "-" + strconv.Itoa(i)
			s.leads = append(s.leads, l)
		}
	}
	if m.past = append(m.past, s); len(m.past) > 100 {
		m.past = m.past[1:]
	}
	return s
}

func restBody(l *leadv1.Lead) string {
	raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(l)
	if err != nil {
		panic(err) // a lead of ours
	}
	return string(raw)
}

// lead makes a lead of a customer who may have asked a moment ago.
func (m *mix) lead(n int) *leadv1.Lead {
	r := m.random
	some := func(percent int) bool { return r.IntN(100) < percent }
	who := strconv.Itoa(n) + "x" + strconv.Itoa(r.IntN(1_000))
	if some(35) {
		who = strconv.Itoa(n/8) + "y" // a handful of customers who keep asking
	}
	l := &leadv1.Lead{
		RequestType: []leadv1.RequestType{
			leadv1.RequestType_REQUEST_TYPE_QUOTE, leadv1.RequestType_REQUEST_TYPE_QUOTE, leadv1.RequestType_REQUEST_TYPE_BROCHURE, leadv1.RequestType_REQUEST_TYPE_ORDER,
			leadv1.RequestType_REQUEST_TYPE_TEST_DRIVE, leadv1.RequestType_REQUEST_TYPE_SERVICE_BOOKING, leadv1.RequestType_REQUEST_TYPE_COMPLAINT,
		}[r.IntN(7)],
		Origin: leadv1.Origin_ORIGIN_OEM, Test: some(4), Trigger: some(3), Source: &leadv1.Source{Channel: "web", Source: "oem_site"},
		Parties: []*leadv1.Party{{
			Name:    &leadv1.Name{Given: "Soak", Family: "Tester" + who},
			Emails:  []*leadv1.Email{{Address: "soak" + who + "@example.com"}},
			Address: &leadv1.Address{PostalCode: postalCodesOfSoak[r.IntN(len(postalCodesOfSoak))], Country: "US"},
		}},
		Vehicles: []*leadv1.Vehicle{{Make: "Norrvind", Model: []string{"Tindra", "Skarv"}[r.IntN(2)], Year: 2026}},
		Comments: "inquiry " + strconv.Itoa(r.IntN(1_000_000)),
	}
	if some(2) {
		l.Parties[0].Emails = nil // nobody can be reached: refused
	}
	if some(20) {
		l.DealerChoice = leadv1.DealerChoice_DEALER_CHOICE_CUSTOMER_CHOSE
		l.Dealer = &leadv1.DealerReference{DealerId: soakStores[r.IntN(len(soakStores))]}
	}
	return l
}

// moves are what dealers do with the leads of a load: they report, accept, decline, hand over, give
// back and close, in any order and also where it makes no sense.
type moves struct {
	load   *load
	roster map[string][]string // persons by dealer

	halted chan struct{}
	once   sync.Once
	wg     sync.WaitGroup
}

// moverCount is how many dealers work at once.
const moverCount = 3

func startMoves(t *testing.T, l *load, seed uint64) *moves {
	t.Helper()
	m := &moves{load: l, roster: map[string][]string{}, halted: make(chan struct{})}
	sampleFiles(t, "network", func(name string, content []byte) {
		if name != "roster.csv" {
			return
		}
		for line := range strings.Lines(string(content)) {
			if f := strings.Split(line, ","); len(f) > 2 {
				m.roster[f[1]] = append(m.roster[f[1]], f[0])
			}
		}
	})
	for i := range moverCount {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		m.wg.Go(func() {
			l.pace(10*time.Millisecond, func() bool {
				select {
				case <-m.halted:
					return true
				default:
				}
				return m.move(random)
			})
		})
	}
	t.Cleanup(m.halt)
	return m
}

// halt ends the moves with the load.
func (m *moves) halt() {
	m.once.Do(func() { close(m.halted) })
	m.load.halt()
	m.wg.Wait()
}

// some is any lead of the last requests that has a decision.
func (m *moves) some(random *rand.Rand) (id, dealer string) {
	m.load.mu.Lock()
	defer m.load.mu.Unlock()
	if len(m.load.sent) == 0 {
		return "", ""
	}
	recent := m.load.sent[max(0, len(m.load.sent)-200):]
	s := recent[random.IntN(len(recent))]
	if len(s.held) == 0 {
		return "", ""
	}
	r := s.held[random.IntN(len(s.held))]
	return r.GetLeadId(), r.GetDecision().GetAssignment().GetDealerId()
}

// move makes one.
func (m *moves) move(random *rand.Rand) bool {
	id, dealer := m.some(random)
	if id == "" {
		return false
	}
	number := strconv.FormatInt(m.load.number.Add(1), 10)
	person := ""
	if list := m.roster[dealer]; len(list) > 0 && random.IntN(2) == 0 {
		person = list[random.IntN(len(list))]
	}
	w := m.load.replica(random.IntN(len(m.load.replicas)))
	do := func(route, body string) bool { return m.do(w, http.MethodPost, route, body) }
	verb := func(verb, body string) bool { return do("/v1/leads/"+id+":"+verb, body) }
	activity := func(what string) bool {
		return do("/v1/activities:batch", fmt.Sprintf(`{"activities":[{"activity_id":"act-%s","lead_id":%q,"person_id":"p-1",%s}]}`, number, id, what))
	}
	outcome := func(what string) bool {
		return do("/v1/outcomes:batch", fmt.Sprintf(`{"outcomes":[{"outcome_id":"out-%s","lead_id":%q,%s}]}`, number, id, what))
	}
	switch random.IntN(20) {
	case 0, 1:
		return activity(`"kind":"ACTIVITY_KIND_CALL","call_result":"CALL_RESULT_VOICEMAIL"`)
	case 2:
		return activity(`"kind":"ACTIVITY_KIND_CALL","call_result":"CALL_RESULT_CONNECTED","talk_seconds":90`)
	case 3:
		return activity(`"kind":"ACTIVITY_KIND_EMAIL"`)
	case 4:
		return activity(fmt.Sprintf(`"kind":"ACTIVITY_KIND_MILESTONE","milestone":"MILESTONE_APPOINTMENT_SET","appointment_at":%q`,
			time.Now().Add(48*time.Hour).UTC().Format(time.RFC3339)))
	case 5:
		return activity(`"kind":"ACTIVITY_KIND_MILESTONE","milestone":"MILESTONE_ORDER"`)
	case 6:
		return outcome(`"kind":"OUTCOME_KIND_LOST","lost_code":"LOST_CODE_UNREACHABLE"`)
	case 7:
		return outcome(`"kind":"OUTCOME_KIND_WON"`)
	case 8:
		return outcome(`"kind":"OUTCOME_KIND_REOPENED"`)
	case 9:
		return outcome(`"kind":"OUTCOME_KIND_UNWOUND"`)
	case 10, 11, 12:
		return verb("accept", fmt.Sprintf(`{"person_id":%q}`, person))
	case 13, 14:
		return verb("decline", `{"code":"DECLINE_CODE_NO_CAPACITY"}`)
	case 15, 16:
		return verb("transfer", fmt.Sprintf(`{"to_dealer_id":%q}`, soakStores[random.IntN(len(soakStores))]))
	case 17:
		return verb("return", `{"code":"RETURN_CODE_WRONG_NUMBER"}`)
	case 18:
		return m.do(w, http.MethodGet, "/v1/leads/"+id, "")
	}
	return m.do(w, http.MethodGet, "/v1/dealers/"+soakStores[random.IntN(len(soakStores))]+"/inbox", "")
}

// do makes a call and notes an answer that must never be given.
func (m *moves) do(w *world, method, route, body string) bool {
	code, raw, header, err := w.exchange(context.Background(), method, route, "", body, "")
	m.load.mu.Lock()
	defer m.load.mu.Unlock()
	m.load.reads[code]++
	switch {
	case err != nil:
		if timeout(err) {
			m.load.blame("%s %s was not answered within %s: %v", method, route, callLimit, err)
		}
		return false
	case code == http.StatusServiceUnavailable && header.Get("Retry-After") == "":
		m.load.blame("%s %s was answered 503 without Retry-After: %s", method, route, raw)
	case code >= http.StatusInternalServerError && code != http.StatusServiceUnavailable:
		m.load.blame("%s %s was answered %d %s", method, route, code, raw)
	}
	return code < http.StatusInternalServerError
}
