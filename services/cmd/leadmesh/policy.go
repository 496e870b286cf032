package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/leadmesh/leadmesh/core/playbook"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"google.golang.org/grpc"
)

// policies is the part of Scoring that keeps playbooks.
type policies interface {
	ApplyPlaybook(ctx context.Context, in *scoringv1.ApplyPlaybookRequest, opts ...grpc.CallOption) (*scoringv1.ApplyPlaybookResponse, error)
	RollbackPlaybook(ctx context.Context, in *scoringv1.RollbackPlaybookRequest, opts ...grpc.CallOption) (*scoringv1.RollbackPlaybookResponse, error)
	ListPlaybooks(ctx context.Context, in *scoringv1.ListPlaybooksRequest, opts ...grpc.CallOption) (*scoringv1.ListPlaybooksResponse, error)
}

// readPlaybook reads a folder into a bundle. Hidden files and what editors leave behind are passed
// over.
func readPlaybook(folder fs.FS) (playbook.Files, error) {
	files := playbook.Files{}
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(base, "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || strings.HasSuffix(base, "~") || strings.HasSuffix(base, ".swp"):
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Size() > playbook.MaxFileBytes || len(files) >= playbook.MaxFiles {
			return fmt.Errorf("%s: this folder is no playbook: a file too large, or too many of them", name)
		}
		files[name], err = fs.ReadFile(folder, name)
		return err
	})
	if err == nil && len(files) == 0 {
		err = errors.New("the folder is empty")
	}
	return files, err
}

// checkPolicy reads the playbook in a directory and prints every mistake as file:line: message, or
// the revision it would have. It returns the exit code: 0 without mistakes, 1 with, 2 when the
// directory cannot be read.
func checkPolicy(dir string, out io.Writer) int {
	_, code := soundPlaybook(dir, out)
	return code
}

// soundPlaybook is checkPolicy that hands on the files.
func soundPlaybook(dir string, out io.Writer) (playbook.Files, int) {
	files, err := readPlaybook(os.DirFS(dir))
	if err != nil {
		fmt.Fprintf(out, "%s: %v\n", dir, reasonOf(err))
		return nil, 2
	}
	p, mistakes := playbook.Read(files)
	if p != nil {
		if _, err := time.LoadLocation(p.TimeZone); err != nil {
			mistakes = append(mistakes, playbook.Mistake{File: "playbook.yaml", Message: fmt.Sprintf("there is no time zone called %q", p.TimeZone)})
		}
	}
	for _, m := range mistakes {
		fmt.Fprintln(out, m)
	}
	if len(mistakes) > 0 {
		plural := "s"
		if len(mistakes) == 1 {
			plural = ""
		}
		fmt.Fprintf(out, "%d mistake%s\n", len(mistakes), plural)
		return nil, 1
	}
	fmt.Fprintf(out, "no mistakes; revision %s\n", p.Revision)
	return files, 0
}

// reasonOf is what stands behind an error about the folder itself, whose name within itself, ".",
// tells nobody anything.
func reasonOf(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) && at.Path == "." {
		return at.Err
	}
	return err
}

// applyPolicy makes the playbook in a directory active. It returns the exit code as checkPolicy
// does, and an error when Scoring refuses.
func applyPolicy(ctx context.Context, client policies, dir, note string, out io.Writer) (int, error) {
	files, code := soundPlaybook(dir, out)
	if code != 0 {
		return code, nil
	}
	req := &scoringv1.ApplyPlaybookRequest{Note: note}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		req.Files = append(req.Files, &scoringv1.PlaybookFile{Path: name, Content: files[name]})
	}
	resp, err := client.ApplyPlaybook(ctx, req)
	if err != nil {
		return 1, err
	}
	word := "active now"
	if resp.GetUnchanged() {
		word = "active already"
	}
	fmt.Fprintf(out, "%s: %s\n", word, resp.GetRevision())
	warn(out, resp.GetWarnings())
	return 0, nil
}

// rollbackPolicy makes an earlier revision active again: the one named, by at least its first
// eight characters, else the one before.
func rollbackPolicy(ctx context.Context, client policies, revision, note string, out io.Writer) error {
	resp, err := client.RollbackPlaybook(ctx, &scoringv1.RollbackPlaybookRequest{Revision: revision, Note: note})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "active now: %s\n", resp.GetRevision())
	warn(out, resp.GetWarnings())
	return nil
}

// warn prints what to look at after a change of the playbook.
func warn(out io.Writer, warnings []string) {
	for _, w := range warnings {
		fmt.Fprintln(out, "warning:", w)
	}
}

// listPolicies prints the revisions, the newest activation first; the active one has a star. What
// replicas say against a revision stands below it.
func listPolicies(ctx context.Context, client policies, out io.Writer) error {
	resp, err := client.ListPlaybooks(ctx, &scoringv1.ListPlaybooksRequest{})
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, " \trevision\tactivated\tby\tnote")
	for _, p := range resp.GetPlaybooks() {
		star := " "
		if p.GetActive() {
			star = "*"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", star, p.GetRevision()[:min(12, len(p.GetRevision()))],
			p.GetActivatedAt().AsTime().Format(time.RFC3339), p.GetActivatedBy(), p.GetNote())
		for _, problem := range p.GetProblems() {
			fmt.Fprintf(w, " \t! %s\t\t\t\n", problem.GetMessage())
		}
	}
	return w.Flush()
}
