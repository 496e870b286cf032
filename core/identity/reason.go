package identity

// ReasonCode is one kind of evidence: for what is compared, the level of the agreement. Its numbers
// are stored and never change.
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
	ReasonPrior
	ReasonHousemates
	ReasonGivenNameFrequency
	ReasonFamilyNameFrequency
	ReasonPlaceFrequency
	ReasonFactFrequency
	ReasonGivenNameShort
	ReasonGivenNameTypo
	ReasonGivenNameOther
	ReasonGivenNameMiddle
	ReasonFamilyNameTypo
	ReasonFamilyNamePart
	ReasonNameCrossed
	ReasonMiddleName
	ReasonMiddleInitial
	ReasonGeneration
	ReasonEmailTypo
	ReasonEmailAlike
	ReasonEmailLocal
	ReasonEmailLocalName
	ReasonEmailDiffers
	ReasonPhoneSeven
	ReasonPhoneTypo
	ReasonPhoneDiffers
	ReasonVehicleTypo
	ReasonCompanyAlike
	ReasonBornSwapped
	ReasonBornTypo
	ReasonBornPart
	ReasonBornNear
	ReasonBornYearTypo
	ReasonBornYear
	ReasonAddressTypo
	ReasonAddressUnit
	ReasonAddressStreet
	ReasonAddressNeighbour
	ReasonAddressNumber
	ReasonAddressDiffers
	ReasonLine
	ReasonLineAlike
	ReasonLineDiffers
	ReasonPlace
	ReasonPlaceTypo
	ReasonPostal
	ReasonCity
	ReasonCityAlike
	ReasonPostalAlike
	ReasonRegion
	ReasonPlaceDiffers
	ReasonIDDiffers
	ReasonNumber
	ReasonNumberTypo
	ReasonNumberDiffers
	ReasonSex
	ReasonSexDiffers
	ReasonBirthplace
	ReasonBirthplaceAlike
	ReasonBirthplaceDiffers
	ReasonOccupation
	ReasonOccupationAlike
	ReasonOccupationDiffers
	ReasonEmailFrequency
	ReasonPhoneFrequency
	ReasonAddressFrequency
	ReasonEmailName

	// ReasonCount is above every code.
	ReasonCount
)

// String returns the code and its meaning in words, "" for a code that does not exist.
func (c ReasonCode) String() string {
	if c >= ReasonCount || c == 0 {
		return ""
	}
	return reasons[c].name + " " + reasons[c].words
}

// Name returns the code in upper case, "" for a code that does not exist.
func (c ReasonCode) Name() string {
	if c >= ReasonCount {
		return ""
	}
	return reasons[c].name
}

// Words returns the meaning of the code, "" for a code that does not exist.
func (c ReasonCode) Words() string {
	if c >= ReasonCount {
		return ""
	}
	return reasons[c].words
}

// Field returns what a code compares, FieldUnspecified for one that compares nothing.
func (c ReasonCode) Field() Field {
	if c >= ReasonCount {
		return FieldUnspecified
	}
	return reasons[c].field
}

