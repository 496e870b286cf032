package cursor_test

import (
	"bytes"
	"testing"

	"github.com/leadmesh/leadmesh/services/internal/cursor"
)

func TestBytes(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "AQ": true, "AQID": true, "_-8": true,
		"AR": false, "AQ==": false, "AQ\r": false, "A\nQ": false, "+/8": false, "A": false, "ä": false,
	} {
		if _, ok := cursor.Bytes(text); ok != want {
			t.Errorf("%q is read: %v", text, ok)
		}
	}
}

func FuzzBytes(f *testing.F) {
	f.Add("AQID", []byte{1, 2, 3})
	f.Add("AQ\r", []byte{})
	f.Fuzz(func(t *testing.T, text string, place []byte) {
		if b, ok := cursor.Bytes(text); ok && cursor.Text(b) != text {
			t.Errorf("%q is written %q", text, cursor.Text(b))
		}
		if b, ok := cursor.Bytes(cursor.Text(place)); !ok || !bytes.Equal(b, place) {
			t.Errorf("%x comes back as %x, %v", place, b, ok)
		}
	})
}
