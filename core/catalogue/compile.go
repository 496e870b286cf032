package catalogue

import (
	"fmt"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Problem is one thing wrong with a definition. Path names it as a playbook does, such as
// catalogue.residuals[0].rows[2].shares.
type Problem struct{ Path, Message string }

// Compile checks a definition and makes it ready to be asked; with any problem there is no
// catalogue. It keeps the lists of the definition.
func Compile(d Definition) (*Catalogue, []Problem) {
	k := &compiler{catalogue: &Catalogue{
		market: d.Market, wmi: map[string]string{}, models: d.Models, byCode: map[string]int{}, brands: map[string]string{}, services: d.Services, residuals: d.Residuals,
		byName: map[string]int{}, offers: map[string][]Offer{}, incentives: d.Incentives, countries: map[string]bool{}, chargers: map[place]int32{},
	}}
	for _, b := range d.Brands {
		for _, name := range append([]string{b.Code}, b.Makes...) {
			for _, spelling := range [...]string{name, strings.ToUpper(name), strings.ToLower(name)} {
				k.catalogue.brands[spelling] = b.Code
			}
		}
	}
	for id, name := range d.WMI {
		k.catalogue.wmi[id] = k.catalogue.brands[name]
	}
	for i, m := range d.Models {
		k.catalogue.byCode[m.Code] = i
	}
	k.residuals(d.Residuals)
	k.models(d.Models)
	k.services(d.Services)
	k.offers(d.Offers)
	k.incentives(d.Incentives)
	k.chargers(d.Chargers)
	if len(k.problems) > 0 {
		return nil, k.problems
	}
	return k.catalogue, nil
}

type compiler struct {
	catalogue *Catalogue
	problems  []Problem
}

func (k *compiler) fail(path, format string, args ...any) {
	k.problems = append(k.problems, Problem{path, fmt.Sprintf(format, args...)})
}

func (k *compiler) brand(path, code string) {
	if code != "" && k.catalogue.brands[code] != code {
		k.fail(path, "there is no brand called %q", code)
	}
}

func (k *compiler) model(path, code string) {
	if _, ok := k.catalogue.byCode[code]; !ok {
		k.fail(path, "there is no model with the code %q%s", code, lead.Suggest(code, k.codes()))
	}
}

func (k *compiler) codes() []string {
	var out []string
	for i := range k.catalogue.models {
		out = append(out, k.catalogue.models[i].Code)
	}
	return out
}

func (k *compiler) models(list []Model) {
	for i, m := range list {
		path := fmt.Sprintf("catalogue.models[%d]", i)
		if m.Next != "" {
			k.model(path+".next", m.Next)
		}
		if _, ok := k.catalogue.byName[m.Residual]; m.Residual != "" && !ok {
			k.fail(path+".residual", "there is no table of residual values called %q", m.Residual)
		}
		k.schedule(path+".service", m.Service)
	}
}

func (k *compiler) schedule(path string, s Service) {
	if s.Days < 0 || s.Metres < 0 {
		k.fail(path, "a service is due after a time, a distance or both")
	}
}

func (k *compiler) services(list []ServiceRule) {
	for i, s := range list {
		path := fmt.Sprintf("catalogue.services[%d]", i)
		k.brand(path+".brand", s.Brand)
		k.schedule(path, s.Service)
		if s.Service == (Service{}) {
			k.fail(path, "a service is due after a time (every), a distance or both")
		}
	}
}

func (k *compiler) residuals(list []Residual) {
	for i := range list {
		t := &list[i]
		path := fmt.Sprintf("catalogue.residuals[%d]", i)
		k.brand(path+".brand", t.Brand)
		if _, twice := k.catalogue.byName[t.Name]; twice {
			k.fail(path+".name", "%q is there twice", t.Name)
		}
		k.catalogue.byName[t.Name] = i
		if len(t.Distances) == 0 || len(t.Rows) == 0 {
			k.fail(path, "a table has distances and rows of ages")
		}
		for j := 1; j < len(t.Distances); j++ {
			if t.Distances[j] <= t.Distances[j-1] {
				k.fail(path+".distances", "distances ascend; number %d does not", j+1)
			}
		}
		for j, row := range t.Rows {
			k.row(fmt.Sprintf("%s.rows[%d]", path, j), t, j, row)
		}
	}
}

// row checks one age: its shares, and that they fall with distance and age.
func (k *compiler) row(path string, t *Residual, j int, row ResidualRow) {
	if len(row.Shares) != len(t.Distances) {
		k.fail(path+".shares", "there are %d shares for %d distances", len(row.Shares), len(t.Distances))
		return
	}
	if j > 0 && row.Days <= t.Rows[j-1].Days {
		k.fail(path+".age", "ages ascend; this one is not above the one before")
	}
	for x, share := range row.Shares {
		switch {
		case share < 0 || share > 1_000_000:
			k.fail(path+".shares", "share %d must be 0 %% to 100 %%", x+1)
		case x > 0 && share > row.Shares[x-1]:
			k.fail(path+".shares", "share %d is above the one before; a car is worth less the further it went", x+1)
		case j > 0 && x < len(t.Rows[j-1].Shares) && share > t.Rows[j-1].Shares[x]:
			k.fail(path+".shares", "share %d is above that of the age before; a car is worth less the older it is", x+1)
		}
	}
}

func (k *compiler) offers(list []Offer) {
	for i, o := range list {
		path := fmt.Sprintf("offers.offers[%d]", i)
		k.model(path+".model", o.Model)
		k.days(path+".until", o.Days)
		if o.Monthly.Minor <= 0 {
			k.fail(path+".monthly", "must be more than nothing")
		}
		if o.Market == "" {
			o.Market = k.catalogue.market
		}
		k.catalogue.offers[o.Model] = append(k.catalogue.offers[o.Model], o)
	}
}

func (k *compiler) incentives(list []Incentive) {
	for i, x := range list {
		path := fmt.Sprintf("incentives.incentives[%d]", i)
		k.days(path+".until", x.Days)
		for _, code := range x.Models {
			k.model(path+".models", code)
		}
		k.catalogue.countries[x.Country] = true
	}
}

func (k *compiler) days(path string, d Days) {
	if d.From != 0 && d.Until != 0 && d.Until <= d.From {
		k.fail(path, "is before from")
	}
}

func (k *compiler) chargers(list []Chargers) {
	for i, c := range list {
		at := place{c.Country, c.Prefix}
		if _, twice := k.catalogue.chargers[at]; twice {
			k.fail(fmt.Sprintf("chargers[%d]", i), "%s %s is there twice", c.Country, c.Prefix)
		}
		k.catalogue.chargers[at] = c.Count
		k.catalogue.longest = max(k.catalogue.longest, len(c.Prefix))
	}
}
