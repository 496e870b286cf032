package governance

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Problem is one mistake in the rules. Path names the place as the playbook spells it
// ("lines[3].line").
type Problem struct {
	Path, Message string
}

// Governor applies compiled rules. It is never changed after Compile, so many goroutines may use
// one.
type Governor struct {
	markets   map[string]*market
	first     *market
	skip      [stepCount]bool
	fields    [fieldCount]*fieldRule
	sources   map[string]*source
	requests  map[string]lead.RequestType
	frames    map[string]string
	lines     []lineRule
	choices   map[lead.Origin]lead.DealerChoice
	triggers  map[string]bool
	personal  map[string]bool
	disposal  lead.DomainSet
	minorAge  int
	test      testRule
	reject    rejectRules
	catalogue catalogue
}

type market struct {
	country, currency, zone string
	unit                    lead.OdometerUnit
	dayFirst                bool
}

type source struct {
	SourceRule
	origin lead.Origin
}

type lineRule struct {
	request  lead.RequestType
	interest lead.Interest
	origin   lead.Origin
	line     lead.Line
}

// step is a part of the normalising that a playbook can switch off.
type step uint8

const (
	stepText step = iota
	stepNames
	stepEmails
	stepPhones
	stepAddresses
	stepVINs
	stepModels
	stepTimeFrames
	stepDefaults
	stepExamples // flagging phone numbers of ranges kept for examples
	stepCount
)

var stepList = [stepCount]string{"text", "names", "emails", "phones", "addresses", "vins", "models", "time_frames", "defaults", "example_numbers"}

// Compile checks rules and readies them for use. It returns every mistake it finds; with any, the
// Governor is nil.
func Compile(r Rules) (*Governor, []Problem) {
	c := compiler{g: &Governor{
		markets:  map[string]*market{},
		sources:  map[string]*source{},
		requests: map[string]lead.RequestType{},
		frames:   map[string]string{},
		choices:  map[lead.Origin]lead.DealerChoice{},
		triggers: folded(r.TriggerChannels),
		personal: folded(r.PersonalChannels),
		disposal: lead.NewDomainSet(r.DisposableDomains),
		minorAge: r.MinorAge,
	}}
	c.compileMarkets(r.Markets)
	c.compileSkip(r.Skip)
	c.compileFields(r.Fields)
	c.compileSources(r.Sources)
	c.compileRequestTypes(r.RequestTypes)
	c.compileTimeFrames(r.TimeFrames)
	c.compileLines(r.Lines)
	c.compileChoices(r.Choices)
	if r.MinorAge < 0 || r.MinorAge > 30 {
		c.fail("minor_age", "an age is 0 to 30 years")
	}
	c.compileTest(r.Test)
	c.compileReject(r.Reject)
	c.compileCatalogue(r.Catalogue)
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	return c.g, nil
}

type compiler struct {
	g        *Governor
	problems []Problem
}

