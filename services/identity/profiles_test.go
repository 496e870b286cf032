package identity_test

import (
	"bytes"
	gocmp "cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// profiling puts a fact about profiling on a lead.
func profiling(state leadv1.ConsentState, point string) func(*leadv1.Lead) {
	return func(l *leadv1.Lead) {
		l.Consents = append(l.Consents, &leadv1.Consent{
			Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose_PURPOSE_PROFILING, ContactPoint: point, State: state,
		})
	}
}

// profiles reads everybody in pages of a size.
func (w *world) profiles(size int32, at time.Time) (all []*identityv1.PersonProfile) {
	w.t.Helper()
	req := &identityv1.ListProfilesRequest{PageSize: size, At: timestamppb.New(at)}
	progress := int32(0)
	for {
		resp, err := w.ListProfiles(w.t.Context(), req)
		if err != nil {
			w.t.Fatal(err)
		}
		if resp.GetProgressPpm() < progress {
			w.t.Errorf("progress went from %d to %d", progress, resp.GetProgressPpm())
		}
		progress = resp.GetProgressPpm()
		all = append(all, resp.GetProfiles()...)
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			if progress != 1_000_000 {
				w.t.Errorf("the last page is at %d", progress)
			}
			return all
		}
	}
}

func TestListProfiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := map[string]*identityv1.PersonProfile{}
	const persons = 150
	for i := range persons {
		phone := ""
		if i%3 == 0 {
			phone = fmt.Sprintf("+1512555%04d", i)
		}
		p := party(fmt.Sprintf("Given%c%c", 'a'+i%26, 'a'+i/26), fmt.Sprintf("Family%d", i), fmt.Sprintf("p%d@example.com", i), phone)
		var changes []func(*leadv1.Lead)
		if i%2 == 0 {
			changes = append(changes, profiling(granted, ""))
		}
		p.Address = &leadv1.Address{Country: "US", Region: "TX", PostalCode: fmt.Sprint(78700 + i)}
		r := w.resolve(w.newLead(p, changes...))[0]
		want[r.PersonId] = &identityv1.PersonProfile{PersonId: r.PersonId, Profile: r.Profile, Profiling: i%2 == 0, HasEmail: true, HasPhone: i%3 == 0, Country: "US", Region: "TX", PostalCode: fmt.Sprint(78700 + i)}
	}
	if len(want) != persons {
		t.Fatalf("%d persons", len(want))
	}
	w.advance(time.Hour)
	// Two are found to be one: who is joined is not answered any more.
	one, other := "", ""
	for id := range want {
		one, other = other, id
	}
	merged, err := w.MergePersons(w.t.Context(), &identityv1.MergePersonsRequest{PersonId: one, OtherPersonId: other, Note: "the same"})
	if err != nil {
		t.Fatal(err)
	}
	gone := one
	if merged.GetPersonId() == one {
		gone = other
	}
	delete(want, gone)
	delete(want, merged.GetPersonId()) // became another one
	at := time.Unix(0, w.now.Load())
	for _, size := range []int32{7, 50, persons - 1, persons, 2000} {
		got := map[string]*identityv1.PersonProfile{}
		var order []lead.ID
		for _, p := range w.profiles(size, at) {
			if got[p.GetPersonId()] != nil {
				t.Fatal("somebody is answered twice")
			}
			got[p.GetPersonId()] = p
			id, err := lead.ParseID(p.GetPersonId())
			if err != nil {
				t.Fatal(err)
			}
			order = append(order, id)
		}
		if !slices.IsSortedFunc(order, func(a, b lead.ID) int {
			return gocmp.Or(gocmp.Compare(a.Bucket(), b.Bucket()), bytes.Compare(a[:], b[:]))
		}) {
			t.Error("not in the order that is promised")
		}
		if got[merged.GetPersonId()] == nil || got[gone] != nil || len(got) != persons-1 {
			t.Errorf("%d persons, the survivor is there: %v, who was joined: %v", len(got), got[merged.GetPersonId()] != nil, got[gone] != nil)
		}
		delete(got, merged.GetPersonId())
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("in pages of %d: %s", size, diff)
		}
	}
	for _, p := range w.profiles(2000, start.Add(-time.Hour)) {
		if p.GetProfiling() {
			t.Fatal("a grant counts before it was given")
		}
	}
}

