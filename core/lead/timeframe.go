package lead

import (
	"strings"
	"time"
	"unicode"
)

// maxTimeFrameDays bounds what a person can mean by "when": twenty years.
const maxTimeFrameDays = 7300

// ParseTimeFrame reads when a customer means to act, from free text or a form's code, in English
// and simple German, French and Spanish: "asap", "within 30 days", "1-3 months", "this week",
// "WITHIN_THREE_MONTHS", "2026-12", "más de 6 meses". The dates are days at midnight UTC, counted
// from the day of at in at's own zone; a bound that the text leaves open is zero, and so are both
// when it says nothing readable ("just looking"). Text is kept as given.
func ParseTimeFrame(text string, at time.Time) TimeFrame {
	tf := TimeFrame{Text: text}
	if len(text) > 200 {
		return tf
	}
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	if readFrameDates(&tf, strings.TrimSpace(text)) {
		return tf
	}
	words := frameTokens(text)
	if readFrameCount(&tf, words, day) || readFramePhrase(&tf, words, day) {
		return tf
	}
	readFrameMonth(&tf, words, day)
	return tf
}

// frameTokens cuts a text into numbers, words in small letters, and the marks that join or open
// a range.
func frameTokens(text string) []string {
	var out []string
	start, kind := -1, 0
	flush := func(end int) {
		if start >= 0 {
			out = append(out, Fold(text[start:end]))
			start = -1
		}
	}
	for i, r := range text {
		k := 0
		switch {
		case r >= '0' && r <= '9':
			k = 1
		case unicode.IsLetter(r) || unicode.IsMark(r):
			k = 2
		}
		if k == 0 || k != kind {
			flush(i)
		}
		switch {
		case k != 0 && start < 0:
			start = i
		case r == '-' || r == '–' || r == '—':
			out = append(out, "-")
		case r == '+' || r == '<' || r == '>':
			out = append(out, string(r))
		}
		kind = k
		if len(out) > 24 {
			return out
		}
	}
	flush(len(text))
	return out
}

// readFrameCount reads counts of a unit: "30 days", "1-3 months", "more than 6 months".
func readFrameCount(tf *TimeFrame, words []string, day time.Time) bool {
	for u, w := range words {
		unit := frameUnit(w)
		if unit == 0 || u == 0 {
			continue
		}
		i := u - 1
		open := ""
		for i > 0 && frameFiller(words[i]) {
			i--
		}
		if words[i] == "+" && i > 0 {
			open = "more"
			i--
		}
		high, ok := frameNumber(words[i])
		if !ok {
			continue
		}
		low := -1
		if i >= 2 && frameJoin(words[i-1]) {
			if n, isNumber := frameNumber(words[i-2]); isNumber {
				low = n
				i -= 2
			} else if i >= 3 && frameUnit(words[i-2]) != 0 { // "1 month to 3 months"
				if n, isNumber := frameNumber(words[i-3]); isNumber && frameUnit(words[i-2]) == unit {
					low = n
					i -= 3
				}
			}
		}
		if open == "" {
			open = frameOpening(words[:i], words[u+1:])
		}
		if low > high {
			low, high = high, low
		}
		a, okHigh := frameAdd(day, high, unit)
		if !okHigh {
			return false
		}
		switch {
		case low >= 0:
			tf.Earliest, _ = frameAdd(day, low, unit)
			tf.Latest = a
		case open == "more":
			tf.Earliest = a
		default:
			tf.Earliest, tf.Latest = day, a
		}
		return true
	}
	return false
}

// frameOpening tells whether words around a count open it upwards.
func frameOpening(before, after []string) string {
	for _, w := range before {
		switch w {
		case "more", "over", "mehr", "uber", "ueber", "plus", "mas", "after", "later", "nach", "apres", "despues", ">", "beyond", "greater", "longer", "least":
			return "more"
		}
	}
	for _, w := range after {
		switch w {
		case "or":
		case "more", "plus", "later", "mehr", "mas", "+", "longer", "beyond", "spater", "away":
			return "more"
		default:
			return ""
		}
	}
	return ""
}

