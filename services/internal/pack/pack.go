// Package pack keeps stored documents small: zstd with a dictionary of the documents' usual words.
// A receipt takes a seventh of its canonical bytes, a lead half, which is less to write ahead, to
// replicate and to back up than what Postgres makes of them, and takes less time.
package pack

import (
	_ "embed"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// dictionary is made of receipts and leads of the sample network. It is part of the stored format:
// a document packed with it can be read with nothing else. It never changes; another one would get
// another version.
//
//go:embed dictionary.v1
var dictionary []byte

// version begins every packed document.
const version = 1

// MaxSize bounds what one document may unpack to, in bytes.
const MaxSize = 16 << 20

// ErrPacked is returned for bytes that Pack did not write.
var ErrPacked = errors.New("not a packed document")

// Codec packs and unpacks. Safe for concurrent use.
type Codec struct {
	quick    *zstd.Encoder // without a Huffman table
	thorough *zstd.Encoder
	decoder  *zstd.Decoder
}

// New makes a codec.
func New() (*Codec, error) {
	options := []zstd.EOption{
		zstd.WithEncoderDictRaw(version, dictionary), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true),
	}
	thorough, err := zstd.NewWriter(nil, options...)
	if err != nil {
		return nil, fmt.Errorf("make the packer: %w", err)
	}
	quick, err := zstd.NewWriter(nil, append(options, zstd.WithNoEntropyCompression(true))...)
	if err != nil {
		return nil, fmt.Errorf("make the packer: %w", err)
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderDictRaw(version, dictionary), zstd.WithDecoderMaxMemory(MaxSize), zstd.WithDecoderConcurrency(0))
	if err != nil {
		return nil, fmt.Errorf("make the unpacker: %w", err)
	}
	return &Codec{quick: quick, thorough: thorough, decoder: d}, nil
}

// long is the size of a packed document from which on a Huffman table is tried. What the dictionary
// does not have is names, numbers and identifiers, mostly a few hundred bytes: a table for them takes
// a third of the time and saves little, as it has to be stored too. It pays for long texts.
const long = 1 << 10

// Pack returns the document packed; an empty one stays empty.
func (c *Codec) Pack(document []byte) []byte {
	if len(document) == 0 {
		return []byte{}
	}
	out := make([]byte, 1, 1+len(document)/3+256)
	out[0] = version
	if out = c.quick.EncodeAll(document, out); len(out) > long {
		out = c.thorough.EncodeAll(document, out[:1])
	}
	return out
}

// Unpack returns the document that was packed.
func (c *Codec) Unpack(packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, nil
	}
	if packed[0] != version {
		return nil, ErrPacked
	}
	document, err := c.decoder.DecodeAll(packed[1:], nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPacked, err)
	}
	return document, nil
}
