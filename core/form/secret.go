package form

import (
	"bytes"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"

	"github.com/leadmesh/leadmesh/core/tree"
)

// Without finds the values of one top-level member or field of a body and returns the body with
// each of them emptied, so that a secret that a sender must put there is kept nowhere. A body that
// cannot be read holds none.
func Without(contentType string, body []byte, name string) (values []string, rest []byte) {
	media, params, _ := mime.ParseMediaType(contentType)
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	switch {
	case media == "multipart/form-data":
		return withoutPart(body, params["boundary"], name)
	case len(trimmed) > 0 && trimmed[0] == '{':
		return withoutMember(body, name)
	default:
		return withoutPair(body, name)
	}
}

func withoutMember(body []byte, name string) (values []string, rest []byte) {
	root, err := tree.Parse(body)
	if err != nil {
		return nil, body
	}
	at := 0
	for i := range root.Members {
		m := &root.Members[i]
		if m.Name != name {
			continue
		}
		values = append(values, m.Value.Text)
		rest = append(append(rest, body[at:m.Value.Start]...), `""`...)
		at = m.Value.End
	}
	return values, append(rest, body[at:]...)
}

func withoutPair(body []byte, name string) (values []string, rest []byte) {
	pairs := bytes.Split(body, []byte("&"))
	for i, pair := range pairs {
		key, value, _ := bytes.Cut(pair, []byte("="))
		if plain, err := url.QueryUnescape(string(bytes.TrimSpace(key))); err != nil || plain != name {
			continue
		}
		values = append(values, unescaped(string(bytes.TrimSpace(value))))
		pairs[i] = append(slices.Clone(key), '=')
	}
	return values, bytes.Join(pairs, []byte("&"))
}

// withoutPart writes the parts again without the content of the named one.
func withoutPart(body []byte, boundary, name string) (values []string, rest []byte) {
	answers, err := readMultipart(body, boundary)
	if err != nil {
		return nil, body
	}
	for _, a := range answers {
		if a.Path == name {
			values = append(values, a.Values...)
		}
	}
	if len(values) == 0 {
		return nil, body
	}
	delimiter := []byte("--" + boundary)
	parts := bytes.Split(body, delimiter)
	for i, part := range parts {
		head, _, found := bytes.Cut(part, []byte("\r\n\r\n"))
		if !found {
			continue
		}
		one := slices.Concat(delimiter, part, delimiter, []byte("--\r\n"))
		if p, err := multipart.NewReader(bytes.NewReader(one), boundary).NextPart(); err == nil && p.FormName() == name {
			parts[i] = slices.Concat(head, []byte("\r\n\r\n\r\n"))
		}
	}
	return values, bytes.Join(parts, delimiter)
}
