package catalogue

// Chargers is how many public chargers stand where postal codes begin so.
type Chargers struct {
	Country string // ISO 3166-1 alpha-2
	Prefix  string // first characters of a postal code, as the country writes it; all of it is the narrowest
	Count   int32
}

type place struct{ country, prefix string }

// ChargersNear is how many public chargers stand around a postal code, by the longest beginning of it
// that is declared; ok is false when none is.
func (c *Catalogue) ChargersNear(country, postal string) (n int32, ok bool) {
	if c == nil {
		return 0, false
	}
	for end := min(len(postal), c.longest); end > 0; end-- {
		if n, ok = c.chargers[place{country, postal[:end]}]; ok {
			return n, true
		}
	}
	return 0, false
}
