package lead

// The codes of Flag. They are stable: reports, feeds and filters name them.
const (
	// FlagRequestedAtImplausible: the source's time lies outside 0-72 h before receipt, so the
	// time of receipt counts.
	FlagRequestedAtImplausible = "requested_at_implausible"
	// FlagZoneAssumed: a time came without a zone and was read in the source's or dealer's zone.
	FlagZoneAssumed = "zone_assumed"
	// FlagTimeUnreadable: a time was given and could not be read.
	FlagTimeUnreadable = "time_unreadable"
	// FlagFutureDate: a date that should lie in the past lies in the future.
	FlagFutureDate = "future_date"
	// FlagVINCheckDigit: the VIN is well formed but its check digit does not fit (usual for old
	// and foreign vehicles).
	FlagVINCheckDigit = "vin_check_digit"
	// FlagVINMalformed: the VIN has not 17 characters of the VIN alphabet.
	FlagVINMalformed = "vin_malformed"
	// FlagPhoneUnreadable: a phone number was given and no call can reach it as written.
	FlagPhoneUnreadable = "phone_unreadable"
	// FlagPhoneFictional: the number belongs to a range reserved for fiction and examples.
	FlagPhoneFictional = "phone_fictional"
	// FlagEmailUnreadable: an e-mail address was given and is not one.
	FlagEmailUnreadable = "email_unreadable"
	// FlagDisposableEmail: the address is at a provider of throw-away mailboxes.
	FlagDisposableEmail = "disposable_email"
	// FlagJunkName: the name is keyboard noise or a stock fake; alone it never rejects.
	FlagJunkName = "junk_name"
	// FlagTestName: the name says "test"; alone it never makes a test lead.
	FlagTestName = "test_name"
	// FlagPlaceholderValue: a field held "null", "N/A" or an unfilled template mark and was
	// emptied.
	FlagPlaceholderValue = "placeholder_value"
	// FlagModelUnknown: the wanted model is not in the catalogue.
	FlagModelUnknown = "model_unknown"
	// FlagMakeUnknown: the make of the wanted vehicle belongs to no brand of the network.
	FlagMakeUnknown = "make_unknown"
	// FlagYearImplausible: the model year is before the first car or after next year's models.
	FlagYearImplausible = "year_implausible"
	// FlagPostalMalformed: the postal code does not have its country's form.
	FlagPostalMalformed = "postal_malformed"
	// FlagRegionUnknown: the state or province is none of the country's.
	FlagRegionUnknown = "region_unknown"
	// FlagCountryUnknown: the country could not be read.
	FlagCountryUnknown = "country_unknown"
	// FlagCurrencyUnknown: an amount came without a currency; the market's was assumed.
	FlagCurrencyUnknown = "currency_unknown"
	// FlagUnitAssumed: an odometer reading came without a unit; the market's was assumed.
	FlagUnitAssumed = "unit_assumed"
	// FlagSourceIDReused: the source used the id of another person's lead again.
	FlagSourceIDReused = "source_id_reused"
	// FlagResendFirstSeen: the lead was sent as a resend, but no such lead is held.
	FlagResendFirstSeen = "resend_first_seen"
	// FlagMinorSuspected: the date of birth says that the person is under age.
	FlagMinorSuspected = "minor_suspected"
	// FlagUnknownField: the sender sent a field that the format does not know.
	FlagUnknownField = "unknown_field"
	// FlagUnknownCode: a code was given that no list holds; the sender's word was kept.
	FlagUnknownCode = "unknown_code"
	// FlagRequiredMissing: a field that the playbook requires is empty.
	FlagRequiredMissing = "required_missing"
	// FlagValueTruncated: a value was longer than the playbook allows and was cut.
	FlagValueTruncated = "value_truncated"
	// FlagDealerMissing: the lead says that the customer chose a dealer but names none.
	FlagDealerMissing = "dealer_missing"
	// FlagOverCapacity: the lead was assigned beyond the store's declared cap.
	FlagOverCapacity = "over_capacity"
)

// AddFlag puts a flag on the lead unless one of the same code and field is there already; it
// reports whether it did. Detail must hold no personal data.
func (l *Lead) AddFlag(code, field, detail string) bool {
	for i := range l.Flags {
		if l.Flags[i].Code == code && l.Flags[i].Field == field {
			return false
		}
	}
	l.Flags = append(l.Flags, Flag{Code: code, Field: field, Detail: detail})
	return true
}
