package house

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/leadmesh/leadmesh/deploy/sample"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// seedAgain is how long Seed waits for a database that is away.
const seedAgain = 200 * time.Millisecond

// Seed fills an empty installation with the sample network and playbook; one that has either
// keeps its own. While the database is away it waits for it, until ctx ends.
func (h *House) Seed(ctx context.Context) error {
	return postgres.Persist(ctx, seedAgain, func() error { return h.seed(ctx) })
}

func (h *House) seed(ctx context.Context) error {
	if h.scoring != nil {
		files, err := readFiles(sample.Files(), "playbook")
		if err != nil {
			return err
		}
		if err := h.scoring.Seed(ctx, files, "the sample playbook"); err != nil {
			return fmt.Errorf("load the sample playbook: %w", err)
		}
	}
	if h.routing != nil {
		if err := h.routing.SeedNetwork(ctx, sampleNetwork); err != nil {
			return fmt.Errorf("load the sample network: %w", err)
		}
	}
	h.seeded.Store(true)
	return nil
}

// sampleNetwork reads the sample network as files to import.
func sampleNetwork() ([]*routingv1.NetworkFile, error) {
	var out []*routingv1.NetworkFile
	for _, dir := range []string{"network", "postal"} {
		files, err := readFiles(sample.Files(), dir)
		if err != nil {
			return nil, err
		}
		for name, content := range files {
			if path.Ext(name) != ".md" {
				out = append(out, &routingv1.NetworkFile{Name: path.Base(name), Content: content})
			}
		}
	}
	return out, nil
}

// readFiles reads a folder and everything below it, by path inside the folder.
func readFiles(tree fs.FS, dir string) (map[string][]byte, error) {
	sub, err := fs.Sub(tree, dir)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	err = fs.WalkDir(sub, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(sub, name)
		return err
	})
	return files, err
}
