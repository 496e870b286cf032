package signal

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/leadmesh/leadmesh/core/lead"
)

// codecVersion is the first byte of an encoded profile. A reader knows every version up to its
// own; a layout is never changed, only followed by the next.
const codecVersion = 1

// ErrEncoding means that bytes are no encoded profile, or one of a newer version.
var ErrEncoding = errors.New("not an encoded profile of a known version")

// Marshal encodes a profile for storage: a version byte, then variable-length integers with
// times relative to the latest one and every text once. Equal profiles give equal bytes.
func (p *Profile) Marshal() []byte {
	w := writer{buf: make([]byte, 0, 512)}
	w.base = p.latest()
	w.intern(p)
	w.buf = append(w.buf, codecVersion)
	w.uint(uint64(w.base))
	w.uint(uint64(len(w.texts)))
	for _, s := range w.texts {
		w.uint(uint64(len(s)))
		w.buf = append(w.buf, s...)
	}
	w.uint(uint64(len(p.Counters)))
	for _, c := range p.Counters {
		w.buf = append(w.buf, byte(c.Kind))
		w.counter(c.Counter)
	}
	w.counter(p.EV)
	w.uint(uint64(len(p.Vehicles)))
	for i := range p.Vehicles {
		w.vehicle(&p.Vehicles[i])
	}
	w.uint(uint64(len(p.Inquiries)))
	for _, at := range p.Inquiries {
		w.time(at)
	}
	w.activity(p.Tracked)
	w.activity(p.Untracked)
	w.time(p.CustomerSince)
	account := byte(0)
	if p.Account {
		account = 1
	}
	w.buf = append(w.buf, account)
	for _, c := range []Contact{p.Selling, p.Servicing, p.Salesperson} {
		w.text(c.ID)
		w.time(c.At)
	}
	return w.buf
}

// Unmarshal decodes what Marshal wrote. It accepts nothing else: no unknown version, no rest, no
// list beyond its bound, no vehicles, kinds or texts out of order. Empty input is the zero profile.
func Unmarshal(b []byte) (Profile, error) {
	var p Profile
	err := p.Unmarshal(b)
	return p, err
}

// Unmarshal decodes like the function of that name, into a profile whose lists keep their room: who
// decodes one profile after the other into the same hardly allocates. What the profile held before
// is gone, and lists of copies of it are overwritten; after an error it is the zero profile.
func (p *Profile) Unmarshal(b []byte) error {
	counters, vehicles, inquiries := p.Counters[:0], p.Vehicles[:0], p.Inquiries[:0]
	*p = Profile{}
	if len(b) == 0 {
		p.Counters, p.Vehicles, p.Inquiries = counters, vehicles, inquiries
		return nil
	}
	r := reader{buf: b[1:]}
	if b[0] != codecVersion {
		return ErrEncoding
	}
	r.base = int64(r.uint())
	var few [fewTexts]string
	r.texts = room(few[:0], r.count(maxTexts))
	r.intern()
	p.Counters = room(counters, r.count(maxKinds))
	for i := range p.Counters {
		p.Counters[i].Kind = lead.SignalKind(r.byte())
		p.Counters[i].Counter = r.counter()
		r.check(i == 0 || p.Counters[i-1].Kind < p.Counters[i].Kind)
	}
	p.EV = r.counter()
	p.Vehicles = room(vehicles, r.count(MaxVehicles))
	for i := range p.Vehicles {
		r.vehicle(&p.Vehicles[i])
		r.check(i == 0 || p.Vehicles[i-1].VIN < p.Vehicles[i].VIN)
	}
	p.Inquiries = room(inquiries, r.count(MaxInquiries))
	for i := range p.Inquiries {
		p.Inquiries[i] = r.time()
	}
	p.Tracked, p.Untracked = r.activity(), r.activity()
	p.CustomerSince = r.time()
	account := r.byte()
	r.check(account <= 1)
	p.Account = account == 1
	for _, c := range []*Contact{&p.Selling, &p.Servicing, &p.Salesperson} {
		c.ID, c.At = r.text(), r.time()
	}
	if r.bad || r.at != len(r.buf) {
		*p = Profile{}
		return ErrEncoding
	}
	return nil
}

