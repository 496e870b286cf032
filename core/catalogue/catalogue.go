// Package catalogue knows what a manufacturer declares about its cars and the places they are driven
// in: when a service is due, what a car is worth, what the next one costs a month, which incentive
// there is for it, how many public chargers stand nearby. It is pure and holds plain data; what
// nobody declared is not known, never zero.
package catalogue

import "github.com/leadmesh/leadmesh/core/lead"

// Definition is what a manufacturer declares, as it is written. Every part may be empty.
type Definition struct {
	Market     string // ISO 3166-1 alpha-2, of offers and leads that name none
	Brands     []Brand
	WMI        map[string]string // make by the first three characters of a VIN
	Models     []Model
	Services   []ServiceRule // of models without a schedule of their own; the first that fits counts
	Residuals  []Residual    // the first that fits a model without a table of its own counts
	Offers     []Offer
	Incentives []Incentive
	Chargers   []Chargers
}

// Brand is a brand and the makes it sells under.
type Brand struct {
	Code  string
	Makes []string
}

// Model is a model of the brands.
type Model struct {
	Code       string
	Make       string
	Powertrain lead.Powertrain
	ListPrice  lead.Money // of a new one today; no currency: not declared
	Service    Service    // its own schedule; the zero value takes that of Services
	Residual   string     // name of its table; empty: the first that fits
	Next       string     // model that its owners are offered next; empty: the same again
}

// Scope says which models a rule is for; what is left open fits all.
type Scope struct {
	Brand      string
	Powertrain lead.Powertrain
}

func (s Scope) fits(c Car) bool {
	return (s.Brand == "" || s.Brand == c.brand) && (s.Powertrain == lead.PowertrainUnspecified || s.Powertrain == c.Powertrain)
}

// Service says when a service is due: after a time or a distance, whichever comes first. A zero
// sets no limit.
type Service struct {
	Days   int32
	Metres int32
}

// ServiceRule is the schedule of the models in its scope.
type ServiceRule struct {
	Scope
	Service
}

// Catalogue is a compiled Definition. It is immutable, safe for any number of readers, and allocates
// nothing when it is asked. A nil Catalogue knows nothing.
type Catalogue struct {
	market     string
	models     []Model
	byCode     map[string]int
	brands     map[string]string // code of a brand by make, as written, in capitals and in small letters
	wmi        map[string]string // the same by the beginning of a VIN
	services   []ServiceRule
	residuals  []Residual
	byName     map[string]int     // of residuals
	offers     map[string][]Offer // by model
	incentives []Incentive
	countries  map[string]bool // that incentives are declared for
	chargers   map[place]int32
	longest    int // postal prefix
}

// Car is what is known of one car. The zero Car is of no known model, brand or powertrain.
type Car struct {
	Powertrain lead.Powertrain
	brand      string
	model      int // place among the models, from 1; 0: unknown
}

// Description is what a lead or a record says of a car; what it does not say is left empty.
type Description struct {
	Code, Make, VIN string
	Powertrain      lead.Powertrain
}

// Car recognises a car by its model's code, else its brand by make or VIN. The powertrain of the
// model counts, where it says none that of the description.
func (c *Catalogue) Car(d Description) Car {
	car := Car{Powertrain: d.Powertrain}
	if c == nil {
		return car
	}
	if i, ok := c.byCode[d.Code]; ok {
		car.model, d.Make = i+1, c.models[i].Make
		if p := c.models[i].Powertrain; p != lead.PowertrainUnspecified {
			car.Powertrain = p
		}
	}
	car.brand = c.brands[d.Make]
	if car.brand == "" && d.Make == "" && len(d.VIN) >= 3 {
		car.brand = c.wmi[d.VIN[:3]]
	}
	return car
}

// Known reports whether the model of the car is one of the catalogue's.
func (c Car) Known() bool { return c.model != 0 }

// Next is the car that an owner of this one is offered: the declared successor of its model, else
// the same model; the zero Car when the model is not known.
func (c *Catalogue) Next(of Car) Car {
	if c == nil || of.model == 0 {
		return Car{}
	}
	if next := c.models[of.model-1].Next; next != "" {
		return c.Car(Description{Code: next})
	}
	return of
}

// Service is the schedule of a car: that of its model, else of the first rule that fits; ok is false
// when there is none.
func (c *Catalogue) Service(of Car) (s Service, ok bool) {
	if c == nil {
		return s, false
	}
	if of.model != 0 {
		if s = c.models[of.model-1].Service; s != (Service{}) {
			return s, true
		}
	}
	for i := range c.services {
		// A car of another maker has no schedule of ours.
		if of.brand != "" && c.services[i].fits(of) {
			return c.services[i].Service, true
		}
	}
	return s, false
}

// ListPrice is what a new car of the model costs today; it has no currency when that is not declared.
func (c *Catalogue) ListPrice(of Car) lead.Money {
	if c == nil || of.model == 0 {
		return lead.Money{}
	}
	return c.models[of.model-1].ListPrice
}
