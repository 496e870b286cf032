package identity_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// talkers are random people who say random things.
type talkers struct {
	*world
	random *rand.Rand
	leads  int

	sellers int // 1: vehicles are sold, to neighbours too; 0: they are not
}

// tells makes somebody of so many tell something new: by lead or by signal, with consent or without.
func (c *talkers) tells(who int) {
	c.t.Helper()
	c.advance(time.Duration(1+c.random.IntN(100)) * time.Minute)
	p := party(fmt.Sprintf("Given%c", 'a'+who), fmt.Sprintf("Family%c", 'a'+who), fmt.Sprintf("p%d.%d@example.com", who, c.random.IntN(2)), "")
	if c.random.IntN(2) == 0 {
		p.Phones = []*leadv1.Phone{{Number: fmt.Sprintf("+151255501%02d", who), E164: fmt.Sprintf("+151255501%02d", who), Valid: true}}
	}
	if c.random.IntN(3) == 0 {
		p.Address = &leadv1.Address{Streets: []string{fmt.Sprintf("%d Main Street", 1+who)}, City: "Austin", PostalCode: "78745", Country: "US"}
	}
	id := identifier(account, "x", fmt.Sprint(who))
	l := c.newLead(p, id)
	if c.random.IntN(3) > 0 {
		for range c.random.IntN(3) {
			says([]leadv1.ConsentState{granted, denied, revoked}[c.random.IntN(3)], []string{"", fmt.Sprintf("+151255501%02d", who), fmt.Sprintf("p%d.0@example.com", who)}[c.random.IntN(3)])(l)
		}
		c.leads++
		c.resolve(l)
		return
	}
	kinds := []leadv1.SignalKind{leadv1.SignalKind_SIGNAL_KIND_PAGE_VIEW, leadv1.SignalKind_SIGNAL_KIND_SERVICE_VISIT, leadv1.SignalKind_SIGNAL_KIND_CALL, leadv1.SignalKind_SIGNAL_KIND_VEHICLE_SOLD}
	s := &identityv1.Signal{SignalId: l.LeadId, Kind: kinds[c.random.IntN(3+c.sellers)], OccurredAt: timestamppb.New(time.Unix(0, c.now.Load()).Add(-time.Duration(c.random.IntN(500)) * time.Hour)), Party: p, Identifiers: l.Identifiers}
	if s.Kind == kinds[1] || s.Kind == kinds[3] {
		s.Vin = fmt.Sprintf("5ZNLM5E26PK3011%02d", who+c.random.IntN(1+c.sellers)) // else a neighbour's
	}
	c.signals(s)
}

// pages reads persons as of one fixed time, at which nothing decays.
func (c *talkers) pages(ids []string) map[string]*identityv1.GetPersonResponse {
	c.t.Helper()
	now := c.now.Swap(start.AddDate(1, 0, 0).UnixNano())
	defer c.now.Store(now)
	out := map[string]*identityv1.GetPersonResponse{}
	for _, id := range ids {
		out[id] = c.person(id)
	}
	return out
}

// checks holds that every person is what its own story tells.
func (c *talkers) checks(ids []string, when string) {
	c.t.Helper()
	for _, id := range ids {
		diff, err := c.Retell(c.t.Context(), id)
		if err != nil {
			c.t.Fatal(err)
		}
		if diff != "" {
			c.t.Errorf("%s: the stored person is not what was said (-stored +told):\n%s", when, diff)
		}
	}
	var records, leads, marked int
	if err := c.pool.QueryRow(c.t.Context(), `SELECT count(DISTINCT lead_id) FILTER (WHERE left_at IS NULL),
		(SELECT count(*) FROM lead_person l WHERE EXISTS (SELECT FROM record r WHERE r.lead_id = l.lead_id AND r.left_at IS NULL AND r.person_id = l.person_id)),
		count(*) FILTER (WHERE left_at IS NOT NULL AND NOT EXISTS (SELECT FROM record o WHERE o.record_id = record.record_id AND o.left_at IS NULL)) FROM record`).Scan(&records, &leads, &marked); err != nil {
		c.t.Fatal(err)
	}
	if records != c.leads || leads != c.leads || marked != 0 {
		c.t.Errorf("%s: %d leads have a record and %d one of their person, want %d; %d records are lost", when, records, leads, c.leads, marked)
	}
}

// mayDo lists what consent a person gives for points.
func mayDo(t *testing.T, p *identityv1.GetPersonResponse, points []string, at time.Time) map[string]bool {
	t.Helper()
	var facts []lead.Consent
	for _, c := range p.Consents {
		f, wrong := leadconv.ConsentFromProto("", c)
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		facts = append(facts, f)
	}
	out := map[string]bool{}
	for _, point := range points {
		out[point] = lead.MayUse(facts, lead.ConsentKey{Controller: lead.ControllerOEM, Purpose: lead.PurposeMarketing, Channel: lead.ChannelSMS, ContactPoint: point}, at)
	}
	return out
}

