package capture_test

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/adf"
	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	"github.com/leadmesh/leadmesh/services/capture"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

// corpusDir walks up to a folder of collected documents beside the repository.
func corpusDir(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		candidate := filepath.Join(dir, "shared", "data", "adf")
		if _, err := os.Stat(filepath.Join(candidate, "manifest.json")); err == nil {
			return candidate
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Skip("no shared/data/adf beside the repository: collected documents not checked")
		}
		dir = parent
	}
}

// sampleGovernor is that of the sample playbook.
func sampleGovernor(t *testing.T) *governance.Governor {
	t.Helper()
	files, root := playbook.Files{}, os.DirFS(filepath.Join("..", "..", "deploy", "sample", "playbook"))
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[name], err = fs.ReadFile(root, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p, mistakes := playbook.Read(files)
	if p == nil || p.Governor == nil {
		t.Fatal(mistakes)
	}
	return p.Governor
}

// TestCollectedDocumentsBecomeTheirLeads takes every collected document the whole way in and
// compares the stored leads with what the documents say.
func TestCollectedDocumentsBecomeTheirLeads(t *testing.T) {
	dir := corpusDir(t)
	raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		File   string         `json:"file"`
		Expect map[string]any `json:"expect"`
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, capture.Config{})
	w.governor = sampleGovernor(t)
	own := documentExpectations()
	for _, c := range cases {
		t.Run(c.File, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join(dir, c.File))
			if err != nil {
				t.Fatal(err)
			}
			// Each document has a sender of its own: equal ones of one sender are one lead.
			w.ctx = rpc.WithCaller(t.Context(), rpc.Caller{Name: c.File, Roles: []rpc.Role{rpc.RoleOEM}})
			f := w.takeDocument(t, body, cmp.Or(c.Expect["requestdate"], own[c.File]["requestdate"]))
			if c.Expect == nil && own[c.File] == nil {
				t.Error("nothing is expected of this document")
			}
			for _, expect := range []map[string]any{c.Expect, own[c.File]} {
				for key, want := range expect {
					if got := f.check(key, want); got != "" {
						t.Errorf("%s: %s", key, got)
					}
				}
			}
			f.checkPlaceholders(t)
		})
	}
}

// found is what became of a document.
type found struct {
	body   []byte
	now    time.Time
	leads  []lead.Lead
	states []string
}

// takeDocument sends a document an hour after its customer asked.
func (w *world) takeDocument(t *testing.T, body []byte, requested any) *found {
	t.Helper()
	f := &found{body: body, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	if text, ok := requested.(string); ok {
		if at, _, _, ok := adf.ParseDate(text, nil); ok {
			f.now = at.Add(time.Hour)
		}
	}
	w.mu.Lock()
	w.now = f.now
	w.mu.Unlock()
	results, err := w.ingest(capturev1.DocumentKind_DOCUMENT_KIND_ADF, string(body), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		got, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: r.GetLeadId()})
		if err != nil || r.GetProblem() != nil {
			t.Fatal(r.GetProblem(), err)
		}
		l, violations := leadconv.FromProto(got.GetLead())
		if len(violations) > 0 {
			t.Fatal(violations)
		}
		state := strings.TrimPrefix(r.GetState().String(), "STATE_")
		if r.GetCode() != "" {
			state += " " + r.GetCode()
		}
		f.leads, f.states = append(f.leads, l), append(f.states, state)
		if len(results) == 1 {
			stored, err := w.service.GetRawLead(w.ctx, &capturev1.GetRawLeadRequest{LeadId: r.GetLeadId()})
			if err != nil || string(stored.GetBody()) != string(body) {
				t.Errorf("the raw form is not kept (%v)", err)
			}
		}
	}
	return f
}