// reasons describes each code. A field's levels stand in the order of their strength.
var reasons = [ReasonCount]struct {
	field       Field
	name, words string
}{
	ReasonCustomerID:          {FieldID, "CUSTOMER_ID", "same account, loyalty or customer number"},
	ReasonAnonymousID:         {FieldID, "ANONYMOUS_ID", "same browser or device"},
	ReasonIDDiffers:           {FieldID, "ID_DIFFERS", "other number of the same source"},
	ReasonEmail:               {FieldEmail, "EMAIL", "same e-mail address"},
	ReasonEmailTypo:           {FieldEmail, "EMAIL_TYPO", "e-mail address is a typing error apart"},
	ReasonEmailAlike:          {FieldEmail, "EMAIL_ALIKE", "e-mail address is spelled alike"},
	ReasonEmailLocal:          {FieldEmail, "EMAIL_LOCAL", "same e-mail name at another provider"},
	ReasonEmailLocalName:      {FieldEmail, "EMAIL_LOCAL_NAME", "same e-mail name at another provider, made of the person's name"},
	ReasonEmailName:           {FieldEmail, "EMAIL_NAME", "e-mail address no more alike than the names it is made of"},
	ReasonEmailDiffers:        {FieldEmail, "EMAIL_DIFFERS", "other e-mail address"},
	ReasonPhone:               {FieldPhone, "PHONE", "same phone number"},
	ReasonPhoneTypo:           {FieldPhone, "PHONE_TYPO", "phone number is a typing error apart"},
	ReasonPhoneSeven:          {FieldPhone, "PHONE_SEVEN", "phone number ends in the same seven digits"},
	ReasonPhoneDiffers:        {FieldPhone, "PHONE_DIFFERS", "other phone number"},
	ReasonVehicle:             {FieldVehicle, "VEHICLE", "same vehicle owned"},
	ReasonVehicleTypo:         {FieldVehicle, "VEHICLE_TYPO", "vehicle number is one character apart"},
	ReasonAddress:             {FieldAddress, "ADDRESS", "same street address"},
	ReasonAddressTypo:         {FieldAddress, "ADDRESS_TYPO", "street address is a typing error apart"},
	ReasonAddressUnit:         {FieldAddress, "ADDRESS_UNIT", "same building, other unit"},
	ReasonAddressStreet:       {FieldAddress, "ADDRESS_STREET", "same street, a house number is missing"},
	ReasonAddressNeighbour:    {FieldAddress, "ADDRESS_NEIGHBOUR", "same street, other house number"},
	ReasonAddressNumber:       {FieldAddress, "ADDRESS_NUMBER", "same house number, other street"},
	ReasonAddressDiffers:      {FieldAddress, "ADDRESS_DIFFERS", "other street address"},
	ReasonLine:                {FieldLine, "LINE", "same second address line"},
	ReasonLineAlike:           {FieldLine, "LINE_ALIKE", "second address line is spelled alike"},
	ReasonLineDiffers:         {FieldLine, "LINE_DIFFERS", "other second address line"},
	ReasonPlace:               {FieldPlace, "PLACE", "same postal code and locality"},
	ReasonPlaceTypo:           {FieldPlace, "PLACE_TYPO", "same postal code and locality but for a typing error"},
	ReasonPostal:              {FieldPlace, "POSTAL", "same postal code"},
	ReasonCity:                {FieldPlace, "CITY", "same locality"},
	ReasonCityAlike:           {FieldPlace, "CITY_ALIKE", "locality is spelled alike"},
	ReasonPostalAlike:         {FieldPlace, "POSTAL_ALIKE", "postal code is a typing error apart"},
	ReasonRegion:              {FieldPlace, "REGION", "other place of the same region"},
	ReasonPlaceDiffers:        {FieldPlace, "PLACE_DIFFERS", "other place"},
	ReasonPlaceFrequency:      {FieldPlace, "PLACE_FREQUENCY", "how rare the locality is"},
	ReasonCompany:             {FieldCompany, "COMPANY", "same company"},
	ReasonCompanyAlike:        {FieldCompany, "COMPANY_ALIKE", "company is spelled alike"},
	ReasonBorn:                {FieldBorn, "BORN", "same date of birth"},
	ReasonBornSwapped:         {FieldBorn, "BORN_SWAPPED", "same date of birth with day and month swapped"},
	ReasonBornTypo:            {FieldBorn, "BORN_TYPO", "date of birth is one digit, or the century, apart"},
	ReasonBornPart:            {FieldBorn, "BORN_PART", "two of year, month and day of birth are the same"},
	ReasonBornNear:            {FieldBorn, "BORN_NEAR", "born within six weeks"},
	ReasonBornYearTypo:        {FieldBorn, "BORN_YEAR_TYPO", "date of birth is two errors apart: within six weeks but for a year or ten, or two digits"},
	ReasonBornYear:            {FieldBorn, "BORN_YEAR", "born in the same year"},
	ReasonBornDiffers:         {FieldBorn, "BORN_DIFFERS", "other date of birth"},
	ReasonGivenName:           {FieldGivenName, "GIVEN_NAME", "same given name"},
	ReasonGivenNameShort:      {FieldGivenName, "GIVEN_NAME_SHORT", "given name is a short form"},
	ReasonGivenNameTypo:       {FieldGivenName, "GIVEN_NAME_TYPO", "given name is a typing error apart"},
	ReasonNameSwapped:         {FieldGivenName, "NAME_SWAPPED", "same name with given and family name swapped"},
	ReasonGivenNameMiddle:     {FieldGivenName, "GIVEN_NAME_MIDDLE", "given name is the other's middle name"},
	ReasonInitial:             {FieldGivenName, "INITIAL", "given name has the same first letter"},
	ReasonGivenNameOther:      {FieldGivenName, "GIVEN_NAME_OTHER", "given name looks alike but is a name of its own"},
	ReasonGivenNameAlike:      {FieldGivenName, "GIVEN_NAME_ALIKE", "given name is spelled nearly the same"},
	ReasonGivenNameDiffers:    {FieldGivenName, "GIVEN_NAME_DIFFERS", "other given name"},
	ReasonGivenNameFrequency:  {FieldGivenName, "GIVEN_NAME_FREQUENCY", "how rare the given name is"},
	ReasonFamilyName:          {FieldFamilyName, "FAMILY_NAME", "same family name"},
	ReasonFamilyNameTypo:      {FieldFamilyName, "FAMILY_NAME_TYPO", "family name is a typing error apart"},
	ReasonFamilyNamePart:      {FieldFamilyName, "FAMILY_NAME_PART", "family name is part of the other's"},
	ReasonNameCrossed:         {FieldFamilyName, "NAME_CROSSED", "family name stands as the other's given name"},
	ReasonFamilyNameAlike:     {FieldFamilyName, "FAMILY_NAME_ALIKE", "family name is spelled nearly the same"},
	ReasonFamilyNameDiffers:   {FieldFamilyName, "FAMILY_NAME_DIFFERS", "other family name"},
	ReasonFamilyNameFrequency: {FieldFamilyName, "FAMILY_NAME_FREQUENCY", "how rare the family name is"},
	ReasonMiddleName:          {FieldMiddleName, "MIDDLE_NAME", "same middle name"},
	ReasonMiddleInitial:       {FieldMiddleName, "MIDDLE_INITIAL", "same middle initial"},
	ReasonMiddleNameDiffers:   {FieldMiddleName, "MIDDLE_NAME_DIFFERS", "other middle name"},
	ReasonGeneration:          {FieldGeneration, "GENERATION", "same generation, such as Jr"},
	ReasonGenerationDiffers:   {FieldGeneration, "GENERATION_DIFFERS", "other generation, such as Jr and Sr"},
	ReasonNumber:              {FieldNumber, "NUMBER", "same personal number"},
	ReasonNumberTypo:          {FieldNumber, "NUMBER_TYPO", "personal number is a typing error apart"},
	ReasonNumberDiffers:       {FieldNumber, "NUMBER_DIFFERS", "other personal number"},
	ReasonSex:                 {FieldSex, "SEX", "same sex"},
	ReasonSexDiffers:          {FieldSex, "SEX_DIFFERS", "other sex"},
	ReasonBirthplace:          {FieldBirthplace, "BIRTHPLACE", "same place of birth"},
	ReasonBirthplaceAlike:     {FieldBirthplace, "BIRTHPLACE_ALIKE", "place of birth is spelled alike"},
	ReasonBirthplaceDiffers:   {FieldBirthplace, "BIRTHPLACE_DIFFERS", "other place of birth"},
	ReasonOccupation:          {FieldOccupation, "OCCUPATION", "same occupation"},
	ReasonOccupationAlike:     {FieldOccupation, "OCCUPATION_ALIKE", "occupation is spelled alike"},
	ReasonOccupationDiffers:   {FieldOccupation, "OCCUPATION_DIFFERS", "other occupation"},
	ReasonFactFrequency:       {FieldUnspecified, "FACT_FREQUENCY", "how rare birthplace and occupation are"},
	ReasonEmailFrequency:      {FieldEmail, "EMAIL_FREQUENCY", "how many share the e-mail address"},
	ReasonPhoneFrequency:      {FieldPhone, "PHONE_FREQUENCY", "how many share the phone number"},
	ReasonAddressFrequency:    {FieldAddress, "ADDRESS_FREQUENCY", "how many share the address"},
	ReasonNewPerson:           {FieldUnspecified, "NEW_PERSON", "nobody known shares a name with a contact point, number or vehicle"},
	ReasonResolvedBefore:      {FieldUnspecified, "RESOLVED_BEFORE", "this lead was resolved to this person before"},
	ReasonHousehold:           {FieldUnspecified, "HOUSEHOLD", "shares a contact point, an address or a vehicle with another person"},
	ReasonJoined:              {FieldUnspecified, "JOINED", "this record showed that two persons known apart are one"},
	ReasonPrior:               {FieldPrior, "PRIOR", "how likely any two records are one person"},
	ReasonHousemates:          {FieldPrior, "HOUSEMATES", "people of one home agree in this as well"},
}