// Profiling counts as it would for a lead of the person, somebody else's STOP included.
func TestProfilesFollowConsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	may := func(id string) bool {
		t.Helper()
		for _, p := range w.profiles(0, time.Unix(0, w.now.Load())) {
			if p.GetPersonId() == id {
				return p.GetProfiling()
			}
		}
		t.Fatal("the person is not there")
		return false
	}
	carmen, rafael := party("Carmen", "Delgadillo", "carmen@example.com", shared), party("Rafael", "Delgadillo", "rafael@example.com", shared)
	id := w.resolve(w.newLead(carmen))[0].PersonId
	if may(id) {
		t.Error("without any fact profiling is granted")
	}
	w.advance(time.Hour)
	w.resolve(w.newLead(carmen, profiling(granted, "")))
	if !may(id) {
		t.Error("a grant does not count")
	}
	w.advance(time.Hour)
	w.resolve(w.newLead(rafael, profiling(revoked, shared)))
	if may(id) {
		t.Error("a revocation by who shares the number does not count")
	}
	w.advance(time.Hour)
	w.resolve(w.newLead(carmen, profiling(granted, "")))
	if !may(id) {
		t.Error("a newer grant does not lift it")
	}
	w.advance(time.Hour)
	w.resolve(w.newLead(carmen, profiling(denied, "")))
	if may(id) {
		t.Error("a denial does not count")
	}
}

// Two who are found to be one are held to what the stricter said.
func TestProfilesOfMergedPersons(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	yes := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", ""), profiling(granted, "")))[0].PersonId
	no := w.resolve(w.newLead(party("Karla", "Bauer", "karla@example.com", ""), profiling(denied, "")))[0].PersonId
	w.advance(time.Hour)
	if _, err := w.MergePersons(w.t.Context(), &identityv1.MergePersonsRequest{PersonId: yes, OtherPersonId: no, Note: "the same"}); err != nil {
		t.Fatal(err)
	}
	all := w.profiles(0, time.Unix(0, w.now.Load()))
	if len(all) != 1 || all[0].GetProfiling() {
		t.Errorf("the two are %d, and may be watched: %v", len(all), all[0].GetProfiling())
	}
}

// Somebody of whom what is held is broken is named, and everybody else is told all the same.
func TestListProfilesPastUnreadablePersons(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ids []string
	for i := range 6 {
		l := w.newLead(party("Carmen", fmt.Sprintf("Family%c", 'a'+i), fmt.Sprintf("p%d@example.com", i), ""), profiling(granted, ""))
		ids = append(ids, w.resolve(l)[0].PersonId)
	}
	for i, column := range []string{"facts", "golden"} {
		if _, err := w.pool.Exec(t.Context(), "UPDATE person SET "+column+" = '\\xff' WHERE person_id = $1", ids[i]); err != nil {
			t.Fatal(err)
		}
	}
	var told, unread []string
	for req := (&identityv1.ListProfilesRequest{PageSize: 2, At: timestamppb.New(time.Unix(0, w.now.Load()))}); ; {
		resp, err := w.ListProfiles(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		unread = append(unread, resp.GetUnreadablePersonIds()...)
		for _, p := range resp.GetProfiles() {
			if told = append(told, p.GetPersonId()); !p.GetProfiling() {
				t.Error("the consent of somebody else is missing")
			}
		}
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	for _, list := range [][]string{told, unread, ids[:2], ids[2:]} {
		slices.Sort(list)
	}
	if diff := cmp.Diff([][]string{ids[2:], ids[:2]}, [][]string{told, unread}); diff != "" {
		t.Errorf("told and not (-want +got):\n%s", diff)
	}
}

func TestListProfilesMistakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for field, req := range map[string]*identityv1.ListProfilesRequest{
		"page_size":  {PageSize: 2001},
		"page_token": {PageToken: "AAAA"},
		"at":         {At: &timestamppb.Timestamp{Nanos: -1}},
	} {
		_, err := w.ListProfiles(t.Context(), req)
		if p := problem.From(err); p == nil || p.Reason != problemv1.Reason_REASON_INVALID_ARGUMENT || len(p.Violations) != 1 || p.Violations[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