// check compares one fact with what is wanted; "" if it fits.
func (f *found) check(key string, want any) string {
	if len(f.leads) == 0 {
		return "no lead"
	}
	l := &f.leads[0]
	switch key {
	case "requestdate":
		return requestDate(l, want)
	case "prospects":
		return same(strconv.Itoa(len(f.leads)), want)
	case "vehicles":
		return same(strconv.Itoa(len(l.Vehicles)), want)
	case "state":
		return same(f.states[0], want)
	case "second_status":
		if len(f.leads) < 2 || !f.leads[1].Resend || !f.leads[1].Flagged(lead.FlagResendFirstSeen) {
			return "the second lead is not marked as a resend"
		}
		return ""
	case "vin_valid":
		v := mainVehicle(l)
		doubted := !v.VINValid || slices.ContainsFunc(l.Flags, func(f lead.Flag) bool { return strings.HasPrefix(f.Code, "vin_") })
		return same(strconv.FormatBool(!doubted), want)
	case "warnings":
		return same(strconv.FormatBool(len(l.Flags) > 0), want)
	case "flags":
		for _, code := range want.([]string) {
			if !l.Flagged(code) {
				return "no flag " + code
			}
		}
		return ""
	case "extra":
		for path, value := range want.(map[string]string) {
			if !slices.Contains(l.Extra, lead.Field{Path: path, Value: value}) {
				return "extra has no " + path
			}
		}
		return ""
	case "comments_contains":
		for _, part := range want.([]any) {
			if !strings.Contains(l.Comments, part.(string)) {
				return "missing " + part.(string)
			}
		}
		return ""
	}
	if name, ok := strings.CutPrefix(key, "ext_"); ok {
		return same(extra(l, name), want)
	}
	if name, ok := strings.CutPrefix(key, "trade_"); ok {
		return same(vehicleFact(l, tradedVehicle(l), name), want)
	}
	if key == "trade" {
		return same(vehicleFact(l, tradedVehicle(l), "vehicle"), want)
	}
	if got, ok := partyFact(l, key); ok {
		return same(got, want)
	}
	if got, ok := leadFact(l, key); ok {
		return same(got, want)
	}
	return same(vehicleFact(l, mainVehicle(l), key), want)
}

// same compares a fact as text; nil wants it absent.
func same(got string, want any) string {
	wanted := ""
	switch v := want.(type) {
	case string:
		wanted = v
	case bool:
		wanted = strconv.FormatBool(v)
	case float64:
		wanted = strconv.FormatFloat(v, 'f', -1, 64)
	case int:
		wanted = strconv.Itoa(v)
	}
	if got != wanted {
		return "got " + strconv.Quote(got) + ", want " + strconv.Quote(wanted)
	}
	return ""
}

// requestDate wants the source's moment, since the document was sent an hour later.
func requestDate(l *lead.Lead, want any) string {
	at, _, _, ok := adf.ParseDate(want.(string), nil)
	if !ok || !l.RequestedAt.Equal(at) || l.Flagged(lead.FlagRequestedAtImplausible) {
		return "got " + l.RequestedAt.String()
	}
	return ""
}

// checkPlaceholders wants unfilled marks of templates to be flagged and in no field that somebody
// is reached, found or told apart by.
func (f *found) checkPlaceholders(t *testing.T) {
	t.Helper()
	for i := range f.leads {
		l := &f.leads[i]
		fields := []string{l.Dealer.ID, l.Dealer.Code, l.Language, l.Comments}
		for _, id := range l.Identifiers {
			fields = append(fields, id.Value)
		}
		for _, p := range l.Parties {
			fields = append(fields, p.Name.Full, p.Name.Given, p.Name.Family, p.Address.City, p.Address.Postal, p.Address.Region, p.Born)
			fields = append(fields, p.Address.Streets...)
			for _, e := range p.Emails {
				fields = append(fields, e.Raw, e.Address)
			}
			for _, q := range p.Phones {
				fields = append(fields, q.Raw, q.E164)
			}
		}
		for _, v := range l.Vehicles {
			fields = append(fields, v.Make, v.Model, v.VIN, v.Stock, v.Trim)
		}
		for _, s := range fields {
			if lead.Placeholder(s) {
				t.Errorf("%q is taken for a value", s)
			}
		}
	}
}
