package pack

import (
	"encoding/binary"
	"math/bits"
)

// fse codes symbols of one distribution, as RFC 8878 has it in section 4.1: the tables are built from
// the distribution as every decoder builds its own.
type fse struct {
	log     int
	states  []uint16
	symbols []transition
}

// transition says how many bits a state sheds before a symbol, and where the states after it begin.
type transition struct{ bits, first int32 }

// newFSE builds the tables of 1 << log states from the symbols' shares; -1 is less than one.
func newFSE(log int, shares []int16) fse {
	size := 1 << log
	f := fse{log: log, states: make([]uint16, size), symbols: make([]transition, len(shares))}
	spread := make([]int, size) // the symbol of each cell
	last := size - 1
	for s, share := range shares {
		if share == -1 {
			spread[last] = s
			last--
		}
	}
	at := 0
	for s, share := range shares {
		for range max(share, 0) {
			spread[at] = s
			at = (at + size>>1 + size>>3 + 3) & (size - 1)
			for at > last {
				at = (at + size>>1 + size>>3 + 3) & (size - 1)
			}
		}
	}
	next := make([]int, len(shares)+1)
	for s, share := range shares {
		next[s+1] = next[s] + max(int(share), -int(share))
	}
	total := int32(0)
	for s, share := range shares {
		switch share {
		case 0:
		case -1, 1:
			f.symbols[s] = transition{int32(log)<<16 - int32(size), total - 1}
			total++
		default:
			most := int32(log - bits.Len16(uint16(share-1)) + 1)
			f.symbols[s] = transition{most<<16 - int32(share)<<most, total - int32(share)}
			total += int32(share)
		}
	}
	for u, s := range spread {
		f.states[next[s]] = uint16(size + u)
		next[s]++
	}
	return f
}

// begin is the state of the symbol that is read last.
func (f *fse) begin(symbol int) uint32 {
	t := f.symbols[symbol]
	n := (t.bits + 1<<15) >> 16
	return uint32(f.states[(n<<16-t.bits)>>n+t.first])
}

// next writes what leads from a state to the one before it, whose symbol it is.
func (f *fse) next(w *bitWriter, state uint32, symbol int) uint32 {
	t := f.symbols[symbol]
	n := int(int32(state)+t.bits) >> 16
	w.add(state, n)
	return uint32(f.states[int32(state>>n)+t.first])
}

// bitWriter writes bits from the lowest on.
type bitWriter struct {
	out   []byte
	held  uint64
	count int
}

// add writes the n lowest bits of v, at most 32.
func (w *bitWriter) add(v uint32, n int) {
	w.held |= uint64(v) & (1<<n - 1) << w.count
	w.count += n
	if w.count >= 32 {
		w.out = binary.LittleEndian.AppendUint32(w.out, uint32(w.held))
		w.held >>= 32
		w.count -= 32
	}
}

// end fills the last byte with zeros.
func (w *bitWriter) end() []byte {
	for ; w.count > 0; w.count -= 8 {
		w.out = append(w.out, byte(w.held))
		w.held >>= 8
	}
	return w.out
}

// The shares of the symbols where a block brings none: section 3.1.1.3.2.2.
var (
	literalShares = []int16{4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1}
	matchShares   = []int16{1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1}
	offsetShares  = []int16{1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1}
)

// span is the lengths that share a code: they begin at least, and the rest is told by more bits.
type span struct {
	least uint32
	bits  int
}

// The codes of lengths: section 3.1.1.3.2.1.1.
var (
	literalCodes = spans(0, []int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	matchCodes   = spans(3, []int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
)

// spans are the codes of lengths from the least on.
func spans(least uint32, bits []int) []span {
	out := make([]span, len(bits))
	for i, n := range bits {
		out[i] = span{least, n}
		least += 1 << n
	}
	return out
}

// code finds the code of a length and what its bits tell.
func code(length uint32, codes []span) (symbol, n int, more uint32) {
	i := min(int(length-codes[0].least), len(codes)-1)
	for codes[i].least > length {
		i--
	}
	return i, codes[i].bits, length - codes[i].least
}
