package pack

import (
	"encoding/binary"
	"math/bits"
	"sync"

	"github.com/klauspost/compress/huff0"
)

// packer writes zstd frames (RFC 8878) with the dictionary. It is made for documents of a few
// kilobytes that the dictionary knows most of, where an encoder for everything spends its time on
// taking the dictionary in again and on tables for the document: here the dictionary is indexed
// once, the index is never written again, and sequences take the format's own fixed tables. That
// takes a fifth of the time for a seventh more bytes. Any decoder reads it. Safe for concurrent use.
type packer struct {
	known             [1 << dictionaryBits]uint16 // by hash of what stands there: place in the dictionary + 1
	literals, matches coder
	offsets           coder
	literalCode       [64]uint8
	matchCode         [128]uint8
	work              sync.Pool // of *workspace
}

const (
	dictionaryBits = 14
	documentBits   = 11
	minMatch       = 6         // bytes; a shorter one costs more than it saves
	maxBlock       = 128 << 10 // of a document's bytes
	fewLiterals    = 128       // are not worth a table of their own, nor are very different ones
	mostLiterals   = 1<<10 - 1 // of the shortest header of literals with a table
	mostSymbols    = 64
)

// workspace is what packing one document needs.
type workspace struct {
	seen      [1 << documentBits]uint32 // by hash of what stands there: place in the document + 1
	literals  []byte
	sequences []sequence
	huffman   huff0.Scratch
}

// sequence is some literals and the match that follows them.
type sequence struct {
	literals, match uint32 // lengths
	offset          uint32 // as written: 1 is the last one again, else the distance + 3
}

func newPacker() *packer {
	p := &packer{}
	p.work.New = func() any { return &workspace{huffman: huff0.Scratch{Reuse: huff0.ReusePolicyNone}} }
	for i := 0; i+8 <= len(dictionary); i++ { // of equal places the last: the nearest
		p.known[hash(binary.LittleEndian.Uint64(dictionary[i:]), dictionaryBits)] = uint16(i + 1)
	}
	p.literals = newCoder(6, []int8{
		4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
	})
	p.matches = newCoder(6, []int8{
		1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
	})
	p.offsets = newCoder(5, []int8{1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1})
	fillCodes(p.literalCode[:], literalExtra[:])
	fillCodes(p.matchCode[:], matchExtra[:])
	return p
}