func (c *compiler) fail(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// code reads an optional code of a list (see lead.Codes); the empty one is the zero value.
func code[T any](c *compiler, path, s, kind string, parse func(string) (T, bool)) T {
	var zero T
	if s == "" {
		return zero
	}
	v, ok := parse(s)
	if !ok {
		c.fail(path, "%q is no such code%s", s, lead.Suggest(s, lead.Codes(kind)))
	}
	return v
}

func (c *compiler) compileMarkets(markets []Market) {
	if len(markets) == 0 {
		c.fail("markets", "at least one market is needed")
	}
	for i, m := range markets {
		path := "markets[" + strconv.Itoa(i) + "]"
		country, ok := lead.CountryCode(m.Country)
		if !ok || country != m.Country {
			c.fail(path+".country", "%q is no ISO 3166-1 alpha-2 code", m.Country)
		}
		if _, known := lead.CurrencyExponent(m.Currency); !known {
			c.fail(path+".currency", "%q is no known ISO 4217 code", m.Currency)
		}
		if m.Zone == "" || strings.ContainsAny(m.Zone, " \t") {
			c.fail(path+".zone", "an IANA zone is needed")
		}
		if m.Unit == "" {
			c.fail(path+".unit", "KM or MI is needed")
		}
		if c.g.markets[m.Country] != nil {
			c.fail(path+".country", "%s is there twice", m.Country)
		}
		cm := &market{country: m.Country, currency: m.Currency, zone: m.Zone, unit: code(c, path+".unit", m.Unit, "odometer_unit", lead.ParseOdometerUnit), dayFirst: m.DayFirst}
		c.g.markets[m.Country] = cm
		if i == 0 {
			c.g.first = cm
		}
	}
}

func (c *compiler) compileSkip(names []string) {
	for i, name := range names {
		s := slices.Index(stepList[:], name)
		if s < 0 {
			c.fail(fmt.Sprintf("skip[%d]", i), "%q is no step; there are %s", name, strings.Join(stepList[:], ", "))
			continue
		}
		c.g.skip[s] = true
	}
}

func (c *compiler) compileFields(rules []FieldRule) {
	for i, r := range rules {
		path := "fields[" + strconv.Itoa(i) + "]"
		f, ok := fieldByName(r.Field)
		if !ok {
			c.fail(path+".field", "%q is no field with rules%s", r.Field, lead.Suggest(r.Field, fieldNames[:]))
			continue
		}
		if c.g.fields[f] != nil {
			c.fail(path+".field", "%q has a rule already", r.Field)
		}
		if r.Max < 0 {
			c.fail(path+".max", "a limit is not negative")
		}
		limit := r.Max
		if limit == 0 {
			limit = f.limit()
		}
		fr := &fieldRule{max: limit, fallback: r.Default, required: r.Required, values: make(map[string]string, len(r.Map))}
		switch r.Case {
		case "":
		case "upper":
			fr.fold = strings.ToUpper
		case "lower":
			fr.fold = strings.ToLower
		default:
			c.fail(path+".case", "the case is upper or lower, not %q", r.Case)
		}
		for _, from := range sortedKeys(r.Map) {
			key := lead.Fold(from)
			if _, twice := fr.values[key]; twice || key == "" {
				c.fail(path+".map", "%q has no sense of its own among the keys", from)
			}
			fr.values[key] = r.Map[from]
		}
		if f.owned() && (len(r.Map) > 0 || r.Case != "" || r.Default != "" || r.Max > 0 && r.Max < 64) {
			c.fail(path, "%s is normalised by a step of its own: only required and a max of 64 or more are possible", r.Field)
		}
		c.g.fields[f] = fr
		// A rule applied twice must change nothing the second time.
		for _, from := range sortedKeys(r.Map) {
			c.wantStable(path+".map", fr, r.Map[from])
		}
		c.wantStable(path+".default", fr, r.Default)
	}
	for f := range c.g.fields {
		if c.g.fields[f] == nil {
			c.g.fields[f] = &fieldRule{max: field(f).limit()}
		}
	}
}

func (c *compiler) wantStable(path string, fr *fieldRule, value string) {
	if value == "" {
		return
	}
	if out, _ := fr.shape(value); out != value {
		c.fail(path, "%q does not stay itself under its own rule", value)
	}
	if strings.TrimSpace(value) != value || lead.Placeholder(value) || !utf8.ValidString(value) {
		c.fail(path, "%q is no value", value)
	}
}

func (c *compiler) compileSources(rules []SourceRule) {
	for i, r := range rules {
		path := "sources[" + strconv.Itoa(i) + "]"
		s := &source{SourceRule: r, origin: code(c, path+".origin", r.Origin, "origin", lead.ParseOrigin)}
		if r.Source == "" {
			c.fail(path+".source", "a source needs its name")
			continue
		}
		if strings.ContainsAny(r.Zone, " \t") {
			c.fail(path+".zone", "%q is no IANA zone", r.Zone)
		}
		for j, v := range [...]string{r.Channel, r.Source, r.SubSource, r.Provider, r.Medium} {
			if fr := c.g.fields[fieldSourceChannel+field(j)]; fr != nil {
				c.wantStable(path, fr, v)
			}
		}
		for _, name := range append([]string{r.Source}, r.Names...) {
			key := lead.Fold(name)
			if key == "" {
				c.fail(path+".names", "a name needs letters or digits")
				continue
			}
			switch other := c.g.sources[key]; {
			case other == nil:
				c.g.sources[key] = s
			case other != s:
				c.fail(path+".names", "%q names the source %q already", name, other.Source)
			}
		}
	}
}

func (c *compiler) compileRequestTypes(words map[string][]string) {
	for _, name := range sortedKeys(words) {
		path := "request_types." + name
		rt, ok := lead.ParseRequestType(name)
		if !ok {
			c.fail(path, "%q is no request type%s", name, lead.Suggest(name, lead.Codes("request_type")))
			continue
		}
		for i, w := range words[name] {
			key := lead.Fold(w)
			other, twice := c.g.requests[key]
			if key == "" || twice && other != rt {
				c.fail(fmt.Sprintf("%s[%d]", path, i), "%q is empty or means another request type already", w)
				continue
			}
			c.g.requests[key] = rt
		}
	}
}

func (c *compiler) compileTimeFrames(phrases map[string]string) {
	for _, from := range sortedKeys(phrases) {
		if lead.Fold(from) == "" {
			c.fail("time_frames", "a form's code needs letters or digits")
		}
		c.g.frames[lead.Fold(from)] = phrases[from]
	}
}

func (c *compiler) compileLines(rules []LineRule) {
	for i, r := range rules {
		path := "lines[" + strconv.Itoa(i) + "]"
		lr := lineRule{
			request:  code(c, path+".request_type", r.RequestType, "request_type", lead.ParseRequestType),
			interest: code(c, path+".interest", r.Interest, "interest", lead.ParseInterest),
			origin:   code(c, path+".origin", r.Origin, "origin", lead.ParseOrigin),
			line:     code(c, path+".line", r.Line, "line", lead.ParseLine),
		}
		if r.Line == "" || lr.line == lead.LineNurture {
			c.fail(path+".line", "a line other than NURTURE is needed: a request is always routed")
		}
		c.g.lines = append(c.g.lines, lr)
	}
	if n := len(rules); n == 0 || rules[n-1].RequestType != "" || rules[n-1].Interest != "" || rules[n-1].Origin != "" {
		c.fail("lines", "the last rule must fit every lead")
	}
}

func (c *compiler) compileChoices(choices map[string]string) {
	for _, origin := range sortedKeys(choices) {
		path := "choices." + origin
		o := code(c, path, origin, "origin", lead.ParseOrigin)
		choice := code(c, path, choices[origin], "dealer_choice", lead.ParseDealerChoice)
		if choice == lead.DealerChoiceUnspecified || choice == lead.DealerChoiceNone {
			c.fail(path, "a lead that names a dealer has a choice")
		}
		c.g.choices[o] = choice
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
