package governance

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// BlockKey is how a contact point stands in Reject.Blocked: the SHA-256 of its normal spelling
// (lead.ContactPoint) in hexadecimal, so that the playbook holds no addresses.
func BlockKey(contactPoint string) string {
	sum := sha256.Sum256([]byte(contactPoint))
	return hex.EncodeToString(sum[:])
}

type testRule struct {
	domains lead.DomainSet
	phrases phraseIndex
}

type rejectRules struct {
	blocked         map[[sha256.Size]byte]bool
	honeypots       map[string]bool
	secondsField    string
	minSeconds      float64
	phrases         phraseIndex
	rules           []phraseRule
	junkGroups      phraseIndex
	junkGroupNames  []string
	junkFlags       []string
	junkLinks       bool
	minEvidence     int
	addressSuffices bool
}

type phraseRule struct {
	name          string
	code          lead.RejectCode
	min           int
	unlessVehicle bool
}

func (c *compiler) compileTest(t Test) {
	c.g.test.domains = lead.NewDomainSet(t.EmailDomains)
	c.g.test.phrases.groups = 1
	for i, p := range t.Phrases {
		if !c.g.test.phrases.add(0, p) {
			c.fail(fmt.Sprintf("test.phrases[%d]", i), "a phrase needs words")
		}
	}
}

func (c *compiler) compileReject(r Reject) {
	out := &c.g.reject
	out.blocked = make(map[[sha256.Size]byte]bool, len(r.Blocked))
	for i, key := range r.Blocked {
		var sum [sha256.Size]byte
		if n, err := hex.Decode(sum[:], []byte(key)); len(key) != 2*len(sum) || err != nil || n != len(sum) {
			c.fail(fmt.Sprintf("reject.blocked[%d]", i), "a block is a SHA-256 of 64 hexadecimal digits")
			continue
		}
		out.blocked[sum] = true
	}
	out.honeypots = folded(r.Honeypots)
	out.secondsField, out.minSeconds = lead.Fold(r.SecondsField), r.MinSeconds
	if r.MinSeconds < 0 || r.MinSeconds > 0 && out.secondsField == "" {
		c.fail("reject.min_seconds", "a shortest time is not negative and needs a seconds_field")
	}
	out.phrases.groups = len(r.Phrases)
	for i, p := range r.Phrases {
		path := fmt.Sprintf("reject.phrases[%d]", i)
		rule := phraseRule{name: p.Name, code: code(c, path+".code", p.Code, "reject", lead.ParseRejectCode), min: max(p.Min, 1), unlessVehicle: p.UnlessVehicle}
		if p.Name == "" || rule.code == lead.RejectCodeUnspecified || len(p.Phrases) < rule.min {
			c.fail(path, "a rule has a name, a code, and at least as many phrases as it needs")
		}
		if rule.code == lead.RejectCodeJunk {
			c.fail(path+".code", "JUNK needs several kinds of evidence: use reject.junk")
		}
		for j, text := range p.Phrases {
			if !out.phrases.add(i, text) {
				c.fail(fmt.Sprintf("%s.phrases[%d]", path, j), "a phrase needs words")
			}
		}
		out.rules = append(out.rules, rule)
	}
	c.compileJunk(r.Junk)
	out.addressSuffices = r.AddressSuffices
}

func (c *compiler) compileJunk(r JunkRule) {
	out := &c.g.reject
	out.minEvidence = r.MinEvidence
	if len(r.Evidence)+len(r.Groups) > 0 && r.MinEvidence < 2 {
		c.fail("reject.junk.min_evidence", "one doubt alone never makes junk: at least 2")
	}
	known := folded(lead.Codes("flag"))
	for i, name := range r.Evidence {
		switch {
		case name == "links":
			out.junkLinks = true
		case known[lead.Fold(name)]:
			out.junkFlags = append(out.junkFlags, name)
		default:
			c.fail(fmt.Sprintf("reject.junk.evidence[%d]", i), "%q is neither a flag nor \"links\"", name)
		}
	}
	out.junkGroups.groups = len(r.Groups)
	for i, group := range r.Groups {
		path := fmt.Sprintf("reject.junk.groups[%d]", i)
		if group.Name == "" || len(group.Phrases) == 0 {
			c.fail(path, "a group has a name and phrases")
		}
		out.junkGroupNames = append(out.junkGroupNames, group.Name)
		for j, text := range group.Phrases {
			if !out.junkGroups.add(i, text) {
				c.fail(fmt.Sprintf("%s.phrases[%d]", path, j), "a phrase needs words")
			}
		}
	}
}

