package capture

import (
	"errors"

	"github.com/leadmesh/leadmesh/core/adf"
	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
)

const (
	repaired = capturev1.RemarkKind_REMARK_KIND_REPAIRED
	unused   = capturev1.RemarkKind_REMARK_KIND_UNUSED
	doubtful = capturev1.RemarkKind_REMARK_KIND_DOUBTFUL
	governed = capturev1.RemarkKind_REMARK_KIND_GOVERNED
)

// remark writes what is known of a rule.
func remark(kind capturev1.RemarkKind, path, rule string) *capturev1.Remark {
	r := &capturev1.Remark{Kind: kind, Path: path, Rule: rule, Message: "this is doubtful; it is kept as sent", Remedy: "look at what is sent here"}
	if words, ok := wordsOf(rule); ok {
		r.Message, r.Remedy = words.message, words.remedy
	}
	return r
}

// flagRemark writes an oddity that the reader of ADF found. Detail is a fixed word or a name.
func flagRemark(code adf.FlagCode, path, detail string) *capturev1.Remark {
	kind := doubtful
	words, ok := wordsOf(string(code))
	if ok {
		kind = words.kind
	}
	r := remark(kind, path, string(code))
	switch {
	case detail == "":
	case path == "" && isPlace(code):
		r.Path = detail
	default:
		r.Message += " (" + detail + ")"
	}
	return r
}

// isPlace tells the repairs whose detail is the name of the element.
func isPlace(code adf.FlagCode) bool {
	switch code {
	case adf.FlagUnclosed, adf.FlagMismatchedEnd, adf.FlagUnclosedTag, adf.FlagAttributeSyntax:
		return true
	}
	return false
}

// unreadableRemark says why an ADF document holds no lead.
func unreadableRemark(err error) *capturev1.Remark {
	r := &capturev1.Remark{
		Kind: capturev1.RemarkKind_REMARK_KIND_MISSING, Path: "adf", Rule: "unreadable",
		Message: "the document could not be read", Remedy: "put each lead into <adf><prospect>...</prospect></adf>",
	}
	var parse *adf.ParseError
	if errors.As(err, &parse) {
		r.Message, r.Remedy = parse.Err.Error(), parse.Remedy
		r.Line, r.Column = int32(parse.Line), int32(parse.Column)
	}
	return r
}

// mailRemark says why a mail, or a part of it, holds no document.
func mailRemark(trouble string) *capturev1.Remark {
	r := &capturev1.Remark{
		Kind: capturev1.RemarkKind_REMARK_KIND_MISSING, Path: "mail", Rule: "mail.no_document",
		Message: "no ADF document was found in the mail",
		Remedy:  "send the document as the plain text of the mail, or attach it as application/x-adf+xml",
	}
	if trouble != "" {
		r.Rule, r.Message = "mail.unreadable", "a part of the mail could not be read: "+trouble
	}
	return r
}

// words are what people are told of a rule.
type words struct {
	kind            capturev1.RemarkKind
	message, remedy string
}

// wordsOf finds the words for a flag of the reader, a flag of governance or a rule of this service.
func wordsOf(rule string) (words, bool) {
	for _, find := range []func(string) words{structureWords, valueWords, textWords, governanceWords, serviceWords} {
		if w := find(rule); w.message != "" {
			return w, true
		}
	}
	return words{}, false
}

func structureWords(rule string) words {
	switch adf.FlagCode(rule) {
	case adf.FlagDuplicate:
		return words{unused, "stands more than once where the format takes one; the first counts, others are kept as extra fields", "send it once"}
	case adf.FlagOutOfPlace:
		return words{repaired, "stands where the format has no place for it; it was read where it belongs", "move it to its place in the format"}
	case adf.FlagUnknownElement:
		return words{unused, "is no element of ADF 1.0; it is kept as an extra field and read by nothing", "use the element of the format, or write it into comments as a line \"Name: value\""}
	case adf.FlagUnknownAttribute:
		return words{unused, "is no attribute of ADF 1.0; it is kept as an extra field and read by nothing", "leave it out"}
	case adf.FlagMisspelt:
		return words{repaired, "is a misspelt or foreign name; it was read as the format's", "use the name of the format"}
	case adf.FlagUnclosed:
		return words{repaired, "has no end tag; it was closed where the next element showed its end", "close the element"}
	case adf.FlagMismatchedEnd:
		return words{repaired, "ends with the end tag of another element", "close it with its own end tag"}
	case adf.FlagStrayEnd:
		return words{repaired, "an end tag without a start tag was passed over", "remove the end tag"}
	case adf.FlagStrayText:
		return words{unused, "text stands between elements, where none belongs; it is kept as an extra field", "put the text into comments"}
	case adf.FlagStrayMarkup:
		return words{repaired, "something like a tag stands in text; it was read as text", "write < as &lt; in text"}
	case adf.FlagHTMLMarkup:
		return words{repaired, "HTML tags stand in text; they were read through", "send plain text"}
	case adf.FlagImpliedProspect:
		return words{repaired, "parts of a lead stand outside of a prospect; they were read as one", "put each lead into its own prospect"}
	case adf.FlagMirroredTrade:
		return words{repaired, "a trade equals the wanted vehicle; it was dropped", "send a trade only where the customer has one"}
	case adf.FlagCommentedVehicle, adf.FlagCommentedConsent:
		return words{doubtful, "stands in an XML comment; it was read all the same", "send it in an element"}
	case adf.FlagRootMissing:
		return words{repaired, "prospect stands without adf around it", "put the prospects into <adf>...</adf>"}
	case adf.FlagTextOutside:
		return words{repaired, "text stands before, between or after the leads; it was passed over", "send nothing but the document"}
	case adf.FlagTruncated:
		return words{doubtful, "there are more oddities than are listed", "mend those listed and validate again"}
	}
	return words{}
}

