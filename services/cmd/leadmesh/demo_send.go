package main

import (
	"bytes"
	"context"
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
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// demo is a customer of the house's REST surface, as any integrator would be.
type demo struct {
	base, token string
	at          time.Time
	out         io.Writer
	zones       map[string]*time.Location // of dealers
	held        map[string]sent           // by lead id
}

// sent is a lead that was sent in this run.
type sent struct {
	label string // of the first file that made it
	test  bool   // no figure counts it
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
	heading().write(d.out)
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
	for _, s := range d.held {
		if !s.test {
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
			d.line(ctx, label, r, took)
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
	d.line(ctx, label, r, took)
	return nil
}