// judge decides whether the normalised lead, whose comments have these words, is refused.
func (r *rejectRules) judge(l *lead.Lead, words []word) Verdict {
	if len(r.blocked) > 0 && r.isBlocked(l) {
		return Verdict{lead.RejectCodeBlocked, "blocked_contact"}
	}
	if v := r.judgeBot(l); v.Reject != lead.RejectCodeUnspecified {
		return v
	}
	if v := r.judgeJunk(l, words); v.Reject != lead.RejectCodeUnspecified {
		return v
	}
	if v := r.judgeContact(l); v.Reject != lead.RejectCodeUnspecified {
		return v
	}
	counts := r.phrases.count(words)
	for i, n := range counts {
		rule := &r.rules[i]
		if n >= rule.min && !(rule.unlessVehicle && namesVehicle(l)) {
			return Verdict{rule.code, rule.name}
		}
	}
	return Verdict{}
}

func (r *rejectRules) isBlocked(l *lead.Lead) bool {
	for i := range l.Parties {
		p := &l.Parties[i]
		for _, e := range p.Emails {
			if e.Valid && (r.blocked[sha256.Sum256([]byte(strings.ToLower(e.Address)))] || r.blocked[sha256.Sum256([]byte(e.Key))]) {
				return true
			}
		}
		for _, ph := range p.Phones {
			if ph.Valid && r.blocked[sha256.Sum256([]byte(ph.E164))] {
				return true
			}
		}
	}
	return false
}

func (r *rejectRules) judgeBot(l *lead.Lead) Verdict {
	if len(r.honeypots) == 0 && r.secondsField == "" {
		return Verdict{}
	}
	for i := range l.Extra {
		e := &l.Extra[i]
		key := lead.Fold(e.Path)
		if r.honeypots[key] && strings.TrimSpace(e.Value) != "" {
			return Verdict{lead.RejectCodeSpamBot, "honeypot"}
		}
		if r.secondsField != "" && key == r.secondsField {
			if s, err := strconv.ParseFloat(strings.TrimSpace(e.Value), 64); err == nil && s >= 0 && s < r.minSeconds {
				return Verdict{lead.RejectCodeSpamBot, "form_time"}
			}
		}
	}
	return Verdict{}
}

func (r *rejectRules) judgeJunk(l *lead.Lead, words []word) Verdict {
	if r.minEvidence < 2 {
		return Verdict{}
	}
	var found []string
	for _, flag := range r.junkFlags {
		if l.Flagged(flag) {
			found = append(found, flag)
		}
	}
	if r.junkLinks && strings.Count(l.Comments, "://")+strings.Count(l.Comments, "www.") >= 3 {
		found = append(found, "links")
	}
	for i, n := range r.junkGroups.count(words) {
		if n > 0 {
			found = append(found, r.junkGroupNames[i])
		}
	}
	if len(found) < r.minEvidence {
		return Verdict{}
	}
	return Verdict{lead.RejectCodeJunk, strings.Join(found, "+")}
}

// judgeContact asks whether anybody could answer: by a readable e-mail address or phone number,
// by post where that suffices, or because the person is known by an id.
func (r *rejectRules) judgeContact(l *lead.Lead) Verdict {
	given, post := false, false
	for i := range l.Parties {
		p := &l.Parties[i]
		for _, e := range p.Emails {
			if e.Valid {
				return Verdict{}
			}
			given = true
		}
		for _, ph := range p.Phones {
			if ph.Valid {
				return Verdict{}
			}
			given = true
		}
		post = post || len(p.Address.Streets) > 0 && (p.Address.City != "" || p.Address.Postal != "")
	}
	if r.addressSuffices && post {
		return Verdict{}
	}
	for i := range l.Identifiers {
		switch l.Identifiers[i].Kind {
		case lead.IDKindOEMAccount, lead.IDKindLoyalty, lead.IDKindCRMCustomer, lead.IDKindCRMLead, lead.IDKindDMSCustomer, lead.IDKindRepairOrder, lead.IDKindDeal, lead.IDKindOrder:
			return Verdict{}
		}
	}
	if given {
		return Verdict{lead.RejectCodeFakeContact, "no_usable_contact_point"}
	}
	return Verdict{lead.RejectCodeNoContactPoint, "no_contact_point"}
}

func namesVehicle(l *lead.Lead) bool {
	v := l.Vehicle(lead.VehicleRoleSought)
	return v != nil && (v.Model != "" || v.VIN != "" || v.Stock != "" || v.ModelCode != "")
}