// literalExtra and matchExtra say how many bits follow a length's code.
var (
	literalExtra = [36]uint8{16: 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	matchExtra   = [53]uint8{32: 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
)

// fillCodes notes the code of every short length.
func fillCodes(codes, extra []uint8) {
	length := 0
	for code, n := range extra {
		for range 1 << n {
			if length == len(codes) {
				return
			}
			codes[length] = uint8(code)
			length++
		}
	}
}

func hash(v uint64, n uint) uint64 { return (v << (64 - 8*minMatch)) * 0x9e3779b185ebca87 >> (64 - n) }

// append adds the document's frame.
func (p *packer) append(out, document []byte) []byte {
	out = append(out, 0x28, 0xb5, 0x2f, 0xfd)
	const single, dictionaryID = 1 << 5, 1 // one segment, the dictionary's number in one byte
	switch n := len(document); {
	case n < 256:
		out = append(out, single|dictionaryID, version, byte(n))
	case n < 256+1<<16:
		out = append(out, 1<<6|single|dictionaryID, version)
		out = binary.LittleEndian.AppendUint16(out, uint16(n-256))
	default:
		out = append(out, 2<<6|single|dictionaryID, version)
		out = binary.LittleEndian.AppendUint32(out, uint32(n))
	}
	w := p.work.Get().(*workspace)
	clear(w.seen[:])
	last := uint32(1) // the offset that a frame begins with
	for start := 0; ; start += maxBlock {
		end := min(start+maxBlock, len(document))
		out, last = p.block(out, w, document, start, end, last)
		if end == len(document) {
			p.work.Put(w)
			return out
		}
	}
}

// block adds the document's bytes from start to end as one block, as they are if that is shorter.
func (p *packer) block(out []byte, w *workspace, document []byte, start, end int, last uint32) ([]byte, uint32) {
	const raw, compressed = 0, 2
	head := len(out)
	out = append(out, 0, 0, 0)
	after := p.find(w, document, start, end, last)
	out = w.appendLiterals(out)
	out = p.appendSequences(out, w.sequences)
	kind := compressed
	if len(out)-head-3 >= end-start {
		kind, after = raw, last
		out = append(out[:head+3], document[start:end]...)
	}
	header := uint32(len(out)-head-3)<<3 | uint32(kind)<<1
	if end == len(document) {
		header |= 1
	}
	out[head], out[head+1], out[head+2] = byte(header), byte(header>>8), byte(header>>16)
	return out, after
}

// find splits the bytes from start to end into sequences and literals, and returns the last offset.
func (p *packer) find(w *workspace, document []byte, start, end int, last uint32) uint32 {
	w.literals, w.sequences = w.literals[:0], w.sequences[:0]
	kept := start // what is before it is in a sequence
	for i := start; i+8 <= end; {
		v := binary.LittleEndian.Uint64(document[i:])
		here := &w.seen[hash(v, documentBits)]
		place := int(*here) - 1
		*here = uint32(i + 1)
		// A place in the dictionary is one before the document.
		at, length := 0, 0
		if again := i - int(last); i > kept && again < 0 && again+len(dictionary) >= 0 {
			if n := same(dictionary[again+len(dictionary):], document[i:end]); n >= minMatch {
				at, length = again, n
			}
		} else if i > kept && again >= 0 {
			if n := same(document[again:], document[i:end]); n >= minMatch {
				at, length = again, n
			}
		}
		if length == 0 && place >= 0 {
			if n := same(document[place:], document[i:end]); n >= minMatch {
				at, length = place, n
			}
		}
		if k := int(p.known[hash(v, dictionaryBits)]) - 1; length < 16 && k >= 0 {
			if n := same(dictionary[k:], document[i:end]); n >= minMatch && n > length+1 {
				at, length = k-len(dictionary), n
			}
		}
		if length == 0 {
			i += 1 + (i-kept)>>6
			continue
		}
		for i > kept && at > -len(dictionary) && before(document, at) == document[i-1] {
			i, at, length = i-1, at-1, length+1
		}
		offset := uint32(i - at)
		s := sequence{literals: uint32(i - kept), match: uint32(length), offset: offset + 3}
		if offset == last && s.literals > 0 {
			s.offset = 1
		}
		last = offset
		w.literals = append(w.literals, document[kept:i]...)
		w.sequences = append(w.sequences, s)
		i += length
		kept = i
		if j := i - 2; j+8 <= end {
			w.seen[hash(binary.LittleEndian.Uint64(document[j:]), documentBits)] = uint32(j + 1)
		}
	}
	w.literals = append(w.literals, document[kept:end]...)
	return last
}

// before is the byte before a place, which is negative in the dictionary.
func before(document []byte, at int) byte {
	if at > 0 {
		return document[at-1]
	}
	return dictionary[len(dictionary)+at-1]
}

// same counts the bytes that two texts begin with alike.
func same(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)>>3
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// appendLiterals adds the literals, by a Huffman code if they are mostly digits.
func (w *workspace) appendLiterals(out []byte) []byte {
	n := len(w.literals)
	if n >= fewLiterals && n <= mostLiterals && alike(w.literals) {
		const withTable = 2
		if coded, _, err := huff0.Compress1X(w.literals, &w.huffman); err == nil && len(coded) < n {
			header := uint32(withTable | n<<4 | len(coded)<<14)
			return append(append(out, byte(header), byte(header>>8), byte(header>>16)), coded...)
		}
	}
	switch {
	case n < 1<<5:
		out = append(out, byte(n<<3))
	case n < 1<<12:
		out = append(out, byte(n<<4|1<<2), byte(n>>4))
	default:
		out = append(out, byte(n<<4|3<<2), byte(n>>4), byte(n>>12))
	}
	return append(out, w.literals...)
}

// alike reports whether few different bytes occur.
func alike(text []byte) bool {
	var seen [4]uint64
	for _, c := range text {
		seen[c>>6] |= 1 << (c & 63)
	}
	return bits.OnesCount64(seen[0])+bits.OnesCount64(seen[1])+bits.OnesCount64(seen[2])+bits.OnesCount64(seen[3]) <= mostSymbols
}

// appendSequences adds the sequences from the last to the first, as they are read backwards.
func (p *packer) appendSequences(out []byte, sequences []sequence) []byte {
	const fixedTables = 0
	switch n := len(sequences); {
	case n == 0:
		return append(out, 0)
	case n < 0x80:
		out = append(out, byte(n), fixedTables)
	case n < 0x7f00:
		out = append(out, byte(n>>8|0x80), byte(n), fixedTables)
	default:
		out = append(out, 0xff, byte(n-0x7f00), byte((n-0x7f00)>>8), fixedTables)
	}
	b := bitWriter{out: out}
	var literal, match, offset uint32 // states
	for i := len(sequences) - 1; i >= 0; i-- {
		s := &sequences[i]
		l, m, o := codeOf(p.literalCode[:], s.literals, 19), codeOf(p.matchCode[:], s.match-3, 36), uint8(bits.Len32(s.offset)-1)
		if i == len(sequences)-1 {
			match, offset, literal = p.matches.first(m), p.offsets.first(o), p.literals.first(l)
		} else {
			offset = p.offsets.next(&b, offset, o)
			match = p.matches.next(&b, match, m)
			literal = p.literals.next(&b, literal, l)
		}
		b.add(s.literals, literalExtra[l])
		b.add(s.match-3, matchExtra[m])
		b.add(s.offset, o)
	}
	b.add(match, p.matches.log)
	b.add(offset, p.offsets.log)
	b.add(literal, p.literals.log)
	return b.close()
}

// codeOf is the code of a length; the codes of long ones count from base by powers of two.
func codeOf(codes []uint8, length uint32, base int) uint8 {
	if int(length) < len(codes) {
		return codes[length]
	}
	return uint8(bits.Len32(length) - 1 + base)
}
