package lead

import "strings"

// codeKinds lists the lists of codes in the order in which they are served.
var codeKinds = [...]struct {
	kind  string
	codes names
}{
	{"line", lineNames},
	{"request_type", requestTypeNames},
	{"origin", originNames},
	{"dealer_choice", dealerChoiceNames},
	{"role", roleNames},
	{"department", departmentNames},
	{"segment", segmentNames},
	{"index", indexNames},
	{"stage", stageNames},
	{"state", stateNames},
	{"reject", rejectCodeNames},
	{"decline", declineCodeNames},
	{"return", returnCodeNames},
	{"lost", lostCodeNames},
	{"call_result", callResultNames},
	{"pause", pauseCodeNames},
	{"park", parkReasonNames},
	{"milestone", milestoneNames},
	{"party_role", partyRoleNames},
	{"vehicle_role", vehicleRoleNames},
	{"vehicle_status", vehicleStatusNames},
	{"interest", interestNames},
	{"powertrain", powertrainNames},
	{"channel", channelNames},
	{"purpose", purposeNames},
	{"consent_state", consentStateNames},
	{"controller", controllerNames},
	{"phone_type", phoneTypeNames},
	{"odometer_unit", odometerUnitNames},
	{"id_kind", idKindNames},
	{"signal", signalKindNames},
	{"flag", flagNames},
}

// flagNames lists the codes of Flag.
var flagNames = names{
	FlagRequestedAtImplausible,
	FlagZoneAssumed,
	FlagTimeUnreadable,
	FlagFutureDate,
	FlagVINCheckDigit,
	FlagVINMalformed,
	FlagPhoneUnreadable,
	FlagPhoneFictional,
	FlagEmailUnreadable,
	FlagDisposableEmail,
	FlagJunkName,
	FlagTestName,
	FlagPlaceholderValue,
	FlagModelUnknown,
	FlagMakeUnknown,
	FlagYearImplausible,
	FlagPostalMalformed,
	FlagRegionUnknown,
	FlagCountryUnknown,
	FlagCurrencyUnknown,
	FlagUnitAssumed,
	FlagSourceIDReused,
	FlagResendFirstSeen,
	FlagMinorSuspected,
	FlagUnknownField,
	FlagUnknownCode,
	FlagRequiredMissing,
	FlagValueTruncated,
	FlagDealerMissing,
	FlagOverCapacity,
}

// CodeKinds returns the names of all lists of codes ("line", "request_type", "flag", ...), in the
// order in which they are served.
func CodeKinds() []string {
	kinds := make([]string, len(codeKinds))
	for i := range codeKinds {
		kinds[i] = codeKinds[i].kind
	}
	return kinds
}

// Codes returns the codes of one list in the order of their numbers, nil for an unknown kind.
// The caller owns the slice.
func Codes(kind string) []string {
	for i := range codeKinds {
		if codeKinds[i].kind == kind {
			return append([]string(nil), codeKinds[i].codes...)
		}
	}
	return nil
}

// Label returns what people call a code, in the language of a BCP 47 tag ("de", "de-AT"); English
// where there is no other, and the code itself where there is no label.
func Label(lang, kind, code string) string {
	primary, _, _ := strings.Cut(lang, "-")
	if strings.EqualFold(primary, "de") {
		if label, ok := labelsDE[kind][code]; ok {
			return label
		}
	}
	if label, ok := labelsEN[kind][code]; ok {
		return label
	}
	return code
}
