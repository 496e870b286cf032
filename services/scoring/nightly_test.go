package scoring_test

import (
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/playbook"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"github.com/leadmesh/leadmesh/services/scoring"
)

// Everybody is scored once a night, by whichever replica comes first.
func TestRescoringEveryNight(t *testing.T) {
	t.Parallel()
	pool := newPool(t)
	rules, _ := playbook.Read(sample(t))
	at := func(c *scoring.Config) { c.RescoreAt = "02:30" } // by the clock of the market
	one, other := newRebasing(t, pool, newBase(t, -1), at), newRebasing(t, pool, newBase(t, -1), at)
	set := func(day int, clock string) {
		zone, err := time.LoadLocation(rules.TimeZone)
		if err != nil {
			t.Fatal(err)
		}
		now, err := time.ParseInLocation("2006-01-02 15:04", start.AddDate(0, 0, day).Format("2006-01-02 ")+clock, zone)
		if err != nil {
			t.Fatal(err)
		}
		one.now.Store(now.UnixNano())
		other.now.Store(now.UnixNano())
	}
	all := func() []*scoringv1.Rescoring {
		t.Helper()
		resp, err := one.s.ListRescorings(one.ctx, &scoringv1.ListRescoringsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetRescorings()
	}
	// nights waits until so many were begun and are done.
	nights := func(want int) {
		t.Helper()
		list := until(t, all, func(list []*scoringv1.Rescoring) bool {
			return len(list) > want || len(list) == want && list[0].GetState() == scoringv1.RescoringState_RESCORING_STATE_DONE
		})
		if len(list) > want {
			t.Fatalf("%d re-scorings, want %d", len(list), want)
		}
	}
	one.house.apply(t, sample(t), "")
	set(0, "12:00") // ten hours late: nobody wants it at noon
	one.runs()
	other.runs()
	set(1, "02:29")
	manual := one.done(one.begin("").GetRescoringId()) // what somebody asked for before the time does not count
	if manual.GetStartedBy() != "mona" {
		t.Errorf("begun by %s", manual.GetStartedBy())
	}
	set(1, "02:31")
	nights(2)
	set(1, "07:00")
	set(2, "03:30")
	nights(3)
	if list := all(); list[0].GetStartedBy() != "leadmesh" || list[0].GetRevision() != "" || list[1].GetStartedBy() != "leadmesh" {
		t.Errorf("begun by %s and %s", list[0].GetStartedBy(), list[1].GetStartedBy())
	}
}

func TestRescoreAtMistakes(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.New(t.Context(), telemetry.Config{Service: "test", LogWriter: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	pool := newPool(t)
	for _, text := range []string{"25:00", "2", "noon", "02:60"} {
		_, err := scoring.New(scoring.Config{RescoreAt: text}, scoring.Deps{Pool: pool, Tel: tel, Now: time.Now})
		if err == nil || !strings.Contains(err.Error(), "02:30") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
