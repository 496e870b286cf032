package adf

import (
	"strings"
	"unicode/utf8"
)

const (
	maxFields     = 200 // pairs taken from the comments of one lead
	maxKeyBytes   = 64
	maxKeyWords   = 9
	maxValueBytes = 2000
	maxAnalysed   = 64 << 10 // bytes of one comment searched for facts
)

// readComments takes facts out of the comments of the lead.
func (r *reader) readComments() {
	root := &path{name: "prospect", n: 1}
	customer := &path{up: root, name: "customer", n: 1}
	r.analyse(r.out.Customer.Comments, &path{up: customer, name: "comments", n: 1})
	for i := range r.out.Vehicles {
		vehicle := &path{up: root, name: "vehicle", n: i + 1}
		r.analyse(r.out.Vehicles[i].Comments, &path{up: vehicle, name: "comments", n: 1})
	}
}

// xmlComment keeps an XML comment and reads what it hides: senders comment out
// whole vehicles and consent texts.
func (r *reader) xmlComment(text string, p *path) {
	text = trim(text)
	if text == "" || r.nested {
		return
	}
	r.keep(p, text, nil)
	masked, _ := maskSensitive(text)
	consents := len(r.out.Consents)
	r.analyse(masked, p)
	if len(r.out.Consents) > consents {
		r.flag(FlagCommentedConsent, p, "")
	}
}

// analyse takes pairs, consent, preference and vehicles out of one text.
// Sensitive numbers are masked already.
func (r *reader) analyse(text string, p *path) {
	if text == "" {
		return
	}
	*r.steps += len(text)
	if len(text) > maxAnalysed {
		text = strings.ToValidUTF8(text[:maxAnalysed], "")
		r.flag(FlagCommentLong, p, "")
	}
	if strings.Contains(text, "<") {
		if r.hiddenElements(text, p) {
			return
		}
		text = stripTags(text)
	}
	place := ""
	at := func() string {
		if place == "" {
			place = r.place(p)
		}
		return place
	}
	var fields []CommentField
	for _, segment := range segments(text) {
		key, value, ok := pair(segment)
		if !ok {
			r.sentence(segment, at)
			continue
		}
		if len(r.out.CommentFields)+len(fields) >= maxFields {
			break
		}
		fields = append(fields, CommentField{Key: key, Value: value, Path: at()})
	}
	fields = joinQuestions(fields)
	r.out.CommentFields = append(r.out.CommentFields, fields...)
	for _, f := range fields {
		r.consentField(f)
		r.preferenceField(f)
		if freeTextKey(f.Key) {
			for _, s := range strings.FieldsFunc(f.Value, sentenceEnd) {
				r.sentence(s, at)
			}
		}
	}
	r.fieldVehicles(fields)
}

// hiddenElements reads ADF elements inside a comment; false if there are none.
func (r *reader) hiddenElements(text string, p *path) bool {
	if r.nested || !looksLikeADF(text) {
		return false
	}
	s, err := scan(text)
	*r.steps += s.steps
	if err != nil {
		return false // too much of it: it stays text
	}
	trees, err := grow(s, true)
	if err != nil {
		return false
	}
	inner := &reader{out: &Prospect{}, budget: r.budget, steps: r.steps, nested: true}
	inner.hidden(trees.roots[0], p)
	for _, v := range inner.out.Vehicles {
		r.flag(FlagCommentedVehicle, p, "")
		r.out.CommentVehicles = append(r.out.CommentVehicles, CommentVehicle{v, r.place(p)})
	}
	r.out.Unknown = append(r.out.Unknown, inner.out.Unknown...)
	r.out.Flags = append(r.out.Flags, inner.out.Flags[:min(len(inner.out.Flags), max(0, maxFlags-len(r.out.Flags)))]...)
	r.out.CommentVehicles = append(r.out.CommentVehicles, inner.out.CommentVehicles...)
	r.out.CommentFields = append(r.out.CommentFields, inner.out.CommentFields...)
	r.out.Consents = append(r.out.Consents, inner.out.Consents...)
	if r.out.PreferredContact == "" {
		r.out.PreferredContact = inner.out.PreferredContact
	}
	return true
}

// hidden reads vehicles out of a fragment, keeps other elements as unknown and
// reads their text like any comment.
func (r *reader) hidden(n *node, p *path) {
	seen := make(map[string]int)
	loose := &node{name: "vehicle"}
	var rest strings.Builder
	for _, part := range n.parts {
		c := part.child
		switch {
		case part.comment:
		case c == nil:
			rest.WriteString(part.text)
		default:
			seen[c.name]++
			at := &path{up: p, name: c.name, n: seen[c.name]}
			switch {
			case c.name == "vehicle":
				r.allUnknown(r.vehicle(c, at))
			case !isLeaf(c.name) && isKnown(c.name):
				r.hidden(c, at)
			case allowedIn(c.name, "vehicle") && c.name != "id" && c.name != "comments":
				loose.parts = append(loose.parts, part)
			default:
				r.flatten(c, at)
				rest.WriteString("\n" + c.name + ": " + directText(c) + "\n")
			}
		}
	}
	if len(loose.parts) > 0 {
		r.allUnknown(r.vehicle(loose, p))
	}
	r.analyse(trim(rest.String()), p)
}

