package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/deploy/sample"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// demo is a customer of the house's REST surface, as any integrator would be.
type demo struct {
	base, token string
	at          time.Time
	out         io.Writer
	zones       map[string]*time.Location // of dealers
	held        map[string]bool           // leads sent; test leads, which no figure counts, are false
}

// timeToken is a time of the sample, relative to when it is sent: {now}, {now-3h}, {now+90d}.
var timeToken = regexp.MustCompile(`\{now(?:([+-])(\d+)([mhd]))?\}`)

func (d *demo) expand(raw []byte) []byte {
	units := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	return timeToken.ReplaceAllFunc(raw, func(token []byte) []byte {
		m := timeToken.FindSubmatch(token)
		n, err := strconv.Atoi(string(m[2]))
		if err != nil {
			n = 0
		}
		offset := time.Duration(n) * units[string(m[3])]
		if string(m[1]) == "-" {
			offset = -offset
		}
		return []byte(d.at.Add(offset).Format(time.RFC3339))
	})
}

func (d *demo) call(ctx context.Context, method, route, contentType string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, d.base+route, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if d.token != "" {
		req.Header.Set("Authorization", "Bearer "+d.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("%s %s: %w", method, route, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, raw, err
}

func (d *demo) get(ctx context.Context, route string, into proto.Message) error {
	code, raw, err := d.call(ctx, http.MethodGet, route, "", nil)
	if err != nil {
		return err
	}
	if code != http.StatusOK {
		return fmt.Errorf("GET %s answered %d: %s", route, code, raw)
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(raw, into)
}

// sampleFiles lists a folder of the sample in its order.
func sampleFiles(dir string) ([]string, error) {
	entries, err := fs.ReadDir(sample.Files(), dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if ext := path.Ext(e.Name()); ext == ".json" || ext == ".adf" {
			names = append(names, path.Join(dir, e.Name()))
		}
	}
	slices.Sort(names)
	return names, nil
}

func (d *demo) sendSignals(ctx context.Context) (int32, error) {
	names, err := sampleFiles("signals")
	if err != nil {
		return 0, err
	}
	var noted int32
	for _, name := range names {
		raw, err := fs.ReadFile(sample.Files(), name)
		if err != nil {
			return 0, err
		}
		code, answer, err := d.call(ctx, http.MethodPost, "/v1/signals:batch", "application/json", d.expand(raw))
		if err != nil {
			return 0, err
		}
		if code != http.StatusOK {
			return 0, fmt.Errorf("%s: answered %d: %s", name, code, answer)
		}
		resp := &identityv1.BatchCreateSignalsResponse{}
		if err := protojson.Unmarshal(answer, resp); err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		noted += resp.GetAccepted() + resp.GetDuplicates()
		for _, p := range resp.GetProblems() {
			fmt.Fprintf(d.out, "%s: signal %d not noted: %s\n", path.Base(name), p.GetIndex(), p.GetProblem().GetMessage())
			for _, v := range p.GetProblem().GetFieldViolations() {
				fmt.Fprintf(d.out, "  %s: %s\n", v.GetField(), v.GetDescription())
			}
		}
	}
	return noted, nil
}

func (d *demo) sendLeads(ctx context.Context) (int, error) {
	names, err := sampleFiles("leads")
	if err != nil {
		return 0, err
	}
	d.header()
	for _, name := range names {
		raw, err := fs.ReadFile(sample.Files(), name)
		if err != nil {
			return 0, err
		}
		if err := d.sendLead(ctx, name, d.expand(raw)); err != nil {
			return 0, err
		}
	}
	counted := 0
	for _, counts := range d.held {
		if counts {
			counted++
		}
	}
	return counted, nil
}

func (d *demo) sendLead(ctx context.Context, name string, body []byte) error {
	label := strings.TrimSuffix(path.Base(name), path.Ext(name))
	start := time.Now()
	if path.Ext(name) == ".adf" {
		code, answer, err := d.call(ctx, http.MethodPost, "/v1/adf", "application/xml", body)
		took := time.Since(start)
		if err != nil {
			return err
		}
		if code != http.StatusOK {
			d.refused(label, code, answer)
			return nil
		}
		resp := &capturev1.IngestResponse{}
		if err := protojson.Unmarshal(answer, resp); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, r := range resp.GetResults() {
			if err := d.line(ctx, label, r, took); err != nil {
				return err
			}
		}
		return nil
	}
	code, answer, err := d.call(ctx, http.MethodPost, "/v1/leads", "application/json", body)
	took := time.Since(start)
	if err != nil {
		return err
	}
	r := &capturev1.LeadResult{}
	if code != http.StatusOK && code != http.StatusAccepted {
		d.refused(label, code, answer)
		return nil
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(answer, r); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return d.line(ctx, label, r, took)
}

func (d *demo) refused(label string, code int, answer []byte) {
	var status struct {
		Message string `json:"message"`
	}
	text := string(answer)
	if json.Unmarshal(answer, &status) == nil && status.Message != "" {
		text = status.Message
	}
	fmt.Fprintf(d.out, "%-34s refused with %d: %s\n", cut(label, 34), code, text)
}

func (d *demo) header() {
	fmt.Fprintf(d.out, "%-34s %-14s %-13s %6s  %-62s %-34s %-10s %-20s %8s\n",
		"lead", "source", "line", "score", "strongest reasons", "goes to", "role", "deadline", "took")
}

// line prints what became of one lead.
func (d *demo) line(ctx context.Context, label string, r *capturev1.LeadResult, took time.Duration) error {
	decision := r.GetDecision()
	source := d.sourceOf(ctx, r.GetLeadId())
	line, score, reasons := "", "", ""
	if s := decision.GetScore(); s != nil {
		line = strings.TrimPrefix(s.GetLine().String(), "LINE_")
		score = fmt.Sprintf("%.1f", float64(s.GetPoints())/100)
		reasons = strings.Join(s.GetReasons()[:min(2, len(s.GetReasons()))], "; ")
	}
	goesTo, role, deadline := "", "", ""
	switch {
	case r.GetProblem() != nil:
		goesTo = "not taken: " + r.GetProblem().GetMessage()
	case decision.GetAssignment() != nil && decision.GetDisposition() == leadv1.Disposition_DISPOSITION_ASSIGNED:
		a := decision.GetAssignment()
		goesTo = a.GetDealerName()
		role = strings.ToLower(strings.TrimPrefix(a.GetRole().String(), "ROLE_"))
		deadline = strings.ToLower(a.GetDeadlineKind()) + " " + a.GetNextDeadline().AsTime().In(d.zone(ctx, a.GetDealerId())).Format("Mon 15:04 MST")
	case decision.GetDisposition() == leadv1.Disposition_DISPOSITION_MERGED:
		goesTo = "merged into " + short(decision.GetMergedInto())
	case decision.GetDisposition() == leadv1.Disposition_DISPOSITION_PARKED:
		p := decision.GetParking()
		goesTo = "parked: " + p.GetDetail()
		deadline = "review " + p.GetReviewAt().AsTime().Format("2006-01-02")
	default:
		goesTo = strings.ToLower(strings.TrimPrefix(r.GetState().String(), "STATE_"))
		if r.GetCode() != "" {
			goesTo += ": " + r.GetCode()
		}
	}
	_, err := fmt.Fprintf(d.out, "%-34s %-14s %-13s %6s  %-62s %-34s %-10s %-20s %8s\n",
		cut(label, 34), cut(source, 14), line, score, cut(reasons, 62), cut(goesTo, 34), cut(role, 10), cut(deadline, 20), took.Round(100*time.Microsecond))
	return err
}

// sourceOf reads the lead back, as an integrator would, for where it came from.
func (d *demo) sourceOf(ctx context.Context, leadID string) string {
	if leadID == "" {
		return ""
	}
	resp := &capturev1.GetLeadResponse{}
	if d.get(ctx, "/v1/leads/"+leadID, resp) != nil {
		return "?"
	}
	d.held[leadID] = !resp.GetLead().GetTest()
	s := resp.GetLead().GetSource()
	for _, name := range []string{s.GetSource(), s.GetProvider(), s.GetChannel()} {
		if name != "" {
			return name
		}
	}
	return ""
}

func (d *demo) zone(ctx context.Context, dealerID string) *time.Location {
	if z := d.zones[dealerID]; z != nil {
		return z
	}
	z := time.UTC
	resp := &routingv1.GetDealerResponse{}
	if err := d.get(ctx, "/v1/dealers/"+dealerID, resp); err == nil {
		if loaded, err := time.LoadLocation(resp.GetDealer().GetTimeZone()); err == nil {
			z = loaded
		}
	}
	d.zones[dealerID] = z
	return z
}

func short(id string) string { return id[:min(8, len(id))] }

// cut shortens a text to n columns.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
