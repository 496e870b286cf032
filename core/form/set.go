package form

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Indices of the cars of a builder.
const (
	sought = iota
	owned
	traded
)

// set puts a value into a field; false if it does not fit or the field holds another already.
func (b *builder) set(f Field, v string, a *Answer) bool {
	if !utf8.ValidString(v) {
		v = strings.ToValidUTF8(v, "\uFFFD")
	}
	if p := b.place1(f); p != nil {
		if *p == "" {
			*p = v
		}
		return *p == v
	}
	switch f {
	case Country:
		if strings.HasPrefix(v, "+") || onlyDigits(v) { // a phone number's
			return false
		}
		fill(&b.party.Address.Country, v)
		return b.party.Address.Country == v
	case Prefix:
		if len(v) > 16 || b.party.Name.Prefix != "" {
			return false
		}
		b.party.Name.Prefix = v
	case Email:
		b.party.Emails = append(b.party.Emails, lead.Email{Raw: v, Address: v})
	case Phone, MobilePhone, WorkPhone, HomePhone, Fax:
		b.party.Phones = append(b.party.Phones, lead.Phone{Raw: v, Type: phoneType(f)})
	case Street:
		b.party.Address.Streets = append(b.party.Address.Streets, v)
	case Born:
		t, _, ok := lead.ParseTime(v, nil, b.spec.DayFirst)
		if ok {
			b.party.Born = t.Format(time.DateOnly)
		}
		return ok
	case PreferredChannel:
		return b.channel(v)
	case Comments:
		b.comment(v)
	case RequestType, LineOf:
		return b.request(f, v)
	case RequestedAt:
		return b.requested(v)
	case TestMark:
		if stateOf(v) == yes {
			b.l.Test = true
		}
		return stateOf(v) != unclear
	case Organic:
		b.organic = stateOf(v)
		return b.organic == yes || b.organic == no || b.organic == unticked
	case ConsentText, ConsentPlace, ConsentEvidence:
		return b.proof(f, v, a)
	case SourceLeadID, AnonymousID, AccountID, LoyaltyID, CRMLeadID, OtherID:
		return b.identify(f, v)
	case ClickGoogle, ClickGoogleApp, ClickGoogleWeb, ClickMeta, ClickLinkedIn, ClickMicrosoft, ClickTikTok:
		b.l.Campaign.ClickIDs = append(b.l.Campaign.ClickIDs, strings.TrimPrefix(string(f), "click.")+":"+v)
	case DealerID, DealerCode, DealerName:
		return b.setDealer(f, v)
	case SourceForm:
		if strings.HasSuffix(lead.Fold(label(a)), "id") {
			fill(&b.formID, v)
			return b.formID == v
		}
		fill(&b.l.Source.Form, v)
		return b.l.Source.Form == v
	default:
		return b.vehicle(f, v)
	}
	return true
}

// place1 is the text that a field fills, for fields that are one text; nil for others.
func (b *builder) place1(f Field) *string {
	p, l := &b.party, &b.l
	switch f {
	case Name:
		return &p.Name.Full
	case GivenName:
		return &p.Name.Given
	case MiddleName:
		return &p.Name.Middle
	case FamilyName:
		return &p.Name.Family
	case Suffix:
		return &p.Name.Suffix
	case Company:
		return &p.Name.Company
	case Unit:
		return &p.Address.Unit
	case City:
		return &p.Address.City
	case Region:
		return &p.Address.Region
	case PostalCode:
		return &p.Address.Postal
	case BestTime:
		return &p.BestTime
	case Language:
		return &l.Language
	case Brand:
		return &l.Brand
	case TimeFrame:
		return &l.TimeFrame.Text
	case FinanceMethod:
		return &l.Finance.Method
	case SourceChannel:
		return &l.Source.Channel
	case SourceName:
		return &l.Source.Source
	case SubSource:
		return &l.Source.SubSource
	case SourceProvider:
		return &l.Source.Provider
	case SourceMedium:
		return &l.Source.Medium
	case CampaignID:
		return &l.Campaign.ID
	case CampaignName:
		return &l.Campaign.Name
	case CampaignMedium:
		return &l.Campaign.Medium
	case CampaignOffer:
		return &l.Campaign.Offer
	case CampaignTerm:
		return &l.Campaign.Term
	case CampaignText:
		return &l.Campaign.Content
	case AdID:
		return &l.Campaign.AdID
	case AdGroup:
		return &l.Campaign.AdGroup
	case Platform:
		return &b.platform
	}
	return nil
}

