package routing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Facts is what is known of one lead when its dealer is chosen. Choose reads it and keeps no
// reference to its slices; strings are shared. Codes (brand, country, language) are written as
// the network writes them.
type Facts struct {
	DecidedAt  int64 // Unix seconds
	Attempt    int32
	Exclusions []string // dealer ids: they declined, or were refused for capacity

	LeadID       lead.ID
	Test         bool
	Line         lead.Line
	Brand        string          // "" while unknown
	Department   lead.Department // 0: the line implies it
	Origin       lead.Origin
	Choice       lead.DealerChoice
	Dealer       string // id of the dealer that the lead names, as FindCode or FindName gave it
	DealerByName bool   // it was found by its name only
	DealerLost   bool   // the lead names a dealer that could not be found
	Consent      bool   // the lead may be shared with a store

	Market    string // country of the market; "" takes the customer's
	Country   string // where the customer is
	Region    string
	Postal    string
	HasPoint  bool // Latitude and Longitude are known, in millionths of a degree
	Latitude  int32
	Longitude int32

	Powertrain   lead.Powertrain
	Model        string   // model code of the catalogue
	Programs     []string // programs required for another reason
	FleetAccount bool
	DigitalOnly  bool
	Language     string // primary BCP 47 subtag; "" asks for none

	ServiceDealer string // id of the dealer of the last service visit
	ServicedAt    int64
	SellingDealer string // id of the dealer that sold the vehicle
	SoldAt        int64

	WinChance int32 // parts per million
	Points    int32 // 1/100
	Stage     lead.Stage
	Inputs    []Input // what the score was made from, in its own order
	Scorer    string  // revision of the model that gave the score

	Chance uint64 // as the function Chance gives it for PurposeDraw
	Live   *Live  // of this snapshot; nil: all open, caps unused, performance neutral
}

// PurposeDraw is the purpose under which the draw of step 5 takes its chance.
const PurposeDraw = "routing.draw"

// Chance returns the lead's chance for a purpose and attempt: the first 64 bits of HMAC-SHA256
// under the secret of the revision. Whoever picks a lead's id cannot steer it without the
// secret. The parts are length-prefixed, so no two of them can be taken for another two.
func Chance(secret []byte, id lead.ID, purpose string, attempt int) uint64 {
	return NewLots(secret).Draw(id, purpose, attempt)
}

// Lots draws the chances of leads under one secret. Its owner draws as many as they like, one after
// the other, and from the second on nothing is allocated. Not safe for concurrent use.
type Lots struct {
	mac  hash.Hash
	text []byte // that is hashed
	sum  []byte
}

// NewLots returns what draws under a secret.
func NewLots(secret []byte) *Lots { return &Lots{mac: hmac.New(sha256.New, secret)} }

// Draw returns what [Chance] does under the secret.
func (l *Lots) Draw(id lead.ID, purpose string, attempt int) uint64 {
	l.text = append(l.text[:0], id[:]...)
	l.text = binary.BigEndian.AppendUint64(l.text, uint64(len(purpose)))
	l.text = append(l.text, purpose...)
	l.text = binary.BigEndian.AppendUint64(l.text, uint64(attempt))
	l.mac.Reset()
	l.mac.Write(l.text)
	l.sum = l.mac.Sum(l.sum[:0])
	return binary.BigEndian.Uint64(l.sum)
}
