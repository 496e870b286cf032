package mail

import (
	"bytes"
	"errors"
	"mime"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/adf"
)

// maxField is how much of a header field is kept, in bytes.
const maxField = 8 << 10

// header holds the fields of an entity that are of use here, unfolded, by their names in lower
// case; of several fields of a name the first.
type header map[string]string

// known are the fields that are kept: a flood of others costs nothing.
var known = [...]string{
	"content-type", "content-transfer-encoding", "content-disposition", "message-id", "subject", "from", "return-path",
	"auto-submitted", "precedence", "list-id", "list-unsubscribe", "x-autoreply", "x-autorespond", "x-failed-recipients",
}

// splitEntity parts an entity into header and body. A text that does not begin with a header field
// is all body; a line among the fields that is none is skipped, unless a document begins there.
func splitEntity(b []byte) (header, []byte) {
	h := header{}
	rest := bytes.TrimLeft(b, "\r\n")
	rest = bytes.TrimPrefix(rest, []byte("\xef\xbb\xbf"))
	last, fields := "", 0
	for len(rest) > 0 {
		line, after := cutLine(rest)
		switch {
		case len(line) == 0: // the line between header and body
			if fields == 0 {
				return h, b
			}
			return h, after
		case line[0] == ' ' || line[0] == '\t':
			if last != "" && len(h[last])+len(line) < maxField {
				h[last] += " " + string(bytes.TrimSpace(line))
			}
		case fields == 0 && (bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))): // of a mailbox file
		default:
			name, value, ok := cutField(line)
			if !ok && (fields == 0 || bytes.HasPrefix(line, []byte("<"))) {
				if fields == 0 {
					return h, b
				}
				return h, rest
			}
			last = ""
			if !ok {
				break
			}
			fields++
			for _, k := range known {
				if _, have := h[k]; !have && strings.EqualFold(k, name) {
					last, h[k] = k, string(value[:min(len(value), maxField)])
				}
			}
		}
		rest = after
	}
	return h, rest
}

// cutLine returns the first line without its end, and what follows.
func cutLine(b []byte) (line, rest []byte) {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		return bytes.TrimSuffix(b, []byte("\r")), nil
	}
	return bytes.TrimSuffix(b[:end], []byte("\r")), b[end+1:]
}

func cutField(line []byte) (name string, value []byte, ok bool) {
	colon := bytes.IndexByte(line[:min(len(line), 256)], ':')
	if colon <= 0 {
		return "", nil, false
	}
	key := bytes.TrimRight(line[:colon], " \t")
	for _, c := range key {
		if c <= ' ' || c >= 0x7f || c == '<' {
			return "", nil, false
		}
	}
	return string(key), bytes.TrimSpace(line[colon+1:]), true
}

// media is the declared content type in lower case with its parameters; text/plain if there is
// none. What is wrong with the parameters does not cost the type.
func (h header) media() (string, map[string]string) {
	value := h["content-type"]
	if value == "" {
		return "text/plain", nil
	}
	media, params, err := mime.ParseMediaType(value)
	if err == nil {
		return media, params
	}
	media, rest, _ := strings.Cut(value, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	params = map[string]string{}
	for pair := range strings.SplitSeq(rest, ";") {
		name, value, ok := strings.Cut(pair, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, have := params[name]; ok && !have {
			params[name] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	if !strings.Contains(media, "/") {
		media = "text/plain"
	}
	return media, params
}

func (h header) attached() bool {
	return strings.HasPrefix(strings.ToLower(h["content-disposition"]), "attachment")
}

// filename is the name of an attached file in lower case.
func (h header) filename() string {
	if _, params, err := mime.ParseMediaType(h["content-disposition"]); err == nil && params["filename"] != "" {
		return strings.ToLower(params["filename"])
	}
	_, params := h.media()
	return strings.ToLower(params["name"])
}

// splitParts cuts the body of a multipart entity at its boundary; where that is missing or another
// one is used, at the first line that looks like one. A missing last boundary ends with the body.
func splitParts(body []byte, boundary string) [][]byte {
	if parts := cutAt(body, boundary); len(parts) > 0 {
		return parts
	}
	for rest := body; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		if guess := bytes.TrimRight(line, " \t"); len(guess) > 2 && bytes.HasPrefix(guess, []byte("--")) && !bytes.ContainsAny(guess, " <>") {
			return cutAt(body, string(guess[2:]))
		}
	}
	return nil
}

func cutAt(body []byte, boundary string) [][]byte {
	if boundary == "" {
		return nil
	}
	mark := []byte("--" + boundary)
	var parts [][]byte
	start := -1
	for at := 0; at < len(body); {
		line, rest := cutLine(body[at:])
		next := len(body) - len(rest)
		if bytes.HasPrefix(line, mark) {
			tail := bytes.TrimRight(line[len(mark):], " \t")
			if last := bytes.Equal(tail, []byte("--")); last || len(tail) == 0 {
				if start >= 0 {
					parts = append(parts, trimEnd(body[start:at]))
				}
				if start = next; last {
					return parts
				}
				if len(parts) > maxParts {
					return parts
				}
			}
		}
		at = next
	}
	if start >= 0 && start < len(body) {
		parts = append(parts, body[start:])
	}
	return parts
}

// trimEnd takes off the line end before a boundary: it belongs to the boundary.
func trimEnd(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}

// troubleOf says why a text with the marks of a document was not read.
func troubleOf(err error) string {
	switch {
	case errors.Is(err, adf.ErrTooLarge):
		return "its ADF document is larger than is read"
	case errors.Is(err, adf.ErrTooDeep), errors.Is(err, adf.ErrTooMany):
		return "its ADF document holds more than is read"
	default:
		return "no lead was found in its ADF document"
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
