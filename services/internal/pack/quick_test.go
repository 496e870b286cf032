package pack

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// quickly packs a document as quick does, whatever comes of it, and unpacks it with a decoder that is
// not ours.
func quickly(t testing.TB, document []byte) (packed int) {
	t.Helper()
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	frame := newQuick(dictionary).pack(nil, document)
	if got, err := c.decoder.DecodeAll(frame, nil); err != nil || !bytes.Equal(got, document) {
		t.Fatalf("%d bytes came back as %d, %v", len(document), len(got), err)
	}
	return len(frame)
}

// Every size that the format writes in its own way comes back.
func TestQuickSizes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, mostQuick)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for _, n := range []int{1, 7, 8, 9, 31, 32, 33, 255, 256, 257, 4_095, 4_096, 4_200, mostQuick - 1, mostQuick} {
		if packed := quickly(t, noise[:n]); packed > n+12 {
			t.Errorf("%d bytes of noise take %d", n, packed)
		}
		// As many that repeat at once: the longest lengths.
		if packed := quickly(t, bytes.Repeat([]byte("x"), n)); packed > 32 {
			t.Errorf("%d times x take %d bytes", n, packed)
		}
		quickly(t, bytes.Repeat(noise[:n/2+1], 2)[:n])
	}
	var pieces []byte // many sequences, of each length that has a code of its own
	for i := 0; len(pieces) < mostQuick-2_000; i++ {
		at := r.IntN(len(dictionary) - 1_500)
		pieces = append(append(pieces, noise[i:i+i%70]...), dictionary[at:at+5+r.IntN(1<<(3+i%8))]...)
	}
	quickly(t, pieces)
	quickly(t, dictionary)
	quickly(t, append(bytes.Clone(dictionary[len(dictionary)-20:]), dictionary[:40]...)) // over the dictionary's end
}

// A receipt takes about what a general encoder makes of it, without allocations.
func TestQuickIsSmallEnough(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"rules":1,"lead_id":"d2f852fe-596b-880e-9238-2b0724f35504","decided_at":1795310426,"candidates":[`)
	for i := range 20 {
		fmt.Fprintf(&b, `{"dealer_id":"nv-tx-%03d","department":"DEPARTMENT_NEW","meters":%d,"expected":%d,"lost":"LOSS_DISTANCE"},`, i*7, 12_345*i, 777*i*i)
	}
	document := []byte(b.String())
	other, err := zstd.NewWriter(nil, zstd.WithEncoderDictRaw(version, dictionary), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithNoEntropyCompression(true))
	if err != nil {
		t.Fatal(err)
	}
	if got, most := quickly(t, document), len(other.EncodeAll(document, nil))*6/5; got > most {
		t.Errorf("%d bytes take %d, at most %d", len(document), got, most)
	}
	q, out := newQuick(dictionary), make([]byte, 0, len(document))
	if n := testing.AllocsPerRun(10, func() { q.pack(out, document) }); n > 0 {
		t.Errorf("packing takes %v allocations", n)
	}
}

func FuzzPack(f *testing.F) {
	c, err := New()
	if err != nil {
		f.Fatal(err)
	}
	q := newQuick(dictionary)
	for _, seed := range []string{"x", "abcabcabcabcabcabc", `{"rules":1,"rules":2,"rules":3}`, strings.Repeat("0123456789", 400), string(dictionary[100:900]), string(dictionary[len(dictionary)-9:]) + string(dictionary[:30])} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		if len(document) == 0 || len(document) > mostQuick {
			return
		}
		got, err := c.decoder.DecodeAll(q.pack(nil, document), nil)
		if err != nil || !bytes.Equal(got, document) {
			t.Errorf("%d bytes came back as %d, %v", len(document), len(got), err)
		}
	})
}
