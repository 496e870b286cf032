package learn

import (
	"math"

	"github.com/leadmesh/leadmesh/core/identity"
)

const (
	maxRounds     = 200
	settled       = 1e-4 // largest change of a probability in the last round
	weightOfM     = 40   // pairs of one person that the base counts for, in each field
	weightOfU     = 2000 // pairs of strangers that the base counts for, in each field
	weightOfWhole = 5000 // pairs of strangers that count as seen, so that a few rows make no prior
	leastClass    = 1e-9 // least share of a class among the pairs of a rule
	matchesStart  = 0.2  // share of one person's pairs among a rule's at the beginning
	homesStart    = 0.05
	fewHomes      = 0.5  // estimated pairs of one home below which there are none
	manyMatches   = 100  // estimated pairs of one person that it takes to say so
	manyPerHome   = 1000 // estimated pairs of one person for each of one home that may be a mistake
)

// class is who the records of a pair belong to.
type class int

const (
	onePerson class = iota
	strangers
	oneHome
	classes
)

// teacher holds the probabilities while they are learned.
type teacher struct {
	s              *sample
	base           [classes][identity.ReasonCount]float64
	p              [classes][identity.ReasonCount]float64
	mix            [][classes]float64 // shares of the classes among each rule's pairs
	whole          [classes]float64   // among all pairs
	matches, homes float64
}

func newTeacher(base *identity.Params, s *sample) *teacher {
	t := &teacher{s: s, mix: make([][classes]float64, len(s.rules))}
	for c, l := range base.Levels {
		t.base[onePerson][c] = math.Exp2(float64(l.M) / 1000)
		t.base[strangers][c] = math.Exp2(float64(l.U) / 1000)
		t.base[oneHome][c] = math.Exp2(float64(l.Home) / 1000)
	}
	t.p = t.base
	for i := range t.mix {
		t.mix[i] = [classes]float64{matchesStart, 1 - matchesStart - homesStart, homesStart}
	}
	t.whole = [classes]float64{1 / (s.total + weightOfWhole), 1, 1 / (s.total + weightOfWhole)}
	return t
}

// learn repeats estimating whose the pairs are and what that says about the levels; it returns how
// often.
func (t *teacher) learn(stop *brake) int {
	for round := 1; ; round++ {
		if stop.at(0) {
			return round
		}
		before := t.p[onePerson]
		t.learnStrangers()
		t.learnMatches()
		t.learnHomes()
		t.learnWhole()
		change := 0.0
		for c := range before {
			change = math.Max(change, math.Abs(before[c]-t.p[onePerson][c]))
		}
		if round == maxRounds || change < settled && round > 10 {
			return round
		}
	}
}

// posterior returns the probabilities of the classes for a pattern by the fields that are not left out.
func (t *teacher) posterior(l *identity.Levels, mix [classes]float64, without []identity.Field) [classes]float64 {
	post := mix
	for f, code := range l {
		if code == 0 || has(without, identity.Field(f)) {
			continue
		}
		for k := range post {
			post[k] *= t.p[k][code]
		}
	}
	sum := 0.0
	for _, v := range post {
		sum += v
	}
	if sum == 0 {
		return [classes]float64{strangers: 1}
	}
	for k := range post {
		post[k] /= sum
	}
	return post
}

func has(fields []identity.Field, f identity.Field) bool {
	for _, o := range fields {
		if o == f {
			return true
		}
	}
	return false
}

// learnStrangers estimates from the pairs drawn at random, each counting by how likely it is one of
// strangers.
func (t *teacher) learnStrangers() {
	var seen [identity.ReasonCount]float64
	var fields [identity.FieldCount]float64
	for i := range t.s.random {
		r := &t.s.random[i]
		w := r.count * t.posterior(&r.levels, t.whole, nil)[strangers]
		for f, code := range r.levels {
			if code != 0 {
				seen[code] += w
				fields[f] += w
			}
		}
	}
	for c := range seen {
		n := fields[identity.ReasonCode(c).Field()]
		base := t.base[strangers][c]
		if n == 0 {
			continue
		}
		t.p[strangers][c] = math.Max((seen[c]+weightOfU*base)/(n+weightOfU), math.Min(base, 0.3/n))
	}
	t.keepFixed(strangers)
}

// learnMatches estimates from the pairs of the rules. What a rule's key is made of it can not teach.
func (t *teacher) learnMatches() {
	var seen [identity.ReasonCount]float64
	var fields [identity.FieldCount]float64
	for i := range t.s.rules {
		r := &t.s.rules[i]
		var mix [classes]float64
		total := 0.0
		for j := range r.patterns {
			p := &r.patterns[j]
			post := t.posterior(&p.levels, t.mix[i], r.fields)
			total += p.count
			for k := range mix {
				mix[k] += p.count * post[k]
			}
			w := p.count * post[onePerson]
			for f, code := range p.levels {
				if code != 0 && !has(r.fields, identity.Field(f)) {
					seen[code] += w
					fields[f] += w
				}
			}
		}
		for k := range mix {
			mix[k] = math.Max(mix[k]/total, leastClass)
		}
		t.mix[i] = mix
	}
	for c := range seen {
		n := fields[identity.ReasonCode(c).Field()]
		t.p[onePerson][c] = (seen[c] + weightOfM*t.base[onePerson][c]) / (n + weightOfM)
	}
	t.keepFixed(onePerson)
	for _, l := range mostDiffer {
		t.cap(l.code, l.share)
	}
}

