package star

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// privacy reads purpose by channel. What was neither opted in nor out says NONE: null or empty is
// not an opt-out.
func (r *reader) privacy() {
	for _, n := range r.n.all("Privacy", nil) {
		reason := n.leaf("Reason", "PrivacyTypeString")
		if reason == nil {
			continue
		}
		purpose := purposeOf(reason.value)
		if purpose == lead.PurposeUnspecified {
			continue // rest keeps and flags it
		}
		reason.used = true
		text := n.peek("Disclaimer")
		fact := lead.Consent{Controller: lead.ControllerOEM, Purpose: purpose, At: r.l.RequestedAt, Place: clip(r.l.Source.Provider+" "+r.l.Source.Source, 200)}
		if text != "" {
			sum := sha256.Sum256([]byte(text))
			fact.TextVersion = "sha256:" + hex.EncodeToString(sum[:8])
		}
		for _, c := range n.all("Consents", nil) {
			fact.Channel = lead.ChannelUnspecified
			if kind := c.peek("Type"); kind != "" {
				c.text("Type")
				if fact.Channel = channel(kind); fact.Channel == lead.ChannelUnspecified && purpose == lead.PurposeMarketing {
					r.extra("SalesLead/Privacy/Consents/Type", kind)
					r.flag(lead.FlagUnknownCode, "SalesLead/Privacy/Consents/Type")
					continue
				}
			}
			value := c.text("Value")
			switch lead.Fold(value) {
			case "optin", "true", "yes", "granted":
				fact.State = lead.ConsentStateGranted
			case "optout", "denied":
				fact.State = lead.ConsentStateDenied
			default:
				fact.State = lead.ConsentStateNone
			}
			if value == "" {
				value = "empty"
			}
			fact.Evidence = clip("value "+value+"; "+text, 1000)
			r.point(fact)
		}
	}
}

// refusals reads the marks of people who do not want to be reached in some way.
func (r *reader) refusals() {
	for _, f := range []struct {
		name    string
		channel lead.Channel
	}{
		{"DoNotCall", lead.ChannelCall}, {"DoNotEmail", lead.ChannelEmail}, {"DoNotText", lead.ChannelSMS}, {"DoNotMail", lead.ChannelPost}, {"DoNotContact", lead.ChannelUnspecified},
	} {
		for _, name := range []string{f.name, f.name + "Indicator", f.name + "Ind"} {
			c := r.n.leaf(name)
			if c == nil {
				continue
			}
			switch lead.Fold(c.value) {
			case "1", "true", "yes", "y":
				c.used = true
				r.point(lead.Consent{
					Controller: lead.ControllerOEM, Purpose: lead.PurposeMarketing, Channel: f.channel, State: lead.ConsentStateDenied, At: r.l.RequestedAt,
					Place: clip(r.l.Source.Provider+" "+r.l.Source.Source, 200), Evidence: name,
				})
			}
		}
	}
}

// point writes a fact for each contact point that its channel reaches.
func (r *reader) point(fact lead.Consent) {
	var points []string
	if p := r.l.Primary(); p != nil {
		switch fact.Channel {
		case lead.ChannelEmail:
			for _, e := range p.Emails {
				points = append(points, e.Address)
			}
		case lead.ChannelSMS, lead.ChannelCall:
			for _, f := range p.Phones {
				points = append(points, f.Raw)
			}
		}
	}
	if len(points) == 0 {
		points = []string{""}
	}
	for _, fact.ContactPoint = range points {
		if len(r.l.Consents) < 100 {
			r.l.Consents = append(r.l.Consents, fact)
		}
	}
}

func purposeOf(reason string) lead.Purpose {
	switch s := lead.Fold(reason); {
	case strings.Contains(s, "marketing"), strings.Contains(s, "newsletter"), strings.Contains(s, "advert"):
		return lead.PurposeMarketing
	case strings.Contains(s, "profil"):
		return lead.PurposeProfiling
	case strings.Contains(s, "partner"), strings.Contains(s, "thirdparty"):
		return lead.PurposeShareWithPartner
	case strings.Contains(s, "dealer"):
		return lead.PurposeShareWithDealer
	case strings.Contains(s, "service"):
		return lead.PurposeServiceNotices
	case strings.Contains(s, "inquiry"), strings.Contains(s, "contact"), strings.Contains(s, "request"):
		return lead.PurposeAnswerInquiry
	}
	return lead.PurposeUnspecified
}
