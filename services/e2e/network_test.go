package e2e_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
	"github.com/leadmesh/leadmesh/core/signal"
)

// thinker decides with the core alone, on the sample as its files say: no service, no import.
type thinker struct {
	playbook *playbook.Playbook
	stores   *routing.Snapshot
	models   map[[2]string]model // by brand and code
	dealers  map[string]bool
}

type model struct {
	powertrain lead.Powertrain
	program    bool
}

// thought is what the core says of a lead.
type thought struct {
	line    lead.Line
	inputs  scoring.Inputs
	result  scoring.Result
	park    lead.ParkReason
	receipt routing.Receipt
}

func newThinker(t *testing.T) *thinker {
	t.Helper()
	files := playbook.Files{}
	sampleFiles(t, "playbook", func(name string, content []byte) { files[name] = content })
	pb, mistakes := playbook.Read(files)
	if pb == nil {
		t.Fatalf("the sample playbook: %v", mistakes)
	}
	c := &thinker{playbook: pb, models: map[[2]string]model{}, dealers: map[string]bool{}}
	stores, problems := routing.Compile(c.network(t), pb.Routing)
	if stores == nil {
		t.Fatalf("the sample network: %v", problems)
	}
	c.stores = stores
	return c
}

// rows reads a CSV of the sample as maps by column.
func rows(t *testing.T, content []byte, gzipped bool) []map[string]string {
	t.Helper()
	var r io.Reader = bytes.NewReader(content)
	if gzipped {
		z, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		r = z
	}
	all, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := make([]map[string]string, 0, len(all)-1)
	for _, record := range all[1:] {
		row := make(map[string]string, len(record))
		for i, v := range record {
			row[all[0][i]] = v
		}
		out = append(out, row)
	}
	return out
}

func (c *thinker) network(t *testing.T) routing.Network {
	t.Helper()
	tables := map[string][]map[string]string{}
	for _, dir := range []string{"network", "postal"} {
		sampleFiles(t, dir, func(name string, content []byte) {
			if table, _, ok := strings.Cut(name, ".csv"); ok {
				tables[table] = rows(t, content, path.Ext(name) == ".gz")
			}
		})
	}
	n := routing.Network{Revision: "sample"}
	at, zones := map[string]int{}, map[string]*time.Location{}
	for _, r := range tables["dealers"] {
		zone, err := time.LoadLocation(r["time_zone"])
		if err != nil {
			t.Fatal(err)
		}
		d := routing.Dealer{
			ID: r["dealer_id"], Name: r["name"], Group: r["group"], LegalEntity: r["legal_entity"], Country: r["country"], Postal: r["postal_code"],
			Latitude: micro(t, r["latitude"]), Longitude: micro(t, r["longitude"]), TimeZone: r["time_zone"], Kind: routing.KindRooftop,
			Paused: days(r["paused_from"], r["paused_to"], zone), Overflow: r["overflow_dealer_id"], SucceededBy: r["succeeded_by"],
		}
		if r["kind"] != "ROOFTOP" {
			d.Kind = routing.KindDesk
		}
		d.Status, _ = routing.ParseStatus(r["status"])
		at[d.ID], zones[d.ID], c.dealers[d.ID] = len(n.Dealers), zone, true
		n.Dealers = append(n.Dealers, d)
	}
	for _, r := range tables["departments"] {
		d := &n.Dealers[at[r["dealer_id"]]]
		kind, _ := lead.ParseDepartment(r["department"])
		setting, _ := routing.ParsePersonSetting(r["person_setting"])
		limit, _ := strconv.Atoi(r["capacity_per_day"])
		d.Departments = append(d.Departments, routing.Department{
			Kind: kind, Brands: list(r["brands"]), CapPerDay: int32(limit), InferCap: r["capacity_from_roster"] == "true",
			PersonSetting: setting, BDC: r["bdc_dealer_id"], Languages: list(r["languages"]),
		})
	}
	for _, r := range tables["dealer_codes"] {
		d := &n.Dealers[at[r["dealer_id"]]]
		department, _ := lead.ParseDepartment(r["department"])
		d.Codes = append(d.Codes, routing.Code{Brand: r["brand"], Scheme: r["scheme"], Code: r["code"], SubCode: r["sub_code"],
			Department: department, Valid: days(r["valid_from"], r["valid_to"], zones[d.ID])})
	}
	for _, r := range tables["certificates"] {
		d := &n.Dealers[at[r["dealer_id"]]]
		d.Certificates = append(d.Certificates, routing.Certificate{Program: r["program"], Valid: days(r["valid_from"], r["valid_to"], zones[d.ID])})
	}
	for _, r := range tables["programs"] {
		p := routing.Program{Code: r["program"], Mandatory: r["mandatory"] == "true", Valid: days(r["valid_from"], r["valid_to"], time.UTC)}
		p.Fallback, _ = routing.ParseFallback(r["fallback"])
		for _, what := range list(r["applies_to"]) {
			kind, value, _ := strings.Cut(what, ":")
			switch kind {
			case "fleet":
				p.Fleet = true
			case "model":
				p.Models = append(p.Models, value)
			case "powertrain":
				powertrain, _ := lead.ParsePowertrain(value)
				p.Powertrains = append(p.Powertrains, powertrain)
			}
		}
		n.Programs = append(n.Programs, p)
	}
	for _, r := range tables["territories"] {
		n.Territories = append(n.Territories, routing.Territory{Country: r["country"], Postal: r["postal_code"], Brand: r["brand"], Dealer: r["dealer_id"],
			Valid: days(r["valid_from"], r["valid_to"], time.UTC)})
	}
	for _, r := range tables["catalogue"] {
		powertrain, _ := lead.ParsePowertrain(r["powertrain"])
		c.models[[2]string{r["brand"], r["model_code"]}] = model{powertrain, r["required_program"] != ""}
	}
	for _, country := range []string{"us", "ca", "de", "gb"} {
		for _, r := range tables[country] {
			code, _ := lead.ParsePostal(r["postal"], r["country"])
			n.Points = append(n.Points, routing.PostalPoint{Country: r["country"], Postal: code, Region: r["region"], Latitude: micro(t, r["lat"]), Longitude: micro(t, r["lon"])})
		}
	}
	return n
}

