package routing

import (
	"errors"
	"testing"

	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/services/internal/audit"
)

func TestReplayNamesGrantsThatDoNotStand(t *testing.T) {
	w := newWorld(t)
	id := w.customer(nil)
	bucket, key := id.Bucket(), id.String()
	set := func(facts []byte, test bool) {
		t.Helper()
		if _, err := w.pool.Exec(t.Context(), `UPDATE assignment SET grant_facts = $3 WHERE bucket = $1 AND lead_id = $2`, bucket, key, facts); err != nil {
			t.Fatal(err)
		}
		if _, err := w.pool.Exec(t.Context(), `UPDATE decision SET test = $3 WHERE bucket = $1 AND lead_id = $2`, bucket, key, test); err != nil {
			t.Fatal(err)
		}
	}
	var stored []byte
	if err := w.pool.QueryRow(t.Context(), `SELECT grant_facts FROM assignment WHERE bucket = $1 AND lead_id = $2`, bucket, key).Scan(&stored); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		facts []byte
		test  bool
		want  error
	}{
		{"as granted", stored, false, nil},
		{"nothing granted", []byte(`{}`), false, routing.ErrGrant},
		{"nothing granted to a test lead", []byte(`{}`), true, nil},
		{"another verdict", []byte(`{"Verdict": 3}`), false, routing.ErrGrant},
	} {
		set(c.facts, c.test)
		if _, err := audit.Replay(t.Context(), w.pool, id); !errors.Is(err, c.want) {
			t.Errorf("%s: want %v, got %v", c.name, c.want, err)
		}
	}
	set(stored, false)
}
