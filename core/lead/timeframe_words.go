package lead

import "time"

// frameUnit names a unit of time by a letter: h hours, d days, w weeks, m months, q quarters,
// y years; 0 for any other word.
func frameUnit(w string) byte {
	switch w {
	case "hour", "hours", "hr", "hrs", "h", "stunde", "stunden", "heure", "heures", "hora", "horas":
		return 'h'
	case "day", "days", "d", "tag", "tage", "tagen", "jour", "jours", "dia", "dias":
		return 'd'
	case "week", "weeks", "wk", "wks", "w", "woche", "wochen", "semaine", "semaines", "semana", "semanas":
		return 'w'
	case "month", "months", "mo", "mos", "m", "mth", "mths", "monat", "monate", "monaten", "monats", "mois", "mes", "meses":
		return 'm'
	case "quarter", "quarters", "quartal", "quartale", "trimestre", "trimestres":
		return 'q'
	case "year", "years", "yr", "yrs", "y", "jahr", "jahre", "jahren", "jahres", "an", "ans", "annee", "annees", "ano", "anos":
		return 'y'
	}
	return 0
}

// frameNumber reads a count in digits or as a small number word.
func frameNumber(w string) (int, bool) {
	if len(w) > 0 && len(w) <= 4 && allDigits(w) {
		n := 0
		for i := range len(w) {
			n = n*10 + int(w[i]-'0')
		}
		return n, true
	}
	switch w {
	case "a", "an", "one", "ein", "eine", "einem", "einer", "eines", "un", "une", "una":
		return 1, true
	case "two", "couple", "zwei", "deux", "dos", "paar":
		return 2, true
	case "three", "few", "drei", "trois", "tres", "several", "einige", "quelques", "algunos":
		return 3, true
	case "four", "vier", "quatre", "cuatro":
		return 4, true
	case "five", "funf", "cinq", "cinco":
		return 5, true
	case "six", "sechs", "seis", "half":
		return 6, true
	case "nine", "neun", "neuf", "nueve":
		return 9, true
	case "ten", "zehn", "dix", "diez":
		return 10, true
	case "twelve", "zwolf", "douze", "doce":
		return 12, true
	case "thirty", "dreissig", "trente", "treinta":
		return 30, true
	case "sixty", "sechzig", "soixante", "sesenta":
		return 60, true
	case "ninety", "neunzig", "noventa":
		return 90, true
	}
	return 0, false
}

func frameJoin(w string) bool {
	switch w {
	case "-", "to", "bis", "a", "und", "and", "y", "et", "or", "oder", "ou", "o":
		return true
	}
	return false
}

// frameFiller names words that stand between a count and its unit ("couple of weeks", "3 - months").
func frameFiller(w string) bool {
	switch w {
	case "of", "de", "next", "calendar", "full", "business", "working", "-", "nachsten":
		return true
	}
	return false
}

// frameAdd moves a day by a count of a unit; ok is false beyond maxTimeFrameDays. Hours count as
// days begun. A month later than the 29th stays within its month.
func frameAdd(day time.Time, n int, unit byte) (t time.Time, ok bool) {
	days, months := 0, 0
	switch unit {
	case 'h':
		days = (n + 23) / 24
	case 'd':
		days = n
	case 'w':
		days = 7 * n
	case 'm':
		months = n
	case 'q':
		months = 3 * n
	default:
		months = 12 * n
	}
	if days > maxTimeFrameDays || months > maxTimeFrameDays/30 {
		return time.Time{}, false
	}
	if months == 0 {
		return day.AddDate(0, 0, days), true
	}
	t = day.AddDate(0, months, 0)
	if t.Day() != day.Day() {
		t = t.AddDate(0, 0, -t.Day())
	}
	return t, true
}

func frameMonth(w string) time.Month {
	switch w {
	case "january", "jan", "januar", "janner", "janvier", "enero":
		return time.January
	case "february", "feb", "februar", "fevrier", "febrero":
		return time.February
	case "march", "mar", "marz", "maerz", "mars", "marzo":
		return time.March
	case "april", "apr", "avril", "abril":
		return time.April
	case "may", "mai", "mayo":
		return time.May
	case "june", "jun", "juni", "juin", "junio":
		return time.June
	case "july", "jul", "juli", "juillet", "julio":
		return time.July
	case "august", "aug", "aout", "agosto":
		return time.August
	case "september", "sep", "sept", "septembre", "septiembre":
		return time.September
	case "october", "oct", "okt", "oktober", "octobre", "octubre":
		return time.October
	case "november", "nov", "novembre", "noviembre":
		return time.November
	case "december", "dec", "dez", "dezember", "decembre", "diciembre":
		return time.December
	}
	return 0
}