// room returns a list of n elements in the room of another, if it has as much. The elements are to
// be overwritten.
func room[T any](list []T, n int) []T {
	if n <= cap(list) {
		return list[:n]
	}
	return make([]T, n)
}

const fewTexts = 32 // as most profiles have

const (
	maxTexts = 4 * MaxVehicles * (MaxVisits + MaxWarranties)
	maxText  = 1 << 12
)

type writer struct {
	buf   []byte
	base  int64
	texts []string // sorted; index 0 is written as 1, "" as 0
}

func (w *writer) uint(v uint64) { w.buf = binary.AppendUvarint(w.buf, v) }
func (w *writer) int(v int64)   { w.buf = binary.AppendVarint(w.buf, v) }

// time writes 0 for unknown, else one more than the zigzag distance to the base.
func (w *writer) time(at int64) {
	if at == 0 {
		w.uint(0)
		return
	}
	d := w.base - at
	w.uint(uint64(d<<1^d>>63) + 1)
}

func (w *writer) text(s string) {
	if s == "" {
		w.uint(0)
		return
	}
	i, _ := slices.BinarySearch(w.texts, s)
	w.uint(uint64(i + 1))
}

func (w *writer) money(m lead.Money) {
	w.text(m.Currency)
	w.int(m.Minor)
}

func (w *writer) counter(c Counter) {
	w.uint(uint64(uint32(c.HalfLife)))
	if c.HalfLife != 0 {
		w.time(c.Last)
		w.uint(c.Sum)
	}
}

func (w *writer) activity(a Activity) {
	w.time(a.Last)
	if a.Last != 0 {
		w.int(int64(a.Newest))
		w.uint(a.Weeks)
	}
}

func (w *writer) vehicle(v *VehicleFacts) {
	w.text(v.VIN)
	w.text(v.Make)
	w.text(v.ModelCode)
	w.buf = append(w.buf, byte(v.Powertrain))
	w.time(v.Sold.At)
	w.text(v.Sold.DealerID)
	w.buf = append(w.buf, byte(v.Sold.Status))
	w.uint(uint64(len(v.Visits)))
	for _, s := range v.Visits {
		w.time(s.At)
		w.text(s.DealerID)
		w.buf = append(w.buf, byte(s.PayType))
		w.money(s.Amount)
	}
	for _, r := range []Reading{v.First, v.Latest} {
		w.time(r.At)
		w.int(r.KM)
	}
	w.time(v.Lease.Started)
	w.int(v.Lease.ContractedKM)
	w.money(v.Lease.Payment)
	w.time(v.Lease.Maturity)
	w.time(v.Lease.MaturitySeen)
	coverages := v.hide()
	w.uint(uint64(len(coverages)))
	for _, s := range coverages {
		w.text(s.Coverage)
		w.time(s.Seen)
		w.time(s.Until)
		w.int(s.KMLimit)
	}
	w.time(v.Plan.Seen)
	w.time(v.Plan.Until)
	w.time(v.Declined.At)
	w.money(v.Declined.Amount)
}

// intern collects every text of the profile once, sorted.
func (w *writer) intern(p *Profile) {
	add := func(texts ...string) {
		for _, s := range texts {
			if s != "" {
				w.texts = append(w.texts, s)
			}
		}
	}
	for i := range p.Vehicles {
		v := &p.Vehicles[i]
		add(v.VIN, v.Make, v.ModelCode, v.Sold.DealerID, v.Lease.Payment.Currency, v.Declined.Amount.Currency)
		for _, s := range v.Visits {
			add(s.DealerID, s.Amount.Currency)
		}
		for _, s := range v.hide() {
			add(s.Coverage)
		}
	}
	add(p.Selling.ID, p.Servicing.ID, p.Salesperson.ID)
	slices.Sort(w.texts)
	w.texts = slices.Compact(w.texts)
}

func (p *Profile) latest() int64 {
	at := max(p.CustomerSince, p.Tracked.Last, p.Untracked.Last, p.EV.Last)
	for _, c := range p.Counters {
		at = max(at, c.Last)
	}
	return max(at, 0)
}

type reader struct {
	buf   []byte
	at    int // what was read up to
	base  int64
	texts []string
	bad   bool
}

