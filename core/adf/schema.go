package adf

import "slices"

// The closed lists of the format. The default of the DTD comes first.
func enumValues(element, attr string) []string {
	switch element + "@" + attr {
	case "prospect@status":
		return []string{"new", "resend"}
	case "vehicle@interest":
		return []string{"buy", "lease", "sell", "trade-in", "test-drive"}
	case "vehicle@status":
		return []string{"new", "used"}
	case "odometer@status":
		return []string{"unknown", "rolledover", "replaced", "original"}
	case "odometer@units":
		return []string{"km", "mi"}
	case "condition@":
		return []string{"unknown", "excellent", "good", "fair", "poor"}
	case "price@type":
		return []string{"quote", "offer", "msrp", "invoice", "call", "appraisal", "asking"}
	case "price@delta":
		return []string{"absolute", "relative", "percentage"}
	case "price@relativeto":
		return []string{"msrp", "invoice"}
	case "amount@type":
		return []string{"total", "downpayment", "monthly"}
	case "amount@limit":
		return []string{"maximum", "minimum", "exact"}
	case "balance@type":
		return []string{"finance", "residual"}
	case "name@part":
		return []string{"full", "first", "middle", "last", "suffix", "surname"}
	case "name@type":
		return []string{"individual", "business"}
	case "phone@type":
		return []string{"voice", "fax", "cellphone", "pager"}
	case "phone@time":
		return []string{"nopreference", "morning", "afternoon", "evening", "day"}
	case "address@type":
		return []string{"work", "home", "delivery"}
	}
	return nil
}

// enumSynonym reads common spellings outside the lists; "" if it is none.
// value is lower case without spaces, hyphens and underscores.
func enumSynonym(element, attr, value string) string {
	switch element + "@" + attr {
	case "prospect@status":
		switch value {
		case "resent", "resubmit", "duplicate":
			return "resend"
		}
	case "vehicle@interest":
		switch value {
		case "tradein", "trade", "traded", "tradevehicle":
			return "trade-in"
		case "testdrive", "drive":
			return "test-drive"
		case "purchase", "buying":
			return "buy"
		case "leasing":
			return "lease"
		case "selling":
			return "sell"
		}
	case "vehicle@status":
		switch value {
		case "preowned", "secondhand", "cpo", "certified", "certifiedpreowned", "certifiedused":
			return "used"
		}
	case "odometer@units":
		switch value {
		case "miles", "mile":
			return "mi"
		case "kms", "kilometers", "kilometres", "kilometer", "kilometre":
			return "km"
		}
	case "odometer@status":
		if value == "actual" {
			return "original"
		}
	case "name@part":
		switch value {
		case "firstname", "given", "givenname", "fname":
			return "first"
		case "lastname", "family", "familyname", "lname":
			return "last"
		case "middlename", "initial":
			return "middle"
		case "fullname", "whole":
			return "full"
		}
	case "name@type":
		switch value {
		case "person":
			return "individual"
		case "company", "corporate":
			return "business"
		}
	case "phone@type":
		switch value {
		case "cell", "mobile", "mobilephone", "cellular":
			return "cellphone"
		case "phone", "telephone", "home", "work", "business", "office", "day", "landline", "main", "homephone", "workphone":
			return "voice"
		}
	case "phone@time":
		switch value {
		case "any", "anytime", "none":
			return "nopreference"
		case "am":
			return "morning"
		case "pm":
			return "afternoon"
		}
	case "address@type":
		switch value {
		case "business", "office":
			return "work"
		case "shipping":
			return "delivery"
		}
	case "price@type":
		switch value {
		case "ask", "list", "listprice", "askingprice":
			return "asking"
		}
	case "amount@type":
		switch value {
		case "down", "deposit":
			return "downpayment"
		case "month":
			return "monthly"
		}
	}
	return ""
}

// isLeaf tells the elements of the format that hold text only.
func isLeaf(name string) bool {
	switch name {
	case "id", "requestdate", "year", "make", "model", "vin", "stock", "trim", "doors", "bodystyle",
		"transmission", "odometer", "condition", "imagetag", "price", "pricecomments", "interiorcolor",
		"exteriorcolor", "preference", "optionname", "manufacturercode", "weighting", "method", "amount",
		"balance", "description", "earliestdate", "latestdate", "vendorname", "service", "name", "email",
		"phone", "street", "apartment", "city", "regioncode", "postalcode", "country", "comments", "comment",
		"url":
		return true
	}
	return false
}

// isKnown tells the elements of the format.
func isKnown(name string) bool {
	switch name {
	case "adf", "prospect", "vehicle", "colorcombination", "option", "finance", "customer", "timeframe",
		"vendor", "provider", "contact", "address":
		return true
	}
	return isLeaf(name)
}

// allowedIn tells whether the format lets child stand directly in parent,
// order aside.
func allowedIn(child, parent string) bool {
	return slices.Contains(contents(parent), child)
}

func contents(parent string) []string {
	switch parent {
	case "adf":
		return []string{"prospect"}
	case "prospect":
		return []string{"id", "requestdate", "vehicle", "customer", "vendor", "provider"}
	case "vehicle":
		return []string{"id", "year", "make", "model", "vin", "stock", "trim", "doors", "bodystyle", "transmission",
			"odometer", "condition", "colorcombination", "imagetag", "price", "pricecomments", "option", "finance", "comments"}
	case "colorcombination":
		return []string{"interiorcolor", "exteriorcolor", "preference"}
	case "option":
		return []string{"optionname", "manufacturercode", "stock", "weighting", "price"}
	case "finance":
		return []string{"method", "amount", "balance"}
	case "customer":
		return []string{"contact", "id", "timeframe", "comments"}
	case "timeframe":
		return []string{"description", "earliestdate", "latestdate"}
	case "vendor":
		return []string{"id", "vendorname", "url", "contact"}
	case "provider":
		return []string{"id", "name", "service", "url", "email", "phone", "contact"}
	case "contact":
		return []string{"name", "email", "phone", "address"}
	case "address":
		return []string{"street", "apartment", "city", "regioncode", "postalcode", "country"}
	}
	return nil
}

// isHTML tells tags read through: their text counts, they do not.
func isHTML(name string) bool {
	switch name {
	case "html", "body", "pre", "br", "p", "div", "span", "b", "i", "u", "em", "strong", "font", "a", "table",
		"tbody", "thead", "tr", "td", "th", "ul", "ol", "li", "hr", "center", "blockquote", "wbr", "sup", "sub":
		return true
	}
	return false
}

// breaksLine tells the HTML tags that end a line of text.
func breaksLine(name string) bool {
	switch name {
	case "br", "p", "div", "tr", "li", "hr", "pre", "blockquote", "table":
		return true
	}
	return false
}
