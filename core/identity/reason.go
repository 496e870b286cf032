package identity

// ReasonCode is one kind of evidence. Its numbers are stored and never change.
type ReasonCode uint8

// The values of ReasonCode.
const (
	ReasonUnspecified ReasonCode = iota
	ReasonCustomerID
	ReasonAnonymousID
	ReasonEmail
	ReasonPhone
	ReasonVehicle
	ReasonAddress
	ReasonCompany
	ReasonBorn
	ReasonBornDiffers
	ReasonGivenName
	ReasonInitial
	ReasonGivenNameAlike
	ReasonGivenNameDiffers
	ReasonFamilyName
	ReasonFamilyNameAlike
	ReasonFamilyNameDiffers
	ReasonNameSwapped
	ReasonMiddleNameDiffers
	ReasonGenerationDiffers
	ReasonNewPerson
	ReasonResolvedBefore
	ReasonHousehold
	ReasonJoined
	ReasonPrior // how likely any two records are one person
)

// Field is what a reason compares.
type Field uint8

// The values of Field.
const (
	FieldUnspecified Field = iota // a reason that compares nothing
	FieldPrior
	FieldGivenName
	FieldMiddleName
	FieldFamilyName
	FieldGeneration
	FieldEmail
	FieldPhone
	FieldAddress
	FieldBorn
	FieldID
	FieldVehicle
	FieldCompany
)

// String returns the field in words.
func (f Field) String() string {
	return [...]string{"", "prior", "given name", "middle name", "family name", "generation", "e-mail", "phone", "address", "date of birth", "id", "vehicle", "company"}[f]
}

// Field returns what a code compares, FieldUnspecified for one that compares nothing.
func (c ReasonCode) Field() Field {
	switch c {
	case ReasonPrior:
		return FieldPrior
	case ReasonCustomerID, ReasonAnonymousID:
		return FieldID
	case ReasonEmail:
		return FieldEmail
	case ReasonPhone:
		return FieldPhone
	case ReasonVehicle:
		return FieldVehicle
	case ReasonAddress:
		return FieldAddress
	case ReasonCompany:
		return FieldCompany
	case ReasonBorn, ReasonBornDiffers:
		return FieldBorn
	case ReasonGivenName, ReasonInitial, ReasonGivenNameAlike, ReasonGivenNameDiffers, ReasonNameSwapped:
		return FieldGivenName
	case ReasonFamilyName, ReasonFamilyNameAlike, ReasonFamilyNameDiffers:
		return FieldFamilyName
	case ReasonMiddleNameDiffers:
		return FieldMiddleName
	case ReasonGenerationDiffers:
		return FieldGeneration
	}
	return FieldUnspecified
}

// String returns the code and its meaning in words, "" for a code that does not exist.
func (c ReasonCode) String() string {
	switch c {
	case ReasonCustomerID:
		return "CUSTOMER_ID same account, loyalty or customer number"
	case ReasonAnonymousID:
		return "ANONYMOUS_ID same browser or device"
	case ReasonEmail:
		return "EMAIL same e-mail address"
	case ReasonPhone:
		return "PHONE same phone number"
	case ReasonVehicle:
		return "VEHICLE same vehicle owned"
	case ReasonAddress:
		return "ADDRESS same street address"
	case ReasonCompany:
		return "COMPANY same company"
	case ReasonBorn:
		return "BORN same date of birth"
	case ReasonBornDiffers:
		return "BORN_DIFFERS other date of birth"
	case ReasonGivenName:
		return "GIVEN_NAME same given name"
	case ReasonInitial:
		return "INITIAL given name has the same first letter"
	case ReasonGivenNameAlike:
		return "GIVEN_NAME_ALIKE given name is spelled nearly the same"
	case ReasonGivenNameDiffers:
		return "GIVEN_NAME_DIFFERS other given name"
	case ReasonFamilyName:
		return "FAMILY_NAME same family name"
	case ReasonFamilyNameAlike:
		return "FAMILY_NAME_ALIKE family name is spelled nearly the same"
	case ReasonFamilyNameDiffers:
		return "FAMILY_NAME_DIFFERS other family name"
	case ReasonNameSwapped:
		return "NAME_SWAPPED same name with given and family name swapped"
	case ReasonMiddleNameDiffers:
		return "MIDDLE_NAME_DIFFERS other middle name"
	case ReasonGenerationDiffers:
		return "GENERATION_DIFFERS other generation, such as Jr and Sr"
	case ReasonNewPerson:
		return "NEW_PERSON nobody known shares a name with a contact point, number or vehicle"
	case ReasonResolvedBefore:
		return "RESOLVED_BEFORE this lead was resolved to this person before"
	case ReasonHousehold:
		return "HOUSEHOLD shares a contact point, an address or a vehicle with another person"
	case ReasonJoined:
		return "JOINED this record showed that two persons known apart are one"
	case ReasonPrior:
		return "PRIOR how likely any two records are one person"
	}
	return ""
}
