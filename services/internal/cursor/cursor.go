// Package cursor writes places in a list as callers carry them from page to page: opaque text.
package cursor

import "encoding/base64"

// Text writes a place as text that stands in a URL as it is.
func Text(place []byte) string { return base64.RawURLEncoding.EncodeToString(place) }

// Bytes reads what Text wrote and nothing else. Base64 alone would pass over line ends and over
// bits left behind the last byte, so that one place had many texts.
func Bytes(text string) (place []byte, ok bool) {
	place, err := base64.RawURLEncoding.DecodeString(text)
	return place, err == nil && Text(place) == text
}
