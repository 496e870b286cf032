package form

import (
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// declared is one declaration of a person on the form.
type declared struct {
	key  string // of the box or question, as sent
	text string // what was answered
	says tick
	rule ConsentRule
	box  bool
}

// declares takes an answer that is a declaration; false if it is none.
func (b *builder) declares(a *Answer) bool {
	for i := range b.spec.Consents {
		rule := &b.spec.Consents[i]
		if !slices.ContainsFunc(a.Names, func(name string) bool { return lead.Fold(name) == rule.Key }) {
			continue
		}
		says := stateOf(a.Values[0])
		if says == unclear { // a box's own text comes as its value
			says = yes
		}
		b.consents = append(b.consents, declared{key: label(a), text: a.Values[0], says: says, rule: *rule})
		return true
	}
	if _, mapped := b.rule(a.Names); mapped || len(a.Values) != 1 || stateOf(a.Values[0]) == unclear {
		return false
	}
	for _, name := range a.Names {
		rule, ok := consentOf(name)
		if ok && rule.Purpose == lead.PurposeAnswerInquiry && stateOf(a.Values[0]) == no {
			return false // a guess must not keep anybody from answering: "Do you accept part exchange?"
		}
		if ok {
			b.consents = append(b.consents, declared{key: label(a), text: a.Values[0], says: stateOf(a.Values[0]), rule: rule})
			return true
		}
	}
	return false
}

// consentOf recognises a declaration by the words of its question. Anything agreed to that is
// neither marketing nor profiling nor sharing grants no more than an answer to the inquiry.
func consentOf(question string) (ConsentRule, bool) {
	key := lead.Fold(question)
	if !holdsAny(key, "consent", "optin", "subscri", "newsletter", "marketing", "gdpr", "dsgvo", "rgpd", "lgpd", "tcpa", "agree", "accept", "permission", "mayweemail",
		"maywecall", "maywetext", "maywecontact", "privacy", "datenschutz", "einwillig", "einverstand", "werbung", "consentement", "jaccepte", "consentimiento",
		"acepto", "autorizo", "privacidad", "consenso", "accetto", "consentimento", "aceito", "toestemming", "zgoda", "samtycke", "samtykke", "suostumus",
		"souhlas", "onay", "согласие", "согласен", "موافق", "أوافق", "الموافقة", "सहमत", "सहमति", "同意", "동의", "đồngý", "ยินยอม", "persetujuan", "terms", "conditions", "disclaimer") {
		return ConsentRule{}, false
	}
	rule := ConsentRule{Key: key, Controller: lead.ControllerOEM, Purpose: lead.PurposeAnswerInquiry, Channels: channelsIn(key)}
	switch {
	case holdsAny(key, "partner", "thirdpart", "dritte", "tiers", "terceros", "terzi"):
		rule.Purpose, rule.Channels = lead.PurposeShareWithPartner, nil
	case holdsAny(key, "profil", "personali", "targeting"):
		rule.Purpose, rule.Channels = lead.PurposeProfiling, nil
	case holdsAny(key, "sharewithdealer", "dealershar", "weitergabe"):
		rule.Purpose, rule.Channels = lead.PurposeShareWithDealer, nil
	case holdsAny(key, "marketing", "newsletter", "subscri", "promo", "offers", "optin", "werbung", "tcpa", "advert", "publicidad", "pubblicit", "publicité", "реклам", "تسويق", "营销"):
		rule.Purpose = lead.PurposeMarketing
		if holdsAny(key, "newsletter") && len(rule.Channels) == 0 {
			rule.Channels = []lead.Channel{lead.ChannelEmail}
		}
	}
	return rule, true
}

func holdsAny(s string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(s, p) })
}

// channelsIn finds the channels that a folded text names.
func channelsIn(key string) []lead.Channel {
	var out []lead.Channel
	key = strings.ReplaceAll(key, "newsletter", "") // is no letter
	for _, c := range []struct {
		channel lead.Channel
		words   []string
	}{
		{lead.ChannelSMS, []string{"sms", "text", "رسالةنصية"}},
		{lead.ChannelMessenger, []string{"whatsapp", "messenger", "واتساب", "telegram", "wechat"}},
		{lead.ChannelEmail, []string{"email", "mail", "correo", "courriel", "البريد", "ईमेल", "邮件", "メール", "이메일"}},
		{lead.ChannelCall, []string{"call", "phone", "anruf", "telefon", "telephon", "llamada", "chiamata", "ligacao", "звонок", "اتصال", "फोन", "电话", "電話", "전화"}},
		{lead.ChannelPost, []string{"post", "letter", "brief", "courrier", "correopostal"}},
	} {
		if holdsAny(key, c.words...) {
			out = append(out, c.channel)
		}
	}
	return out
}

