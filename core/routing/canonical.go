package routing

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/leadmesh/leadmesh/core/lead"
)

// ErrNotCanonical is returned by ParseReceipt for bytes that AppendCanonical would not write.
var ErrNotCanonical = errors.New("receipt is not in canonical form")

// AppendCanonical appends the receipt as JSON and returns the longer slice. The same receipt
// always gives the same bytes: fields in a fixed order, what is zero left out, no white space,
// integers as numbers, enums by their full proto names, sets as lists of names.
func (r *Receipt) AppendCanonical(dst []byte) []byte {
	c := codec{buf: dst}
	r.fields(&c)
	return c.buf
}

// ParseReceipt reads what AppendCanonical wrote. It accepts exactly those bytes: anything else,
// even the same JSON written differently, is ErrNotCanonical.
func ParseReceipt(b []byte) (*Receipt, error) {
	r := new(Receipt)
	c := codec{buf: b, reading: true}
	r.fields(&c)
	if c.err == nil && c.at != len(b) {
		c.fail("nothing may follow")
	}
	if c.err != nil {
		return nil, c.err
	}
	if !bytes.Equal(r.AppendCanonical(make([]byte, 0, len(b))), b) {
		return nil, fmt.Errorf("%w: written again it differs", ErrNotCanonical)
	}
	return r, nil
}

// fields is the format: one walk that both writes and reads, so the two cannot drift apart.
func (r *Receipt) fields(c *codec) {
	c.open('{')
	number(c, "rules", &r.Rules)
	c.id("lead_id", &r.LeadID)
	number(c, "decided_at", &r.DecidedAt)
	number(c, "attempt", &r.Attempt)
	c.texts("exclusions", &r.Exclusions)
	c.text("playbook_revision", &r.Playbook)
	c.text("network_revision", &r.Network)
	c.text("model_revision", &r.Model)
	c.flag("test", &r.Test)
	enum(c, "line", "LINE_", &r.Line, lead.Line.String, lead.ParseLine)
	c.text("brand", &r.Brand)
	enum(c, "department", "DEPARTMENT_", &r.Department, lead.Department.String, lead.ParseDepartment)
	enum(c, "origin", "ORIGIN_", &r.Origin, lead.Origin.String, lead.ParseOrigin)
	enum(c, "dealer_choice", "DEALER_CHOICE_", &r.Choice, lead.DealerChoice.String, lead.ParseDealerChoice)
	c.text("named_dealer_id", &r.Dealer)
	c.text("market", &r.Market)
	enum(c, "place", "PLACE_", &r.Place, Place.String, ParsePlace)
	c.flag("no_consent", &r.NoConsent)
	c.flag("fleet_account", &r.FleetAccount)
	c.flag("digital_only", &r.DigitalOnly)
	number(c, "serviced_at", &r.ServicedAt)
	number(c, "sold_at", &r.SoldAt)
	set(c, "doubts", "DOUBT_", &r.Doubts, doubtNames)
	number(c, "win_chance", &r.WinChance)
	number(c, "points", &r.Points)
	enum(c, "stage", "STAGE_", &r.Stage, lead.Stage.String, lead.ParseStage)
	list(c, "inputs", &r.Inputs, (*Input).fields)
	if c.key("terms") {
		r.Policy.fields(c)
	}
	list(c, "requirements", &r.Programs, (*Requirement).fields)
	number(c, "draw", &r.Draw)
	list(c, "candidates", &r.Candidates, func(x *Candidate, c *codec) { x.fields(c, r) })
	r.others(c)
	enum(c, "step", "STEP_", &r.Step, Step.String, ParseStep)
	c.text("dealer_id", &r.Winner)
	enum(c, "assigned_department", "DEPARTMENT_", &r.WinDepartment, lead.Department.String, lead.ParseDepartment)
	enum(c, "assigned_role", "ROLE_", &r.WinRole, lead.Role.String, lead.ParseRole)
	set(c, "flags", "FLAG_", &r.Flags, flagNames)
	c.shut('}')
}

func (x *Input) fields(c *codec) {
	c.open('{')
	c.text("name", &x.Name)
	number(c, "value", &x.Value)
	c.shut('}')
}

func (x *Requirement) fields(c *codec) {
	c.open('{')
	c.text("program", &x.Code)
	c.flag("mandatory", &x.Mandatory)
	enum(c, "fallback", "FALLBACK_", &x.Fallback, Fallback.String, ParseFallback)
	c.shut('}')
}

func (t *Terms) fields(c *codec) {
	c.open('{')
	enum(c, "market_policy", "MARKET_POLICY_", &t.Market, MarketPolicy.String, ParseMarketPolicy)
	number(c, "k", &t.K)
	number(c, "normal_distance", &t.NormalDistance)
	number(c, "known_distance", &t.KnownDistance)
	number(c, "max_distance", &t.MaxDistance)
	number(c, "performance_cap", &t.PerformanceCap)
	number(c, "floor", &t.Floor)
	number(c, "equals", &t.Equals)
	number(c, "closed", &t.Closed)
	number(c, "missing_program", &t.MissingProgram)
	number(c, "other_language", &t.OtherLanguage)
	number(c, "service_memory", &t.ServiceMemory)
	number(c, "selling_memory", &t.SellingMemory)
	enum(c, "role", "ROLE_", &t.Role, lead.Role.String, lead.ParseRole)
	c.text("desk_id", &t.Desk)
	c.shut('}')
}

func (x *Candidate) fields(c *codec, r *Receipt) {
	c.open('{')
	c.text("dealer_id", &x.Dealer)
	enum(c, "department", "DEPARTMENT_", &x.Department, lead.Department.String, lead.ParseDepartment)
	number(c, "distance", &x.Distance)
	set(c, "marks", "MARK_", &x.Marks, markNames)
	set(c, "bars", "BAR_", &x.Bars, barNames)
	x.missing(c, r)
	c.flag("capped", &x.Capped)
	number(c, "free_capacity", &x.Free)
	number(c, "performance", &x.Performance)
	c.flag("open", &x.Open)
	c.flag("other_language", &x.OtherLanguage)
	number(c, "expected_result", &x.Expected)
	number(c, "chance", &x.Chance)
	enum(c, "lost", "LOSS_", &x.Lost, Loss.String, ParseLoss)
	c.shut('}')
}

// missing writes the set of missing programs as their codes.
func (x *Candidate) missing(c *codec, r *Receipt) {
	if !c.reading && x.Missing == 0 || !c.key("missing_programs") {
		return
	}
	c.open('[')
	for i := range r.Programs {
		if c.reading {
			if c.element() && c.isText(r.Programs[i].Code) {
				x.Missing |= 1 << i
			}
		} else if x.Missing&(1<<i) != 0 {
			c.element()
			c.value(r.Programs[i].Code)
		}
	}
	c.shut(']')
}

// others writes how many further dealers lost for each reason.
func (r *Receipt) others(c *codec) {
	if !c.reading && r.Others == [losses]int32{} || !c.key("others") {
		return
	}
	c.open('[')
	for i := 1; i < losses; i++ {
		loss := Loss(i)
		if c.reading {
			if !c.element() {
				break
			}
			loss = 0
		} else if r.Others[i] == 0 {
			continue
		} else {
			c.element()
		}
		var n int32
		if !c.reading {
			n = r.Others[i]
		}
		c.open('{')
		enum(c, "lost", "LOSS_", &loss, Loss.String, ParseLoss)
		number(c, "dealers", &n)
		c.shut('}')
		if c.reading {
			r.Others[loss] = n
		}
	}
	c.shut(']')
}
