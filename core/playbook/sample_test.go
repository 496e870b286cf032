package playbook_test

import (
	"bytes"
	"encoding/csv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/sla"
)

// readFolder reads a folder of the repository into a bundle.
func readFolder(t testing.TB, dir string) playbook.Files {
	t.Helper()
	files := playbook.Files{}
	root := os.DirFS(dir)
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
	return files
}

func sampleFolder() string { return filepath.Join("..", "..", "deploy", "sample", "playbook") }

// sample reads the sample playbook, which must be without mistakes.
func sample(t testing.TB) *playbook.Playbook {
	t.Helper()
	p, mistakes := playbook.Read(readFolder(t, sampleFolder()))
	for _, m := range mistakes {
		t.Errorf("%s:%d: %s", m.File, m.Line, m.Message)
	}
	if p == nil {
		t.FailNow()
	}
	return p
}

func TestSampleCompiles(t *testing.T) {
	p := sample(t)
	if len(p.Plays) < 8 || len(p.Revision) != 64 || p.Governor == nil || p.Scoring == nil {
		t.Errorf("the sample is thin: %d plays, revision %q", len(p.Plays), p.Revision)
	}
}

// The clock table of the sample is the published one.
func TestSampleClocks(t *testing.T) {
	p := sample(t)
	const open, wall = sla.StoreHours, sla.WallClock
	day := 24 * time.Hour
	for _, tt := range []struct {
		key                  sla.Key
		acknowledge, respond sla.Term
		plan                 sla.Plan
		after                time.Duration
	}{
		{sla.Key{Line: "SALES", Stage: "READY"}, term(time.Minute, wall), term(15*time.Minute, open),
			sla.Plan{Count: 8, Channels: 2, DayOneCount: 3, DayOneGap: 2 * time.Hour, Window: 14 * day}, 30 * time.Minute},
		{sla.Key{Line: "SALES", Stage: "INTENT"}, term(time.Minute, wall), term(time.Hour, open), sla.Plan{Count: 6, Window: 14 * day}, 90 * time.Minute},
		{sla.Key{Line: "ACQUISITION"}, term(time.Minute, wall), term(time.Hour, open), sla.Plan{Count: 6, Window: 14 * day}, 90 * time.Minute},
		{sla.Key{Line: "SERVICE", Stage: "READY"}, term(5*time.Minute, wall), term(time.Hour, open), sla.Plan{Count: 4, Window: 7 * day}, 30 * time.Minute},
		{sla.Key{Line: "RENEWAL", Stage: "AWARENESS"}, term(time.Hour, wall), term(4*time.Hour, open), sla.Plan{Count: 6, Window: 30 * day}, 90 * time.Minute},
		{sla.Key{Line: "WARRANTY"}, term(time.Hour, wall), term(8*time.Hour, open), sla.Plan{Count: 3, Window: 14 * day}, 90 * time.Minute},
		{sla.Key{Line: "ACCESSORIES"}, term(time.Hour, wall), term(8*time.Hour, open), sla.Plan{Count: 3, Window: 14 * day}, 90 * time.Minute},
		{sla.Key{Line: "REENGAGEMENT"}, term(time.Hour, wall), term(24*time.Hour, open), sla.Plan{Count: 4, Window: 30 * day}, 90 * time.Minute},
		{sla.Key{Line: "SALES", Stage: "READY", Account: "fleet"}, term(time.Hour, wall), term(4*time.Hour, open), sla.Plan{Count: 6, Window: 60 * day}, 30 * time.Minute},
		{sla.Key{Line: "CARE"}, term(15*time.Minute, wall), term(2*time.Hour, open), sla.Plan{UntilResolved: true, Every: day}, 90 * time.Minute},
	} {
		got, ok := p.Clocks.Select(tt.key)
		if !ok {
			t.Errorf("%s: no clocks", tt.key)
			continue
		}
		want := sla.Clock{Acknowledge: tt.acknowledge, Respond: tt.respond, Plan: tt.plan}
		if diff := cmp.Diff(want, got.Clock); diff != "" || got.AfterHours != tt.after {
			t.Errorf("%s: after hours %v, %s", tt.key, got.AfterHours, diff)
		}
		if got.WarnPercent != 80 || got.AcceptPercent != 50 || got.Ladder.ManagerTimes != 2 || got.Ladder.FieldTimes != 4 {
			t.Errorf("%s: warns at %d, accepts at %d, ladder %+v", tt.key, got.WarnPercent, got.AcceptPercent, got.Ladder)
		}
		if want := map[bool]time.Duration{true: day, false: 3 * day}[tt.key.Stage == "READY"]; got.Steps.Engaged[0].Duration != want {
			t.Errorf("%s: next step after %v", tt.key, got.Steps.Engaged[0].Duration)
		}
	}
	if err := p.Clocks.Validate(); err != nil {
		t.Error(err)
	}
}

