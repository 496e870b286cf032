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
	street, line := b, b
	var crossed preparedAddress
	if a.Street != "" && b.Line != "" && a.Street != b.Street && (a.Street == b.Line || a.Line != "" && a.Line == b.Street) {
		crossed = *b
		crossed.Street, crossed.Line = b.Line, b.Street
		crossed.streetLetters, crossed.lineLetters = b.lineLetters, b.streetLetters
		street, line = &crossed, &crossed
	}
	l := addressLevels{address: compareStreet(a, street), place: comparePlace(a, b)}
	if a.Line != "" && line.Line != "" {
		switch {
		case a.Line == line.Line:
			l.line = ReasonLine
		case spelledAlike(a.Line, line.Line, a.lineLetters, line.lineLetters):
			l.line = ReasonLineAlike
		default:
			l.line = ReasonLineDiffers
		}
	}
	if l.place == ReasonCity {
		l.cityShare = max(a.cityShare, b.cityShare)
	}
	if l.address == ReasonAddress {
		l.share = a.share
	}
	return l
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
