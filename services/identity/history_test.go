package identity_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// history is a person as of a time, and what had happened by then: kinds, the latest first.
func (w *world) history(id string, at time.Time) (*identityv1.GetPersonHistoryResponse, []string) {
	w.t.Helper()
	resp, err := w.GetPersonHistory(w.t.Context(), &identityv1.GetPersonHistoryRequest{PersonId: id, AsOf: timestamppb.New(at)})
	if err != nil {
		w.t.Fatal(err)
	}
	var kinds []string
	for _, c := range resp.Changes {
		kinds = append(kinds, c.Kind.String()[len("PERSON_CHANGE_KIND_"):])
	}
	return resp, kinds
}

func (w *world) clock() time.Time { return time.Unix(0, w.now.Load()).UTC() }

func TestHistoryTellsThePersonAsOfAnyTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", "")))[0].PersonId
	w.advance(time.Hour)
	b := w.resolve(w.newLead(party("Karla", "Delgado", "karla@example.com", "")))[0].PersonId
	w.advance(time.Hour)
	apart := w.clock()
	merged := w.merge(a, b)
	w.advance(time.Hour)
	late := w.newLead(party("Karla", "Delgado", "karla@example.com", "+15125550199"))
	w.resolve(late)
	w.advance(time.Hour)
	joined := w.clock()
	w.split(&identityv1.SplitPersonRequest{PersonId: a, MergeId: merged.MergeId})
	w.advance(time.Hour)
	split := w.clock()
	w.merge(a, b)

	for _, c := range []struct {
		name    string
		id      string
		at      time.Time
		person  string
		records int
		phones  int
		kinds   []string
	}{
		{"before the merge", b, apart, b, 1, 0, []string{"CREATED"}},
		{"the survivor before the merge", a, apart, a, 1, 0, []string{"CREATED"}},
		{"merged", b, joined, a, 3, 1, []string{"CONFIRMED", "MERGED", "CREATED", "CREATED"}},
		{"split", b, split, b, 2, 1, []string{"REJECTED", "UNMERGED", "CONFIRMED", "MERGED", "CREATED"}},
		{"merged again", b, w.clock(), a, 3, 1, []string{"CONFIRMED", "MERGED", "REJECTED", "UNMERGED", "CONFIRMED", "MERGED", "CREATED", "CREATED"}},
	} {
		got, kinds := w.history(c.id, c.at)
		if got.PersonId != c.person || len(got.Records) != c.records || len(got.Party.GetPhones()) != c.phones {
			t.Errorf("%s: %s with %d records and %d numbers, want %s with %d and %d", c.name, got.PersonId, len(got.Records), len(got.Party.GetPhones()), c.person, c.records, c.phones)
		}
		if diff := cmp.Diff(c.kinds, kinds); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		for _, ch := range got.Changes {
			if by := ch.Kind != identityv1.PersonChangeKind_PERSON_CHANGE_KIND_CREATED; by && (ch.Actor != "carla" || ch.Note == "") {
				t.Errorf("%s: %v says neither who nor why", c.name, ch)
			}
		}
	}
	_, err := w.GetPersonHistory(t.Context(), &identityv1.GetPersonHistoryRequest{PersonId: b, AsOf: timestamppb.New(start)})
	if p := problem.From(err); err == nil || p.Reason != problemv1.Reason_REASON_INVALID_ARGUMENT || p.Violations[0].Field != "as_of" {
		t.Errorf("before anybody knew the person: %v", err)
	}
}

