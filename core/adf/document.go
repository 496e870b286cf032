package adf

// Document is one ADF text: its leads in the order they stand.
type Document struct {
	Prospects []Prospect
	// Outside is non-blank text before, between and after the leads, for
	// example a mail signature, with the paths "#before", "#between", "#after".
	Outside []Element
	// Repairs are the places where the text had to be mended to be read,
	// at most maxRepairs of them.
	Repairs []Repair
}

// Prospect is one lead. Text is as sent, without outer white space; attribute
// values from a closed list are in the spelling of the list when recognised
// and as sent otherwise. An absent attribute is "", not its default.
type Prospect struct {
	Status      string // "", "new" or "resend"
	IDs         []ID
	RequestDate string // as sent; ParseDate reads it
	Vehicles    []Vehicle
	Customer    Customer
	Vendor      Vendor
	Provider    Provider

	// Unknown holds every element and attribute outside ADF 1.0, second values
	// of single elements, stray text ("#text") and XML comments ("#comment").
	// Extensions that also have a field, such as a campaign, are here too.
	Unknown []Element
	Flags   []Flag

	// The rest is derived from comments and is not written by Emit.

	CommentFields    []CommentField
	Consents         []ConsentStatement
	PreferredContact string // "", "email", "phone" or "text", as told in comments
	CommentVehicles  []CommentVehicle
}

// Element is a part of the document ADF has no place for. Path is relative to
// the lead, "prospect/vehicle[2]/color" or "prospect/@partner" for an attribute.
type Element struct {
	Path  string
	Text  string
	Attrs []Attr
}

// Attr is an attribute with its local name in lower case.
type Attr struct{ Name, Value string }

// ID is a key some system gave to the thing it stands in. Value may be empty.
type ID struct{ Sequence, Source, Value string }

// Vehicle is a car asked for or, see Prospect.Trades, offered.
type Vehicle struct {
	Interest, Status                                      string
	IDs                                                   []ID
	Year, Make, Model, VIN, Stock, Trim, Doors, BodyStyle string
	Transmission                                          string
	Odometer                                              Odometer
	Condition                                             string
	Colors                                                []ColorCombination
	Image                                                 Image
	Prices                                                []Price
	PriceComments                                         string
	Options                                               []Option
	Finance                                               *Finance // nil if not sent
	Comments                                              string
}

// Odometer is a reading; Units is "km" or "mi" when known.
type Odometer struct{ Value, Status, Units string }

// ColorCombination is one wish for colours; Preference "1" is the favourite.
type ColorCombination struct{ Interior, Exterior, Preference string }

// Image is a picture of the vehicle by address.
type Image struct{ URL, Width, Height, AltText string }

// Price is an amount of money as text, with what it is relative to.
type Price struct{ Type, Currency, Delta, RelativeTo, Source, Value string }

// Option is a piece of equipment; Weighting runs from -100 (must not have) to
// +100 (must have).
type Option struct {
	Name, ManufacturerCode, Stock, Weighting string
	Price                                    *Price // nil if not sent
}

// Finance is how the customer wants to pay. Term, Rate, Frequency and
// MileageAllowance are extensions that Emit does not write.
type Finance struct {
	Method                                  string
	Amounts                                 []Amount
	Balance                                 Balance
	Term, Rate, Frequency, MileageAllowance string
}

// Amount is one payment number.
type Amount struct{ Type, Limit, Currency, Value string }

// Balance is what is still owed.
type Balance struct{ Type, Currency, Value string }

// Customer is who asks. More than one contact means co-buyers.
type Customer struct {
	Contacts  []Contact
	IDs       []ID
	Timeframe Timeframe
	// Comments is the customer's text. Numbers that look like a social
	// security or insurance number are masked with asterisks; several comments
	// elements are joined by a line break.
	Comments string
}

// Timeframe is when the customer wants to act; the dates are as sent.
type Timeframe struct{ Description, Earliest, Latest string }

// Contact is a person or a desk. Gender, Birthday and Locale are extensions
// that Emit does not write.
type Contact struct {
	Primary                  bool
	Names                    []Name
	Emails                   []Email
	Phones                   []Phone
	Addresses                []Address
	Gender, Birthday, Locale string
}

// Name is one part of a name, or all of it when Part is "full" or "".
type Name struct{ Part, Type, Value string }

// Email is an address for mail; Preferred means the sender marked it so.
type Email struct {
	Preferred bool
	Value     string
}

// Phone is a number as sent. Time is when to call.
type Phone struct {
	Type, Time          string
	Preferred, BestTime bool
	Value               string
}

// Address is a postal address.
type Address struct {
	Type                                             string
	Streets                                          []Street
	Apartment, City, RegionCode, PostalCode, Country string
}

// Street is one line of an address; Line is its number as sent.
type Street struct{ Line, Value string }

// Vendor is the dealer the lead is for. Service is an extension that Emit does
// not write.
type Vendor struct {
	IDs                []ID
	Name, URL, Service string
	Contacts           []Contact
}

// Provider is who sends the lead. Form to NavigationHistory are extensions
// that Emit does not write.
type Provider struct {
	IDs          []ID
	Names        []Name
	Service, URL string
	Emails       []Email
	Phones       []Phone
	Contacts     []Contact

	Form, Campaign, SearchTerm, Keyword, Referrer, NavigationHistory string
}

// CommentField is a pair found in free text, for example "Employer: X". Path is
// the comment's place. Values that identify a person by number are masked.
type CommentField struct{ Key, Value, Path string }

// ConsentStatement is a sentence or pair about permission to contact. Whether
// it is a consent in law is for the caller; Answer says only what it reads as.
type ConsentStatement struct {
	Text   string
	Answer Answer
	Path   string
}

// Answer is yes, no, or neither in so many words.
type Answer string

// The answers. AnswerUnclear also stands for a disclosure ("by submitting you
// agree"), which nobody answered.
const (
	AnswerUnclear Answer = "unclear"
	AnswerYes     Answer = "yes"
	AnswerNo      Answer = "no"
)

// CommentVehicle is a vehicle that stands only in free text or in an XML
// comment. A trade has Interest "trade-in".
type CommentVehicle struct {
	Vehicle Vehicle
	Path    string
}
