package identity

import "strings"

// compareEmail compares two addresses by their keys, which know no tags and, for Google's mail, no
// full stops. Parts are alike by Jaro-Winkler of 0.84 or as the same letters in another order. Names of
// one provider that differ in digits alone may well be two people's and count as alike only.
func compareEmail(a, b *preparedEmail) ReasonCode {
	if a.key == b.key {
		return ReasonEmail
	}
	if a.local == b.local {
		switch near := domainSimilarity(a, b); {
		case near == typo && len(a.domain) > 6:
			return ReasonEmailTypo
		case near != other:
			return ReasonEmailAlike
		case len(a.local) >= 4 && !a.role:
			return ReasonEmailLocal
		}
		return ReasonEmailDiffers
	}
	if a.domain == b.domain {
		switch near := localSimilarity(a, b); {
		case near == typo && len(a.local) >= 6 && !sameButDigits(a.local, b.local):
			return ReasonEmailTypo
		case near != other:
			return ReasonEmailAlike
		}
		return ReasonEmailDiffers
	}
	if a.large && b.large {
		return ReasonEmailDiffers
	}
	if len(a.key) >= 10 && len(b.key) >= 10 && !unlike(a.localLetters|a.domainLetters, b.localLetters|b.domainLetters) && misplaced(a.key, b.key) <= 2 {
		return ReasonEmailAlike // also where letters moved across the @
	}
	if domainSimilarity(a, b) != other && localSimilarity(a, b) != other {
		return ReasonEmailAlike
	}
	return ReasonEmailDiffers
}

// domainSimilarity compares two domains; two large providers are no spellings of each other.
func domainSimilarity(a, b *preparedEmail) likeness {
	if a.large && b.large || unlike(a.domainLetters, b.domainLetters) {
		return other
	}
	return similarity(a.domain, b.domain)
}

func localSimilarity(a, b *preparedEmail) likeness {
	if unlike(a.localLetters, b.localLetters) {
		return other
	}
	return similarity(a.local, b.local)
}

// besideName weakens what alike e-mail names say where the people's names explain it: many a John Smith
// has a johnsmith12 at one of the large providers, and where the one is called Joan, her joansmith at his
// provider is no typing error.
//
// Given and family say which names agree.
func besideName(code ReasonCode, a, b *preparedEmail, x, y *preparedName, given, family bool) ReasonCode {
	switch code {
	case ReasonEmailLocal, ReasonEmailAlike, ReasonEmailTypo:
	default:
		return code
	}
	given = given && holds(a.local, x.Given) && holds(b.local, y.Given)
	family = family && holds(a.local, x.Family) && holds(b.local, y.Family)
	if !given && !family {
		return code
	}
	switch {
	case code == ReasonEmailLocal:
		return ReasonEmailLocalName
	case a.large && b.large, given && x.Given != y.Given, family && x.Family != y.Family:
		return ReasonEmailName
	}
	return code
}

// largeProvider reports a mail domain that very many people have their addresses at.
func largeProvider(domain string) bool {
	name, _, _ := strings.Cut(domain, ".")
	switch name {
	case "gmail", "googlemail", "yahoo", "ymail", "hotmail", "outlook", "live", "msn", "icloud", "me", "mac", "aol", "gmx", "web",
		"t-online", "comcast", "verizon", "att", "sbcglobal", "proton", "protonmail", "mail", "btinternet", "orange", "free",
		"libero", "bigpond", "qq", "163":
		return true
	}
	return false
}

// sameButDigits reports that two texts are the same once their digits are left out.
func sameButDigits(a, b string) bool {
	i, j := 0, 0
	for {
		for i < len(a) && a[i] >= '0' && a[i] <= '9' {
			i++
		}
		for j < len(b) && b[j] >= '0' && b[j] <= '9' {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if a[i] != b[j] {
			return false
		}
		i, j = i+1, j+1
	}
}

// holds reports that the local part of an address holds a name of three letters or more.
func holds(local, name string) bool { return len(name) > 2 && strings.Contains(local, name) }

// comparePhone compares two numbers in E.164.
func comparePhone(a, b string) ReasonCode {
	switch {
	case a == b:
		return ReasonPhone
	case len(a) > 7 && len(b) > 7 && a[len(a)-7:] == b[len(b)-7:]:
		return ReasonPhoneSeven
	case len(a) > 7 && edits(a, b, 1) == 1:
		return ReasonPhoneTypo
	}
	return ReasonPhoneDiffers
}

// compareVIN compares two vehicle numbers; 0, no evidence, for two vehicles: people own several.
func compareVIN(a, b string) ReasonCode {
	switch {
	case a == b:
		return ReasonVehicle
	case len(a) == len(b) && edits(a, b, 1) == 1:
		return ReasonVehicleTypo
	}
	return 0
}

// compareCompany compares two folded company names; 0 for two companies: people change their
// employer.
func compareCompany(a, b string) ReasonCode {
	switch {
	case a == b:
		return ReasonCompany
	case begins(a, b, 5), len(a) > 3 && len(b) > 3 && similarity(a, b) == typo:
		return ReasonCompanyAlike
	}
	return 0
}

// compareNumber compares two personal numbers.
func compareNumber(a, b string) ReasonCode {
	switch {
	case a == b:
		return ReasonNumber
	case len(a) > 3 && edits(a, b, 1) == 1:
		return ReasonNumberTypo
	}
	return ReasonNumberDiffers
}
