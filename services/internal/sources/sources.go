// Package sources reads the sources file: every sender of forms with its secrets, how its posts are
// authenticated, what it leaves open and what its questions ask for. Gateway and Capture read the
// same file; secrets never leave the process that read them.
package sources

import (
	"crypto/sha256"
	"crypto/subtle"

	"github.com/leadmesh/leadmesh/core/form"
)

// Kind is what a source sends.
type Kind string

// The kinds of sources.
const (
	Meta     Kind = "meta"
	Google   Kind = "google"
	LinkedIn Kind = "linkedin"
	Form     Kind = "form"
	STAR     Kind = "star"
)

// File is a sources file as read. It is not changed afterwards; many goroutines may read it.
type File struct {
	Graph   Graph
	Sources []*Source // in the order of the file
	byName  map[string]*Source
}

// Find returns the source of a name; nil if the file has none.
func (f *File) Find(name string) *Source {
	if f == nil {
		return nil
	}
	return f.byName[name]
}

// Graph is where the forms of Meta are fetched.
type Graph struct {
	URL     string
	Version string
}

// Source is one sender.
type Source struct {
	Name string
	Kind Kind
	Spec form.Spec

	AppSecret   Secret // meta: signs its calls, and proves ours; linkedin: signs its calls
	VerifyToken Secret // meta: of the handshake
	Pages       []Page // meta
	Keys        []Key  // google
	Auth        Auth   // linkedin, form, star
}

// Page is one page of Meta with the token that reads its forms.
type Page struct {
	ID    string // "": every page
	Token Secret
}

// PageToken is the token of a page; empty if the file has none for it.
func (s *Source) PageToken(page string) Secret {
	var every Secret
	for _, p := range s.Pages {
		if p.ID == page {
			return p.Token
		}
		if p.ID == "" {
			every = p.Token
		}
	}
	return every
}

// Key is the key of one form of Google.
type Key struct {
	Form string // "": every form that has no key of its own
	Key  Secret
}

// CheckKey reports whether a key is a form's. The time it takes does not depend on the key.
func (s *Source) CheckKey(formID, key string) bool {
	own, every, hasOwn := false, false, false
	for _, k := range s.Keys {
		same := k.Key.Is(key)
		switch k.Form {
		case formID:
			own, hasOwn = own || same, true
		case "":
			every = every || same
		}
	}
	if hasOwn {
		return own
	}
	return every
}

// How a source shows that it is itself.
const (
	ByNone  = "none" // loopback only
	ByKey   = "key"
	ByHMAC  = "hmac"
	ByBasic = "basic"
)

// Auth is how the posts of a source are authenticated.
type Auth struct {
	By       string
	In       string // of a key: header, query or body
	Name     string // of the key's header, parameter or field; of the HMAC's header
	Prefix   string // before the signature, such as sha256=
	Encoding string // of the signature: hex or base64
	User     string
	Secret   Secret
}

// Secret is a text that must be kept. It writes itself as stars wherever it is printed.
type Secret struct{ text string }

// NewSecret makes a secret of a text.
func NewSecret(text string) Secret { return Secret{text} }

// String hides the secret.
func (Secret) String() string { return "***" }

// GoString hides the secret.
func (Secret) GoString() string { return "***" }

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return s.text == "" }

// Reveal returns the text, for signing and for sending it to its owner.
func (s Secret) Reveal() string { return s.text }

// Is reports whether a text is the secret. The time it takes does not depend on the text.
func (s Secret) Is(text string) bool {
	have, want := sha256.Sum256([]byte(text)), sha256.Sum256([]byte(s.text))
	return subtle.ConstantTimeCompare(have[:], want[:]) == 1 && s.text != ""
}
