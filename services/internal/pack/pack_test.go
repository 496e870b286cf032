package pack_test

import (
	"bytes"
	"errors"
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

// Documents packed by an earlier build must stay readable: these bytes were.
func TestStoredFormat(t *testing.T) {
	c := codec(t)
	stored := c.Pack([]byte("LINE_SALES"))
	want := []byte{1, 0x28, 0xb5, 0x2f, 0xfd}
	if !bytes.HasPrefix(stored, want) {
		t.Errorf("a packed document begins with % x, want % x", stored[:min(5, len(stored))], want)
	}
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
