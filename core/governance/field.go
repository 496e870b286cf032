package governance

import (
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// field numbers the text fields that rules may name.
type field uint8

const (
	fieldComments field = iota
	fieldLanguage
	fieldRequest
	fieldBrand
	fieldDealerCode
	fieldDealerName
	fieldSourceChannel
	fieldSourceSource
	fieldSourceSubSource
	fieldSourceProvider
	fieldSourceMedium
	fieldSourceForm
	fieldCampaignID
	fieldCampaignName
	fieldCampaignMedium
	fieldCampaignOffer
	fieldCampaignTerm
	fieldCampaignContent
	fieldTimeFrame
	fieldFinanceMethod
	fieldGiven
	fieldMiddle
	fieldFamily
	fieldFull
	fieldCompany
	fieldUnit
	fieldCity
	fieldRegion
	fieldPostal
	fieldCountry
	fieldBorn
	fieldPartyLanguage
	fieldBestTime
	fieldMake
	fieldModel
	fieldModelCode
	fieldTrim
	fieldBody
	fieldVIN
	fieldStock
	fieldColor
	fieldCondition
	fieldLender
	fieldVehicleComments
	fieldCount
)

var fieldNames = [fieldCount]string{
	"comments", "language", "raw_request", "brand", "dealer.code", "dealer.name",
	"source.channel", "source.source", "source.sub_source", "source.provider", "source.medium", "source.form",
	"campaign.id", "campaign.name", "campaign.medium", "campaign.offer", "campaign.term", "campaign.content",
	"time_frame", "finance.method",
	"parties.name.given", "parties.name.middle", "parties.name.family", "parties.name.full", "parties.name.company",
	"parties.address.unit", "parties.address.city", "parties.address.region", "parties.address.postal", "parties.address.country",
	"parties.born", "parties.language", "parties.best_time",
	"vehicles.make", "vehicles.model", "vehicles.model_code", "vehicles.trim", "vehicles.body", "vehicles.vin", "vehicles.stock",
	"vehicles.color", "vehicles.condition", "vehicles.lender", "vehicles.comments",
}

// firstPaths are the paths of the first party's and vehicle's fields, which most leads' changes name.
var firstPaths = func() (paths [fieldCount]string) {
	for f, name := range fieldNames {
		list, rest, _ := strings.Cut(name, ".")
		paths[f] = list + "[0]." + rest
	}
	return paths
}()

func fieldByName(name string) (field, bool) {
	for f, n := range fieldNames {
		if n == name {
			return field(f), true
		}
	}
	return 0, false
}

// path names the field of one party or vehicle: "parties[1].name.given".
func (f field) path(i int) string {
	name := fieldNames[f]
	switch {
	case f < fieldGiven:
		return name
	case i == 0:
		return firstPaths[f]
	}
	list, rest, _ := strings.Cut(name, ".")
	return list + "[" + strconv.Itoa(i) + "]." + rest
}

// owned reports whether a step of the normalising writes the field; a rule that wrote it too would
// never come to rest.
func (f field) owned() bool {
	switch f {
	case fieldLanguage, fieldPartyLanguage, fieldBrand, fieldGiven, fieldMiddle, fieldFamily, fieldFull, fieldCompany,
		fieldRegion, fieldPostal, fieldCountry, fieldBorn, fieldMake, fieldModel, fieldModelCode, fieldVIN:
		return true
	}
	return false
}

// multiline reports whether line breaks belong to the field.
func (f field) multiline() bool { return f == fieldComments || f == fieldVehicleComments }

// visit calls fn for every text field of the lead, with the index of its party or vehicle.
func visit(l *lead.Lead, fn func(f field, i int, p *string)) {
	fn(fieldComments, 0, &l.Comments)
	fn(fieldLanguage, 0, &l.Language)
	fn(fieldRequest, 0, &l.RawRequest)
	fn(fieldBrand, 0, &l.Brand)
	fn(fieldDealerCode, 0, &l.Dealer.Code)
	fn(fieldDealerName, 0, &l.Dealer.Name)
	s := &l.Source
	for i, p := range [...]*string{&s.Channel, &s.Source, &s.SubSource, &s.Provider, &s.Medium, &s.Form} {
		fn(fieldSourceChannel+field(i), 0, p)
	}
	c := &l.Campaign
	for i, p := range [...]*string{&c.ID, &c.Name, &c.Medium, &c.Offer, &c.Term, &c.Content} {
		fn(fieldCampaignID+field(i), 0, p)
	}
	fn(fieldTimeFrame, 0, &l.TimeFrame.Text)
	fn(fieldFinanceMethod, 0, &l.Finance.Method)
	for i := range l.Parties {
		p := &l.Parties[i]
		for j, q := range [...]*string{
			&p.Name.Given, &p.Name.Middle, &p.Name.Family, &p.Name.Full, &p.Name.Company,
			&p.Address.Unit, &p.Address.City, &p.Address.Region, &p.Address.Postal, &p.Address.Country,
			&p.Born, &p.Language, &p.BestTime,
		} {
			fn(fieldGiven+field(j), i, q)
		}
	}
	for i := range l.Vehicles {
		v := &l.Vehicles[i]
		for j, q := range [...]*string{
			&v.Make, &v.Model, &v.ModelCode, &v.Trim, &v.Body, &v.VIN, &v.Stock, &v.Color, &v.Condition, &v.Lender, &v.Comments,
		} {
			fn(fieldMake+field(j), i, q)
		}
	}
}

// Limits of a text field that no rule limits, in characters. What is longer is cut and flagged; the
// sender's document keeps it whole.
const (
	usualMax    = 200
	commentsMax = 20_000
)

// limit is the most characters of a field that no rule limits.
func (f field) limit() int {
	if f.multiline() {
		return commentsMax
	}
	return usualMax
}

// fieldRule is a FieldRule ready for use.
type fieldRule struct {
	max      int
	values   map[string]string
	fold     func(string) string // strings.ToUpper or ToLower; nil keeps the case
	fallback string
	required bool
}

// shape runs a value through the rule; cut tells whether it was too long.
func (r *fieldRule) shape(s string) (out string, cut bool) {
	if r.max > 0 && len(s) > r.max {
		n := 0
		for i := range s {
			if n == r.max {
				s, cut = strings.TrimRight(s[:i], " \t\r\n"), true
				break
			}
			n++
		}
	}
	if len(r.values) > 0 && s != "" {
		if v, ok := r.values[lead.Fold(s)]; ok {
			s = v
		}
	}
	if r.fold != nil {
		s = r.fold(s)
	}
	if s == "" {
		s = r.fallback
	}
	return s, cut
}