func valueWords(rule string) words {
	switch adf.FlagCode(rule) {
	case adf.FlagBadEnum:
		return words{doubtful, "is none of the values that the format lists here", "send one of the listed values"}
	case adf.FlagEnumSpelling:
		return words{repaired, "is spelt otherwise than in the format's list; it was read as the listed value", "send the value as listed"}
	case adf.FlagBadDate:
		return words{doubtful, "is no date in any known form; the time of receipt counts", "send ISO 8601 with a zone, such as 2026-05-04T09:30:00-05:00"}
	case adf.FlagDateWithoutZone:
		return words{doubtful, "has no zone; that of the source, the dealer or the market is assumed", "send the zone, such as -05:00"}
	case adf.FlagDateOnly:
		return words{doubtful, "has no time of day", "send date and time with a zone"}
	case adf.FlagDateNotISO:
		return words{repaired, "is a date in another form than ISO 8601; it was read", "send ISO 8601 with a zone"}
	case adf.FlagDateAmbiguous:
		return words{doubtful, "may be read with day and month swapped", "send ISO 8601, year first"}
	case adf.FlagDateZoneOdd, adf.FlagDateTimeOdd:
		return words{repaired, "has a time or zone in an odd form; it was read", "send ISO 8601, such as 2026-05-04T09:30:00-05:00"}
	case adf.FlagSecondsAreMonth:
		return words{doubtful, "its seconds equal the month: the sender's format may name the month where seconds belong", "check the format: in PHP i is minutes, s seconds, m the month"}
	case adf.FlagBadCurrency:
		return words{doubtful, "is no currency of ISO 4217 in capitals; the market's is assumed", "send three capitals, such as USD"}
	case adf.FlagBadCountry:
		return words{doubtful, "is no country of ISO 3166", "send two capitals, such as US"}
	case adf.FlagPlaceholder:
		return words{doubtful, "is the mark of a template that nobody filled in", "fill in the template, or leave the element out where there is no value"}
	case adf.FlagNullString:
		return words{repaired, "is a word for no value; it was read as none", "leave the element empty or out"}
	case adf.FlagVINLength:
		return words{doubtful, "has not the 17 characters of a VIN", "send all 17 characters; a stock number belongs into stock"}
	case adf.FlagVINCharacters:
		return words{doubtful, "has characters that no VIN has (I, O, Q, signs)", "send the VIN as on the vehicle"}
	case adf.FlagVINCheckDigit:
		return words{doubtful, "does not fit its check digit", "check the VIN for a wrong character"}
	case adf.FlagSensitive:
		return words{repaired, "holds an identifying number; it was masked", "send no social security or insurance numbers"}
	case adf.FlagSuspectMiddleName:
		return words{doubtful, "the middle name looks like a source and no name", "send the source in provider"}
	case adf.FlagFullNameInPart:
		return words{doubtful, "the whole name stands in one part of it", "send part=\"full\" for a whole name"}
	case adf.FlagCommentLong:
		return words{doubtful, "is so long that only its beginning is searched for facts", "send facts in elements"}
	}
	return words{}
}