// What came while two were one goes to whom it matches, and new leads find the right one.
func TestAfterASplitEverythingIsWhoseItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", "")))[0].PersonId
	w.advance(time.Hour)
	b := w.resolve(w.newLead(party("Karla", "Delgado", "karla@example.com", "")))[0].PersonId
	merged := w.merge(a, b)
	const number = "+15125550199"
	w.advance(time.Hour)
	late := w.newLead(party("Karla", "Delgado", "karla@example.com", number), says(granted, number))
	own := w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", shared))
	for _, r := range w.resolve(late, own) {
		if r.PersonId != a {
			t.Fatalf("a lead of the merged is of %s", r.PersonId)
		}
	}
	got := w.split(&identityv1.SplitPersonRequest{PersonId: a, MergeId: merged.MergeId})
	if got.NewPersonId != b || got.MovedRecords != 2 {
		t.Fatalf("%v left", got)
	}
	w.advance(time.Hour)
	for number, want := range map[string]string{number: b, shared: a} {
		given, family := "Karla", "Delgado"
		if want == a {
			given, family = "Carmen", "Delgadillo"
		}
		if r := w.resolve(w.newLead(party(given, family, "", number)))[0]; r.PersonId != want {
			t.Errorf("a new lead with %s is of %s, want %s", number, r.PersonId, want)
		}
	}
	if again := w.resolve(late)[0]; again.PersonId != b {
		t.Error("the lead of the one who left is not hers when it comes again")
	}
	if again := w.resolve(own)[0]; again.PersonId != a {
		t.Error("the lead of the one who stayed is not hers when it comes again")
	}
	at := w.clock()
	if may := mayDo(t, w.person(b), []string{number}, at); !may[number] {
		t.Error("the grant that came with the lead did not go with it")
	}
	if may := mayDo(t, w.person(a), []string{number}, at); may[number] {
		t.Error("the one who stays has the other's grant")
	}
	e, err := w.ExplainLead(t.Context(), &identityv1.ExplainLeadRequest{LeadId: late.LeadId})
	if err != nil || e.PersonId != b || e.RecordCount != 3 || e.Reasons[len(e.Reasons)-1] != "MOVED a split gave the lead to this person" {
		t.Errorf("the lead is explained by %v, %v", e, err)
	}
	sum := int32(0)
	for _, r := range e.Evidence {
		sum += r.WeightMillibits
	}
	if sum != e.WeightMillibits || sum == 0 {
		t.Errorf("the evidence adds up to %d of %d", sum, e.WeightMillibits)
	}
}

func TestCurationRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", "")))[0].PersonId
	record := w.person(a).Records[0].RecordId
	nobody := "01900000-0000-7000-8000-000000000000"
	ctx := w.as("carla", rpc.RoleOps)
	merge := func(req *identityv1.MergePersonsRequest) error { _, err := w.MergePersons(ctx, req); return err }
	split := func(req *identityv1.SplitPersonRequest) error { _, err := w.SplitPerson(ctx, req); return err }
	for _, c := range []struct {
		name  string
		err   error
		field string // "": not found
	}{
		{"no note", merge(&identityv1.MergePersonsRequest{PersonId: a, OtherPersonId: nobody}), "note"},
		{"with oneself", merge(&identityv1.MergePersonsRequest{PersonId: a, OtherPersonId: a, Note: "x"}), "other_person_id"},
		{"no id", merge(&identityv1.MergePersonsRequest{PersonId: a, OtherPersonId: "x", Note: "x"}), "other_person_id"},
		{"with nobody", merge(&identityv1.MergePersonsRequest{PersonId: a, OtherPersonId: nobody, Note: "x"}), ""},
		{"nothing named", split(&identityv1.SplitPersonRequest{PersonId: a, Note: "x"}), "merge_id"},
		{"both named", split(&identityv1.SplitPersonRequest{PersonId: a, MergeId: nobody, RecordIds: []string{record}, Note: "x"}), "merge_id"},
		{"no such merge", split(&identityv1.SplitPersonRequest{PersonId: a, MergeId: nobody, Note: "x"}), "merge_id"},
		{"no such record", split(&identityv1.SplitPersonRequest{PersonId: a, RecordIds: []string{nobody}, Note: "x"}), "record_ids[0]"},
		{"all records", split(&identityv1.SplitPersonRequest{PersonId: a, RecordIds: []string{record}, Note: "x"}), "record_ids"},
		{"nobody's", split(&identityv1.SplitPersonRequest{PersonId: nobody, RecordIds: []string{record}, Note: "x"}), ""},
	} {
		p := problem.From(c.err)
		switch {
		case c.err == nil:
			t.Errorf("%s: taken", c.name)
		case c.field == "" && p.Reason != problemv1.Reason_REASON_NOT_FOUND:
			t.Errorf("%s: %v", c.name, c.err)
		case c.field != "" && (len(p.Violations) != 1 || p.Violations[0].Field != c.field || p.Violations[0].Description == ""):
			t.Errorf("%s: %v, want %s named", c.name, c.err, c.field)
		}
	}
}
