package playbookfeed

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/playbook"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"google.golang.org/grpc"
)

// scripted answers requests in turn and notes what was asked.
type scripted struct {
	answers []*scoringv1.GetSnapshotResponse // nil: down
	asked   []string
}

func (s *scripted) GetSnapshot(_ context.Context, in *scoringv1.GetSnapshotRequest, _ ...grpc.CallOption) (*scoringv1.GetSnapshotResponse, error) {
	s.asked = append(s.asked, in.GetKnownRevision()[:min(4, len(in.GetKnownRevision()))])
	a := s.answers[0]
	s.answers = s.answers[1:]
	if a == nil {
		return nil, errors.New("down")
	}
	return a, nil
}

// bundle is the sample playbook with a remark, which makes it a revision of its own.
func bundle(t *testing.T, remark string) *scoringv1.GetSnapshotResponse {
	t.Helper()
	files := playbook.Files{}
	root := os.DirFS(filepath.Join("..", "..", "..", "deploy", "sample", "playbook"))
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(root, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files["signals.yaml"] = append(files["signals.yaml"], "# "+remark+"\n"...)
	return &scoringv1.GetSnapshotResponse{Revision: playbook.Revision(files), Bundle: playbook.Pack(files), Secret: make([]byte, 32)}
}

func TestFeedKeepsWhatWorks(t *testing.T) {
	one, two := bundle(t, "one"), bundle(t, "two")
	broken := &scoringv1.GetSnapshotResponse{Revision: strings.Repeat("dead", 16), Bundle: []byte("of a later version"), Secret: make([]byte, 32)}
	other := &scoringv1.GetSnapshotResponse{Revision: strings.Repeat("beef", 16), Bundle: two.GetBundle(), Secret: make([]byte, 32)}
	short := &scoringv1.GetSnapshotResponse{Revision: two.GetRevision(), Bundle: two.GetBundle(), Secret: make([]byte, 8)}
	same := &scoringv1.GetSnapshotResponse{Revision: "same", Unchanged: true}
	source := &scripted{}
	f := New(source, slog.New(slog.NewTextHandler(io.Discard, nil)))
	first, second := one.GetRevision(), two.GetRevision()
	for i, step := range []struct {
		answer  *scoringv1.GetSnapshotResponse
		asked   string // known revision
		holds   string
		healthy bool
		changed bool
	}{
		{nil, "", "", false, false},
		{one, "", first, true, true},
		{nil, first[:4], first, true, false},
		{broken, first[:4], first, false, false},
		{same, "dead", first, false, false}, // not fetched again
		{one, "dead", first, true, false},   // taken back
		{other, first[:4], first, false, false},
		{short, "beef", first, false, false},
		{two, second[:4], second, true, true},
		{same, second[:4], second, true, false},
	} {
		source.answers = []*scoringv1.GetSnapshotResponse{step.answer}
		source.asked = nil
		next := f.Changed()
		f.refresh(t.Context())
		changed := false
		select {
		case <-next:
			changed = true
		default:
		}
		holds := ""
		if s := f.Current(); s != nil {
			holds = s.Playbook.Revision
		}
		if diff := cmp.Diff([]string{step.asked}, source.asked); diff != "" {
			t.Errorf("step %d asks: %s", i, diff)
		}
		if holds != step.holds || (f.Health(t.Context()) == nil) != step.healthy || changed != step.changed {
			t.Errorf("step %d: holds %.8s, health %v, changed %v", i, holds, f.Health(t.Context()), changed)
		}
	}
}

func TestFetch(t *testing.T) {
	one := bundle(t, "one")
	broken := &scoringv1.GetSnapshotResponse{Revision: one.GetRevision(), Bundle: []byte("x")}
	f := New(&scripted{answers: []*scoringv1.GetSnapshotResponse{one, broken, nil}}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if s, err := f.Fetch(t.Context(), one.GetRevision(), nil); err != nil || s.Playbook.Revision != one.GetRevision() || f.Current() != nil {
		t.Errorf("fetched %v, %v", s, err)
	}
	for range 2 {
		if s, err := f.Fetch(t.Context(), one.GetRevision(), nil); err == nil {
			t.Errorf("fetched %v", s)
		}
	}
	if _, err := f.Fetch(t.Context(), "", nil); err == nil {
		t.Error("fetched nothing")
	}
}
