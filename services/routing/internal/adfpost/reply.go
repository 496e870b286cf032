package adfpost

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
)

// maxDepth bounds how deep an answer is read.
const maxDepth = 16

// Negative reports whether the body of a successful answer says beyond doubt that the document was
// not taken: an XML or JSON body with a status, result or success that is a no, or with an error
// that is not empty. Everything else, prose and pages included, is taken as the status says.
func Negative(body []byte) bool {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	switch {
	case len(body) == 0:
		return false
	case body[0] == '{' || body[0] == '[':
		var v any
		return json.Unmarshal(body, &v) == nil && negativeJSON(v, 0)
	case body[0] == '<':
		return negativeXML(body)
	}
	return false
}

func negativeJSON(v any, depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			switch value := value.(type) {
			case string:
				if says(key, value) {
					return true
				}
			case bool:
				if saysBool(key, value) {
					return true
				}
			case []any:
				if isError(key) && len(value) > 0 {
					return true
				}
			case map[string]any:
				if isError(key) && len(value) > 0 {
					return true
				}
			}
			if negativeJSON(value, depth+1) {
				return true
			}
		}
	case []any:
		for _, value := range v {
			if negativeJSON(value, depth+1) {
				return true
			}
		}
	}
	return false
}

// negativeXML reads elements with text and attributes alike. A page for people is no answer, and
// what cannot be read to its end counts as far as it could.
func negativeXML(body []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // the words looked for are ASCII
	var path []string
	var text strings.Builder
	leaf := false
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(path) == 0 && strings.EqualFold(t.Name.Local, "html") || len(path) == maxDepth {
				return false
			}
			path = append(path, t.Name.Local)
			for _, a := range t.Attr {
				if says(a.Name.Local, a.Value) {
					return true
				}
			}
			text.Reset()
			leaf = true
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			if len(path) == 0 {
				return false
			}
			if leaf && says(path[len(path)-1], text.String()) {
				return true
			}
			// <Response>error</Response> has no other name than this.
			if leaf && len(path) == 1 && isNo(text.String()) {
				return true
			}
			path, leaf = path[:len(path)-1], false
		}
	}
}

// says reports whether a named value is a clear no.
func says(name, value string) bool {
	value = strings.TrimSpace(value)
	switch fold(name) {
	case "status", "result", "responsestatus", "resultstatus", "leadstatus", "statustext", "outcome", "responsetype":
		return isNo(value)
	case "success", "succeeded", "issuccess", "accepted", "ok", "successful":
		return isFalse(value) || isNo(value)
	case "haserror", "haserrors", "iserror", "failed":
		return isTrue(value)
	}
	return isError(name) && value != "" && !isNone(value)
}

func saysBool(name string, value bool) bool {
	switch fold(name) {
	case "success", "succeeded", "issuccess", "accepted", "ok", "successful":
		return !value
	case "error", "haserror", "haserrors", "iserror", "failed":
		return value
	}
	return false
}

// isError reports whether a name announces an error.
func isError(name string) bool {
	switch fold(name) {
	case "error", "errors", "errormessage", "errortext", "errordescription", "fault", "faultstring", "exception", "errorcode":
		return true
	}
	return false
}

func isNo(value string) bool {
	word, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(value)), " ")
	switch strings.Trim(word, ".:!,;") {
	case "error", "err", "fail", "failed", "failure", "rejected", "reject", "refused", "invalid", "denied", "declined", "unauthorized", "nack":
		return true
	}
	return false
}

func isFalse(value string) bool {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "false", "0", "no", "n":
		return true
	}
	return false
}

func isTrue(value string) bool {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "true", "1", "yes", "y":
		return true
	}
	return false
}

// isNone reports whether an error's text says that there is none.
func isNone(value string) bool {
	if isFalse(value) || strings.Trim(value, "0") == "" {
		return true
	}
	switch strings.ToLower(value) {
	case "none", "null", "nil", "ok", "success", "no error", "no errors", "n/a", "-", "200", "201", "202":
		return true
	}
	return false
}

// fold spells a name without case and marks.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z':
			return r
		}
		return -1
	}, name)
}
