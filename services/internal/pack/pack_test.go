package pack_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/services/internal/pack"
)

func codec(t testing.TB) *pack.Codec {
	t.Helper()
	c, err := pack.New()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRoundTrip(t *testing.T) {
	c := codec(t)
	for name, in := range map[string]string{
		"empty": "", "short": "x", "receipt": `{"rules":1,"lead_id":"d2f852fe-596b-880e-9238-2b0724f35504","decided_at":1795310426}`,
		"long": strings.Repeat("a lead asks for a test drive ", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			out, err := c.Unpack(c.Pack([]byte(in)))
			if err != nil || string(out) != in {
				t.Errorf("%d bytes came back as %d, %v", len(in), len(out), err)
			}
		})
	}
}

// Whatever a document is like, any decoder of zstd with the dictionary must read it.
func TestRoundTripOfMixtures(t *testing.T) {
	c := codec(t)
	dictionary, err := os.ReadFile("dictionary.v1")
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 2_000 {
		size := 1 << random.IntN(15)
		if i%200 == 0 {
			size = 300_000 // several blocks
		}
		var in []byte
		for len(in) < size {
			n := 1 + random.IntN(1<<random.IntN(9))
			switch random.IntN(4) {
			case 0:
				at := random.IntN(len(dictionary) - n)
				in = append(in, dictionary[at:at+n]...)
			case 1:
				at := random.IntN(len(in) + 1)
				in = append(in, in[at:min(at+n, len(in))]...)
			case 2:
				in = append(in, bytes.Repeat([]byte{byte(random.Uint32())}, n)...)
			case 3:
				for range n {
					in = append(in, byte(random.Uint32())>>random.IntN(8))
				}
			}
		}
		out, err := c.Unpack(c.Pack(in))
		if err != nil || !bytes.Equal(out, in) {
			t.Fatalf("document %d of %d bytes came back as %d, %v", i, len(in), len(out), err)
		}
	}
}

// A document that the dictionary knows takes little space, and packing it makes nothing but the
// bytes returned.
func TestPackIsSmallAndSparing(t *testing.T) {
	c := codec(t)
	in := []byte(receipt)
	if n := len(c.Pack(in)); n > len(in)/3 {
		t.Errorf("%d bytes take %d packed", len(in), n)
	}
	if n := testing.AllocsPerRun(100, func() { c.Pack(in) }); n > 1 {
		t.Errorf("packing makes %.0f allocations", n)
	}
}

const receipt = `{"rules":1,"lead_id":"d2f852fe-596b-880e-9238-2b0724f35504","decided_at":1795310426,"line":"LINE_SALES","brand":"NORRVIND",` +
	`"department":"DEPARTMENT_NEW","candidates":[{"dealer_id":"nv-ca-019","department":"DEPARTMENT_NEW","distance":100393,"marks":["MARK_TERRITORY"]},` +
	`{"dealer_id":"nv-ca-008","department":"DEPARTMENT_NEW","distance":111814,"lost":"LOSS_OTHER_AREA"},` +
	`{"dealer_id":"nv-ca-023","department":"DEPARTMENT_NEW","distance":122223,"lost":"LOSS_OTHER_AREA"}],"step":"STEP_TERRITORY"}`

// Documents packed by an earlier build, with another encoder, must stay readable.
func TestPackedEarlier(t *testing.T) {
	stored, err := hex.DecodeString("0128b52ffd6101eb0065030002840c11b0b1016c26f7779845338912718ff57cb6c16dfbbeaa22e6f8b6b04ac408879a3d83478be96ea4d33b2a028d4eda2e0d04110003841bf4101d00b60e4c348312cf733890724608867722ac21922032181680591f8322081b1502aa7044628b838068cad9b3857280")
	if err != nil {
		t.Fatal(err)
	}
	out, err := codec(t).Unpack(stored)
	if err != nil || string(out) != receipt {
		t.Errorf("it reads %q, %v", out, err)
	}
}

func BenchmarkPack(b *testing.B) {
	c := codec(b)
	b.ReportAllocs()
	for b.Loop() {
		c.Pack([]byte(receipt))
	}
}

// Every build begins its packed documents alike.
func TestStoredFormat(t *testing.T) {
	c := codec(t)
	stored := c.Pack([]byte("LINE_SALES"))
	want := []byte{1, 0x28, 0xb5, 0x2f, 0xfd}
	if !bytes.HasPrefix(stored, want) {
		t.Errorf("a packed document begins with % x, want % x", stored[:min(5, len(stored))], want)
	}
}

func FuzzPack(f *testing.F) {
	c := codec(f)
	f.Add([]byte(receipt))
	f.Add([]byte(strings.Repeat("0123456789", 50)))
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := c.Unpack(c.Pack(in))
		if err != nil || !bytes.Equal(out, in) {
			t.Errorf("%d bytes came back as %d, %v", len(in), len(out), err)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	c := codec(f)
	f.Add([]byte{})
	f.Add([]byte{1})
	f.Add(c.Pack([]byte(`{"rules":1}`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := c.Unpack(b)
		if err != nil {
			if !errors.Is(err, pack.ErrPacked) {
				t.Errorf("another error: %v", err)
			}
			return
		}
		again, err := c.Unpack(c.Pack(out))
		if err != nil || !bytes.Equal(again, out) {
			t.Errorf("%d bytes came back as %d, %v", len(out), len(again), err)
		}
	})
}
