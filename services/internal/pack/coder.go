package pack

import (
	"encoding/binary"
	"math/bits"
)

// coder writes symbols by how often they usually come: a finite state entropy coder with a fixed
// table (RFC 8878, section 4.1).
type coder struct {
	log     uint8 // bits of a state
	states  []uint16
	symbols []transition
}

// transition leads from a state to the one for a symbol.
type transition struct {
	bits  uint32 // how many to write, in the upper half
	state int32
}

// newCoder makes the table of symbols that come so often out of 1<<log; -1 is less than once.
func newCoder(log uint8, counts []int8) coder {
	size := 1 << log
	c := coder{log: log, states: make([]uint16, size), symbols: make([]transition, len(counts))}
	place := make([]int, len(counts)) // where the states of a symbol begin
	spread := make([]uint8, size)     // the symbol of each cell
	high, total := size-1, 0
	for s, n := range counts {
		place[s] = total
		if n < 0 {
			spread[high] = uint8(s)
			high--
			n = 1
		}
		t := &c.symbols[s]
		t.bits = uint32(log)<<16 - uint32(size)
		if n > 1 {
			most := uint32(log) - uint32(bits.Len8(uint8(n-1))-1)
			t.bits = most<<16 - uint32(n)<<most
		}
		t.state = int32(total) - int32(n)
		total += int(n)
	}
	cell := 0
	for s, n := range counts {
		for range n {
			spread[cell] = uint8(s)
			for cell = (cell + size>>1 + size>>3 + 3) & (size - 1); cell > high; {
				cell = (cell + size>>1 + size>>3 + 3) & (size - 1)
			}
		}
	}
	for i, s := range spread {
		c.states[place[s]] = uint16(size + i)
		place[s]++
	}
	return c
}

// first is the state of the last symbol, which is written first.
func (c *coder) first(symbol uint8) uint32 {
	t := c.symbols[symbol]
	n := (t.bits + 1<<15) >> 16
	return uint32(c.states[int32((n<<16-t.bits)>>n)+t.state])
}

// next writes what leads from the state of the symbol that stands before to the given one.
func (c *coder) next(b *bitWriter, state uint32, symbol uint8) uint32 {
	t := c.symbols[symbol]
	n := (state + t.bits) >> 16
	b.add(state, uint8(n))
	return uint32(c.states[int32(state>>n)+t.state])
}

// bitWriter writes a stream of bits that is read from its end.
type bitWriter struct {
	out  []byte
	held uint64
	n    uint8 // bits in held, below 32 between calls
}

// add writes the lowest n bits of v; n is at most 32.
func (b *bitWriter) add(v uint32, n uint8) {
	b.held |= uint64(v) & (1<<n - 1) << b.n
	if b.n += n; b.n >= 32 {
		b.out = binary.LittleEndian.AppendUint32(b.out, uint32(b.held))
		b.held >>= 32
		b.n -= 32
	}
}

// close marks the end and returns everything.
func (b *bitWriter) close() []byte {
	b.add(1, 1)
	for ; b.n > 0; b.n -= min(b.n, 8) {
		b.out = append(b.out, byte(b.held))
		b.held >>= 8
	}
	return b.out
}
