package scoring_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var timeToken = regexp.MustCompile(`\{now(?:([+-]\d+)([mhd]))?\}`)

// sampleLead reads a lead of the sample as it would arrive at start.
func sampleLead(t *testing.T, name string) lead.Lead {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", "sample", "leads", name))
	if err != nil {
		t.Fatal(err)
	}
	unit := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	raw = timeToken.ReplaceAllFunc(raw, func(token []byte) []byte {
		at := start
		if m := timeToken.FindSubmatch(token); len(m[1]) > 0 {
			n, err := strconv.Atoi(string(m[1]))
			if err != nil {
				t.Fatal(err)
			}
			at = at.Add(time.Duration(n) * unit[string(m[2])])
		}
		return []byte(at.Format(time.RFC3339))
	})
	var p leadv1.Lead
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(raw, &p); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	l, violations := leadconv.FromProto(&p)
	if len(violations) > 0 {
		t.Fatalf("%s: %v", name, violations)
	}
	l.ReceivedAt = start
	return l
}

// What the sample's rules make of the sample's leads, of people about whom nothing else is known.
func TestSampleLeads(t *testing.T) {
	h := newHouse(t, newPool(t))
	h.apply(t, sample(t), "")
	rules, _ := playbook.Read(sample(t))
	for _, tt := range []struct{ file, want string }{
		{"02-test-drive-lomvi5-chosen-store", "SALES READY: asked for a test drive, chose a store"},
		{"03-service-booking-known-customer", "SERVICE READY: wants a workshop appointment, left a phone number"},
		{"05-quote-tindra-asked-again-elsewhere", "SALES CONSIDERATION: asked for a quote, came by a portal that asks many stores"},
		{"07-update-of-02-same-source-id", "SALES READY: asked for a test drive, drives a car more than 8 years old"},
		{"12-accessories-cart", "ACCESSORIES READY: asked for a part, left a phone number"},
		{"14-complaint-service", "CARE READY: complained, spoke to us in person"},
		{"15-recall-question", "CARE READY: asks about a recall, left a phone number"},
		{"16-no-contact-point", "NO_CONTACT_POINT"},
		{"17-junk-link-spam", "JUNK"},
		{"18-disposable-mail", "SALES CONSIDERATION: asked for a quote, left no phone number"},
		{"20-sell-my-car", "ACQUISITION READY: wants to sell the car, car has less than 40,000 miles"},
		{"21-clicked-car-in-stock", "SALES READY: asked for a quote, picked a car in stock"},
		{"22-shopper-at-first-store", "SALES INTENT: asked for a quote, chose a store"},
		{"26-from-the-united-kingdom", "SALES CONSIDERATION: left a phone number, asked for a brochure"},
		{"30-credit-application", "SALES READY: applied for credit, offers 2500 USD down"},
		{"36-model-spelled-oddly", "SALES READY: asked for a test drive, left a phone number"},
		{"41-reserve-lumeo-brooklyn", "SALES READY: reserved a car, left a phone number"},
		{"53-job-applicant", "JOB_APPLICANT"},
		{"54-solicitation", "SOLICITATION"},
		{"55-fake-contact", "JUNK"},
		{"58-configurator-trigger-without-profiling", "NURTURE AWARENESS: knows which model"},
		{"59-newsletter-trigger-too-early", "NURTURE AWARENESS: knows which model"},
	} {
		l := sampleLead(t, tt.file+".json")
		got := ""
		if verdict := rules.Governor.Apply(&l, start); !verdict.Accepted() {
			got = verdict.Reject.String()
		} else {
			resp, err := h.scoring.Score(t.Context(), &scoringv1.ScoreRequest{Lead: leadconv.ToProto(&l), At: timestamppb.New(start)})
			if err != nil {
				t.Fatal(err)
			}
			s := resp.GetScore()
			got = lead.Line(s.GetLine()).String() + " " + lead.Stage(s.GetStage()).String() + ": " +
				strings.Join(s.GetReasons()[:min(2, len(s.GetReasons()))], ", ")
			if s.GetReady() != (lead.Stage(s.GetStage()) == lead.StageReady) {
				t.Errorf("%s: ready is %v in stage %v", tt.file, s.GetReady(), s.GetStage())
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.file, diff)
		}
	}
}
