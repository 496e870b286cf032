package signal

import (
	"math"
	"math/bits"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Counter is a count that halves every HalfLife seconds: the sum over its signals of
// 2^-((reference - t) / HalfLife). The zero Counter holds nothing.
//
// The reference is the first multiple of HalfLife after Last, so moving it is a shift and the
// sum is the same in whatever order signals arrive. One signal at the reference weighs 1<<44;
// its weight is rounded to 20 significant bits when it is added. Shifts are exact while the
// signals of a counter span at most 24 half-lives; older ones weigh less than 1/10,000,000 and
// the bits they lose can not be seen in Count except on the very edge of its rounding.
type Counter struct {
	HalfLife int32  // seconds; 0 in the zero Counter
	Last     int64  // unix seconds of the latest signal; 0 when there is none
	Sum      uint64 // in units of 1/2^44, as of the reference; saturates at a million signals
}

const (
	weightOne    = 44 // the reference weight is 1<<weightOne
	mantissaBits = 20
	maxMilli     = 1 << 29
)

// NewCounter makes a counter that reads milli (1/1000) at the second at, for a caller who knows
// only that; last is its latest signal and must not be later than at.
func NewCounter(milli int32, at, last int64, halfLife int32) Counter {
	if milli <= 0 || last <= 0 || halfLife <= 0 || at < last {
		return Counter{}
	}
	c := Counter{HalfLife: halfLife, Last: last}
	d := at - c.reference() // >= -halfLife
	octaves, rest := floorDiv(d, int64(halfLife))
	// sum = milli/1000 * 2^(d/halfLife): scaled by 2^(rest/halfLife) here and by 2^octaves below.
	hi, lo := bits.Mul64(uint64(min(milli, maxMilli)), 1<<weightOne)
	sum, _ := bits.Div64(hi, lo, 1000)
	hi, lo = bits.Mul64(sum, exp2(rest, int64(halfLife)))
	if hi>>62 != 0 {
		c.Sum = math.MaxUint64
		return c
	}
	sum = hi<<2 | lo>>62
	switch {
	case octaves < 0:
		sum >>= uint(-octaves)
	case octaves >= int64(bits.LeadingZeros64(sum)):
		sum = math.MaxUint64
	default:
		sum <<= uint(octaves)
	}
	c.Sum = sum
	return c
}

// Add counts one signal at a second after 1970; halfLife is used while the counter is empty or
// when it differs from the counter's own, which is then rebased.
func (c *Counter) Add(at int64, halfLife int32) {
	if at <= 0 || halfLife <= 0 {
		return
	}
	rest := at % int64(halfLife)
	m := exp2(rest, int64(halfLife)) // 1<<62 .. 1<<63
	m = (m + 1<<(62-mantissaBits)) >> (63 - mantissaBits)
	c.join(Counter{HalfLife: halfLife, Last: at, Sum: m << (weightOne - mantissaBits)}, halfLife)
}

// Count returns the count in 1/1000 at a second, rounded half up. A second before the latest
// signal reads as that signal's.
func (c *Counter) Count(at int64) int32 {
	if c.Sum == 0 || c.HalfLife <= 0 {
		return 0
	}
	octaves, rest := floorDiv(max(at, c.Last)-c.reference(), int64(c.HalfLife))
	// 2^-(rest/h) = 2^((h-rest)/h) / 2; exp2 carries 62 fractional bits, of which Mul64 drops 64.
	scaled, _ := bits.Mul64(c.Sum, exp2(int64(c.HalfLife)-rest, int64(c.HalfLife)))
	hi, lo := bits.Mul64(scaled, 1000)
	shift := uint(weightOne - 1 + octaves) // >= 42; -1 since the line above lost one bit
	if shift > 64 {
		if shift > 128 {
			return 0
		}
		return int32((hi + 1<<(shift-65)) >> (shift - 64))
	}
	lo, carry := bits.Add64(lo, 1<<(shift-1), 0)
	n := lo>>shift | (hi+carry)<<(64-shift)
	return int32(min(n, math.MaxInt32))
}

// Recency returns the seconds from the latest signal to a second, 0 when it is later, Unknown
// when there is none.
func (c *Counter) Recency(at int64) int32 {
	if c.Last == 0 {
		return Unknown
	}
	return int32(min(max(at-c.Last, 0), math.MaxInt32))
}

// reference is the second that Sum is as of.
func (c *Counter) reference() int64 {
	h := int64(c.HalfLife)
	return (c.Last/h + 1) * h
}

// join adds another counter's signals. Both end up on halfLife.
func (c *Counter) join(o Counter, halfLife int32) {
	if o.Last == 0 {
		return
	}
	o.rebase(halfLife)
	if c.Last == 0 {
		*c = o
		return
	}
	c.rebase(halfLife)
	if o.Last > c.Last {
		*c, o = o, *c
	}
	shift := (c.reference() - o.reference()) / int64(halfLife)
	sum, carry := bits.Add64(c.Sum, o.Sum>>uint(min(shift, 64)), 0)
	if carry != 0 {
		sum = math.MaxUint64
	}
	c.Sum = sum
}

// rebase moves the counter to another half-life so that it reads the same at its latest signal.
func (c *Counter) rebase(halfLife int32) {
	if c.HalfLife == halfLife || c.Last == 0 {
		return
	}
	*c = NewCounter(c.Count(c.Last), c.Last, c.Last, halfLife)
}

// exp2 returns 2^(num/den) for 0 <= num <= den with 62 fractional bits. It uses integers only,
// since the last bit of a floating-point exponential differs between machines.
func exp2(num, den int64) uint64 {
	if num >= den {
		return 1 << 63
	}
	r := uint64(1) << 62
	rest := num
	for _, root := range roots {
		rest <<= 1
		if rest >= den {
			rest -= den
			hi, lo := bits.Mul64(r, root)
			r = hi<<2 | lo>>62
		}
	}
	return r
}

// roots holds 2^(1/2), 2^(1/4), 2^(1/8) ... with 62 fractional bits; 32 of them place a second
// within a half-life of any length an int32 holds.
var roots = [...]uint64{
	0x5a827999fcef3242, 0x4c1bf828c6dc54b8, 0x45cae0f1f545eb73, 0x42d561b3e6243d8a,
	0x4166c34c5615d0ec, 0x40b268f9de0183ba, 0x4058f6a7ecccd5b6, 0x402c6be96af2fb58,
	0x4016321b687027a8, 0x400b18178ba33b14, 0x40058bce410147e8, 0x4002c5d7bff71daf,
	0x400162e807ee7e5b, 0x4000b1730df6a524, 0x400058b9497b8152, 0x40002c5c955dd701,
	0x4000162e46d6f26c, 0x40000b1722757b1b, 0x4000058b90fd3e0c, 0x400002c5c86f3f26,
	0x40000162e433c79b, 0x400000b17218edd0, 0x40000058b90c3968, 0x4000002c5c860d54,
	0x400000162e4302d2, 0x4000000b17218073, 0x400000058b90bffc, 0x40000002c5c85fef,
	0x4000000162e42ff3, 0x40000000b17217f9, 0x4000000058b90bfc, 0x400000002c5c85fe,
}

// floorDiv returns the floor of a/b and the rest 0 <= rest < b, for b > 0.
func floorDiv(a, b int64) (q, rest int64) {
	q, rest = a/b, a%b
	if rest < 0 {
		q, rest = q-1, rest+b
	}
	return q, rest
}

// HalfLives says, per kind of signal, after how many seconds a signal counts half. A kind whose
// entry is 0 takes the entry of SIGNAL_KIND_UNSPECIFIED, and DefaultHalfLife when that is 0 too.
type HalfLives [maxKinds]int32

// DefaultHalfLife is 30 days.
const DefaultHalfLife int32 = 30 * 86400

// maxKinds is room for kinds to come; a signal of a kind beyond it is refused.
const maxKinds = 64

// Of returns the half-life of a kind in seconds, always positive.
func (h *HalfLives) Of(k lead.SignalKind) int32 {
	if int(k) < len(h) && h[k] > 0 {
		return h[k]
	}
	if h[0] > 0 {
		return h[0]
	}
	return DefaultHalfLife
}