// intern reads the texts. They share one copy of what is read, so that they cost one allocation.
func (r *reader) intern() {
	if len(r.texts) == 0 {
		return
	}
	begin := r.at
	whole := string(r.buf[begin:])
	for i := range r.texts {
		n := r.count(maxText)
		at := r.at - begin
		if r.skip(n); r.bad {
			break
		}
		r.texts[i] = whole[at : at+n]
		r.check(n > 0 && (i == 0 || r.texts[i-1] < r.texts[i]))
	}
	if r.bad {
		r.texts = r.texts[:0]
	}
}

func (r *reader) check(ok bool) {
	if !ok {
		r.bad, r.buf, r.at = true, nil, 0
	}
}

func (r *reader) uint() uint64 {
	if r.at < len(r.buf) && r.buf[r.at] < 0x80 { // as most are
		r.at++
		return uint64(r.buf[r.at-1])
	}
	return r.long()
}

func (r *reader) long() uint64 {
	v, n := binary.Uvarint(r.buf[r.at:])
	// The last byte of a shortest encoding is not zero: one value, one spelling.
	if n <= 0 || n > 1 && r.buf[r.at+n-1] == 0 {
		r.check(false)
		return 0
	}
	r.at += n
	return v
}

func (r *reader) int() int64 {
	v := r.uint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *reader) count(limit int) int {
	v := r.uint()
	if v > uint64(limit) {
		r.check(false)
		return 0
	}
	return int(v)
}

// skip passes over n bytes.
func (r *reader) skip(n int) {
	if n > len(r.buf)-r.at {
		r.check(false)
		return
	}
	r.at += n
}

func (r *reader) byte() byte {
	if r.at == len(r.buf) {
		r.check(false)
		return 0
	}
	r.at++
	return r.buf[r.at-1]
}

func (r *reader) time() int64 {
	v := r.uint()
	if v == 0 {
		return 0
	}
	v--
	at := r.base - (int64(v>>1) ^ -int64(v&1))
	r.check(at > 0)
	return at
}

func (r *reader) text() string {
	i := r.count(len(r.texts))
	if i == 0 {
		return ""
	}
	return r.texts[i-1]
}

func (r *reader) money() lead.Money {
	currency := r.text()
	return lead.Money{Currency: currency, Minor: r.int()}
}

func (r *reader) counter() Counter {
	h := r.count(1<<31 - 1)
	if h == 0 {
		return Counter{}
	}
	c := Counter{HalfLife: int32(h), Last: r.time(), Sum: r.uint()}
	r.check(c.Last != 0)
	return c
}

func (r *reader) activity() Activity {
	at := r.time()
	if at == 0 {
		return Activity{}
	}
	newest := r.int()
	r.check(newest >= 0 && newest <= 1<<30)
	return Activity{Last: at, Newest: int32(newest), Weeks: r.uint()}
}

func (r *reader) vehicle(v *VehicleFacts) {
	v.VIN, v.Make, v.ModelCode = r.text(), r.text(), r.text()
	v.Powertrain = lead.Powertrain(r.byte())
	v.Sold = Sale{At: r.time(), DealerID: r.text(), Status: lead.VehicleStatus(r.byte())}
	v.Visits = room(v.Visits, r.count(MaxVisits))
	for i := range v.Visits {
		v.Visits[i] = Visit{At: r.time(), DealerID: r.text(), PayType: PayType(r.byte()), Amount: r.money()}
	}
	for _, reading := range []*Reading{&v.First, &v.Latest} {
		reading.At, reading.KM = r.time(), r.int()
		r.check(reading.KM >= 0 && reading.KM <= maxKM*2)
	}
	v.Lease = Lease{Started: r.time(), ContractedKM: r.int(), Payment: r.money(),
		Maturity: r.time(), MaturitySeen: r.time()}
	v.Warranties = room(v.Warranties, r.count(MaxWarranties))
	for i := range v.Warranties {
		v.Warranties[i] = Warranty{Coverage: r.text(), Seen: r.time(), Until: r.time(), KMLimit: r.int()}
	}
	v.Valued, v.Owed, v.Balloon = Quote{}, Quote{}, Balloon{}
	v.reveal()
	v.Plan = Plan{Seen: r.time(), Until: r.time()}
	v.Declined = Declined{At: r.time(), Amount: r.money()}
}
