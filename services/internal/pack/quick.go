package pack

import (
	"encoding/binary"
	"math/bits"
)

// mostQuick is the size of the longest document that quick packs.
const mostQuick = 1 << 16

// quick packs documents into one block of zstd (RFC 8878) that begins after the dictionary: what
// repeats is found by a hash of its first bytes, the rest is stored as it is, and the tables are those
// that the format has by default. A general encoder takes most of its time for what these documents
// are too small for: copying a large table of the dictionary, counting symbols and making tables.
// It is safe for concurrent use.
type quick struct {
	dictionary []byte
	places     [1 << dictionaryBits]uint16 // by hash; 0: none, else 1 + the place in the dictionary
	literals   fse                         // codes of the lengths of what does not repeat
	matches    fse                         // of the lengths of what does
	offsets    fse                         // of how far back that is
}

const (
	dictionaryBits = 14
	documentBits   = 12
	leastMatch     = 5
	hashed         = 6 // bytes
)

// hash is of the first bytes of eight; its highest bits are the best.
func hash(v uint64) uint64 { return v << (64 - 8*hashed) * 227718039650203 }

// newQuick reads a dictionary of less than 64 KiB.
func newQuick(dictionary []byte) *quick {
	q := &quick{dictionary: dictionary, literals: newFSE(6, literalShares), matches: newFSE(6, matchShares), offsets: newFSE(5, offsetShares)}
	for i := 0; i+8 <= len(dictionary); i++ {
		q.places[hash(binary.LittleEndian.Uint64(dictionary[i:]))>>(64-dictionaryBits)] = uint16(i + 1)
	}
	return q
}

// sequence is some bytes that are stored as they are, and then some that came before.
type sequence struct {
	literals, match uint32
	offset          uint32 // as the format counts: 1 for the last one's, else 3 more than the distance
}

// pack appends the frame of a document of 1 to mostQuick bytes.
func (q *quick) pack(out, document []byte) []byte {
	out = append(out, 0x28, 0xb5, 0x2f, 0xfd)
	const single, byIdentifier = 1 << 5, 1
	if n := len(document); n < 256 {
		out = append(out, single|byIdentifier, version, byte(n))
	} else if n < 256+1<<16 {
		out = append(out, 1<<6|single|byIdentifier, version)
		out = binary.LittleEndian.AppendUint16(out, uint16(n-256))
	}
	block := len(out)
	out = append(out, 0, 0, 0)
	var room [256]sequence
	sequences, literals := q.find(document, room[:0])
	out = appendLiterals(out, document, sequences, literals)
	out = q.appendSequences(out, sequences)
	kind, size := 2, len(out)-block-3
	if size >= len(document) { // stored as it is
		kind, size = 0, len(document)
		out = append(out[:block+3], document...)
	}
	head := 1 | kind<<1 | size<<3 // the last block
	out[block], out[block+1], out[block+2] = byte(head), byte(head>>8), byte(head>>16)
	return out
}

// find cuts a document into sequences and returns how many bytes in all are stored as they are.
func (q *quick) find(document []byte, out []sequence) (_ []sequence, literals int) {
	var places [1 << documentBits]uint16
	last := uint32(1) // distance, as the format begins
	done := 0         // so much is in sequences
	end := len(document) - 8
	for i := 0; i <= end; {
		v := binary.LittleEndian.Uint64(document[i:])
		h := hash(v)
		at := h >> (64 - documentBits)
		own, other := int(places[at])-1, int(q.places[h>>(64-dictionaryBits)])-1
		places[at] = uint16(i + 1)
		length, distance := 0, last
		if i > done && int(last) <= i && uint32(v) == binary.LittleEndian.Uint32(document[i-int(last):]) {
			length = same(document[i:], document[i-int(last):])
		}
		if own >= 0 && uint32(v) == binary.LittleEndian.Uint32(document[own:]) {
			if n := same(document[i:], document[own:]); n > length+1 && n >= leastMatch {
				length, distance = n, uint32(i-own)
			}
		}
		if other >= 0 && uint32(v) == binary.LittleEndian.Uint32(q.dictionary[other:]) {
			if n := same(document[i:], q.dictionary[other:]); n > length+1 && n >= leastMatch {
				length, distance = n, uint32(i+len(q.dictionary)-other)
			}
		}
		if length == 0 {
			i += 1 + (i-done)>>6 // faster through what does not repeat
			continue
		}
		for i > done && before(q.dictionary, document, i, distance) == int(document[i-1]) {
			i, length = i-1, length+1
		}
		s := sequence{literals: uint32(i - done), match: uint32(length), offset: distance + 3}
		if distance == last && i > done {
			s.offset = 1
		}
		last, literals = distance, literals+i-done
		out = append(out, s)
		for k := i + 1; k < i+length && k <= end; k += 2 {
			places[hash(binary.LittleEndian.Uint64(document[k:]))>>(64-documentBits)] = uint16(k + 1)
		}
		i += length
		done = i
	}
	return out, literals + len(document) - done
}

// before is the byte that comes before what a match repeats; -1 if there is none.
func before(dictionary, document []byte, i int, distance uint32) int {
	at := i - int(distance) - 1
	switch {
	case at >= 0:
		return int(document[at])
	case i-int(distance) <= 0 && at+len(dictionary) >= 0:
		return int(dictionary[at+len(dictionary)])
	}
	return -1
}

// same is how many bytes two texts begin with alike.
func same(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// appendLiterals appends the section of what is stored as it is.
func appendLiterals(out, document []byte, sequences []sequence, n int) []byte {
	switch {
	case n < 1<<5:
		out = append(out, byte(n<<3))
	case n < 1<<12:
		out = append(out, byte(1<<2|n<<4), byte(n>>4))
	default:
		out = append(out, byte(3<<2|n<<4), byte(n>>4), byte(n>>12))
	}
	at := 0
	for _, s := range sequences {
		out = append(out, document[at:at+int(s.literals)]...)
		at += int(s.literals + s.match)
	}
	return append(out, document[at:]...)
}

// appendSequences appends the section of the sequences, which is read from its end.
func (q *quick) appendSequences(out []byte, sequences []sequence) []byte {
	n := len(sequences)
	switch {
	case n == 0:
		return append(out, 0)
	case n < 128:
		out = append(out, byte(n))
	default: // each takes leastMatch bytes of mostQuick: below what three bytes are for
		out = append(out, byte(n>>8)+128, byte(n))
	}
	const allByDefault = 0
	w := bitWriter{out: append(out, allByDefault)}
	var literals, matches, offsets uint32
	for i := n - 1; i >= 0; i-- {
		s := &sequences[i]
		l, lBits, lMore := code(s.literals, literalCodes[:])
		m, mBits, mMore := code(s.match, matchCodes[:])
		o := bits.Len32(s.offset) - 1
		if i == n-1 {
			literals, matches, offsets = q.literals.begin(l), q.matches.begin(m), q.offsets.begin(o)
		} else {
			offsets = q.offsets.next(&w, offsets, o)
			matches = q.matches.next(&w, matches, m)
			literals = q.literals.next(&w, literals, l)
		}
		w.add(lMore, lBits)
		w.add(mMore, mBits)
		w.add(s.offset-1<<o, o)
	}
	w.add(matches, q.matches.log)
	w.add(offsets, q.offsets.log)
	w.add(literals, q.literals.log)
	w.add(1, 1) // the end
	return w.end()
}
