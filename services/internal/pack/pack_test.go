package pack_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
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

// Documents packed by an earlier build stay readable: these bytes were, with a Huffman table. An
// earlier build reads every frame of zstd with the dictionary of version 1.
func TestStoredFormat(t *testing.T) {
	c := codec(t)
	const (
		document = `{"rules":1,"lead_id":"d2f852fe-596b-880e-9238-2b0724f35504","decided_at":1795310426,"note":"anna wants a red one ` +
			`and her neighbour a blue one, both before the summer is over and the roads are full"}`
		stored = "ASi1L/0hAcYtBACSSR0bkCVVKwO74U3JYEskqSR3DYDdsNuIc1CZ3dkKBeQ43vIX3RTq+sxZJXo/oG4G7w+H13zm/NX1ZOY0mXiq/45k9D5NTMDw" +
			"9J5ZJfqpVl+jm0skMGYiCSB3moQgmEFxjrEGBqBIpiDDFMoLhEoiFE75MgctowIDAGxxEBBNOXu2UA4Q"
	)
	raw, err := base64.StdEncoding.DecodeString(stored)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := c.Unpack(raw); err != nil || string(out) != document {
		t.Errorf("what an earlier build stored reads %q, %v", out, err)
	}
	if now := c.Pack([]byte(document)); !bytes.HasPrefix(now, []byte{1, 0x28, 0xb5, 0x2f, 0xfd, 0x21, 1, byte(len(document))}) {
		t.Errorf("a packed document begins with % x: no frame of zstd with dictionary 1", now[:min(8, len(now))])
	}
}

// A long text is packed thoroughly: its letters are few, which only a table tells.
func TestLongTextsAreSmall(t *testing.T) {
	c := codec(t)
	var text strings.Builder
	for i := range 500 {
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		fmt.Fprintf(&text, "anna wants %x; ", sum[:8])
	}
	if got, most := len(c.Pack([]byte(text.String()))), 500*11; got > most {
		t.Errorf("500 numbers of 8 bytes take %d bytes, at most %d", got, most)
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
