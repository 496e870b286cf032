package scoring_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/scoring"
)

// ended writes a finished run of a kind: what is the same for all and, by the columns named, its own.
func ended(t *testing.T, pool *pgxpool.Pool, kind, note string, daysAgo int, own map[string]any) {
	t.Helper()
	at := start.Add(-time.Duration(daysAgo) * 24 * time.Hour)
	row := map[string]any{"note": note, "started_by": "mona", "updated_at": at, "alive_at": at, "state": 2}
	for name, v := range own {
		row[name] = v
	}
	var names, places string
	args := pgx.NamedArgs{}
	for name, v := range row {
		names, places, args[name] = names+", "+name, places+", @"+name, v
	}
	if _, err := pool.Exec(t.Context(), fmt.Sprintf("INSERT INTO %s (%[1]s_id%s) VALUES (gen_random_uuid()%s)", kind, names, places), args); err != nil {
		t.Fatal(err)
	}
}

// What ended long ago is forgotten beyond the newest of its kind, and what somebody goes by is not.
func TestWhatEndedLongAgoIsForgotten(t *testing.T) {
	t.Parallel()
	pool := newPool(t)
	source := newSource(-1)
	source.outcomes = &routingv1.CountPastOutcomesResponse{}
	h := newHouseWith(t, scoring.Config{}, scoring.Deps{Pool: pool, Past: source})
	h.now = start.Add(-500 * 24 * time.Hour)
	h.apply(t, sample(t), "")
	m := h.models(t, "mona")
	draft, active := m.upload(salesCard(12)).GetRevision(), m.upload(salesCard(13)).GetRevision()
	m.promote(active, scoringv1.ModelState_MODEL_STATE_SHADOW, scoringv1.ModelState_MODEL_STATE_ACTIVE)
	h.now = start
	var playbook string
	if err := pool.QueryRow(t.Context(), "SELECT revision FROM playbook").Scan(&playbook); err != nil {
		t.Fatal(err)
	}

	backtest := func(note string, daysAgo int, revision string, state int) {
		own := map[string]any{"revision": revision, "line": 1, "playbook": playbook, "from_at": start, "to_at": start, "started_at": start, "state": state, "report": nil}
		if state == 2 {
			own["report"] = []byte{}
		}
		ended(t, pool, "backtest", note, daysAgo, own)
	}
	backtest("of the draft, before its last", 900, draft, 2)
	backtest("of the draft, the last", 800, draft, 2)
	backtest("failed", 800, draft, 4)
	backtest("before what it became active by", 700, active, 2)
	backtest("what it became active by", 600, active, 2)
	backtest("cancelled", 600, active, 3)
	backtest("after it became active", 450, active, 2)
	backtest("of the active one, the last", 440, active, 2)
	backtest("not so long ago", 399, active, 4)
	backtest("among the newest hundred", 600, active, 4)

	training := func(note string, daysAgo int, revision any) {
		ended(t, pool, "training", note, daysAgo, map[string]any{"line": 1, "playbook": playbook, "from_at": start, "to_at": start, "started_at": start, "step": 2, "revision": revision, "report": []byte{}})
	}
	training("without a model", 500, nil)
	training("of the draft", 500, draft)
	training("of the active one", 500, active)
	training("not so long ago", 399, nil)
	training("among the newest hundred", 500, nil)

	rescoring := func(note string, daysAgo int, slot any, revision string) {
		ended(t, pool, "rescoring", note, daysAgo, map[string]any{"revision": revision, "playbook": playbook, "scorer": "", "as_of": start, "slot": slot})
	}
	rescoring("before", 600, 0, "")
	rescoring("the scores that hold", 500, 1, "")
	rescoring("by a model", 500, nil, draft)
	rescoring("not so long ago", 399, nil, draft)
	rescoring("among the newest hundred", 500, nil, draft)
	if _, err := pool.Exec(t.Context(), "UPDATE rescoring x SET before_id = y.rescoring_id FROM rescoring y WHERE y.note = 'before' AND x.note <> 'before'"); err != nil {
		t.Fatal(err)
	}

	kept := func() []string {
		t.Helper()
		rows, _ := pool.Query(t.Context(), `SELECT note FROM (
			SELECT 1 AS kind, sequence, 'backtest ' || note AS note FROM backtest UNION ALL SELECT 2, sequence, 'training ' || note FROM training UNION ALL
			SELECT 3, sequence, 're-scoring ' || note || CASE WHEN before_id IS NULL THEN '' ELSE ' against another' END FROM rescoring) x
			WHERE note NOT LIKE '% newest' ORDER BY kind, sequence`)
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	all := kept()
	for range 99 { // with the last of each kind before them they are the newest hundred
		backtest("newest", 1000, active, 4)
		training("newest", 1000, nil)
		rescoring("newest", 1000, nil, draft)
	}
	m.runs()
	got := until(t, kept, func(list []string) bool { return len(list) != len(all) })
	want := []string{
		"backtest of the draft, the last", "backtest what it became active by", "backtest of the active one, the last", "backtest not so long ago",
		"backtest among the newest hundred", "training of the active one", "training not so long ago", "training among the newest hundred",
		"re-scoring the scores that hold", "re-scoring not so long ago", "re-scoring among the newest hundred",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var newest int
	if err := pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM backtest WHERE note = 'newest') + (SELECT count(*) FROM training WHERE note = 'newest')
		+ (SELECT count(*) FROM rescoring WHERE note = 'newest')`).Scan(&newest); err != nil || newest != 3*99 {
		t.Errorf("%d of the newest are kept: %v", newest, err)
	}
}
