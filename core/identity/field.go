package identity

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
	FieldAddress // house number, street and unit
	FieldBorn
	FieldID
	FieldVehicle
	FieldCompany
	FieldLine  // the second line of an address
	FieldPlace // postal code, locality and region
	FieldNumber
	FieldSex
	FieldBirthplace
	FieldOccupation

	// FieldCount is above every field.
	FieldCount
)

// String returns the field in words.
func (f Field) String() string {
	if f >= FieldCount {
		return ""
	}
	return fieldNames[f].words
}

// Name returns the field as a parameter file spells it.
func (f Field) Name() string {
	if f >= FieldCount {
		return ""
	}
	return fieldNames[f].name
}

var fieldNames = [FieldCount]struct{ name, words string }{
	FieldPrior:      {"prior", "prior"},
	FieldGivenName:  {"given_name", "given name"},
	FieldMiddleName: {"middle_name", "middle name"},
	FieldFamilyName: {"family_name", "family name"},
	FieldGeneration: {"generation", "generation"},
	FieldEmail:      {"email", "e-mail"},
	FieldPhone:      {"phone", "phone"},
	FieldAddress:    {"address", "street address"},
	FieldBorn:       {"born", "date of birth"},
	FieldID:         {"id", "id"},
	FieldVehicle:    {"vehicle", "vehicle"},
	FieldCompany:    {"company", "company"},
	FieldLine:       {"line", "second address line"},
	FieldPlace:      {"place", "place"},
	FieldNumber:     {"number", "personal number"},
	FieldSex:        {"sex", "sex"},
	FieldBirthplace: {"birthplace", "place of birth"},
	FieldOccupation: {"occupation", "occupation"},
}

// Levels holds for each field the level that two records agree at, 0 where one of them says nothing.
type Levels [FieldCount]ReasonCode
