package capture_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	"github.com/leadmesh/leadmesh/services/capture"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
)

// zoneRules know a market in New York and a source in Berlin; the store of zoneWorld is in Phoenix.
func zoneRules(t *testing.T) *governance.Governor {
	t.Helper()
	g, problems := governance.Compile(governance.Rules{
		Markets: []governance.Market{{Country: "US", Currency: "USD", Unit: "MI", Zone: "America/New_York"}},
		Sources: []governance.SourceRule{{Source: "autoportal", Names: []string{"Auto Portal"}, Zone: "Europe/Berlin"}, {Source: "nowhere", Zone: "Atlantis/Capital"}},
		Lines:   []governance.LineRule{{Line: "SALES"}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return g
}

func zoneWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, capture.Config{})
	w.governor = zoneRules(t)
	phoenix, err := time.LoadLocation("America/Phoenix")
	if err != nil {
		t.Fatal(err)
	}
	w.deps.DealerZone = func(ref lead.DealerReference) *time.Location {
		if ref.Name == "Desert Ostra" || ref.Code == "D7" {
			return phoenix
		}
		return nil
	}
	w.service = w.start(capture.Config{})
	return w
}

func (w *world) stored(id string) lead.Lead {
	w.t.Helper()
	got, err := w.service.GetLead(w.ctx, &capturev1.GetLeadRequest{LeadId: id})
	if err != nil {
		w.t.Fatal(err)
	}
	l, violations := leadconv.FromProto(got.GetLead())
	if len(violations) > 0 {
		w.t.Fatal(violations)
	}
	return l
}

func TestTimesWithoutAZoneAreTheSourcesThenTheDealersThenTheMarkets(t *testing.T) {
	const person = `<customer><contact><name part="full">Ada Byron</name><email>ada@byron.example.com</email></contact></customer>`
	adfDoc := func(date, rest string) string {
		return "<adf><prospect><requestdate>" + date + "</requestdate>" + person + rest + "</prospect></adf>"
	}
	jsonDoc := func(rest string) string {
		return `{"requested_at":"2026-03-02 06:30:00","parties":[{"name":"Ada Byron","emails":["ada@byron.example.com"]}]` + rest + `}`
	}
	const adf, json = capturev1.DocumentKind_DOCUMENT_KIND_ADF, capturev1.DocumentKind_DOCUMENT_KIND_LEAD
	for name, c := range map[string]struct {
		kind capturev1.DocumentKind
		body string
		want string // the moment
		zone string // the one assumed
	}{
		"adf, the source's":         {adf, adfDoc("2026-03-02T09:30:00", "<vendor><vendorname>Desert Ostra</vendorname></vendor><provider><name>Auto Portal</name></provider>"), "2026-03-02T08:30:00Z", "Europe/Berlin"},
		"adf, the dealer's by name": {adf, adfDoc("2026-03-02 01:30:00", "<vendor><vendorname>Desert Ostra</vendorname></vendor>"), "2026-03-02T08:30:00Z", "America/Phoenix"},
		"adf, the dealer's by code": {adf, adfDoc("3/2/2026 1:30 AM", `<vendor><id source="oem">D7</id><vendorname>Store</vendorname></vendor>`), "2026-03-02T08:30:00Z", "America/Phoenix"},
		"adf, the market's":         {adf, adfDoc("2026-03-02T03:30:00", "<vendor><vendorname>Store</vendorname></vendor>"), "2026-03-02T08:30:00Z", "America/New_York"},
		"adf, its own":              {adf, adfDoc("2026-03-02T08:30:00Z", "<provider><name>Auto Portal</name></provider>"), "2026-03-02T08:30:00Z", ""},
		"json, the source's":        {json, jsonDoc(`,"source":"autoportal","dealer":{"code":"D7"}`), "2026-03-02T05:30:00Z", "Europe/Berlin"},
		"json, a source nowhere":    {json, jsonDoc(`,"source":"nowhere"`), "2026-03-02T09:00:00Z", "America/New_York"}, // to come: receipt counts
		"json, the dealer's":        {json, jsonDoc(`,"dealer":{"code":"D7"}`), "2026-03-02T09:00:00Z", "America/Phoenix"},
		"json, days stay days":      {json, `{"time_frame":{"earliest":"2026-05-01"},"parties":[{"emails":["ada@byron.example.com"]}]}`, "2026-03-02T09:00:00Z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := zoneWorld(t)
			results, err := w.ingest(c.kind, c.body, "")
			if err != nil {
				t.Fatal(err)
			}
			l := w.stored(results[0].GetLeadId())
			zone := ""
			for _, f := range l.Flags {
				if f.Code == lead.FlagZoneAssumed {
					zone = f.Detail
				}
			}
			if diff := cmp.Diff(c.want+" "+c.zone, l.RequestedAt.Format(time.RFC3339)+" "+zone); diff != "" {
				t.Errorf("requested at, zone (-want +got):\n%s", diff)
			}
			if c.kind == json && !l.TimeFrame.Earliest.IsZero() && l.TimeFrame.Earliest.Format(time.DateOnly) != "2026-05-01" {
				t.Errorf("earliest = %v, want the day as sent", l.TimeFrame.Earliest)
			}
		})
	}
}

// What is assumed about a time changes with the playbook and the network; what was sent does not.
func TestTheSameBodyIsTheSameLeadWhateverZoneIsAssumed(t *testing.T) {
	const body = `{"consents":[{"purpose":"MARKETING","state":"GRANTED","at":"2026-03-01 10:00:00"}],"dealer":{"code":"D7"},"parties":[{"emails":["ada@byron.example.com"]}]}`
	w := zoneWorld(t)
	first := w.mustPost(body, "k")
	if at := w.stored(first.GetLeadId()).Consents[0].At; !at.Equal(time.Date(2026, 3, 1, 17, 0, 0, 0, time.UTC)) {
		t.Errorf("consent given at %v, want ten o'clock in Phoenix", at)
	}
	w.deps.DealerZone = nil
	w.service = w.start(capture.Config{})
	if again := w.mustPost(body, "k"); again.GetProblem() != nil || again.GetLeadId() != first.GetLeadId() || !again.GetDuplicateRequest() {
		t.Errorf("sent again = %v, want the same lead", again)
	}
}

// A lead that came before the playbook is read in its zone when the playbook is there.
func TestTimesArePlacedWhenThePlaybookComes(t *testing.T) {
	w := zoneWorld(t)
	rules := w.governor
	w.governor = nil
	r := w.mustPost(`{"requested_at":"2026-03-02 03:30:00","parties":[{"emails":["ada@byron.example.com"]}]}`, "")
	w.mu.Lock()
	w.governor = rules
	w.mu.Unlock()
	for range 2 {
		w.advance(time.Minute)
		if err := w.service.DrivePending(w.ctx); err != nil {
			t.Fatal(err)
		}
	}
	l := w.stored(r.GetLeadId())
	if want := time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC); !l.RequestedAt.Equal(want) || w.places().Decided != 1 {
		t.Errorf("requested at %v, want %v; %+v", l.RequestedAt, want, w.places())
	}
}