// declare writes the declarations as facts. A box that came ticked is no consent, and one that was
// left is no refusal: both say NONE.
func (b *builder) declare() {
	for _, box := range b.s.Boxes {
		b.consents = append(b.consents, b.boxed(box))
	}
	for i := range b.consents {
		b.fact(&b.consents[i])
	}
}

// boxed finds what a box declares: by the operator's rule, else by its words.
func (b *builder) boxed(box Box) declared {
	d := declared{key: box.Key, says: unticked, box: true}
	if box.Checked {
		d.says = yes
	}
	for i := range b.spec.Consents {
		if rule := &b.spec.Consents[i]; rule.Key == lead.Fold(box.Key) {
			d.rule = *rule
			return d
		}
	}
	for _, words := range []string{box.Key, box.Label} {
		if rule, ok := consentOf(words); ok {
			d.rule = rule
			return d
		}
	}
	return d
}

func (b *builder) fact(d *declared) {
	answer := Answer{Path: "boxes." + d.key, Names: []string{d.key}}
	if d.rule.Purpose == lead.PurposeUnspecified { // nobody knows what the box asks
		b.extra(&answer, map[bool]string{true: "ticked", false: "not ticked"}[d.says == yes])
		b.flag(lead.FlagUnknownField, &answer)
		return
	}
	fact := lead.Consent{
		Controller: d.rule.Controller, ControllerID: d.rule.ControllerID, Purpose: d.rule.Purpose, At: b.l.RequestedAt,
		TextVersion: d.rule.TextVersion, Place: b.place, State: lead.ConsentStateNone,
	}
	if fact.Controller == lead.ControllerUnspecified {
		fact.Controller = lead.ControllerOEM
	}
	// A form of an advertising platform does not change once it is published: its id and the box's
	// key name the text that was shown.
	form := "form " + b.formID
	if b.formID == "" {
		form = "form " + b.l.Source.Form
	}
	fill(&fact.TextVersion, b.text)
	fill(&fact.TextVersion, strings.TrimSpace(form)+" / "+d.key)
	fill(&fact.Place, strings.TrimSpace(form))
	how := "left: " + d.key
	switch {
	case d.says == yes && d.rule.PreTicked:
		how = "came ticked, which is no consent: " + d.key
	case d.says == yes:
		fact.State, how = lead.ConsentStateGranted, "ticked: "+d.key
	case d.says == no:
		fact.State, how = lead.ConsentStateDenied, "answered no: "+d.key
	}
	fact.Evidence = clip(strings.Join(append([]string{how}, b.evidence...), "; "), 1000)
	channels := d.rule.Channels
	if len(channels) == 0 {
		channels = []lead.Channel{lead.ChannelUnspecified}
	}
	for _, c := range channels {
		fact.Channel = c
		for _, point := range b.points(c) {
			fact.ContactPoint = point
			b.l.Consents = append(b.l.Consents, fact)
		}
	}
}

// points are the contact points of the form that a channel reaches; "" where it has none, which
// means every one of the person's.
func (b *builder) points(c lead.Channel) []string {
	var out []string
	switch c {
	case lead.ChannelEmail:
		for _, e := range b.party.Emails {
			out = append(out, e.Address)
		}
	case lead.ChannelSMS, lead.ChannelCall, lead.ChannelAutomatedCall, lead.ChannelMessenger:
		for _, p := range b.party.Phones {
			out = append(out, p.Raw)
		}
	}
	const most = 3
	if len(out) == 0 {
		return []string{""}
	}
	return out[:min(len(out), most)]
}

// proof notes what proves a declaration: which text, on which page, from where. It stays with the
// lead too.
func (b *builder) proof(f Field, v string, a *Answer) bool {
	switch f {
	case ConsentText:
		fill(&b.text, clip(v, 200))
	case ConsentPlace:
		fill(&b.place, clip(v, 500))
	default:
		b.evidence = append(b.evidence, label(a)+" "+clip(v, 300))
	}
	b.extra(a, v)
	return true
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