func looksLikeADF(text string) bool {
	for _, name := range []string{"<vehicle", "<adf", "<prospect", "<customer", "<contact", "<year", "<make", "<model",
		"<vin", "<consent", "<optin", "<opt-in", "<opt_in", "<name", "<phone", "<email", "<vendor", "<provider"} {
		if indexFold(text, name) >= 0 {
			return true
		}
	}
	return false
}

// stripTags drops HTML tags for the search of facts; the comment itself keeps
// them.
func stripTags(s string) string {
	var b strings.Builder
	for {
		lt := strings.IndexByte(s, '<')
		if lt < 0 {
			break
		}
		gt := strings.IndexAny(s[lt+1:], "<>")
		if gt < 0 {
			break
		}
		gt += lt + 1
		b.WriteString(s[:lt])
		if tag := s[lt+1 : gt]; s[gt] == '>' && len(tag) > 0 && (isAlpha(tag[0]) || tag[0] == '/') {
			if name, _, _ := strings.Cut(strings.Trim(tag, "/ "), " "); breaksLine(strings.ToLower(name)) {
				b.WriteByte('\n')
			}
			s = s[gt+1:]
			continue
		}
		b.WriteByte('<')
		s = s[lt+1:]
	}
	b.WriteString(s)
	return b.String()
}

// segments cuts a text where one fact ends: at line ends, " // ", " | ", at
// semicolons between pairs, and at sentence ends before another pair.
func segments(text string) []string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		for _, piece := range splitAny(line, " // ", " | ", " || ", "\t") {
			for _, part := range splitPairs(piece) {
				if part = trim(strings.TrimLeft(part, "-*•· ")); part != "" {
					out = append(out, part)
				}
			}
		}
	}
	return out
}

func splitAny(s string, seps ...string) []string {
	parts := []string{s}
	for _, sep := range seps {
		if !strings.Contains(s, sep) {
			continue
		}
		var next []string
		for _, p := range parts {
			next = append(next, strings.Split(p, sep)...)
		}
		parts = next
	}
	return parts
}

// splitPairs cuts "A: x; B: y", "A: x, B: y" and "Text. A: x. B: y". A cut is
// made only where what follows begins with a short key.
func splitPairs(s string) []string {
	if strings.Count(s, ":")+strings.Count(s, "=") == 0 {
		return strings.FieldsFunc(s, sentenceEnd)
	}
	var out []string
	start := 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i] {
		case ';', ',', '.', '!', '?':
			if s[i+1] != ' ' || !beginsPair(s[i+2:]) {
				continue
			}
			end := i
			if s[i] == '?' {
				end++
			}
			out = append(out, s[start:end])
			start = i + 2
		}
	}
	return append(out, s[start:])
}

// beginsPair tells whether a key of at most four words and its sign follow.
func beginsPair(s string) bool {
	words := 1
	for i := 0; i < len(s) && i < 40; i++ {
		switch c := s[i]; {
		case c == ' ':
			words++
		case c == ':' || c == '=':
			return i > 0 && words <= 4 && !strings.HasPrefix(s[i:], "://") && (i+1 == len(s) || s[i+1] == ' ' || c == '=')
		case !isAlnum(c) && c != '_' && c != '-' && c != '/' && c < utf8.RuneSelf:
			return false
		}
	}
	return false
}

// pair reads "Key: value" or "Key = value".
func pair(s string) (key, value string, ok bool) {
	i := -1
	for k := 1; k < len(s) && k <= maxKeyBytes; k++ {
		if s[k] == ':' && (strings.HasPrefix(s[k:], "://") || isDigit(s[k-1]) && k+1 < len(s) && isDigit(s[k+1])) {
			return "", "", false
		}
		if s[k] == ':' || s[k] == '=' {
			i = k
			break
		}
	}
	if i < 0 {
		return "", "", false
	}
	key, value = trim(s[:i]), trim(strings.TrimLeft(s[i+1:], ":=>"))
	if key == "" || !utf8.ValidString(key) || len(strings.Fields(key)) > maxKeyWords || strings.ContainsAny(key, "<>{}") {
		return "", "", false
	}
	if first, _ := utf8.DecodeRuneInString(key); first < utf8.RuneSelf && !isAlnum(s[0]) {
		return "", "", false
	}
	if len(value) > maxValueBytes {
		value = strings.ToValidUTF8(value[:maxValueBytes], "")
	}
	return key, value, true
}

// joinQuestions turns "Question: x" and "Response: y" into the pair x, y.
func joinQuestions(fields []CommentField) []CommentField {
	out := fields[:0]
	for i := 0; i < len(fields); i++ {
		f := fields[i]
		if isQuestionKey(f.Key) && i+1 < len(fields) && isAnswerKey(fields[i+1].Key) {
			out = append(out, CommentField{Key: f.Value, Value: fields[i+1].Value, Path: f.Path})
			i++
			continue
		}
		out = append(out, f)
	}
	return out
}

func isQuestionKey(key string) bool {
	low := strings.TrimRight(strings.ToLower(key), " 0123456789#.")
	return low == "question" || low == "q" || low == "frage" || low == "pregunta"
}

func isAnswerKey(key string) bool {
	low := strings.TrimRight(strings.ToLower(key), " 0123456789#.")
	return low == "response" || low == "answer" || low == "a" || low == "antwort" || low == "respuesta"
}

func freeTextKey(key string) bool {
	switch strings.ToLower(key) {
	case "comments", "comment", "customer comments", "notes", "note", "message", "additional comments", "customer comment":
		return true
	}
	return false
}

func sentenceEnd(c rune) bool { return c == '.' || c == '!' || c == '?' || c == ';' }