func readFramePhrase(tf *TimeFrame, words []string, day time.Time) bool {
	joined := strings.Join(words, " ")
	for _, phrase := range [...]string{"as soon as possible", "so schnell wie", "so bald wie", "des que possible", "le plus tot", "lo antes posible", "cuanto antes", "right away", "right now"} {
		if strings.Contains(joined, phrase) {
			tf.Earliest, tf.Latest = day, day.AddDate(0, 0, 7)
			return true
		}
	}
	for i, w := range words {
		switch w {
		case "asap", "immediately", "immediate", "now", "urgent", "urgently", "ready", "sofort", "umgehend", "dringend",
			"immediatement", "maintenant", "inmediatamente", "inmediato", "ahora", "schnellstmoglich":
			tf.Earliest, tf.Latest = day, day.AddDate(0, 0, 7)
			return true
		case "today", "tonight", "heute", "hoy", "aujourd":
			tf.Earliest, tf.Latest = day, day
			return true
		case "tomorrow", "morgen", "demain", "manana":
			tf.Earliest = day.AddDate(0, 0, 1)
			tf.Latest = tf.Earliest
			return true
		}
		if i+1 >= len(words) {
			continue
		}
		next, unit := 0, frameUnit(words[i+1])
		switch w {
		case "this", "diese", "diesen", "dieses", "cette", "ce", "esta", "este", "current":
		case "next", "nachste", "nachsten", "nachstes", "naechste", "naechsten", "naechstes", "kommende", "kommenden", "prochaine", "prochain", "proxima", "proximo", "following":
			next = 1
		case "semaine", "mois", "annee": // "la semaine prochaine"
			unit, next = frameUnit(w), 1
			if words[i+1] != "prochaine" && words[i+1] != "prochain" {
				continue
			}
		default:
			continue
		}
		switch {
		case words[i+1] == "weekend" || words[i+1] == "wochenende":
			saturday := day.AddDate(0, 0, (6-int(day.Weekday())+7)%7+7*next)
			tf.Earliest, tf.Latest = saturday, saturday.AddDate(0, 0, 1)
		case unit == 'w':
			monday := day.AddDate(0, 0, -(int(day.Weekday())+6)%7+7*next)
			tf.Earliest, tf.Latest = monday, monday.AddDate(0, 0, 6)
		case unit == 'm':
			first := time.Date(day.Year(), day.Month()+time.Month(next), 1, 0, 0, 0, 0, time.UTC)
			tf.Earliest, tf.Latest = first, first.AddDate(0, 1, -1)
		case unit == 'y':
			first := time.Date(day.Year()+next, 1, 1, 0, 0, 0, 0, time.UTC)
			tf.Earliest, tf.Latest = first, first.AddDate(1, 0, -1)
		case unit == 'q':
			month := (day.Month()-1)/3*3 + 1 + time.Month(3*next)
			first := time.Date(day.Year(), month, 1, 0, 0, 0, 0, time.UTC)
			tf.Earliest, tf.Latest = first, first.AddDate(0, 3, -1)
		default:
			continue
		}
		if tf.Earliest.Before(day) {
			tf.Earliest = day
		}
		return true
	}
	return false
}

// readFrameDates reads ISO dates, months, years and ranges of them: "2026-12", "2026-12-01 to
// 2027-01-15", "2027", and "Q1 2027".
func readFrameDates(tf *TimeFrame, text string) bool {
	first, rest, ranged := text, "", false
	for _, sep := range [...]string{" to ", " - ", " bis ", " au ", " a ", "/", "..", " until "} {
		if a, b, ok := strings.Cut(text, sep); ok {
			first, rest, ranged = strings.TrimSpace(a), strings.TrimSpace(b), true
			break
		}
	}
	from, until, ok := framePeriod(first)
	if !ok {
		return false
	}
	if ranged {
		if _, until, ok = framePeriod(rest); !ok || until.Before(from) {
			return false
		}
	}
	tf.Earliest, tf.Latest = from, until
	return true
}

func framePeriod(s string) (from, until time.Time, ok bool) {
	var err error
	switch {
	case len(s) == 10:
		if from, err = time.Parse("2006-01-02", s); err != nil {
			from, err = time.Parse("02.01.2006", s)
		}
		until = from
	case len(s) == 7 && (s[0] == 'Q' || s[0] == 'q') && s[1] >= '1' && s[1] <= '4' && s[2] == ' ':
		if from, err = time.Parse("2006", s[3:]); err == nil {
			from = from.AddDate(0, 3*int(s[1]-'1'), 0)
			until = from.AddDate(0, 3, -1)
		}
	case len(s) == 7:
		if from, err = time.Parse("2006-01", s); err != nil {
			from, err = time.Parse("01/2006", s)
		}
		until = from.AddDate(0, 1, -1)
	case len(s) == 4:
		from, err = time.Parse("2006", s)
		until = from.AddDate(1, 0, -1)
	default:
		return from, until, false
	}
	if err != nil || from.Year() < 1990 || from.Year() > 2100 {
		return time.Time{}, time.Time{}, false
	}
	return from, until, true
}

// readFrameMonth reads a month by name, with its year or the next time it comes: "December",
// "Mai 2027".
func readFrameMonth(tf *TimeFrame, words []string, day time.Time) {
	for i, w := range words {
		month := frameMonth(w)
		if month == 0 {
			continue
		}
		year := day.Year()
		if month < day.Month() {
			year++
		}
		if i+1 < len(words) {
			if y, ok := frameNumber(words[i+1]); ok && y >= 1990 && y <= 2100 {
				year = y
			}
		}
		first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
		tf.Earliest, tf.Latest = first, first.AddDate(0, 1, -1)
		if tf.Earliest.Before(day) && !tf.Latest.Before(day) {
			tf.Earliest = day
		}
		return
	}
}