// keepFixed puts back what is not to be learned: levels that follow from what the names agree in, so
// that how often they are seen says nothing by itself.
func (t *teacher) keepFixed(k class) {
	for _, c := range [...]identity.ReasonCode{identity.ReasonEmailName, identity.ReasonEmailLocalName} {
		t.p[k][c] = t.base[k][c]
	}
}

// mostDiffer holds how many records of one person may differ altogether in a field at most. It keeps
// the class of one person from becoming that of any two strangers where there are no duplicates.
var mostDiffer = [...]struct {
	code  identity.ReasonCode
	share float64
}{
	{identity.ReasonGivenNameDiffers, 0.15}, {identity.ReasonFamilyNameDiffers, 0.15},
	{identity.ReasonMiddleNameDiffers, 0.2}, {identity.ReasonBornDiffers, 0.15},
	{identity.ReasonNumberDiffers, 0.1}, {identity.ReasonSexDiffers, 0.05},
	{identity.ReasonEmailDiffers, 0.5}, {identity.ReasonPhoneDiffers, 0.5},
	{identity.ReasonAddressDiffers, 0.4}, {identity.ReasonLineDiffers, 0.4}, {identity.ReasonPlaceDiffers, 0.4},
	{identity.ReasonBirthplaceDiffers, 0.3}, {identity.ReasonOccupationDiffers, 0.5},
}

// cap bounds the share of a level among records of one person; the other levels of its field share
// what it loses in proportion.
func (t *teacher) cap(code identity.ReasonCode, most float64) {
	p := &t.p[onePerson]
	if p[code] <= most {
		return
	}
	scale := (1 - most) / math.Max(1-p[code], 1e-6)
	for c := range p {
		if o := identity.ReasonCode(c); o != code && o.Field() == code.Field() {
			p[c] *= scale
		}
	}
	p[code] = most
}

// homeShares is for each field how many of those who share a home agree in it because they do; the others
// agree as strangers do.
var homeShares = [identity.FieldCount]float64{
	identity.FieldGivenName: 0.012, identity.FieldFamilyName: 0.7, identity.FieldMiddleName: 0.02,
	identity.FieldEmail: 0.08, identity.FieldPhone: 0.5, identity.FieldAddress: 0.95, identity.FieldLine: 0.95,
	identity.FieldPlace: 0.97, identity.FieldBorn: 0.004, identity.FieldID: 0.02, identity.FieldVehicle: 0.5,
	identity.FieldCompany: 0.2, identity.FieldNumber: 0.0001, identity.FieldBirthplace: 0.4, identity.FieldOccupation: 0.03,
}

// learnHomes derives what people of one home agree in from the two other classes.
func (t *teacher) learnHomes() {
	for c := range t.p[oneHome] {
		f := identity.ReasonCode(c).Field()
		if share := homeShares[f]; share > 0 && t.s.has[f] {
			t.p[oneHome][c] = share*t.p[onePerson][c] + (1-share)*t.p[strangers][c]
		}
		if identity.ReasonCode(c) == identity.ReasonGivenNameOther { // parents and couples like names that go together
			t.p[oneHome][c] = math.Max(t.p[oneHome][c], t.base[oneHome][c])
		}
	}
}

// learnWhole estimates how many pairs of all are of one person and of one home.
func (t *teacher) learnWhole() {
	var sum [classes]float64
	for i := range t.s.all {
		p := &t.s.all[i]
		post := t.posterior(&p.levels, t.whole, nil)
		for k := range sum {
			sum[k] += p.count * post[k]
		}
	}
	t.matches, t.homes = sum[onePerson], sum[oneHome]
	total := t.s.total + weightOfWhole
	t.whole[onePerson] = math.Max(t.matches, 0.5) / total
	t.whole[oneHome] = math.Max(t.homes, 0.5) / total
	t.whole[strangers] = math.Max(1-t.whole[onePerson]-t.whole[oneHome], leastClass)
}

// write puts what was learned into parameters. Fields that no pair compares keep the base.
func (t *teacher) write(p *identity.Params) {
	for c := range p.Levels {
		f := identity.ReasonCode(c).Field()
		if !t.s.has[f] || p.Levels[c] == (identity.Level{}) {
			continue
		}
		p.Levels[c] = identity.Level{
			M: identity.Log2(t.p[onePerson][c]), U: identity.Log2(t.p[strangers][c]), Home: identity.Log2(t.p[oneHome][c]),
		}
	}
	p.Prior = identity.Log2(t.whole[onePerson] / t.whole[strangers])
	p.Home = identity.Log2(t.whole[oneHome] / t.whole[strangers])
	// Without a date of birth or a personal number spouses can not be told from one person whose given
	// name was mistaken.
	tells := t.s.has[identity.FieldBorn] || t.s.has[identity.FieldNumber]
	if tells && t.matches > manyMatches && t.homes < math.Max(fewHomes, t.matches/manyPerHome) {
		p.Home = identity.NoHomes
	}
}
