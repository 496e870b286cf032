// Package star reads STAR sales leads: ProcessSalesLead of the 5.x namespace with any prefix, the
// older feeds with Header and IndividualProspect, and the JSON profile of manufacturers that keeps
// STAR's names. It reads leniently, by the names of elements wherever they stand; what no field of a
// lead holds is kept and flagged.
package star

import (
	"errors"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Document is one BOD.
type Document struct {
	BODID   string // "" if it names none
	Created string // as sent
	Sender  string
	Test    bool // systemEnvironmentCode says so
	Leads   []lead.Lead
}

// The errors of reading. Their texts repeat nothing of the document.
var (
	// ErrSyntax: the document is neither XML nor JSON, or too large to be a lead.
	ErrSyntax = errors.New("the STAR document could not be read")
	// ErrNoLead: the document holds no SalesLead.
	ErrNoLead = errors.New("the document holds no SalesLead")
)

// Limits of what is read of a document; its raw form keeps everything.
const (
	maxDepth     = 64
	maxNodes     = 50_000
	maxLeads     = 200
	maxExtra     = 200
	maxExtraText = 4 << 10
	maxFlags     = 100
	maxText      = 20_000 // characters of comments
	maxParts     = 20
)

// Parse reads a document. Dealer codes whose issuer is not named get the scheme "star".
func Parse(body []byte) (Document, error) {
	root, err := open(body)
	if err != nil {
		return Document{}, err
	}
	leads := root.leads(root, nil)
	if len(leads) == 0 {
		if root = root.inner(); root != nil {
			leads = root.leads(root, nil)
		}
	}
	if len(leads) == 0 {
		return Document{}, ErrNoLead
	}
	var d Document
	envelopes := map[*node]*envelope{}
	for i, p := range leads[:min(len(leads), maxLeads)] {
		e := envelopes[p.home]
		if e == nil {
			e = openEnvelope(p.home, leads)
			envelopes[p.home] = e
		}
		if i == 0 {
			d = e.doc
		}
		r := &reader{doc: e.doc, area: e.area, n: p.lead, alone: e.leads == 1}
		switch {
		case e.area == p.home && !r.alone: // an envelope of its own is not told from the leads
			r.area = &node{}
		case e.read:
			r.area = e.area.clone()
		}
		e.read = true
		d.Leads = append(d.Leads, r.lead())
	}
	return d, nil
}

// envelope is what is said of one or more leads.
type envelope struct {
	doc   Document
	area  *node
	leads int
	read  bool // a lead has taken what it wants of it
}

func openEnvelope(home *node, leads []placed) *envelope {
	e := &envelope{area: home}
	if area := home.find("ApplicationArea"); area != nil {
		e.area = area
	}
	for _, p := range leads {
		if p.home == home {
			e.leads++
		}
	}
	e.doc.BODID, e.doc.Created, e.doc.Test = e.area.peek("BODID"), e.area.peek("CreationDateTime"), environment(home)
	if sender := e.area.find("Sender"); sender != nil {
		if e.doc.Sender = sender.peek("SenderNameCode"); e.doc.Sender == "" {
			e.doc.Sender = sender.peek("CreatorNameCode")
		}
	}
	return e
}

// environment reports whether the document comes from a test system.
func environment(root *node) bool {
	code := root.peek("@systemEnvironmentCode")
	if code == "" {
		code = root.peek("SystemEnvironmentCode")
	}
	if code == "" {
		code = root.own("@environment") // of older documents
	}
	switch lead.Fold(code) {
	case "test", "testing", "qa", "staging", "development", "dev", "uat", "integration":
		return true
	}
	return false
}

// scheme is what a dealer's code is known by where the sender does not say whose it is.
const scheme = "star"

// reader reads one SalesLead with what the envelope says of it.
type reader struct {
	doc   Document // its envelope
	area  *node
	n     *node
	alone bool
	l     lead.Lead
}

func (r *reader) lead() lead.Lead {
	l := &r.l
	l.Test = r.doc.Test
	r.identifiers()
	r.times()
	r.source()
	r.dealer()
	r.person()
	r.vehicles()
	r.comments()
	r.privacy()
	r.refusals()
	r.rest(r.n, "SalesLead")
	r.rest(r.area, "ApplicationArea")
	return r.l
}

func (r *reader) identifiers() {
	issuer := r.doc.Sender
	r.area.text("BODID")
	id := r.n.text("DocumentID", "LeadID", "LeadReferenceID")
	if id == "" {
		id = r.n.own("ID")
	}
	if id == "" && r.alone {
		id = r.doc.BODID
	}
	if id != "" {
		r.l.Identifiers = append(r.l.Identifiers, lead.Identifier{Kind: lead.IDKindSourceLead, Source: issuer, Value: id})
	}
	if r.doc.BODID != "" && r.doc.BODID != id {
		r.l.Identifiers = append(r.l.Identifiers, lead.Identifier{Kind: lead.IDKindOther, Source: "bodid", Value: r.doc.BODID})
	}
}

func (r *reader) times() {
	raw := r.n.text("LeadCreationDateTime", "LeadCreationsDateTime", "DocumentDateTime")
	if raw == "" {
		raw = r.doc.Created
	}
	r.area.text("CreationDateTime")
	if raw == "" {
		return
	}
	t, assumed, ok := lead.ParseTime(raw, nil, false)
	if !ok {
		r.l.AddFlag(lead.FlagTimeUnreadable, "requested_at", "")
		r.extra("SalesLead/LeadCreationDateTime", raw)
		return
	}
	r.l.RequestedAt = t.UTC()
	if assumed {
		r.l.AddFlag(lead.FlagZoneAssumed, "requested_at", "")
	}
}

func (r *reader) source() {
	l := &r.l
	sender := r.area.find("Sender")
	creator := ""
	if sender != nil {
		creator = sender.text("CreatorNameCode")
		sender.text("SenderNameCode")
	}
	l.Source = lead.Source{Channel: "star", Source: r.n.text("LeadSourceCode", "LeadSource", "ProviderName"), Provider: r.doc.Sender, SubSource: r.area.text("Origin")}
	if l.Source.Source == "" {
		l.Source.Source = creator
	} else if creator != "" && creator != l.Source.Provider {
		r.extra("ApplicationArea/Sender/CreatorNameCode", creator)
	}
	if m := r.n.find("Marketing"); m != nil {
		l.Campaign.Name, l.Campaign.ID = m.text("ProgramIdDescription", "ProgramDescription", "CampaignName"), m.text("MarketingID", "ProgramID")
	}
	if id := r.n.text("CampaignID", "CampaignCode"); l.Campaign.ID == "" {
		l.Campaign.ID = id
	}
	l.RawRequest = r.n.text("LeadRequestTypeString", "LeadRequestType", "RequestType")
	code := strings.ToUpper(strings.NewReplacer(" ", "_", "-", "_").Replace(l.RawRequest))
	if kind, ok := lead.ParseRequestType(code); ok {
		l.RequestType, l.RawRequest = kind, ""
	}
	l.Finance.Method = r.n.text("FinanceMethod", "FinanceType", "PaymentMethod")
	l.Language = r.n.text("PreferredLanguageCode", "LanguageCode", "PreferredLanguage")
	l.Resend = strings.EqualFold(r.n.peek("LeadStatus"), "resend")
}

// dealer takes the store that is to receive the lead, else the one the envelope is addressed to.
func (r *reader) dealer() {
	var code, name *node
	for _, place := range []*node{r.n.find("ReceivingDealerParty", "DealerParty", "Dealer"), r.area.find("Destination"), r.area.find("Sender")} {
		if place == nil {
			continue
		}
		if code == nil {
			code = place.leaf("OrganizationID", "DealerNumberID", "DealerNumber", "DealerCode", "DealerID", "PartyID")
		}
		if name == nil {
			name = place.leaf("OrganizationName", "CompanyName", "DealerName")
		}
	}
	d := &r.l.Dealer
	if code != nil {
		d.Code, d.Scheme = code.take(), scheme
		for _, attr := range []string{"@schemeID", "@schemeName", "@schemeAgencyID"} {
			if s := code.peek(attr); s != "" {
				d.Scheme = s
				break
			}
		}
	}
	if name != nil {
		d.Name = name.take()
	}
	if country, ok := lead.CountryCode(r.area.peek("DealerTargetCountry")); ok {
		r.l.Market = country
		r.area.text("DealerTargetCountry")
	} else if country, ok := lead.CountryCode(r.area.peek("DealerCountry")); ok {
		r.l.Market = country
		r.area.text("DealerCountry")
	}
}

// rest keeps what nothing has taken. Names that every envelope holds are no surprise.
func (r *reader) rest(n *node, path string) {
	for _, c := range n.kids {
		here := path + "/" + c.name
		if c.value != "" && !c.used {
			r.extra(here, c.value)
			if lead.Placeholder(c.value) {
				r.flag(lead.FlagPlaceholderValue, here)
			} else if !usual(c.name) {
				r.flag(lead.FlagUnknownField, here)
			}
		}
		if c.name != "SalesLead" {
			r.rest(c, here)
		}
	}
}

func usual(name string) bool {
	switch lead.Fold(name) {
	case "taskid", "task", "component", "referenceid", "uri", "url", "logicalid", "destinationnamecode", "destinationuri", "creatornamecode", "sendernamecode",
		"leadstatus", "leadtypecode", "saleclasscode", "businesstypecode", "partyid", "languagecode", "channelcode", "usecode", "servicemessageid", "confirmationcode",
		"authorizationid", "dealernumberid", "dealernumber", "dealercountry", "mediasourceuri", "schemeid", "unitcode", "currencyid", "qualifier", "desc", "leadcomments",
		"leadtype", "modeldescription", "manufacturername", "disclaimer", "releaseid", "xmlns", "systemenvironmentcode", "creationdatetime", "documentdatetime":
		return true
	}
	return false
}

func (r *reader) extra(path, value string) {
	if value == "" {
		return
	}
	if len(r.l.Extra) == maxExtra {
		r.l.AddFlag(lead.FlagValueTruncated, "extra", "")
		return
	}
	r.l.Extra = append(r.l.Extra, lead.Field{Path: clip(path, 300), Value: clip(value, maxExtraText)})
}

func (r *reader) flag(code, path string) {
	if len(r.l.Flags) < maxFlags {
		r.l.AddFlag(code, clip(path, 300), "")
	}
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