func term(d time.Duration, base sla.Base) sla.Term { return sla.Term{Duration: d, Base: base} }

// score fills inputs by feature and scores them.
func score(p *playbook.Playbook, facts map[scoring.Feature]int32) (*scoring.Inputs, *scoring.Result) {
	var in scoring.Inputs
	var res scoring.Result
	in.Reset()
	for f, v := range facts {
		in.Values[f] = v
	}
	p.Scoring.Score(&in, &res)
	return &in, &res
}

func feature(t *testing.T, name string) scoring.Feature {
	t.Helper()
	f, ok := scoring.ParseFeature(name)
	if !ok {
		t.Fatalf("no feature %s", name)
	}
	return f
}

// Who is ready, and the two strongest reasons as a dealer reads them.
func TestSampleReasons(t *testing.T) {
	p := sample(t)
	for _, tt := range []struct {
		name    string
		line    lead.Line
		facts   map[string]int32
		stage   lead.Stage
		reasons []string
	}{
		{"test drive, phone, soon", lead.LineSales,
			map[string]int32{"request_type": int32(lead.RequestTypeTestDrive), "has_phone": 1, "has_email": 1, "time_frame_days": 14, "vehicle_sought_known": 1},
			lead.StageReady, []string{"asked for a test drive", "wants to buy within 2 weeks"}},
		{"brochure, only e-mail", lead.LineSales,
			map[string]int32{"request_type": int32(lead.RequestTypeBrochure), "has_phone": 0, "has_email": 1, "vehicle_sought_known": 1},
			lead.StageAwareness, []string{"left no phone number", "asked for a brochure"}},
		{"quote with trade", lead.LineSales,
			map[string]int32{"request_type": int32(lead.RequestTypeQuote), "has_phone": 1, "has_email": 1, "vehicle_sought_known": 1, "trade_offered": 1, "time_frame_days": 25},
			lead.StageReady, []string{"asked for a quote", "wants to buy within a month"}},
		{"lease ends", lead.LineRenewal,
			map[string]int32{"request_type": int32(lead.RequestTypeQuote), "has_phone": 1, "lease_days_to_end": 74},
			lead.StageReady, []string{"lease ends in 74 days", "asked for a quote"}},
		{"lease far away, nothing asked", lead.LineRenewal,
			map[string]int32{"trigger": 1, "has_phone": 1, "lease_days_to_end": 260},
			lead.StageConsideration, []string{"lease ends in 260 days", "left a phone number"}},
		{"work turned down", lead.LineService,
			map[string]int32{"request_type": int32(lead.RequestTypeServiceBooking), "has_phone": 1, "service_declined.recency": 14 * 86400, "visit_days": 14},
			lead.StageReady, []string{"wants a workshop appointment", "turned down work 14 days ago"}},
		{"warranty about to end", lead.LineWarranty,
			map[string]int32{"request_type": int32(lead.RequestTypeContact), "has_phone": 1, "warranty_days_left": 21},
			lead.StageReady, []string{"warranty ends in 21 days", "asked about the warranty"}},
		{"cart", lead.LineAccessories,
			map[string]int32{"request_type": int32(lead.RequestTypeParts), "has_phone": 1, "cart_abandoned.recency": 3 * 86400, "parts_page_view.count": 2600},
			lead.StageReady, []string{"asked for a part", "left a filled cart 3 days ago"}},
		{"back after a year", lead.LineReengagement,
			map[string]int32{"trigger": 1, "has_phone": 1, "comeback_gap_days": 400, "inventory_view.recency": 86400, "vehicle_age_days": 2240},
			lead.StageReady, []string{"came back after 400 days of silence", "looked at cars in stock 24 hours ago"}},
	} {
		facts := map[scoring.Feature]int32{}
		for name, v := range tt.facts {
			facts[feature(t, name)] = v
		}
		in, res := score(p, facts)
		if res.Stage[tt.line] != tt.stage {
			t.Errorf("%s: %d points, stage %s", tt.name, res.Points[tt.line], res.Stage[tt.line])
		}
		var got []string
		for _, r := range p.Scoring.Explain(in, res, tt.line, 2) {
			got = append(got, r.Label)
		}
		if diff := cmp.Diff(tt.reasons, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// A person may be in several segments; one play is active, the one worth most.
func TestSampleSegments(t *testing.T) {
	p := sample(t)
	for _, tt := range []struct {
		facts  map[string]int32
		in     []lead.Segment
		active lead.Segment
		level  string
	}{
		{map[string]int32{"lease_days_to_end": 90, "visits_24m": 3}, []lead.Segment{lead.SegmentRenewalIntender, lead.SegmentServiceLoyalist}, lead.SegmentRenewalIntender, "hot"},
		{map[string]int32{"lease_days_to_end": 180}, []lead.Segment{lead.SegmentRenewalIntender}, lead.SegmentRenewalIntender, "active"},
		{map[string]int32{"lease_days_to_end": 270}, []lead.Segment{lead.SegmentRenewalIntender}, lead.SegmentRenewalIntender, "warm"},
		{map[string]int32{"lease_days_to_end": 271}, nil, 0, ""},
		{map[string]int32{"equity": 500, "payment_change": 49}, nil, 0, ""},
		{map[string]int32{"equity": 500, "payment_change": 49, "app_use.recency": 10 * 86400}, []lead.Segment{lead.SegmentRenewalIntender}, lead.SegmentRenewalIntender, "equity, app"},
		{map[string]int32{"services_done": 800}, []lead.Segment{lead.SegmentServiceLoyalist}, lead.SegmentServiceLoyalist, "does what is due"},
		{map[string]int32{"warranty_days_left": 90}, []lead.Segment{lead.SegmentWarrantyExpiring}, lead.SegmentWarrantyExpiring, ""},
		{map[string]int32{"warranty_days_left": -1}, nil, 0, ""},
		{map[string]int32{"parts_page_view.count": 1300}, []lead.Segment{lead.SegmentAccessoryProspect}, lead.SegmentAccessoryProspect, "looks"},
		{map[string]int32{"cart_abandoned.recency": 7 * 86400}, []lead.Segment{lead.SegmentAccessoryProspect}, lead.SegmentAccessoryProspect, "cart"},
	} {
		facts := map[scoring.Feature]int32{}
		for name, v := range tt.facts {
			facts[feature(t, name)] = v
		}
		_, res := score(p, facts)
		var in []lead.Segment
		for s := lead.SegmentRenewalIntender; int(s) < scoring.NumSegments; s++ {
			if res.Segments.Has(s) {
				in = append(in, s)
			}
		}
		if diff := cmp.Diff(tt.in, in); diff != "" || res.Active != tt.active || p.Scoring.Level(res, res.Active) != tt.level {
			t.Errorf("%v: active %s at %q, %s", tt.facts, res.Active, p.Scoring.Level(res, res.Active), diff)
		}
	}
}

func TestPlay(t *testing.T) {
	p := sample(t)
	for _, tt := range []struct {
		line   lead.Line
		active lead.Segment
		want   string
	}{
		{lead.LineSales, lead.SegmentUnspecified, "first-hour"},
		{lead.LineSales, lead.SegmentServiceLoyalist, "first-hour"},
		{lead.LineRenewal, lead.SegmentUnspecified, "renewal"},
		{lead.LineRenewal, lead.SegmentRenewalIntender, "renewal-intender"},
		{lead.LineService, lead.SegmentServiceLoyalist, "service-loyalist"},
		{lead.LineNurture, lead.SegmentUnspecified, ""},
	} {
		got := ""
		if play := p.Play(tt.line, tt.active); play != nil {
			got = play.ID
		}
		if got != tt.want {
			t.Errorf("%s, %s: play %q, want %q", tt.line, tt.active, got, tt.want)
		}
	}
}

// The cars of the playbook are those of the sample's network, in all their spellings.
func TestSampleCatalogue(t *testing.T) {
	p := sample(t)
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "sample", "network", "catalogue.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	now := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	for _, row := range rows[1:] {
		for _, spelling := range append(strings.Split(row[column["aliases"]], "|"), row[column["model"]]) {
			l := lead.Lead{Market: "US", ReceivedAt: now, Vehicles: []lead.Vehicle{{
				Role: lead.VehicleRoleSought, Make: row[column["brand"]], Model: spelling, Odometer: -1,
			}}}
			p.Governor.Apply(&l, now)
			if v := l.Vehicles[0]; v.ModelCode != row[column["model_code"]] || v.Powertrain.String() != row[column["powertrain"]] || l.Brand != row[column["brand"]] {
				t.Errorf("%q of %s is %q, %s, brand %q", spelling, row[column["model_code"]], v.ModelCode, v.Powertrain, l.Brand)
			}
		}
	}
}

// The stores that the sample's routing names are in its network.
func TestSampleDesk(t *testing.T) {
	dealers, err := os.ReadFile(filepath.Join("..", "..", "deploy", "sample", "network", "dealers.csv"))
	if err != nil {
		t.Fatal(err)
	}
	policy := sample(t).Routing
	for _, id := range append([]string{policy.Desk}, overflow(policy)...) {
		if !bytes.Contains(dealers, []byte("\n"+id+",")) {
			t.Errorf("the network has no %s", id)
		}
	}
}

func overflow(p routing.Policy) (ids []string) {
	for _, o := range p.Overflow {
		ids = append(ids, o.Dealer)
	}
	return ids
}
