package identity_test

import (
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
)

// says puts a marketing fact by text message on a lead; an empty point means every one.
func says(state leadv1.ConsentState, point string) func(*leadv1.Lead) {
	return func(l *leadv1.Lead) {
		l.Consents = append(l.Consents, &leadv1.Consent{
			Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose_PURPOSE_MARKETING,
			Channel: leadv1.Channel_CHANNEL_SMS, ContactPoint: point, State: state,
		})
	}
}

const (
	granted = leadv1.ConsentState_CONSENT_STATE_GRANTED
	denied  = leadv1.ConsentState_CONSENT_STATE_DENIED
	revoked = leadv1.ConsentState_CONSENT_STATE_REVOKED
	shared  = "+15125550163"
)

// mayText reports whether marketing by text message to a number is allowed by what was answered.
func (w *world) mayText(r *identityv1.Resolution, number string) bool {
	w.t.Helper()
	var facts []lead.Consent
	for _, c := range r.Consents {
		f, wrong := leadconv.ConsentFromProto("", c)
		if len(wrong) > 0 {
			w.t.Fatal(wrong)
		}
		facts = append(facts, f)
	}
	key := lead.ConsentKey{Controller: lead.ControllerOEM, Purpose: lead.PurposeMarketing, Channel: lead.ChannelSMS, ContactPoint: number}
	return lead.MayUse(facts, key, time.Unix(0, w.now.Load()).UTC())
}

func TestStopOnASharedNumberBindsBoth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	carmen, rafael := party("Carmen", "Delgadillo", "carmen@example.com", shared), party("Rafael", "Delgadillo", "rafael@example.com", shared)
	first := w.resolve(w.newLead(carmen, says(granted, "(512) 555-0163")))[0]
	if !w.mayText(first, shared) {
		t.Fatal("a granted number may not be used")
	}
	w.advance(time.Hour)
	stop := w.resolve(w.newLead(rafael, says(revoked, shared)))[0]
	if stop.PersonId == first.PersonId {
		t.Fatal("spouses became one person")
	}
	w.advance(time.Hour)
	if w.mayText(w.resolve(w.newLead(carmen))[0], shared) {
		t.Error("the spouse's STOP does not bind the number")
	}
	state := leadv1.ConsentState_CONSENT_STATE_UNSPECIFIED
	for _, c := range w.person(first.PersonId).Consents {
		if c.ContactPoint == shared {
			state = c.State
		}
	}
	if state != revoked {
		t.Errorf("the person's number is %v, want revoked", state)
	}
	w.advance(time.Hour)
	if !w.mayText(w.resolve(w.newLead(carmen, says(granted, shared)))[0], shared) {
		t.Error("a newer grant does not lift the STOP")
	}
}

func TestStopBindsEverySpellingOfAnAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.resolve(w.newLead(party("Ada", "Byron", "ada.byron@gmail.com", ""), func(l *leadv1.Lead) {
		l.Consents = []*leadv1.Consent{{State: revoked, ContactPoint: "ada.byron@gmail.com"}}
	}))
	w.advance(time.Hour)
	r := w.resolve(w.newLead(party("Ada", "Byron", "AdaByron+cars@gmail.com", "")))[0]
	found := false
	for _, c := range r.Consents {
		found = found || c.State == revoked && c.ContactPoint == "adabyron+cars@gmail.com"
	}
	if !found {
		t.Errorf("no revocation in the lead's spelling among %d facts", len(r.Consents))
	}
}

func TestMergeKeepsOldIdentifiersAndNeverWidensConsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const other = "+15125550199"
	// One person grants on every contact point, the other denied; nobody knows yet that they are one.
	web := w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", ""), says(denied, shared))
	a := w.resolve(web)[0]
	w.advance(time.Hour)
	store := w.newLead(party("Carmen", "Delgadillo", "", shared), identifier(account, "norrvind_id", "acc-1"), says(granted, ""))
	b := w.resolve(store)[0]
	if a.PersonId == b.PersonId {
		t.Fatal("known to be one person too early")
	}
	if !w.mayText(b, shared) {
		t.Fatal("a grant is not held")
	}
	w.advance(time.Hour)
	bridge := w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", other), identifier(account, "norrvind_id", "acc-1"))
	r := w.resolve(bridge)[0]
	if r.PersonId != a.PersonId {
		t.Error("the older person did not survive")
	}
	if w.mayText(r, shared) {
		t.Error("the merge lifted a denial")
	}
	if w.mayText(r, other) {
		t.Error("the merge spread a grant to a number its person did not have")
	}
	joined := w.person(b.PersonId)
	if joined.PersonId != a.PersonId || len(joined.Records) != 3 || len(joined.Party.Phones) != 2 {
		t.Errorf("the old identifier answers %s with %d records", joined.PersonId, len(joined.Records))
	}
	if again := w.resolve(store)[0]; again.PersonId != a.PersonId {
		t.Error("a lead of the joined person does not answer the survivor")
	}
	var facts int
	if err := w.pool.QueryRow(t.Context(), "SELECT count(*) FROM consent WHERE person_id = $1", b.PersonId).Scan(&facts); err != nil {
		t.Fatal(err)
	}
	if facts != 1 {
		t.Errorf("the joined person has %d facts, want its own one kept", facts)
	}
	w.advance(time.Hour)
	renewed := w.resolve(w.newLead(party("Carmen", "Delgadillo", "", shared), says(granted, shared)))[0]
	if !w.mayText(renewed, shared) {
		t.Error("a grant newer than the merge does not hold")
	}
}

