package lead

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
)

// Buckets is the number of buckets that lead and person tables are spread over. It is a fixed
// part of stored keys and must never change on a living database.
const Buckets = 64

// ID is an identifier of 16 bytes, a UUID of version 8 where this package makes it.
type ID [16]byte

// NewID derives an identifier from a secret and parts: HMAC-SHA256 over the length-prefixed
// parts, cut to 16 bytes and marked as UUID version 8 (RFC 9562). The same parts always give
// the same ID, and nobody without the secret can aim for one.
func NewID(secret []byte, parts ...string) ID {
	mac := hmac.New(sha256.New, secret)
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		mac.Write(n[:])
		mac.Write([]byte(p))
	}
	var sum [sha256.Size]byte
	mac.Sum(sum[:0])
	var id ID
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// ParseID reads the form that String writes, in either case.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ID{}, fmt.Errorf("an id has the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
	}
	var hexed [32]byte
	n := 0
	for i := range len(s) {
		if s[i] != '-' {
			hexed[n] = s[i]
			n++
			if n == len(hexed) && i != len(s)-1 {
				return ID{}, fmt.Errorf("an id has 32 hexadecimal digits")
			}
		}
	}
	if _, err := hex.Decode(id[:], hexed[:n]); err != nil || n != len(hexed) {
		return ID{}, fmt.Errorf("an id has 32 hexadecimal digits")
	}
	return id, nil
}

// String writes the 36 character form in lower case.
func (id ID) String() string {
	var b [36]byte
	hex.Encode(b[:8], id[:4])
	b[8] = '-'
	hex.Encode(b[9:13], id[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], id[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], id[8:10])
	b[23] = '-'
	hex.Encode(b[24:], id[10:])
	return string(b[:])
}

// IsZero reports whether the ID was never set.
func (id ID) IsZero() bool { return id == ID{} }

// Bucket returns the bucket of the ID, 0 to Buckets-1.
func (id ID) Bucket() int16 { return int16(id[15] % Buckets) }

// BucketOf returns the bucket of a text key, 0 to Buckets-1.
func BucketOf(key string) int16 {
	h := fnv.New32a()
	h.Write([]byte(key)) // a hash never fails
	return int16(h.Sum32() % Buckets)
}
