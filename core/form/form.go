// Package form reads what people answered in a form, however its sender writes it down: Meta lead
// ads, Google lead forms, LinkedIn, form builders and plain web forms, as JSON, URL-encoded or
// multipart. It finds out which question asks for which fact of a lead, by what the operator
// declared and by a vocabulary of many languages. What nothing is known of is kept and flagged.
package form

import "errors"

// Kind is the sender of a form; it fixes what a lead is called where the form does not say.
type Kind uint8

// The values of Kind.
const (
	Generic Kind = iota
	Meta
	Google
	LinkedIn
)

// Submission is one form that one person sent. Its slices share memory with the document.
type Submission struct {
	Kind    Kind
	Raw     []byte // its own part of the document
	Answers []Answer
	Boxes   []Box
}

// Answer is one question with what was answered, in the order of the form.
type Answer struct {
	Path   string   // where it stands in the document
	Names  []string // what the sender calls the question: ids and label, the surest first
	Values []string
	Shared bool // said of all forms of the document, so it is neither this person nor this lead's id
}

// Box is a declaration that a person ticks or leaves.
type Box struct {
	Key     string
	Label   string
	Checked bool
}

// Limits of what is read of a form; its raw form keeps everything.
const (
	maxSubmissions = 1_000
	maxAnswers     = 400
	maxValues      = 50
	maxExtra       = 200
	maxExtraText   = 4 << 10
	maxFlags       = 100
	maxText        = 20_000 // characters of comments
)

// The errors of reading. Their texts repeat nothing of the document.
var (
	// ErrEmpty: there is no answer in the document.
	ErrEmpty = errors.New("the form holds no answer")
	// ErrEncoding: the body is not what its content type says.
	ErrEncoding = errors.New("the form is not encoded as its content type says")
)
