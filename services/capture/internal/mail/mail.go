// Package mail finds the ADF documents in an e-mail as it was received (RFC 5322, MIME).
//
// Reading is lenient and never fails: what providers, forwarding people and old relays send is
// seldom what the standards say, and a lead must not be lost for it. A header line that is none is
// skipped, a boundary that is missing is looked for, a transfer encoding or charset that the bytes
// contradict is not believed. That is why the entity is taken apart here and not by a MIME library:
// those stop at the first line that is malformed, and a lead with them. Everything is done on the
// bytes in memory, in time linear in them for each level of nesting, and bounded by the limits
// below.
//
// A document may be the whole text, a part of its own, an attachment, in a forwarded mail, or
// quoted and escaped in the text of a mail. Of the forms of one text (multipart/alternative) only
// the best is read.
package mail

import (
	"bytes"
	"crypto/sha256"
	"strings"

	"github.com/leadmesh/leadmesh/core/adf"
)

// Limits of what is looked at. They are far above what mails of leads have; what lies beyond is
// named in Message.Trouble.
const (
	maxDepth = 16
	maxParts = 256
)

// Message is what was found in a mail.
type Message struct {
	// ID is the Message-ID without brackets; "" if there is none.
	ID string
	// Digest is of everything below the header: what the same mail has in common when a relay
	// sends it again with other trace fields.
	Digest [sha256.Size]byte
	// Automatic says what kind of automatic mail it is; None for one that somebody meant to send.
	Automatic Automatic
	// Documents are the ADF documents, each with one prospect at least, in the order of the mail.
	Documents []Document
	// Trouble says in one clause what kept a document from being found or read, though others may have
	// been; "" if nothing did. It holds no part of the mail.
	Trouble string
}

// Document is one ADF document of a mail.
type Document struct {
	// Part is its place as in IMAP: "1" is the first part of the mail or its only one, "2.1" the
	// first in the second.
	Part string
	// MediaType is that of the part, as declared, in lower case.
	MediaType string
	// Form says how closely the document is kept as its system wrote it.
	Form Form
	// Text is the document as it was read, in its own encoding where nobody had changed that.
	Text []byte
	// ADF is the document read.
	ADF adf.Document
}

// Form is the form in which a mail carries a document, the most faithful first.
type Form int

// The forms.
const (
	FormPart Form = iota // a part or attachment of its own
	FormText             // in plain text
	FormHTML             // in the text of an HTML page
)

// Read takes a mail apart. It shares no memory with raw.
func Read(raw []byte) Message {
	h, body := splitEntity(raw)
	m := Message{ID: messageID(h["message-id"]), Digest: sha256.Sum256(body)}
	w := &walker{}
	m.Documents = w.entity(h, body, "", 0)
	if len(m.Documents) == 0 && w.trouble == "" && hasDocument(raw) {
		// Nothing of its structure led to the document that stands in it.
		m.Documents = w.parse(Document{Part: "1", MediaType: "message/rfc822", Form: FormText, Text: bytes.Clone(raw)})
	}
	m.Trouble = w.trouble
	m.Automatic = automatic(h)
	if m.Automatic.weak && len(m.Documents) > 0 {
		m.Automatic = None
	}
	return m
}

func messageID(s string) string {
	if start := strings.IndexByte(s, '<'); start >= 0 {
		s = s[start+1:]
	}
	s, _, _ = strings.Cut(s, ">")
	return strings.TrimSpace(s)
}

// walker goes through the parts of one mail.
type walker struct {
	parts   int
	trouble string
}

func (w *walker) note(trouble string) {
	if w.trouble == "" {
		w.trouble = trouble
	}
}

