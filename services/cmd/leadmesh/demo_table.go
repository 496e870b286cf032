package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
)

// row is one lead in the demo's table. The reasons stand last and are never cut, so that a narrow
// window wraps nothing else.
type row struct {
	lead, source, line, score, goesTo, role, deadline, took, reasons string
}

func heading() row {
	return row{"lead", "source", "line", "score", "goes to", "role", "next deadline", "took", "strongest reasons"}
}

func (r row) write(w io.Writer) {
	text := fmt.Sprintf("%-34s %-13s %-12s %5s  %-38s %-9s %-21s %9s  %s",
		cut(r.lead, 34), cut(r.source, 13), cut(r.line, 12), r.score, cut(r.goesTo, 38), cut(r.role, 9), cut(r.deadline, 21), r.took, r.reasons)
	fmt.Fprintln(w, strings.TrimRight(text, " "))
}

// refused prints a document that was not taken.
func (d *demo) refused(label string, code int, answer []byte) {
	var status struct {
		Message string `json:"message"`
	}
	text := string(answer)
	if json.Unmarshal(answer, &status) == nil && status.Message != "" {
		text = status.Message
	}
	row{lead: label, goesTo: fmt.Sprintf("not taken: %d", code), reasons: text}.write(d.out)
}

// line prints what became of one lead.
func (d *demo) line(ctx context.Context, label string, r *capturev1.LeadResult, took time.Duration) {
	out := becameOf(r, d.zone(ctx, r.GetDecision().GetAssignment().GetDealerId()))
	out.lead, out.took = label, fmt.Sprintf("%.1f ms", float64(took)/float64(time.Millisecond))
	if id := r.GetLeadId(); id != "" {
		held := d.read(ctx, id)
		out.source = sourceOf(held.GetSource())
		before, again := d.held[id]
		var notes []string
		switch {
		case again && before.label != label:
			notes = append(notes, "the same lead as "+number(before.label))
		case !again:
			d.held[id] = sent{label, held.GetTest()}
		}
		if held.GetTest() {
			notes = append(notes, "TEST, counted nowhere")
		}
		if into, ok := d.held[r.GetDecision().GetMergedInto()]; ok {
			out.goesTo = "merged into " + number(into.label)
		}
		if out.reasons != "" {
			notes = append(notes, out.reasons)
		}
		out.reasons = strings.Join(notes, "; ")
	}
	out.write(d.out)
}

// becameOf is what an answer says of a lead; deadlines are written in the given zone.
func becameOf(r *capturev1.LeadResult, zone *time.Location) row {
	var out row
	decision := r.GetDecision()
	if s := decision.GetScore(); s != nil {
		out.line = strings.TrimPrefix(s.GetLine().String(), "LINE_")
		out.score = fmt.Sprintf("%.1f", float64(s.GetPoints())/100)
		out.reasons = strings.Join(s.GetReasons()[:min(2, len(s.GetReasons()))], "; ")
	}
	switch a := decision.GetAssignment(); {
	case r.GetProblem() != nil:
		out.goesTo, out.reasons = "not taken", r.GetProblem().GetMessage()
	case a != nil && decision.GetDisposition() == leadv1.Disposition_DISPOSITION_ASSIGNED:
		out.goesTo = a.GetDealerName()
		out.role = roleWord(a.GetRole())
		out.deadline = strings.ToLower(a.GetDeadlineKind()) + " " + a.GetNextDeadline().AsTime().In(zone).Format("Mon 15:04 MST")
	case decision.GetDisposition() == leadv1.Disposition_DISPOSITION_MERGED:
		out.goesTo = "merged into " + decision.GetMergedInto()
	case decision.GetDisposition() == leadv1.Disposition_DISPOSITION_PARKED:
		p := decision.GetParking()
		out.goesTo = "parked: " + codeWord("park", p.GetReason().String(), "PARK_REASON_")
		out.deadline = "review " + p.GetReviewAt().AsTime().Format("2006-01-02")
		if p.GetDetail() != "" {
			out.reasons = p.GetDetail()
		}
	default:
		out.goesTo = codeWord("state", r.GetState().String(), "STATE_")
		if r.GetCode() != "" {
			out.goesTo += ": " + codeWord("reject", r.GetCode(), "")
		}
	}
	return out
}

// codeWord is the English label of a code in small letters.
func codeWord(kind, name, prefix string) string {
	return strings.ToLower(lead.Label("en", kind, strings.TrimPrefix(name, prefix)))
}

func roleWord(r leadv1.Role) string {
	if r == leadv1.Role_ROLE_SERVICE_ADVISOR {
		return "advisor"
	}
	return strings.ToLower(strings.TrimPrefix(r.String(), "ROLE_"))
}

// number is the number that a sample file's name begins with.
func number(label string) string {
	n, _, _ := strings.Cut(label, "-")
	return n
}

// read reads a lead back, as an integrator would; nil if that does not work.
func (d *demo) read(ctx context.Context, leadID string) *leadv1.Lead {
	resp := &capturev1.GetLeadResponse{}
	if d.get(ctx, "/v1/leads/"+leadID, resp) != nil {
		return nil
	}
	return resp.GetLead()
}

func sourceOf(s *leadv1.Source) string {
	for _, name := range []string{s.GetSource(), s.GetProvider(), s.GetChannel()} {
		if name != "" {
			return name
		}
	}
	return ""
}

// zone is where a dealer is; UTC if that is not known.
func (d *demo) zone(ctx context.Context, dealerID string) *time.Location {
	if dealerID == "" {
		return time.UTC
	}
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

// cut shortens a text to n columns.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