// Random people are merged by hand in random order, and the merges taken back in another: everybody
// is who he was, to the last counter, and no merge allowed more than both did.
func TestSplitsUndoMergesInAnyOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			c := &talkers{world: newWorld(t), random: rand.New(rand.NewPCG(seed, 4)), sellers: int(seed % 2)}
			const people = 6
			for who := range people {
				for range 2 + c.random.IntN(4) {
					c.tells(who)
				}
			}
			ids := c.roots()
			before, keys := c.pages(ids), c.keyHolders()
			c.checks(ids, "at first")
			points := []string{""}
			for who := range people {
				points = append(points, fmt.Sprintf("+151255501%02d", who), fmt.Sprintf("p%d.0@example.com", who))
			}
			at := start.AddDate(1, 0, 0)
			var merges []string
			for len(merges) < len(ids)-1 {
				a, b := ids[c.random.IntN(len(ids))], ids[c.random.IntN(len(ids))]
				now := c.pages([]string{a, b})
				if now[a].PersonId == now[b].PersonId {
					continue
				}
				m := c.merge(a, b)
				merges = append(merges, m.MergeId)
				joined := c.pages([]string{a})[a]
				may, one, other := mayDo(t, joined, points, at), mayDo(t, now[a], points, at), mayDo(t, now[b], points, at)
				for _, p := range points {
					if may[p] && !one[p] && !other[p] {
						t.Errorf("the merge allows %q, neither did", p)
					}
				}
			}
			c.checks(ids[:1], "as one")
			if roots := c.roots(); len(roots) != 1 {
				t.Fatalf("%d persons are left", len(roots))
			}
			c.random.Shuffle(len(merges), func(i, j int) { merges[i], merges[j] = merges[j], merges[i] })
			for _, m := range merges {
				c.unmerge(ids, m)
				c.checks(ids, "between")
			}
			for id, now := range c.pages(ids) {
				if diff := page(before[id], now); diff != "" {
					t.Errorf("(-before +after):\n%s", diff)
				}
			}
			if got := c.keyHolders(); fmt.Sprint(got) != fmt.Sprint(keys) {
				t.Errorf("keys lead elsewhere:\n%v\n%v", keys, got)
			}
		})
	}
}

// roots are the persons that stand.
func (c *talkers) roots() []string {
	c.t.Helper()
	rows, err := c.pool.Query(c.t.Context(), "SELECT person_id::text FROM person WHERE merged_into IS NULL ORDER BY person_id")
	if err != nil {
		c.t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			c.t.Fatal(err)
		}
		out = append(out, id)
	}
	return out
}

// unmerge takes a merge back, whoever it is of today.
func (c *talkers) unmerge(ids []string, merge string) {
	c.t.Helper()
	for _, id := range ids {
		p := c.person(id)
		if slices.ContainsFunc(p.Changes, func(ch *identityv1.PersonChange) bool {
			return ch.MergeId == merge && ch.Kind == identityv1.PersonChangeKind_PERSON_CHANGE_KIND_MERGED
		}) {
			c.split(&identityv1.SplitPersonRequest{PersonId: id, MergeId: merge})
			return
		}
	}
	c.t.Fatalf("merge %s is nobody's", merge)
}

// While people are merged, taken apart by records and merged again, they go on talking. Nothing that
// was said is lost, and every person stays what its own story tells.
func TestNothingIsLostByMergesAndSplits(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{0, 1, 2, 3, 93} { // in 93 one signal shows three persons to be one
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			c := &talkers{world: newWorld(t), random: rand.New(rand.NewPCG(seed, 9)), sellers: 1}
			for range 30 {
				c.tells(c.random.IntN(4))
			}
			for range 25 {
				roots := c.roots()
				id := roots[c.random.IntN(len(roots))]
				p := c.person(id)
				merged := slices.DeleteFunc(slices.Clone(p.Changes), func(ch *identityv1.PersonChange) bool {
					return ch.Kind != identityv1.PersonChangeKind_PERSON_CHANGE_KIND_MERGED || !slices.Contains(append(p.MergedPersonIds, id), ch.PersonId) || c.undone(p, ch)
				})
				switch c.random.IntN(4) {
				case 0:
					c.tells(c.random.IntN(4))
				case 1:
					if other := roots[c.random.IntN(len(roots))]; other != id {
						c.merge(id, other)
					}
				case 2:
					if len(merged) > 0 {
						c.split(&identityv1.SplitPersonRequest{PersonId: id, MergeId: merged[c.random.IntN(len(merged))].MergeId})
					}
				case 3:
					if n := len(p.Records); n > 1 {
						var leave []string
						for _, at := range c.random.Perm(n)[:1+c.random.IntN(n-1)] {
							leave = append(leave, p.Records[at].RecordId)
						}
						c.split(&identityv1.SplitPersonRequest{PersonId: id, RecordIds: leave})
					}
				}
				c.checks(c.roots(), "on the way")
				if t.Failed() {
					return
				}
			}
		})
	}
}

// undone reports whether a merge was taken back since.
func (c *talkers) undone(p *identityv1.GetPersonResponse, merged *identityv1.PersonChange) bool {
	return slices.ContainsFunc(p.Changes, func(ch *identityv1.PersonChange) bool {
		return ch.Kind == identityv1.PersonChangeKind_PERSON_CHANGE_KIND_UNMERGED && ch.MergeId == merged.MergeId
	})
}
