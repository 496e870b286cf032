package adf

import (
	"strings"
)

// consentField reads a pair about permission, "SMS opt-in: yes".
func (r *reader) consentField(f CommentField) {
	low := strings.ToLower(f.Key)
	inverted := containsAny(low, "opt-out", "opt out", "optout", "opted out", "do not contact", "do not call", "do not email",
		"do not text", "unsubscribe", "dnc", "donotcall", "donotcontact", "do_not")
	if !inverted && !containsAny(low, "consent", "opt-in", "opt in", "optin", "opt_in", "opted in", "permission", "agree",
		"marketing", "newsletter", "tcpa", "gdpr", "casl", "may we contact", "can we contact", "contact me by", "ok to ") {
		return
	}
	answer := answerOf(f.Value)
	if inverted {
		switch answer {
		case AnswerYes:
			answer = AnswerNo
		case AnswerNo:
			answer = AnswerYes
		}
	}
	r.consent(f.Key+": "+f.Value, answer, f.Path)
}

func (r *reader) consent(text string, answer Answer, place string) {
	if len(r.out.Consents) < maxFields {
		r.out.Consents = append(r.out.Consents, ConsentStatement{Text: text, Answer: answer, Path: place})
	}
}

// answerOf reads yes or no at the beginning of a value.
func answerOf(value string) Answer {
	low := strings.ToLower(strings.Trim(value, " .!\"'"))
	switch low {
	case "yes", "y", "true", "1", "on", "checked", "x", "ok", "agreed", "accepted", "granted", "given", "opted in", "opt-in",
		"opt in", "i agree", "ja", "oui", "si", "sí", "consented", "allowed", "subscribed":
		return AnswerYes
	case "no", "n", "false", "0", "off", "unchecked", "declined", "denied", "refused", "not given", "opted out", "opt-out",
		"opt out", "nein", "non", "none", "withdrawn", "revoked", "do not contact", "unsubscribed", "not granted":
		return AnswerNo
	}
	switch {
	case strings.HasPrefix(low, "yes,") || strings.HasPrefix(low, "yes ") || strings.HasPrefix(low, "i agree") || strings.HasPrefix(low, "i consent"):
		return AnswerYes
	case strings.HasPrefix(low, "no,") || strings.HasPrefix(low, "no ") || strings.HasPrefix(low, "i do not") || strings.HasPrefix(low, "i don't"):
		return AnswerNo
	}
	return AnswerUnclear
}

// sentence reads free text: consent statements, a wish how to be contacted,
// and a vehicle on a line of its own.
func (r *reader) sentence(s string, at func() string) {
	low := strings.ToLower(strings.ReplaceAll(s, "’", "'"))
	switch {
	case containsAny(low, "not agree", "do not consent", "don't consent", "not consent", "opted out", "opt out", "opt me out",
		"do not contact", "don't contact", "do not call", "don't call", "do not text", "don't text", "no consent",
		"do not email", "don't email", "no marketing", "stop contacting", "unsubscribe", "revoke"):
		r.consent(trim(s), AnswerNo, at())
	case containsAny(low, "by submitting", "by clicking", "by providing", "by checking"):
		r.consent(trim(s), AnswerUnclear, at())
	case containsAny(low, "consent to", "consents to", "gave consent", "given consent", "consented", "i agree", "agree to be contacted",
		"agreed to be contacted", "agrees to be contacted", "agree to receive", "agreed to receive", "agrees to receive",
		"opted in", "opt in to", "opted-in", "i authorize", "you may contact me", "permission to contact", "consent given",
		"consent granted", "consent received"):
		r.consent(trim(s), AnswerYes, at())
	}
	negated := containsAny(low, "not ", "don't", "never")
	if r.out.PreferredContact == "" && !negated && containsAny(low, "prefer", "contact me by", "contact me via", "reach me by", "best way to",
		"please text", "please email", "please e-mail", "please call", "text me", "email me", "call me") {
		r.out.PreferredContact = channelOf(low)
	}
	// Without a key before it only a capitalised make tells a car from a phrase.
	if v, ok := vehicleFromLine(s); ok && v.Make[0] != lower(v.Make[0]) && len(r.out.CommentVehicles) < maxFields {
		r.out.CommentVehicles = append(r.out.CommentVehicles, CommentVehicle{v, at()})
	}
}

// preferenceField reads "Preferred contact method: e-mail".
func (r *reader) preferenceField(f CommentField) {
	low := strings.ToLower(strings.ReplaceAll(f.Key, "_", " "))
	contact := containsAny(low, "prefer") && containsAny(low, "contact", "method", "communication", "response", "reach") ||
		containsAny(low, "contact preference", "contact method", "contact via", "best way to", "how should we contact", "contactpref")
	if contact && r.out.PreferredContact == "" {
		r.out.PreferredContact = channelOf(strings.ToLower(f.Value))
	}
}

// channelOf names the first way to contact in a text; "" without one or when
// it is refused.
func channelOf(low string) string {
	best, channel := len(low)+1, ""
	for _, w := range [...][2]string{{"email", "email"}, {"e-mail", "email"}, {"mail", "email"}, {"text", "text"}, {"sms", "text"},
		{"phone", "phone"}, {"call", "phone"}, {"telephone", "phone"}, {"mobile", "phone"}, {"cell", "phone"}} {
		if i := strings.Index(low, w[0]); i >= 0 && i < best && !refused(low[:i]) {
			best, channel = i, w[1]
		}
	}
	return channel
}

func refused(before string) bool {
	before = strings.TrimSpace(before)
	for _, w := range []string{"not", "don't", "no", "never", "dont"} {
		if before == w || strings.HasSuffix(before, " "+w) {
			return true
		}
	}
	return false
}

