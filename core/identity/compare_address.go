package identity

// addressLevels is what two addresses agree in.
type addressLevels struct {
	address, line, place ReasonCode
	share, cityShare     int32 // log2 shares of the address and the locality agreed in; 0 when that says nothing
}

// compareAddress compares two addresses: house number, street and unit as one field, the second line
// as one, postal code, locality and region as one, since each of these follows mostly from the others.
// Lines in each other's place count as they should stand.
func compareAddress(a, b *preparedAddress) addressLevels {
	l := addressLevels{place: comparePlace(a, b)}
	first := a.Street != "" && a.Street == b.Line
	second := a.Line != "" && a.Line == b.Street
	switch {
	case a.Street == b.Street || !first && !second:
		l.address, l.line = compareStreet(a, b), compareLine(a, b)
	case first && (!second || a.Street < a.Line): // the line that is the same on both sides counts as the street
		o := crossed(b)
		l.address, l.line = compareStreet(a, &o), compareLine(a, &o)
	default:
		o := crossed(a)
		l.address, l.line = compareStreet(&o, b), compareLine(&o, b)
	}
	if l.place == ReasonCity {
		l.cityShare = max(a.cityShare, b.cityShare)
	}
	if l.address == ReasonAddress && a.share == b.share {
		l.share = a.share
	}
	return l
}

// crossed returns an address with its lines swapped.
func crossed(a *preparedAddress) preparedAddress {
	o := *a
	o.Street, o.Line = a.Line, a.Street
	o.streetLetters, o.lineLetters = a.lineLetters, a.streetLetters
	return o
}

func compareLine(a, b *preparedAddress) ReasonCode {
	switch {
	case a.Line == "" || b.Line == "":
		return 0
	case a.Line == b.Line:
		return ReasonLine
	case spelledAlike(a.Line, b.Line, a.lineLetters, b.lineLetters):
		return ReasonLineAlike
	}
	return ReasonLineDiffers
}

func compareStreet(a, b *preparedAddress) ReasonCode {
	if a.Number == "" && a.Street == "" || b.Number == "" && b.Street == "" {
		return 0
	}
	if a.Street == "" || b.Street == "" {
		switch {
		case a.Number == "" || b.Number == "":
			return 0
		case a.Number == b.Number:
			return ReasonAddressNumber
		}
		return ReasonAddressDiffers
	}
	equal := a.Street == b.Street
	near := equal || spelledAlike(a.Street, b.Street, a.streetLetters, b.streetLetters)
	switch {
	case !near && a.Number == b.Number && a.Number != "":
		return ReasonAddressNumber
	case !near:
		return ReasonAddressDiffers
	case a.Number == "" && b.Number == "" && equal:
		return ReasonAddress
	case a.Number == "" || b.Number == "":
		return ReasonAddressStreet
	case a.Number == b.Number && !equal:
		return ReasonAddressTypo
	case a.Number == b.Number && a.Unit != "" && b.Unit != "" && a.Unit != b.Unit:
		return ReasonAddressUnit
	case a.Number == b.Number:
		return ReasonAddress
	case equal && len(a.Number) > 1 && edits(a.Number, b.Number, 1) == 1:
		return ReasonAddressTypo
	}
	return ReasonAddressNeighbour
}

func comparePlace(a, b *preparedAddress) ReasonCode {
	postal, city, region := other, other, other
	postals := a.Postal != "" && b.Postal != ""
	cities := a.City != "" && b.City != ""
	regions := a.Region != "" && b.Region != ""
	if a.Country != "" && b.Country != "" && a.Country != b.Country {
		return ReasonPlaceDiffers
	}
	if postals {
		if a.Postal == b.Postal {
			postal = same
		} else if len(a.Postal) > 3 && edits(a.Postal, b.Postal, 1) == 1 {
			postal = typo
		}
	}
	if cities {
		if a.City == b.City {
			city = same
		} else if spelledAlike(a.City, b.City, a.cityLetters, b.cityLetters) {
			city = alike
		}
	}
	if regions && a.Region == b.Region {
		region = same
	}
	switch {
	case postal == same && city == same:
		return ReasonPlace
	case postal == same && city == alike, postal == typo && city == same:
		return ReasonPlaceTypo
	case postal == same:
		return ReasonPostal
	case city == same:
		return ReasonCity
	case city == alike:
		return ReasonCityAlike
	case postal == typo:
		return ReasonPostalAlike
	case !postals && !cities && !regions:
		return 0
	case region == same:
		return ReasonRegion
	}
	return ReasonPlaceDiffers
}
