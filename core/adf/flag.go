package adf

// Flag is an oddity of a lead: the sender may be wrong, or we read around it.
// Path is as in Element. Detail is a fixed word or an element's name, never a
// person's value.
type Flag struct {
	Code   FlagCode
	Path   string
	Detail string
}

// FlagCode names an oddity.
type FlagCode string

// Oddities of values.
const (
	FlagBadEnum           FlagCode = "bad_enum"             // outside the closed list
	FlagEnumSpelling      FlagCode = "enum_spelling"        // read as a value of the list
	FlagBadDate           FlagCode = "bad_date"             // no date in any known form
	FlagDateWithoutZone   FlagCode = "date_without_zone"    // the caller's zone is assumed
	FlagDateOnly          FlagCode = "date_only"            // no time of day
	FlagDateNotISO        FlagCode = "date_not_iso"         // readable, in another form
	FlagDateAmbiguous     FlagCode = "date_ambiguous"       // month and day may be swapped
	FlagDateZoneOdd       FlagCode = "date_zone_odd"        // zone unreadable or shortened
	FlagDateTimeOdd       FlagCode = "date_time_odd"        // one-digit hour, 16:00 PM, 24:00
	FlagSecondsAreMonth   FlagCode = "seconds_are_month"    // seconds equal the month: H:i:m, or chance once in sixty
	FlagBadCurrency       FlagCode = "bad_currency"         // not ISO 4217 in capitals
	FlagBadCountry        FlagCode = "bad_country"          // not two letters of ISO 3166
	FlagPlaceholder       FlagCode = "placeholder"          // a template variable; the value is kept
	FlagNullString        FlagCode = "null_string"          // "null", "N/A"; the value is cleared
	FlagVINLength         FlagCode = "vin_length"           // not 17 characters
	FlagVINCharacters     FlagCode = "vin_characters"       // letters I, O, Q or signs
	FlagVINCheckDigit     FlagCode = "vin_check_digit"      // North American VIN, wrong digit
	FlagSensitive         FlagCode = "sensitive_identifier" // masked
	FlagSuspectMiddleName FlagCode = "suspect_middle_name"  // source text, not a name
	FlagFullNameInPart    FlagCode = "full_name_in_part"    // the whole name in first or last
)

// Oddities of structure.
const (
	FlagDuplicate        FlagCode = "duplicate_element"
	FlagOutOfPlace       FlagCode = "out_of_place_element"
	FlagUnknownElement   FlagCode = "unknown_element"
	FlagUnknownAttribute FlagCode = "unknown_attribute"
	FlagMisspelt         FlagCode = "misspelt_name" // read as the name in Detail
	FlagUnclosed         FlagCode = "unclosed_element"
	FlagMismatchedEnd    FlagCode = "mismatched_end_tag"
	FlagStrayEnd         FlagCode = "stray_end_tag"
	FlagStrayText        FlagCode = "stray_text"
	FlagStrayMarkup      FlagCode = "stray_markup" // a tag that is none, kept as text
	FlagHTMLMarkup       FlagCode = "html_markup"  // HTML tags read through
	FlagRepairedEntity   FlagCode = "repaired_entity"
	FlagUnknownEntity    FlagCode = "unknown_entity" // kept as text
	FlagControlCharacter FlagCode = "control_character"
	FlagAttributeSyntax  FlagCode = "attribute_syntax" // quotes missing or typographic
	FlagUnclosedTag      FlagCode = "unclosed_tag"     // no ">"
	FlagImpliedProspect  FlagCode = "implied_prospect" // lead content outside a prospect
	FlagMirroredTrade    FlagCode = "mirrored_trade"   // a trade equal to the wanted car, dropped
	FlagCommentedVehicle FlagCode = "commented_vehicle"
	FlagCommentedConsent FlagCode = "commented_consent"
	FlagCommentLong      FlagCode = "comment_long"    // only its first 64 KiB are searched for facts
	FlagTruncated        FlagCode = "flags_truncated" // more oddities than are listed
)

// Flags of the whole text, in Repairs only.
const (
	FlagEncodingMismatch FlagCode = "encoding_mismatch" // declared one, found another
	FlagEncodingUnknown  FlagCode = "encoding_unknown"  // declared an unsupported one
	FlagInvalidUTF8      FlagCode = "invalid_utf8"      // bytes read as Windows-1252
	FlagEscapedDocument  FlagCode = "escaped_document"  // the whole text was HTML-escaped
	FlagWrappedDocument  FlagCode = "wrapped_document"  // inside CDATA of something else
	FlagDoctypeIgnored   FlagCode = "doctype_ignored"
	FlagInstruction      FlagCode = "instruction_syntax" // odd processing instruction
	FlagTextOutside      FlagCode = "text_outside"
	FlagRootMissing      FlagCode = "root_missing" // prospect without adf
)

// Repair is a place that had to be mended. Line and Column count from 1 in
// the decoded text (columns in characters); Line is 0 for the whole text.
type Repair struct {
	Code         FlagCode
	Line, Column int
	Detail       string
}
