package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestBecameOf(t *testing.T) {
	denver, err := time.LoadLocation("America/Denver")
	if err != nil {
		t.Fatal(err)
	}
	score := &leadv1.Score{Line: leadv1.Line_LINE_SERVICE, Points: 8350, Reasons: []string{"first", "second", "third"}}
	due := timestamppb.New(time.Date(2026, 11, 23, 15, 45, 0, 0, time.UTC))
	for name, c := range map[string]struct {
		result *capturev1.LeadResult
		want   row
	}{
		"assigned": {
			&capturev1.LeadResult{Decision: &leadv1.Decision{
				Disposition: leadv1.Disposition_DISPOSITION_ASSIGNED, Score: score,
				Assignment: &leadv1.Assignment{DealerName: "A Store", Role: leadv1.Role_ROLE_SERVICE_ADVISOR, DeadlineKind: "ACCEPT", NextDeadline: due},
			}},
			row{line: "SERVICE", score: "83.5", goesTo: "A Store", role: "advisor", deadline: "accept Mon 08:45 MST", reasons: "first; second"},
		},
		"merged": {
			&capturev1.LeadResult{Decision: &leadv1.Decision{Disposition: leadv1.Disposition_DISPOSITION_MERGED, MergedInto: "x"}},
			row{goesTo: "merged into x"},
		},
		"parked": {
			&capturev1.LeadResult{Decision: &leadv1.Decision{
				Disposition: leadv1.Disposition_DISPOSITION_PARKED, Score: score,
				Parking: &leadv1.Parking{Reason: leadv1.ParkReason_PARK_REASON_CONSENT, ReviewAt: due, Detail: "why"},
			}},
			row{line: "SERVICE", score: "83.5", goesTo: "parked: consent", deadline: "review 2026-11-23", reasons: "why"},
		},
		"rejected": {
			&capturev1.LeadResult{State: leadv1.State_STATE_REJECTED, Code: "NO_CONTACT_POINT"},
			row{goesTo: "rejected: no contact point"},
		},
		"pending": {&capturev1.LeadResult{State: leadv1.State_STATE_PENDING}, row{goesTo: "pending"}},
		"refused": {
			&capturev1.LeadResult{Problem: &problemv1.Problem{Message: "too much"}},
			row{goesTo: "not taken", reasons: "too much"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, becameOf(c.result, denver), cmp.AllowUnexported(row{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRowsAlign holds the columns together whatever stands in them.
func TestRowsAlign(t *testing.T) {
	for _, r := range []row{
		{reasons: "|"},
		{lead: "short", source: "é", goesTo: "Čapek & Søn", took: "3.1 ms", reasons: "|"},
		{
			lead: strings.Repeat("ö", 90), source: strings.Repeat("s", 90), line: "REENGAGEMENT", score: "100.0",
			goesTo: strings.Repeat("g", 90), role: strings.Repeat("r", 90), deadline: strings.Repeat("d", 90), took: "2000.0 ms", reasons: "|",
		},
	} {
		var head, out bytes.Buffer
		heading().write(&head)
		r.write(&out)
		before, _, _ := strings.Cut(head.String(), "strongest")
		got, _, _ := strings.Cut(out.String(), "|")
		if utf8.RuneCountInString(got) != utf8.RuneCountInString(before) {
			t.Errorf("the reasons of %q stand in column %d instead of %d", r.lead, utf8.RuneCountInString(got), utf8.RuneCountInString(before))
		}
	}
}

func TestFigure(t *testing.T) {
	for _, c := range []struct {
		figure *feedbackv1.Figure
		want   string
	}{
		{&feedbackv1.Figure{Unit: "count", Value: proto.Float64(62)}, "62"},
		{&feedbackv1.Figure{Unit: "count", Value: proto.Float64(11.93)}, "11.9"},
		{&feedbackv1.Figure{Unit: "share", Value: proto.Float64(0.0806), Numerator: proto.Int64(5), Denominator: proto.Int64(62)}, "8.1 % (5 of 62)"},
		{&feedbackv1.Figure{Unit: "share", Denominator: proto.Int64(56)}, "0.0 % (0 of 56)"},
		{&feedbackv1.Figure{Unit: "share", Denominator: proto.Int64(56), StillOpen: proto.Float64(1)}, "not known yet (of 56)"},
		{&feedbackv1.Figure{Unit: "share", Value: proto.Float64(0.1), Numerator: proto.Int64(1), Denominator: proto.Int64(10), StillOpen: proto.Float64(0.9)}, "10.0 % (1 of 10), 90 % open"},
		{&feedbackv1.Figure{Unit: "seconds", Value: proto.Float64(0.0064)}, "6.4 ms"},
		{&feedbackv1.Figure{Unit: "seconds", Quantiles: map[string]float64{"p50": 0.006, "p90": 270}}, "p50 6.0 ms, p90 4m30s"},
	} {
		if got := figure(c.figure); got != c.want {
			t.Errorf("%v: %q instead of %q", c.figure, got, c.want)
		}
	}
}

func TestReachable(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "127.0.0.1:8080", "[::]:8443": "localhost:8443", "0.0.0.0:9090": "localhost:9090", "[::1]:80": "[::1]:80", "host:1": "host:1",
	} {
		if got := reachable(addr); got != want {
			t.Errorf("%s: %s instead of %s", addr, got, want)
		}
	}
}
