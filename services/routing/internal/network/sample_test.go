package network_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/leadmesh/leadmesh/services/internal/pgtest"
	pgstore "github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/routing/internal/network"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
	"google.golang.org/protobuf/testing/protocmp"
)

func now() time.Time { return time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC) }

// sampleFiles are the files of the sample network and its postal codes.
func sampleFiles(tb testing.TB) []network.File {
	tb.Helper()
	root := os.DirFS(filepath.Join("..", "..", "..", "..", "deploy", "sample"))
	var files []network.File
	for _, pattern := range []string{"network/*", "postal/*.gz"} {
		names, err := fs.Glob(root, pattern)
		if err != nil {
			tb.Fatal(err)
		}
		for _, name := range names {
			content, err := fs.ReadFile(root, name)
			if err != nil {
				tb.Fatal(err)
			}
			files = append(files, network.File{Name: name, Content: content})
		}
	}
	return files
}

func TestSampleIsTakenWhole(t *testing.T) {
	r, err := network.Import(&postgres.NetworkRows{}, sampleFiles(t), network.Options{AllOrNothing: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range r.Mistakes {
		if i < 20 {
			t.Errorf("%+v", m)
		}
	}
	if r.Rows == nil {
		t.Fatalf("refused with %d mistakes", len(r.Mistakes))
	}
	if len(r.Rows.Dealers) < 400 || len(r.Rows.Territories) < 60_000 || len(r.Rows.Points) < 50_000 {
		t.Errorf("%d dealers, %d areas, %d postal codes", len(r.Rows.Dealers), len(r.Rows.Territories), len(r.Rows.Points))
	}
}

func TestNetworkIsStoredAndRead(t *testing.T) {
	pool := pgtest.New(t, pgstore.Module{Service: "routing", FS: postgres.Migrations(), Dir: "migrations"}).Pool("routing")
	store, err := postgres.NewStore(pool)
	if err != nil {
		t.Fatal(err)
	}
	files := sampleFiles(t)
	var made *postgres.NetworkRows
	edit := func(o network.Options) string {
		revision, err := store.EditNetwork(t.Context(), now(), func(present *postgres.NetworkRows) (*postgres.NetworkRows, error) {
			r, err := network.Import(present, files, o)
			made = r.Rows
			return r.Rows, err
		})
		if err != nil {
			t.Fatal(err)
		}
		return revision
	}
	if got := edit(network.Options{}); got != "1" {
		t.Errorf("revision %s after the first import", got)
	}
	if got := edit(network.Options{Replace: true}); got != "1" {
		t.Errorf("revision %s after the same again: nothing differs", got)
	}
	packed, err := store.Network(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), "DELETE FROM network_blob"); err != nil {
		t.Fatal(err)
	}
	rows, err := store.Network(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(made.Territories, packed.Territories) || !slices.Equal(packed.Territories, rows.Territories) {
		t.Error("areas differ between what was made, read in one piece and read by rows")
	}
	if !slices.Equal(made.Points, packed.Points) || !slices.Equal(packed.Points, rows.Points) {
		t.Error("postal codes differ between what was made, read in one piece and read by rows")
	}
	made.Revision, made.Territories, packed.Territories, made.Points, packed.Points = "1", nil, nil, nil, nil
	if d := cmp.Diff(made, packed, protocmp.Transform(), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("what was read (-made +read):\n%s", d)
	}
}