func list(cell string) []string {
	if cell == "" {
		return nil
	}
	return strings.Split(cell, "|")
}

func micro(t *testing.T, degrees string) int32 {
	t.Helper()
	if degrees == "" {
		return 0
	}
	v, err := strconv.ParseFloat(degrees, 64)
	if err != nil {
		t.Fatal(err)
	}
	return int32(math.Round(v * 1e6))
}

// days are whole days, both inclusive.
func days(from, to string, zone *time.Location) (s routing.Span) {
	if at, err := time.ParseInLocation(time.DateOnly, from, zone); err == nil {
		s.From = at.Unix()
	}
	if at, err := time.ParseInLocation(time.DateOnly, to, zone); err == nil {
		s.To = at.AddDate(0, 0, 1).Unix()
	}
	return s
}

// score scores a governed lead of somebody unknown.
func (c *thinker) score(l *lead.Lead, now time.Time, v *thought) {
	f := scoring.Facts{
		Profiling: lead.Effective(l.Consents, lead.ConsentKey{Controller: lead.ControllerOEM, Purpose: lead.PurposeProfiling}, now),
		Catalogue: c.playbook.Catalogue, Currency: c.playbook.Currency,
	}
	if sought := l.Vehicle(lead.VehicleRoleSought); sought != nil {
		var m model
		if m, f.SoughtKnown = c.models[[2]string{l.Brand, sought.ModelCode}]; f.SoughtKnown {
			f.SoughtPowertrain, f.ProgramRequired = m.powertrain, m.program
		}
	}
	scoring.Extract(l, &signal.Profile{}, now, f, &v.inputs)
	c.playbook.Scoring.Score(&v.inputs, &v.result)
	v.line = l.Line
	if l.Trigger && v.line == lead.LineUnspecified {
		v.line = c.playbook.Scoring.Triggered(&v.result)
	}
	if l.Trigger && c.playbook.Scoring.Nurture(&v.result) {
		v.line = lead.LineNurture
	}
	if v.line == lead.LineUnspecified {
		v.line = lead.LineSales
	}
}

// think decides a governed lead of somebody unknown. chance is that of the draw among near equals.
func (c *thinker) think(l *lead.Lead, now time.Time, chance uint64) *thought {
	v := &thought{}
	c.score(l, now, v)
	consent := lead.MayAnswer(l.Consents, lead.ConsentKey{Controller: lead.ControllerOEM}, now) && lead.MayShare(l.Consents, "", now)
	if l.Trigger {
		consent = lead.MayTrigger(l.Consents, lead.ConsentKey{Controller: lead.ControllerOEM, Purpose: lead.PurposeMarketing}, now)
	}
	switch {
	case !consent:
		v.park = lead.ParkReasonConsent
	case v.line == lead.LineNurture:
		v.park = lead.ParkReasonNurture
	}
	f := routing.Facts{
		DecidedAt: now.Unix(), LeadID: l.ID, Test: l.Test, Line: v.line, Brand: l.Brand, Origin: l.Origin, Choice: l.Choice, Consent: consent, Market: l.Market,
		DigitalOnly: l.DigitalOnly, WinChance: v.result.Probability[v.line], Points: v.result.Points[v.line], Stage: v.result.Stage[v.line], Chance: chance,
	}
	if sought := l.Vehicle(lead.VehicleRoleSought); sought != nil {
		f.Powertrain = sought.Powertrain
		if m, ok := c.models[[2]string{l.Brand, sought.ModelCode}]; ok {
			f.Powertrain, f.Model = m.powertrain, sought.ModelCode
		}
	}
	for _, p := range l.Parties {
		f.FleetAccount = f.FleetAccount || p.Role == lead.PartyRoleCompany || p.Name.Company != ""
	}
	f.Country = l.Market
	language := l.Language
	if p := l.Primary(); p != nil {
		f.Region, f.Postal = p.Address.Region, p.Address.Postal
		if p.Address.Country != "" {
			f.Country = p.Address.Country
		}
		if p.Language != "" {
			language = p.Language
		}
	}
	language, _, _ = strings.Cut(language, "-")
	f.Language = strings.ToLower(language)
	c.findDealer(l, &f)
	var choice routing.Choice
	routing.Choose(c.stores, &f, &choice)
	v.receipt = choice.Receipt
	return v
}

func (c *thinker) findDealer(l *lead.Lead, f *routing.Facts) {
	d := l.Dealer
	if d == (lead.DealerReference{}) {
		return
	}
	if c.dealers[d.ID] {
		f.Dealer = d.ID
		return
	}
	if found, ok := c.stores.FindCode(routing.CodeQuery{Brand: l.Brand, Scheme: d.Scheme, Code: d.Code, At: f.DecidedAt}); ok && d.Code != "" {
		f.Dealer = found.Dealer
		return
	}
	if found, ok := c.stores.FindName(d.Name); ok && d.Name != "" {
		f.Dealer, f.DealerByName = found.Dealer, true
		return
	}
	f.DealerLost = true
}
