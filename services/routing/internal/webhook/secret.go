// Package webhook signs events after Standard Webhooks 1.0 and posts them to addresses that dealers
// gave.
package webhook

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
)

const (
	secretPrefix = "whsec_"
	leastSecret  = 24 // bytes
	mostSecret   = 64
	madeSecret   = 32
)

// NewSecret makes a signing secret.
func NewSecret() string {
	key := make([]byte, madeSecret)
	rand.Read(key) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(key)
}

// CheckSecret reports what is wrong with a secret: it is whsec_ and base64 of 24 to 64 bytes.
func CheckSecret(secret string) error {
	text, ok := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < leastSecret || len(key) > mostSecret {
		return fmt.Errorf("must be %s and base64 of %d to %d bytes", secretPrefix, leastSecret, mostSecret)
	}
	return nil
}