func TestMergeTakesTheStricterOfBoth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const own, refused, silent = "+15125550111", "+15125550122", "+15125550133"
	a := w.resolve(w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", own), says(granted, "")))[0]
	w.advance(time.Hour)
	later := party("Carmen", "Delgadillo", "", refused)
	later.Phones = append(later.Phones, &leadv1.Phone{E164: silent, Valid: true})
	w.resolve(w.newLead(later, identifier(account, "norrvind_id", "acc-1"), says(denied, refused), func(l *leadv1.Lead) {
		l.Consents[0].At = ago(10) // older than the grant
	}))
	w.advance(time.Hour)
	bridge := w.newLead(party("Carmen", "Delgadillo", "carmen@example.com", ""), identifier(account, "norrvind_id", "acc-1"))
	for _, when := range []string{"at once", "afterwards"} {
		r := w.resolve(bridge)[0]
		if r.PersonId != a.PersonId {
			t.Fatal("the older person did not survive")
		}
		for number, want := range map[string]bool{own: true, refused: false, silent: false} {
			if w.mayText(r, number) != want {
				t.Errorf("%s: %s may be used: %v", when, number, !want)
			}
		}
		w.advance(time.Hour)
	}
}

func TestNamelessLeadDoesNotJoinSpouses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	carmen := w.resolve(w.newLead(party("Carmen", "Delgadillo", "", shared)))[0]
	w.advance(time.Hour)
	rafael := w.resolve(w.newLead(party("Rafael", "Delgadillo", "", shared)))[0]
	w.advance(time.Hour)
	if r := w.resolve(w.newLead(party("", "", "", shared)))[0]; r.PersonId != carmen.PersonId {
		t.Errorf("the lead is of %s, want the first of the household", r.PersonId)
	}
	if w.person(rafael.PersonId).PersonId != rafael.PersonId {
		t.Error("spouses were joined")
	}
}

func TestMergesOfOneBatchFollowEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var leads []*leadv1.Lead
	for _, known := range []string{"a", "b", "c", "d", "cd", "ab", "db"} {
		var change []func(*leadv1.Lead)
		for _, id := range known {
			change = append(change, identifier(account, string(id), string(id)))
		}
		leads = append(leads, w.newLead(&leadv1.Party{}, change...))
	}
	answers := w.resolve(leads...)
	for i, r := range w.resolve(leads...) {
		if r.PersonId != answers[0].PersonId || answers[i].PersonId != answers[0].PersonId {
			t.Errorf("lead %d is of %s and then of %s, want %s", i, answers[i].PersonId, r.PersonId, answers[0].PersonId)
		}
	}
	var roots, direct int
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE merged_into IS NULL), count(*) FILTER (WHERE merged_into = $1)
		FROM person`, answers[0].PersonId).Scan(&roots, &direct); err != nil {
		t.Fatal(err)
	}
	if roots != 1 || direct != 3 {
		t.Errorf("%d persons left, %d point to the survivor; want 1 and 3", roots, direct)
	}
}

func TestMergesFollowMerges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(change ...func(*leadv1.Lead)) string {
		w.advance(time.Hour)
		return w.resolve(w.newLead(&leadv1.Party{}, change...))[0].PersonId
	}
	var persons []string
	for _, id := range []string{"a", "b", "c", "d"} {
		persons = append(persons, at(identifier(account, id, id)))
	}
	both := func(x, y string) { at(identifier(account, x, x), identifier(account, y, y)) }
	both("c", "d")
	both("a", "b")
	both("d", "b")
	for i, id := range persons {
		if got := w.person(id).PersonId; got != persons[0] {
			t.Errorf("person %d answers %s, want %s", i, got, persons[0])
		}
		if got := at(identifier(account, string(rune('a'+i)), string(rune('a'+i)))); got != persons[0] {
			t.Errorf("identifier %d finds %s, want %s", i, got, persons[0])
		}
	}
	if n := len(w.person(persons[3]).Records); n < 7 {
		t.Errorf("%d records, want those of all", n)
	}
}
