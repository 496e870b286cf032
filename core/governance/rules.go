// Package governance judges and tidies a lead before anything else looks at it: it brings every
// field into one form, decides line, brand and dealer choice, marks doubts as flags, and refuses
// what is no lead. It follows rules that are plain data; it is pure and safe for many goroutines.
package governance

// Rules is the governance part of a playbook as it is written. Codes are the domain's spellings;
// Compile checks all of them.
type Rules struct {
	// Markets are the countries leads come from; the first is assumed where a lead names none.
	Markets []Market `yaml:"markets"`
	// Skip names normalising steps that are switched off; for an unknown one Compile lists them all.
	Skip []string `yaml:"skip"`
	// Fields are rules for single text fields, of parties and vehicles for every one of them.
	Fields []FieldRule `yaml:"fields"`
	// Sources gives the senders' many names for a source one meaning.
	Sources []SourceRule `yaml:"sources"`
	// RequestTypes lists, by request type, the senders' words for it.
	RequestTypes map[string][]string `yaml:"request_types"`
	// TimeFrames gives, for a form's own codes, a phrase that lead.ParseTimeFrame reads.
	TimeFrames map[string]string `yaml:"time_frames"`
	// Lines decides the line of a lead whose sender names none; the first rule that fits counts,
	// and the last one must fit everything.
	Lines []LineRule `yaml:"lines"`
	// Choices gives, by origin, the dealer choice of a lead that names a dealer but not how it
	// came to be named. Without an entry it is CUSTOMER_CHOSE.
	Choices map[string]string `yaml:"choices"`
	// TriggerChannels are the source channels whose leads without a request are trigger leads.
	TriggerChannels []string `yaml:"trigger_channels"`
	// PersonalChannels are the source channels that show a visit, a call or a service contact; a
	// trigger lead from one of them is not digital-only.
	PersonalChannels []string `yaml:"personal_channels"`
	// DisposableDomains lists throw-away mail domains, as lead.NewDomainSet reads them.
	DisposableDomains []string `yaml:"disposable_domains"`
	// MinorAge is the age in years below which a person is flagged; 0 switches it off.
	MinorAge int `yaml:"minor_age"`

	Test      Test      `yaml:"test"`
	Reject    Reject    `yaml:"reject"`
	Catalogue Catalogue `yaml:"catalogue"`
}

// Market is a country with what its people take for granted.
type Market struct {
	Country  string `yaml:"country"`  // ISO 3166-1 alpha-2
	Currency string `yaml:"currency"` // ISO 4217, for amounts without one
	Unit     string `yaml:"unit"`     // KM or MI, for odometers without one
	DayFirst bool   `yaml:"day_first"`
	Zone     string `yaml:"zone"` // IANA name, for times without one where nobody knows better
}

// FieldRule shapes one text field of a lead, in this order: cut, map, case, default, required.
type FieldRule struct {
	Field    string            `yaml:"field"`
	Max      int               `yaml:"max"`  // characters; 0 means 200, or 20,000 for comments
	Map      map[string]string `yaml:"map"`  // by sense (lead.Fold) to the wanted value
	Case     string            `yaml:"case"` // upper, lower or empty
	Default  string            `yaml:"default"`
	Required bool              `yaml:"required"` // an empty field is flagged
}

// SourceRule recognises a source by the names senders use for it and fills in what they left out.
type SourceRule struct {
	Names     []string `yaml:"names"`
	Source    string   `yaml:"source"`
	Channel   string   `yaml:"channel"`
	SubSource string   `yaml:"sub_source"`
	Provider  string   `yaml:"provider"`
	Medium    string   `yaml:"medium"`
	Origin    string   `yaml:"origin"`
	Zone      string   `yaml:"zone"` // IANA name, of the times it sends without one; empty if they are the dealer's
	Trigger   bool     `yaml:"trigger"`
	Test      bool     `yaml:"test"`
}

// LineRule gives the line of leads with a request type, an interest in a vehicle and an origin;
// an empty condition fits all.
type LineRule struct {
	RequestType string `yaml:"request_type"`
	Interest    string `yaml:"interest"`
	Origin      string `yaml:"origin"`
	Line        string `yaml:"line"`
}

// Test recognises test leads. A name alone never does: it takes an e-mail domain or phrase too.
type Test struct {
	EmailDomains []string `yaml:"email_domains"`
	Phrases      []string `yaml:"phrases"` // in the comments
}

// Reject says what is no lead. The checks run in the order of the fields.
type Reject struct {
	// Blocked holds BlockKey values of contact points.
	Blocked []string `yaml:"blocked"`
	// Honeypots are paths of extra fields that people cannot see; whoever fills one is a program.
	Honeypots []string `yaml:"honeypots"`
	// SecondsField is the path of the extra field that says how long the form was open; less
	// than MinSeconds is no person.
	SecondsField string  `yaml:"seconds_field"`
	MinSeconds   float64 `yaml:"min_seconds"`
	// Phrases refuse by what the comments say.
	Phrases []PhraseRule `yaml:"phrases"`
	// Junk refuses when at least MinEvidence of the named doubts meet; never fewer than two.
	Junk JunkRule `yaml:"junk"`
	// AddressSuffices keeps a lead that can be reached by post only.
	AddressSuffices bool `yaml:"address_suffices"`
}

// PhraseRule refuses with a code when at least Min of its phrases occur in the comments, as whole
// words. UnlessVehicle spares leads that name a wanted vehicle.
type PhraseRule struct {
	Name          string   `yaml:"name"`
	Code          string   `yaml:"code"`
	Phrases       []string `yaml:"phrases"`
	Min           int      `yaml:"min"`
	UnlessVehicle bool     `yaml:"unless_vehicle"`
}

// JunkRule counts doubts: flags of the lead by code, "links" (three or more in the comments) and
// the names of phrase groups.
type JunkRule struct {
	Evidence    []string      `yaml:"evidence"`
	Groups      []PhraseGroup `yaml:"groups"`
	MinEvidence int           `yaml:"min_evidence"`
}

// PhraseGroup is one doubt of a JunkRule: any of its phrases in the comments.
type PhraseGroup struct {
	Name    string   `yaml:"name"`
	Phrases []string `yaml:"phrases"`
}

// Catalogue is what governance needs of brands and models.
type Catalogue struct {
	Brands []Brand `yaml:"brands"`
	Models []Model `yaml:"models"`
	// WMI gives the make by world manufacturer identifier (lead.WMI), for vehicles without one.
	WMI map[string]string `yaml:"wmi"`
	// DefaultBrand is taken where neither lead nor vehicle names one; for networks of one brand.
	DefaultBrand string `yaml:"default_brand"`
}

// Brand is a brand of the network and the makes it sells under; the first is how it is written.
type Brand struct {
	Code  string   `yaml:"code"`
	Makes []string `yaml:"makes"`
}

// Model is a model of the catalogue. Name and Aliases are compared by sense: letters and digits
// only.
type Model struct {
	Code       string   `yaml:"code"`
	Make       string   `yaml:"make"`
	Name       string   `yaml:"name"`
	Aliases    []string `yaml:"aliases"`
	Powertrain string   `yaml:"powertrain"`
}