func textWords(rule string) words {
	switch adf.FlagCode(rule) {
	case adf.FlagRepairedEntity:
		return words{repaired, "an & or an HTML entity was read as what it stands for", "write & as &amp; and other characters as they are, in UTF-8"}
	case adf.FlagUnknownEntity:
		return words{doubtful, "a reference names nothing known; it was kept as text", "write the character itself, in UTF-8"}
	case adf.FlagControlCharacter:
		return words{repaired, "characters that XML forbids were removed", "send no control characters"}
	case adf.FlagAttributeSyntax:
		return words{repaired, "an attribute's quotes are missing or typographic", "write attributes with straight quotes: name=\"value\""}
	case adf.FlagUnclosedTag:
		return words{repaired, "a tag has no >", "end the tag with >"}
	case adf.FlagEncodingMismatch, adf.FlagEncodingUnknown, adf.FlagInvalidUTF8:
		return words{repaired, "the text is in another encoding than it declares", "send UTF-8 and declare it: <?xml version=\"1.0\" encoding=\"UTF-8\"?>"}
	case adf.FlagEscapedDocument:
		return words{repaired, "the whole document is HTML-escaped; it was unescaped", "send the document itself, < as <"}
	case adf.FlagWrappedDocument:
		return words{repaired, "the document stands inside another one's CDATA section", "send the document itself"}
	case adf.FlagDoctypeIgnored:
		return words{repaired, "the document type declaration was passed over", "leave it out"}
	case adf.FlagInstruction:
		return words{repaired, "a processing instruction is odd; it was passed over", "begin with <?xml version=\"1.0\"?> and <?adf version=\"1.0\"?>"}
	}
	return words{}
}

// governanceWords are of the flags that governance puts on a lead.
func governanceWords(rule string) words {
	switch rule {
	case lead.FlagRequestedAtImplausible:
		return words{doubtful, "lies outside the 72 hours before receipt; the time of receipt counts", "send the time of the request when it happens"}
	case lead.FlagZoneAssumed:
		return words{doubtful, "came without a zone; one was assumed", "send the zone"}
	case lead.FlagTimeUnreadable:
		return words{doubtful, "is a time that could not be read", "send ISO 8601 with a zone"}
	case lead.FlagFutureDate:
		return words{doubtful, "lies in the future", "check the clock of the sender"}
	case lead.FlagVINMalformed:
		return words{doubtful, "has not 17 characters of the VIN alphabet", "send the VIN as on the vehicle"}
	case lead.FlagPhoneUnreadable, lead.FlagPhoneFictional:
		return words{doubtful, "no call can reach this number as written", "send the number with its area or country code"}
	case lead.FlagEmailUnreadable, lead.FlagDisposableEmail:
		return words{doubtful, "is no address that answers can be expected from", "check the address where the customer enters it"}
	case lead.FlagJunkName, lead.FlagTestName:
		return words{doubtful, "the name looks made up or like a test", "send tests with a test token or to a test mailbox"}
	case lead.FlagPlaceholderValue:
		return words{doubtful, "held a word for no value or a template's mark and was emptied", "leave the element out where there is no value"}
	case lead.FlagModelUnknown, lead.FlagMakeUnknown:
		return words{doubtful, "the catalogue does not know this make or model", "send the name or code of the catalogue (GET /v1/codes, the playbook's catalogue)"}
	case lead.FlagYearImplausible:
		return words{doubtful, "is no plausible model year", "send four digits"}
	case lead.FlagPostalMalformed, lead.FlagRegionUnknown, lead.FlagCountryUnknown:
		return words{doubtful, "is no postal code, region or country of its kind", "send the country as two letters and codes in its form"}
	case lead.FlagCurrencyUnknown, lead.FlagUnitAssumed:
		return words{doubtful, "came without its currency or unit; the market's was assumed", "send the currency or unit"}
	case lead.FlagMinorSuspected:
		return words{doubtful, "the date of birth says that the person is under age", "check the date of birth"}
	case lead.FlagUnknownCode:
		return words{doubtful, "is a code that no list holds; the word was kept", "send a code of GET /v1/codes"}
	case lead.FlagRequiredMissing:
		return words{doubtful, "the playbook requires this field", "send it"}
	case lead.FlagValueTruncated:
		return words{doubtful, "was longer than is kept and was cut; the raw form keeps all", "send less"}
	case lead.FlagDealerMissing:
		return words{doubtful, "the lead says that the customer chose a dealer and names none", "send the dealer as vendor with its id"}
	}
	return words{}
}

// serviceWords are of what this service itself says.
func serviceWords(rule string) words {
	switch rule {
	case "kept_as_extra":
		return words{unused, "ADF 1.0 has no place for this; it is kept as an extra field", "use an element of the format where there is one"}
	case "outside_leads":
		return words{unused, "stands outside of the leads; it is kept in the raw form only", "put it into the lead that it belongs to"}
	case "resend":
		return words{governed, "is marked as a resend: where the lead is held already none is made", "send new leads with status new"}
	case mailRule + "bounce":
		return words{governed, "the mail says that another could not be delivered; it is kept and rejected as JUNK", "send leads as mails of their own"}
	case mailRule + "auto_reply":
		return words{governed, "the mail is the answer of a machine; it is kept and rejected as JUNK", "send leads as mails of their own, without Auto-Submitted: auto-replied"}
	case mailRule + "bulk":
		return words{governed, "the mail is bulk mail without an ADF document; it is kept and rejected as JUNK", "send the document in the mail"}
	}
	return words{}
}