// entity finds the documents of an entity by its header and body. Path is "" for the whole mail.
func (w *walker) entity(h header, body []byte, path string, depth int) []Document {
	if w.parts++; w.parts > maxParts {
		w.note("it has more parts than are read")
		return nil
	}
	if depth > maxDepth {
		w.note("its parts are nested more deeply than is read")
		return nil
	}
	media, params := h.media()
	switch {
	case strings.HasPrefix(media, "multipart/"):
		if parts := splitParts(body, params["boundary"]); len(parts) > 0 {
			return w.multipart(media, parts, path, depth)
		}
		media = "text/plain" // no part in it: what there is may still be a document
	case media == "message/delivery-status" || media == "message/disposition-notification":
		return nil
	case isPicture(media):
		return nil
	}
	decoded := decodeTransfer(body, h["content-transfer-encoding"])
	if isMessage(media, h.filename(), decoded) {
		inner, rest := splitEntity(decoded)
		return w.entity(inner, rest, child(path, 1), depth+1)
	}
	if path == "" {
		path = "1"
	}
	return w.leaf(h, media, params, decoded, body, path)
}

func (w *walker) multipart(media string, parts [][]byte, path string, depth int) []Document {
	var found, best []Document
	before := w.trouble
	for i, part := range parts {
		h, body := splitEntity(part)
		if media == "multipart/digest" && h["content-type"] == "" {
			h["content-type"] = "message/rfc822"
		}
		docs := w.entity(h, body, child(path, i+1), depth+1)
		found = append(found, docs...)
		if len(docs) > 0 && (len(best) == 0 || docs[0].Form < best[0].Form) {
			best = docs
		}
		if w.parts > maxParts {
			break
		}
	}
	if media == "multipart/alternative" { // the same text in several forms
		if len(best) > 0 {
			w.trouble = before
		}
		return best
	}
	return found
}

func child(path string, n int) string {
	if path == "" {
		return itoa(n)
	}
	return path + "." + itoa(n)
}

// isPicture tells what never holds a document.
func isPicture(media string) bool {
	for _, prefix := range []string{"image/", "audio/", "video/", "font/"} {
		if strings.HasPrefix(media, prefix) && media != "image/svg+xml" {
			return true
		}
	}
	return false
}

// isMessage tells a mail inside the mail: by its type, or attached as a file.
func isMessage(media, filename string, decoded []byte) bool {
	switch media {
	case "message/rfc822", "message/global", "message/news":
		return true
	}
	return strings.HasSuffix(filename, ".eml") && !bytes.HasPrefix(bytes.TrimSpace(decoded), []byte("<"))
}

// leaf finds the documents in a part that holds no parts.
func (w *walker) leaf(h header, media string, params map[string]string, decoded, body []byte, path string) []Document {
	doc := Document{Part: path, MediaType: media, Text: decodeText(decoded, params["charset"])}
	if !hasDocument(doc.Text) {
		// The transfer encoding may be another than the declared one.
		for _, try := range [][]byte{body, decodeQuotedPrintable(body), decodeBase64(body)} {
			if doc.Text = decodeText(try, params["charset"]); hasDocument(doc.Text) {
				break
			}
		}
		if !hasDocument(doc.Text) {
			return nil
		}
	} else if h["content-transfer-encoding"] == "" && isQuotedPrintable(doc.Text) {
		doc.Text = decodeText(decodeQuotedPrintable(body), params["charset"])
	}
	if media == "text/html" || media == "application/xhtml+xml" || media == "text/plain" && isHTML(doc.Text) {
		doc.Form = FormHTML
		if text := htmlText(doc.Text); hasDocument(text) {
			before := w.trouble
			shown := doc
			shown.Text = unquote(text)
			if docs := w.parse(shown); len(docs) > 0 {
				return docs
			}
			w.trouble = before
		}
		doc.Text = unquote(doc.Text)
		return w.parse(doc)
	}
	if media == "text/plain" && !h.attached() {
		doc.Form = FormText
	}
	if strings.EqualFold(params["format"], "flowed") {
		doc.Text = unflow(doc.Text, strings.EqualFold(params["delsp"], "yes"))
	}
	doc.Text = unquote(doc.Text)
	return w.parse(doc)
}

// parse reads a document; none if there is no lead in it.
func (w *walker) parse(doc Document) []Document {
	read, err := adf.Parse(doc.Text)
	if err != nil {
		w.note(troubleOf(err))
		return nil
	}
	doc.ADF = read
	return []Document{doc}
}
