package capture

import (
	"bytes"

	"github.com/leadmesh/leadmesh/core/adf"
)

// readADF finds the leads of an ADF document. One that cannot be read at all becomes a lead that
// is parked with its raw form.
func readADF(body []byte) []*intake {
	doc, err := adf.Parse(body)
	if err != nil {
		return []*intake{{raw: body, unreadable: "the ADF document could not be read"}}
	}
	parts := prospectParts(body, len(doc.Prospects))
	items := make([]*intake, 0, len(doc.Prospects))
	for i := range doc.Prospects {
		in := &intake{lead: doc.Prospects[i].Lead(nil), raw: parts[i]}
		in.limit("the ADF document")
		items = append(items, in)
	}
	return items
}

// limit sets aside a lead that carries more than one may. Senders of ADF seldom read an answer: what
// is too much stays in the raw form.
func (in *intake) limit(holder string) {
	if violations := check(&in.lead); len(violations) > 0 {
		in.unreadable = holder + " holds more than a lead takes: " + violations[0].Field
	}
}

// prospectParts cuts a document with many leads into each one's own part. Where the cuts do not
// fit what was read (another encoding, nested leads) every lead keeps the beginning of the whole.
func prospectParts(body []byte, n int) [][]byte {
	if n == 1 {
		return [][]byte{body}
	}
	parts := make([][]byte, 0, n)
	lower := bytes.ToLower(body)
	if len(lower) == len(body) {
		for at := 0; ; {
			start := bytes.Index(lower[at:], []byte("<prospect"))
			if start < 0 {
				break
			}
			start += at
			end := bytes.Index(lower[start:], []byte("</prospect>"))
			if end < 0 {
				break
			}
			at = start + end + len("</prospect>")
			parts = append(parts, body[start:at])
		}
	}
	if len(parts) == n {
		return parts
	}
	parts = parts[:0]
	for range n {
		parts = append(parts, body[:min(len(body), maxBody/n)])
	}
	return parts
}
