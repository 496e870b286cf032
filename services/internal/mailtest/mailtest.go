// Package mailtest writes the mails that tests send: one ADF document in every form in which
// providers, relays and people who forward it mail it.
package mailtest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Form is one way to mail a document.
type Form struct {
	Name string
	// Wrap returns the mail of a document, with CRLF line ends. The id becomes its Message-ID.
	Wrap func(id string, document []byte) []byte
}

// Forms are all forms that keep what a document of any encoding says.
func Forms() []Form {
	return []Form{
		{"text", func(id string, doc []byte) []byte {
			return Mail(id, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n", utf8Of(doc))
		}},
		{"text without a type", func(id string, doc []byte) []byte { return Mail(id, "", doc) }},
		{"text base64", func(id string, doc []byte) []byte {
			return Mail(id, "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n", Base64(doc))
		}},
		{"text quoted-printable", func(id string, doc []byte) []byte {
			return Mail(id, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n", QuotedPrintable(utf8Of(doc)))
		}},
		{"x-adf+xml", func(id string, doc []byte) []byte {
			return Mail(id, "Content-Type: application/x-adf+xml\nContent-Transfer-Encoding: base64\n", Base64(doc))
		}},
		{"application/xml", func(id string, doc []byte) []byte {
			return Mail(id, "Content-Type: application/xml; name=\"lead.xml\"\nContent-Transfer-Encoding: 8bit\n", doc)
		}},
		{"text/xml part", func(id string, doc []byte) []byte {
			return Mixed(id, "Content-Type: text/plain\n\nA new lead.", "Content-Type: text/xml; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"+string(QuotedPrintable(utf8Of(doc))))
		}},
		{"attachment .xml", func(id string, doc []byte) []byte {
			return Mixed(id, "Content-Type: text/plain\n\nSee the attachment.\n-- \nThe desk",
				"Content-Type: application/octet-stream; name=\"lead.xml\"\nContent-Disposition: attachment; filename=\"lead.xml\"\nContent-Transfer-Encoding: base64\n\n"+string(Base64(doc)))
		}},
		{"attachment .adf", func(id string, doc []byte) []byte {
			return Mixed(id, "Content-Type: text/html\n\n<p>See the attachment.</p>",
				"Content-Type: text/plain; name=lead.adf\nContent-Disposition: attachment; filename*=utf-8''lead.adf\nContent-Transfer-Encoding: quoted-printable\n\n"+string(QuotedPrintable(doc)))
		}},
		{"nested", func(id string, doc []byte) []byte {
			inner := part("multipart/alternative; boundary=in", "in", "Content-Type: text/plain\n\nA new lead.", "Content-Type: text/html\n\n<b>A new lead.</b>")
			middle := part("multipart/related; boundary=mid", "mid", inner, "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=")
			return Mixed(id, middle, "Content-Type: application/xml\nContent-Transfer-Encoding: base64\n\n"+string(Base64(doc)))
		}},
		{"text and attachment", func(id string, doc []byte) []byte {
			return Mixed(id, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"+string(Base64(utf8Of(doc))),
				"Content-Type: application/x-adf+xml\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n\n"+string(Base64(doc)))
		}},
		{"alternative", func(id string, doc []byte) []byte {
			return Mail(id, "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=\"=_alt\"\n", []byte(joined("=_alt",
				"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"+string(QuotedPrintable(utf8Of(doc))),
				"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"+string(Base64([]byte(Page(doc)))))))
		}},
		{"forwarded as a message", func(id string, doc []byte) []byte {
			inner := Mail("inner-"+id, "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n", Base64(doc))
			return Mixed(id, "Content-Type: text/plain\n\nfyi", "Content-Type: message/rfc822\nContent-Disposition: inline\n\n"+string(inner))
		}},
		{"forwarded as a file", func(id string, doc []byte) []byte {
			inner := Mail("inner-"+id, "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n", Base64(doc))
			return Mixed(id, "Content-Type: text/plain\n\nfyi",
				"Content-Type: application/octet-stream; name=\"New lead.eml\"\nContent-Transfer-Encoding: base64\n\n"+string(Base64(inner)))
		}},
		{"forwarded page", func(id string, doc []byte) []byte {
			return Mail(id, "Content-Type: text/html; charset=\"utf-8\"\nContent-Transfer-Encoding: quoted-printable\n", QuotedPrintable([]byte(Page(doc))))
		}},
		{"forwarded page, pre", func(id string, doc []byte) []byte {
			page := "<html><head><style>pre {color: red}</style></head><body><p>Fwd:</p><pre>\n" + html.EscapeString(string(utf8Of(doc))) + "</pre></body></html>"
			return Mail(id, "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n", Base64([]byte(page)))
		}},
		{"quoted", func(id string, doc []byte) []byte {
			return Mail(id, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n", Base64([]byte("Please call them.\n\nOn Monday, the portal wrote:\n"+Quote(doc)+"\n-- \nThe desk\n+1 303 555 0100\n")))
		}},
		{"with a signature", func(id string, doc []byte) []byte {
			text := append([]byte("Hello,\r\na lead:\r\n\r\n"), utf8Of(doc)...)
			text = append(text, "\r\n-- \r\nThe desk <desk@example.com>\r\nSent with <3 & care\r\n"...)
			return Mail(id, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n", Base64(text))
		}},
	}
}

// Mail writes a mail with header lines of its own (each ended with \n) and a body. An empty id gives
// none.
func Mail(id, header string, body []byte) []byte {
	var b bytes.Buffer
	b.WriteString("Received: from mx.example.com by relay.example.net; Mon, 2 Mar 2026 09:00:00 +0000\n" +
		"From: \"Leads, new\" <leads@portal.example.com>\nTo: store@dealer.example.org\n" +
		"Subject: =?utf-8?q?New_lead_=E2=80=93_portal?=\nDate: Mon, 2 Mar 2026 09:00:00 +0000\n")
	if id != "" {
		fmt.Fprintf(&b, "Message-ID:\n <%s@portal.example.com>\n", id)
	}
	b.WriteString(header)
	head := strings.ReplaceAll(b.String(), "\n", "\r\n")
	out := append([]byte(head), "\r\n"...)
	return append(out, body...)
}

// Mixed writes a multipart/mixed mail of parts, each a header, an empty line and a body.
func Mixed(id string, parts ...string) []byte {
	return Mail(id, "MIME-Version: 1.0\nContent-Type: multipart/mixed;\n\tboundary=\"----=_Part 1\"\n", []byte("This is MIME.\r\n"+joined("----=_Part 1", parts...)))
}

func part(media, boundary string, parts ...string) string {
	return "Content-Type: " + media + "\n\n" + joined(boundary, parts...)
}

func joined(boundary string, parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		head, body, _ := strings.Cut(p, "\n\n")
		b.WriteString("--" + boundary + "\r\n" + strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n" + body + "\r\n")
	}
	return b.String() + "--" + boundary + "--\r\n"
}

// Base64 writes lines of 76 characters.
func Base64(raw []byte) []byte {
	text := base64.StdEncoding.EncodeToString(raw)
	var b bytes.Buffer
	for len(text) > 76 {
		b.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	b.WriteString(text + "\r\n")
	return b.Bytes()
}

// QuotedPrintable writes text with soft line ends.
func QuotedPrintable(raw []byte) []byte {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write(raw) // to memory
	_ = w.Close()
	return b.Bytes()
}

// Page is how a mail program shows a document's source in a forwarded page: escaped, a br for each
// line end, no-break spaces for runs of spaces, addresses as links.
func Page(doc []byte) string {
	var b strings.Builder
	b.WriteString(`<html><head><meta charset="utf-8"><title>Fwd: <adf></title></head><body><div dir="ltr">---------- Forwarded message ---------<br>` +
		`From: <b>portal</b> &lt;<a href="mailto:leads@portal.example.com">leads@portal.example.com</a>&gt;<br><br>` + "\n")
	text := strings.ReplaceAll(string(utf8Of(doc)), "\r\n", "\n")
	for _, line := range strings.Split(text, "\n") {
		line = html.EscapeString(strings.ReplaceAll(line, "\t", "    "))
		b.WriteString(strings.ReplaceAll(line, "  ", "&nbsp; ") + "<br>\n")
	}
	b.WriteString("</div></body></html>\n")
	return b.String()
}

// Quote writes a document as an answer quotes it.
func Quote(doc []byte) string {
	var b strings.Builder
	for line := range strings.Lines(strings.ReplaceAll(string(utf8Of(doc)), "\r\n", "\n")) {
		b.WriteString("> " + line)
	}
	return b.String()
}

// Latin1 and UTF16 are text in those encodings, the latter with a byte order mark.
func Latin1(text string) []byte {
	out, err := charmap.Windows1252.NewEncoder().Bytes([]byte(text))
	if err != nil {
		panic(err) // the test's own text
	}
	return out
}

// UTF16 writes little-endian UTF-16 with a byte order mark.
func UTF16(text string) []byte {
	out, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(text))
	if err != nil {
		panic(err) // the test's own text
	}
	return out
}

// utf8Of is a document as a mail program that understands its encoding holds it.
func utf8Of(doc []byte) []byte {
	if utf8.Valid(doc) {
		return doc
	}
	for _, mark := range []struct {
		bom   string
		order unicode.Endianness
	}{{"\xff\xfe", unicode.LittleEndian}, {"\xfe\xff", unicode.BigEndian}} {
		if bytes.HasPrefix(doc, []byte(mark.bom)) {
			if out, err := unicode.UTF16(mark.order, unicode.ExpectBOM).NewDecoder().Bytes(doc); err == nil {
				return out
			}
		}
	}
	out, err := charmap.Windows1252.NewDecoder().Bytes(doc)
	if err != nil {
		return doc
	}
	return out
}
