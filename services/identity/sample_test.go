package identity_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	"github.com/leadmesh/leadmesh/services/identity"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"
)

// The sample network's signals are all taken, once, and every customer number leads to one person.
func TestSampleSignals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ *identity.Config, d *identity.Deps) {
		d.DealerID = func(code string) (string, bool) { return code, code != "" }
	})
	files, err := filepath.Glob("../../deploy/sample/signals/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("the sample is not in the tree")
	}
	relative := regexp.MustCompile(`\{now([+-]\d+)([dh])\}`)
	var all []*identityv1.Signal
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text = relative.ReplaceAllFunc(text, func(m []byte) []byte {
			part := relative.FindSubmatch(m)
			n, err := strconv.Atoi(string(part[1]))
			if err != nil {
				t.Fatal(err)
			}
			unit := time.Hour
			if string(part[2]) == "d" {
				unit = 24 * time.Hour
			}
			return []byte(start.Add(time.Duration(n) * unit).Format(time.RFC3339))
		})
		req := &identityv1.BatchCreateSignalsRequest{}
		if err := protojson.Unmarshal(text, req); err != nil {
			t.Fatalf("%s: %v", filepath.Base(file), err)
		}
		all = append(all, req.Signals...)
		want := &identityv1.BatchCreateSignalsResponse{Accepted: int32(len(req.Signals))}
		if diff := cmp.Diff(want, w.signals(req.Signals...), protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", filepath.Base(file), diff)
		}
	}
	want := &identityv1.BatchCreateSignalsResponse{Duplicates: int32(len(all))}
	if diff := cmp.Diff(want, w.signals(all...), protocmp.Transform()); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
	numbers := map[string]bool{}
	for _, s := range all {
		for _, id := range s.Identifiers {
			numbers[id.Kind.String()+id.Source+id.Value] = true
		}
	}
	var keys, split int
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE n > 1) FROM (
		SELECT count(DISTINCT coalesce(p.merged_into, p.person_id)) AS n
		FROM match_key m JOIN person p USING (person_id) WHERE m.kind = 3 GROUP BY m.key_hash) k`).Scan(&keys, &split); err != nil {
		t.Fatal(err)
	}
	if keys != len(numbers) || split != 0 {
		t.Errorf("%d identifiers are held, want %d; %d lead to several persons", keys, len(numbers), split)
	}
}
