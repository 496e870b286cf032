package form

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Read finds the forms of a body. The content type says how it is written; a body that is a JSON
// object or list is read as one whatever it is called, since many tools name it wrongly. A file in a
// multipart body is named, not read. Ignored counts what the document holds that is no lead.
func Read(kind Kind, contentType string, body []byte) (forms []Submission, ignored int, err error) {
	media, params, _ := mime.ParseMediaType(contentType)
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	var answers []Answer
	switch {
	case len(trimmed) == 0:
		return nil, 0, ErrEmpty
	case media == "multipart/form-data":
		answers, err = readMultipart(body, params["boundary"])
	case trimmed[0] == '{' || trimmed[0] == '[':
		return readJSON(body, kind)
	case strings.HasSuffix(media, "json"):
		return nil, 0, ErrEncoding
	default:
		answers, err = readURLEncoded(trimmed)
	}
	if err != nil {
		return nil, 0, err
	}
	w := &walk{s: Submission{Kind: kind, Raw: body}}
	for _, a := range answers {
		if len(a.Values) != 1 || !w.document(a.Values[0], a.Names) {
			w.answer(a.Path, a.Names, a.Values)
		}
	}
	if len(w.s.Answers) == 0 {
		return nil, 0, ErrEmpty
	}
	return []Submission{w.s}, 0, nil
}

// readURLEncoded reads name=value pairs in order. Pairs that are badly escaped are taken as they
// stand rather than lost.
func readURLEncoded(body []byte) ([]Answer, error) {
	if bytes.IndexByte(body, '=') < 0 || !plainText(body) {
		return nil, ErrEncoding
	}
	var answers []Answer
	for _, pair := range pairs(string(body)) {
		if len(answers) == maxAnswers {
			break
		}
		name, value, _ := strings.Cut(pair, "=")
		answers = appendAnswer(answers, unescaped(name), unescaped(value))
	}
	return answers, nil
}

// pairs parts a body at its separators. Semicolons and line ends are separators of old only where a
// name follows; else they are of the value.
func pairs(body string) []string {
	var out []string
	for pair := range strings.SplitSeq(body, "&") {
		from := 0
		for at := strings.IndexByte(pair, '=') + 1; at > 0; {
			next := strings.IndexByte(pair[at:], '=')
			if next < 0 {
				break
			}
			split := at + strings.LastIndexAny(pair[at:at+next], "; \t\r\n")
			if split >= at && split+1 < at+next && strings.IndexByte(";\r\n", pair[split]) >= 0 {
				out, from = append(out, strings.TrimRight(pair[from:split], "\r\n")), split+1
			}
			at += next + 1
		}
		out = append(out, pair[from:])
	}
	return out
}

// plainText reports whether a body holds nothing that URL encoding would have escaped.
func plainText(body []byte) bool {
	for _, c := range body {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		s = plain
	}
	return text(s)
}

// text makes UTF-8 of bytes that are not by reading them as Latin-1, which old pages send.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// appendAnswer adds a value to the question of that name, or a new question.
func appendAnswer(answers []Answer, name, value string) []Answer {
	name = strings.TrimSuffix(name, "[]")
	for i := range answers {
		if answers[i].Path == name {
			answers[i].Values = append(answers[i].Values, value)
			return answers
		}
	}
	return append(answers, Answer{Path: name, Names: []string{name}, Values: []string{value}})
}

func readMultipart(body []byte, boundary string) ([]Answer, error) {
	if boundary == "" {
		return nil, ErrEncoding
	}
	var answers []Answer
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for len(answers) < maxAnswers {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return answers, nil
		}
		if err != nil {
			return nil, ErrEncoding
		}
		value := []byte(part.FileName())
		if part.FileName() == "" {
			if value, err = io.ReadAll(io.LimitReader(part, 1<<20)); err != nil {
				return nil, ErrEncoding
			}
		}
		answers = appendAnswer(answers, text(part.FormName()), text(string(value)))
	}
	return answers, nil
}