// fieldVehicles builds vehicles from pairs: one pair that names a car, or a
// group of year, make and model, each with or without a prefix such as "trade".
func (r *reader) fieldVehicles(fields []CommentField) {
	var groups []vehicleGroup
	for _, f := range fields {
		if f.Value == "" || isNullString(f.Value, "") {
			continue
		}
		prefix, part := vehicleKey(f.Key)
		if part == "" {
			continue
		}
		if part == "line" {
			if v, ok := vehicleFromLine(f.Value); ok {
				if prefix == "trade" {
					v.Interest = "trade-in"
				}
				r.addCommentVehicle(v, f.Path)
			}
			continue
		}
		i := len(groups) - 1
		for i >= 0 && (groups[i].prefix != prefix || groups[i].has(part)) {
			i--
		}
		if i < 0 {
			groups = append(groups, vehicleGroup{prefix: prefix, place: f.Path})
			i = len(groups) - 1
		}
		groups[i].set(part, f.Value)
	}
	for _, g := range groups {
		if g.v.VIN == "" && (g.v.Make == "" || g.v.Model == "") && (g.v.Year == "" || g.v.Model == "") {
			continue // a lone make is a wish, not a vehicle
		}
		if g.prefix == "trade" {
			g.v.Interest = "trade-in"
		}
		r.addCommentVehicle(g.v, g.place)
	}
}

func (r *reader) addCommentVehicle(v Vehicle, place string) {
	for _, have := range r.out.CommentVehicles {
		h := have.Vehicle
		if h.Interest == v.Interest && h.Year == v.Year && h.Make == v.Make && h.Model == v.Model && h.VIN == v.VIN {
			return
		}
	}
	if len(r.out.CommentVehicles) < maxFields {
		r.out.CommentVehicles = append(r.out.CommentVehicles, CommentVehicle{v, place})
	}
}

type vehicleGroup struct {
	prefix, place string
	v             Vehicle
}

func (g *vehicleGroup) field(part string) *string {
	switch part {
	case "year":
		return &g.v.Year
	case "make":
		return &g.v.Make
	case "model":
		return &g.v.Model
	case "trim":
		return &g.v.Trim
	case "vin":
		return &g.v.VIN
	case "stock":
		return &g.v.Stock
	}
	return &g.v.Odometer.Value
}

func (g *vehicleGroup) has(part string) bool          { return *g.field(part) != "" }
func (g *vehicleGroup) set(part string, value string) { *g.field(part) = value }

// vehicleKey splits "Trade-in Make" into whose car and which part; part "line"
// means the value names the whole car.
func vehicleKey(key string) (prefix, part string) {
	low := strings.ToLower(strings.NewReplacer("_", " ", "-", " ", "?", "").Replace(key))
	words := strings.Fields(low)
	if len(words) == 0 {
		return "", ""
	}
	trade := containsAny(low, "trade", "trading", "current vehicle", "current car", "owned", "your vehicle", "your car", "currently drive")
	if trade {
		prefix = "trade"
	}
	if len(words) > 5 { // a question; only an answer that is a car counts
		return prefix, "line"
	}
	last := words[len(words)-1]
	switch last {
	case "year", "make", "model", "trim", "vin", "stock":
		part = last
	case "mileage", "odometer", "kilometers", "kilometres", "miles":
		part = "odometer"
	case "number", "#", "no":
		switch {
		case strings.Contains(low, "stock"):
			part = "stock"
		case strings.Contains(low, "vin"):
			part = "vin"
		}
	case "vehicle", "car", "unit", "in", "trade", "tradein", "auto", "truck":
		if last != "in" || trade || containsAny(low, "interested in") {
			part = "line"
		}
	case "interest", "requested", "info", "information", "details":
		if containsAny(low, "vehicle", "car", "trade", "interest") {
			part = "line"
		}
	}
	return prefix, part
}

// vehicleFromLine reads "[used] 2014 Honda Civic EX": a year of this century or
// the last, a make and a model, and nothing of a sentence.
func vehicleFromLine(s string) (Vehicle, bool) {
	words := strings.Fields(strings.Trim(s, " .,;\"'"))
	var v Vehicle
	if len(words) > 0 {
		switch strings.ToLower(words[0]) {
		case "new", "used":
			v.Status = strings.ToLower(words[0])
			words = words[1:]
		case "certified", "pre-owned", "preowned":
			v.Status = "used"
			words = words[1:]
		}
	}
	if len(words) < 3 || len(words) > 8 || len(s) > 120 {
		return Vehicle{}, false
	}
	year := strings.Trim(words[0], "',")
	if len(year) != 4 || strings.Trim(year, "0123456789") != "" || year < "1920" || year > "2049" {
		return Vehicle{}, false
	}
	if !isAlpha(words[1][0]) || strings.ContainsAny(s, ":@?!$=<>{}") {
		return Vehicle{}, false
	}
	n := 1 // words of the make
	if len(words) > 3 && isTwoWordMake(words[1]+" "+words[2]) {
		n = 2
	}
	v.Year, v.Make = year, strings.Join(words[1:1+n], " ")
	v.Model, v.Trim = words[1+n], strings.Join(words[2+n:], " ")
	return v, true
}

func isTwoWordMake(s string) bool {
	switch strings.ToLower(s) {
	case "land rover", "alfa romeo", "aston martin", "rolls royce", "harley davidson", "range rover", "am general", "great wall":
		return true
	}
	return false
}

func containsAny(s string, needles ...string) bool {
	for _, n := range needles {
		if strings.Contains(s, n) {
			return true
		}
	}
	return false
}