func onlyDigits(v string) bool { return strings.Trim(v, "0123456789") == "" }

func phoneType(f Field) lead.PhoneType {
	switch f {
	case MobilePhone:
		return lead.PhoneTypeMobile
	case WorkPhone:
		return lead.PhoneTypeWork
	case HomePhone:
		return lead.PhoneTypeHome
	case Fax:
		return lead.PhoneTypeFax
	}
	return lead.PhoneTypeUnspecified
}

func (b *builder) channel(v string) bool {
	channels := channelsIn(lead.Fold(v))
	if len(channels) != 1 || b.party.Preferred != lead.ChannelUnspecified {
		return false
	}
	b.party.Preferred = channels[0]
	return true
}

// comment adds a text to the comments, within their length; what is beyond stays in the raw form.
func (b *builder) comment(v string) {
	if b.l.Comments != "" {
		v = b.l.Comments + "\n" + v
	}
	if runes := []rune(v); len(runes) > maxText {
		v = string(runes[:maxText])
		b.l.AddFlag(lead.FlagValueTruncated, "comments", "")
	}
	b.l.Comments = v
}

func (b *builder) request(f Field, v string) bool {
	code := strings.ToUpper(strings.NewReplacer(" ", "_", "-", "_").Replace(strings.TrimSpace(v)))
	if f == LineOf {
		line, ok := lead.ParseLine(code)
		if ok {
			b.l.Line = line
		}
		return ok
	}
	if kind, ok := lead.ParseRequestType(code); ok {
		if b.l.RequestType == lead.RequestTypeUnspecified {
			b.l.RequestType = kind
		}
		return b.l.RequestType == kind
	}
	fill(&b.l.RawRequest, v)
	return b.l.RawRequest == v
}

func (b *builder) requested(v string) bool {
	t, assumed, ok := lead.ParseTime(v, nil, b.spec.DayFirst)
	switch {
	case !b.l.RequestedAt.IsZero():
		return ok && t.Equal(b.l.RequestedAt)
	case !ok:
		b.l.AddFlag(lead.FlagTimeUnreadable, "requested_at", "")
		return false
	}
	b.l.RequestedAt = t.UTC()
	if assumed {
		b.l.AddFlag(lead.FlagZoneAssumed, "requested_at", "")
	}
	return true
}

func (b *builder) identify(f Field, v string) bool {
	issuer := b.spec.Name
	switch b.s.Kind {
	case Meta:
		issuer = "meta"
	case Google:
		issuer = "google"
	case LinkedIn:
		issuer = "linkedin"
	}
	switch f {
	case SourceLeadID:
		if i := slices.IndexFunc(b.l.Identifiers, func(i lead.Identifier) bool { return i.Kind == lead.IDKindSourceLead }); i >= 0 {
			return b.l.Identifiers[i].Value == v
		}
		return b.identifier(lead.IDKindSourceLead, issuer, v)
	case AnonymousID:
		return b.identifier(lead.IDKindAnonymous, issuer, v)
	case AccountID:
		return b.identifier(lead.IDKindOEMAccount, issuer, v)
	case LoyaltyID:
		return b.identifier(lead.IDKindLoyalty, issuer, v)
	case CRMLeadID:
		return b.identifier(lead.IDKindCRMLead, issuer, v)
	}
	return b.identifier(lead.IDKindOther, issuer, v)
}

func (b *builder) setDealer(f Field, v string) bool {
	p := &b.l.Dealer.Name
	switch f {
	case DealerID:
		p = &b.l.Dealer.ID
	case DealerCode:
		p = &b.l.Dealer.Code
	}
	fill(p, v)
	b.dealer = true
	return *p == v
}
