package adf

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/lead"
)

// writtenComments are the customer's own words, what the lead holds beyond the format, and further
// lines.
func writtenComments(l *lead.Lead, more []string) string {
	var w words
	if l.Test {
		w.line("TEST", "this is no customer, do not follow it up")
	}
	w.line("Request", strings.ToLower(join(", ", lead.Label("en", "line", l.Line.String()), requestWords(l))))
	w.party(l.Primary())
	for i := range l.Vehicles {
		if v := &l.Vehicles[i]; v.Role == lead.VehicleRoleOwned {
			w.line("Drives", vehicleWords(v))
		}
	}
	s, c := &l.Source, &l.Campaign
	w.line("Source", join(" / ", s.Channel, s.Source, s.SubSource, s.Provider, s.Medium, s.Form))
	w.line("Campaign", join(" / ", c.Name, c.ID, c.Medium, c.Offer, c.Term, c.Content, c.AdGroup, c.AdID))
	if language := l.Language; language != "" {
		w.line("Language", language)
	}
	for i, n := 0, 0; i < len(l.Extra) && n < maxExtraLines; i++ {
		if f := &l.Extra[i]; !strings.Contains(f.Path, "comments#") { // those stand in the comments as they are
			w.line("Also sent", join(" = ", f.Path, f.Value))
			n++
		}
	}
	for _, line := range more {
		w.add(line)
	}
	own := trim(l.Comments)
	switch {
	case own == "":
		return strings.Join(w, "\n")
	case len(w) == 0:
		return own
	}
	return own + "\n\n" + strings.Join(w, "\n")
}

// words are lines of a comment.
type words []string

func (w *words) line(key, value string) {
	if value = trim(value); value != "" {
		w.add(key + ": " + value)
	}
}

func (w *words) add(line string) {
	line = strings.Join(strings.Fields(line), " ")
	if utf8.RuneCountInString(line) > maxLineRunes {
		line = string([]rune(line)[:maxLineRunes-1]) + "…"
	}
	if line != "" {
		*w = append(*w, line)
	}
}

// party says of the customer what a contact cannot hold.
func (w *words) party(p *lead.Party) {
	if p == nil {
		return
	}
	w.line("Title", p.Name.Prefix)
	if p.Name.Given+p.Name.Family+p.Name.Full != "" {
		w.line("Company", p.Name.Company)
	}
	switch p.Preferred {
	case lead.ChannelEmail:
		w.line("Prefers to be reached by", "e-mail")
	case lead.ChannelCall:
		w.line("Prefers to be reached by", "phone")
	case lead.ChannelSMS:
		w.line("Prefers to be reached by", "text")
	}
	w.line("Best time", p.BestTime)
}

func requestWords(l *lead.Lead) string {
	if l.RequestType == lead.RequestTypeUnspecified {
		return l.RawRequest
	}
	return lead.Label("en", "request_type", l.RequestType.String())
}

// vehicleWords names a vehicle in one line.
func vehicleWords(v *lead.Vehicle) string {
	year := ""
	if v.Year > 0 {
		year = fmt.Sprint(v.Year)
	}
	out := join(" ", v.Make, v.Model, v.Trim, year)
	if v.VIN != "" {
		out = join(", ", out, "VIN "+v.VIN)
	}
	if v.Odometer > 0 {
		out = join(", ", out, strings.TrimRight(fmt.Sprintf("%d %s", v.Odometer, strings.ToLower(v.OdometerUnit.String())), " "))
	}
	return out
}

// join joins what is not empty.
func join(separator string, parts ...string) string {
	kept := make([]string, 0, len(parts))
	for _, p := range parts {
		if p = trim(p); p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, separator)
}
