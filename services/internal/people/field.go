package people

import (
	"slices"
	"strings"
	"unicode"

	"github.com/leadmesh/leadmesh/core/lead"
)

// Field is what a column says of a person.
type Field uint8

// The values of Field.
const (
	FieldNone Field = iota
	FieldID         // the list's own number of a row: names rows, is no evidence
	FieldName       // a whole name
	FieldGivenName
	FieldMiddleName
	FieldFamilyName
	FieldSuffix
	FieldCompany
	FieldEmail
	FieldPhone
	FieldStreet
	FieldStreetNumber
	FieldUnit
	FieldCity
	FieldRegion
	FieldPostalCode
	FieldCountry
	FieldBorn
	FieldBirthplace
	FieldSex
	FieldOccupation
	FieldVIN
	FieldLoyaltyID
	FieldAccountID
	FieldCustomerID
	FieldDMSID
	FieldNationalID
	fields
)

// fieldWords holds of each field its name for --map and the headers it goes by, as headerWords leaves
// them. The first name is the field's.
var fieldWords = [fields]string{
	FieldID: "id recid recordid rowid uniqueid uuid guid rowkey rownumber rowno lineno linenumber leadid personid contactid key " +
		"satzid satznr satznummer datensatz datensatzid datensatznr zeile zeilennr zeilennummer lfdnr laufendenummer personennr personennummer",
	FieldName: "name fullname customername contactname clientname personname personalname firstandsurname firstandlastname firstlast firstnamelastname " +
		"lastfirst lastnamefirstname displayname kundenname vollername vornamename vornamenachname nachnamevorname vorundnachname namevorname ansprechpartner",
	FieldGivenName:  "givenname given givennames first firstname fname forename forenames vorname vornamen rufname christianname firstnames namefirst prenom nombre",
	FieldMiddleName: "middlename middle middlenames mname middleinitial minitial mi secondname zweitername zweitervorname weiterevornamen namemiddle",
	FieldFamilyName: "familyname family last lastname lname surname nachname familienname zuname lastnames surnames namelast nom apellido apellidos",
	FieldSuffix:     "suffix namesuffix generation generationsuffix namenszusatz jrsr",
	FieldCompany:    "company companyname firma firmenname organisation organization organisationname organizationname businessname unternehmen employername accountname firmname",
	FieldEmail:      "email emails mail emailaddress mailaddress emailadresse mailadresse emailid correo emailnormalized",
	FieldPhone: "phone phones phonenumber phoneno telephone telephonenumber telephoneno tel telno telnr telefon telefonnr telefonnummer mobile mobilephone " +
		"mobilenumber mobileno mobil mobilnummer mobilnr mobiltelefon handy handynummer handynr cell cellphone cellnumber cellular homephone workphone " +
		"dayphone daytimephone eveningphone landline festnetz rufnummer msisdn whatsapp businessphone telefonmobil telefonprivat telefongeschaeftlich telefonfestnetz " +
		"telefongeschaftlich phonehome phonemobile phonework phonecell contactnumber",
	FieldStreet: "street address streetaddress streetname address line addressline streetline adresse adresszeile strasse str strassehausnr " +
		"strassehausnummer strasseundhausnummer strasseundnr strassenr anschrift adresszusatz addr calle addressstreet",
	FieldStreetNumber: "streetnumber streetno housenumber houseno housenr housenum hausnummer hausnr hnr hsnr numero streetnum buildingnumber",
	FieldUnit:         "unit unitnumber unitno apt apartment apartmentnumber aptnumber aptno suite suitenumber flat flatnumber wohnung wohnungsnummer wohnungsnr",
	FieldCity:         "city town suburb locality ort stadt wohnort ortschaft place cityname townname citytown municipality gemeinde postort ville ciudad addresscity posttown",
	FieldRegion:       "region state province bundesland kanton statecode stateprovince stateregion provincecode regioncode county stateabbreviation addressstate",
	FieldPostalCode:   "postalcode postcode zip zipcode plz postleitzahl zippostalcode zippostcode zippostal postal zip5 plz5 addresszip codepostal",
	FieldCountry:      "country countrycode countryname land laendercode landercode laenderkennzeichen landerkennzeichen nation addresscountry",
	FieldBorn:         "dateofbirth born dob birthdate birthday bday birth datebirth birthdt geburtsdatum gebdatum gebdat geburtstag geb geboren geborenam",
	FieldBirthplace:   "birthplace placeofbirth birthcity cityofbirth countryofbirth geburtsort geburtsland",
	FieldSex:          "sex gender geschlecht",
	FieldOccupation:   "occupation profession beruf job jobtitle",
	FieldVIN:          "vin vinnumber vinno vehiclevin fin fahrgestellnummer fahrgestellnr fahrzeugidentnummer fahrzeugidentifikationsnummer chassisnumber chassisno vehicleidentificationnumber",
	FieldLoyaltyID: "loyaltyid loyaltynumber loyaltyno loyaltycard loyaltycardnumber memberid membernumber memberno membershipid membershipnumber rewardsid " +
		"rewardsnumber kundenkarte kundenkartennummer kundenkartennr bonuskarte bonusnummer mitgliedsnummer mitgliedsnr mitgliednr",
	FieldAccountID: "accountid accountnumber accountno accountnr oemaccount oemaccountid oemid ownersid",
	FieldCustomerID: "customerid customernumber customerno customernr custid custno custnumber clientid clientnumber clientno crmid crmnumber crmno " +
		"crmcustomerid crmcontactid kundennummer kundennr kundenid kdnr kdnummer kundenkennung debitor debitornummer debitorennummer debitorennr",
	FieldDMSID:      "dmsid dmsnumber dmsno dmscustomerid dmscustomernumber dmscustomerno dmscustno dmskundennummer dmskundennr",
	FieldNationalID: "nationalid socsecid socsec socsecno socsecnumber ssn socialsecuritynumber socialsecurityno socialsecurityid socialsecurity nationalinsurancenumber nino taxid tin steuerid steuernummer steueridnr sozialversicherungsnummer svnummer svnr driverslicense driverlicense driverslicensenumber driverlicensenumber fuehrerscheinnummer fuhrerscheinnummer passportnumber passportno ausweisnummer ausweisnr personalausweisnummer",
}

// fieldNames are the names of the fields for --map.
var fieldNames = [fields]string{
	FieldID: "id", FieldName: "name", FieldGivenName: "given_name", FieldMiddleName: "middle_name", FieldFamilyName: "family_name",
	FieldSuffix: "suffix", FieldCompany: "company", FieldEmail: "email", FieldPhone: "phone", FieldStreet: "street",
	FieldStreetNumber: "street_number", FieldUnit: "unit", FieldCity: "city", FieldRegion: "state", FieldPostalCode: "postal_code",
	FieldCountry: "country", FieldBorn: "date_of_birth", FieldBirthplace: "birthplace", FieldSex: "sex", FieldOccupation: "occupation",
	FieldVIN: "vin", FieldLoyaltyID: "loyalty_id", FieldAccountID: "account_id", FieldCustomerID: "customer_id", FieldDMSID: "dms_id",
	FieldNationalID: "national_id",
}

// String returns the field's name for --map.
func (f Field) String() string { return fieldNames[f] }

// FieldNames returns the names of all fields, for --map.
func FieldNames() []string { return append([]string(nil), fieldNames[FieldNone+1:]...) }

// parseField reads a field's name for --map; any header that is known for a field will do.
func (r *recogniser) parseField(s string) (Field, bool) {
	word := lead.Fold(s)
	for f := FieldNone + 1; f < fields; f++ {
		if word == lead.Fold(fieldNames[f]) {
			return f, true
		}
	}
	f, ok := r.known[word]
	return f, ok
}

// external reports ids that other systems gave a person.
func (f Field) external() bool { return f >= FieldLoyaltyID && f <= FieldDMSID }

// strong reports whether a field can begin to tell people apart: a list with none of them cannot be
// cleaned.
func (f Field) strong() bool {
	switch f {
	case FieldName, FieldGivenName, FieldFamilyName, FieldEmail, FieldPhone, FieldVIN, FieldLoyaltyID, FieldAccountID,
		FieldCustomerID, FieldDMSID, FieldNationalID:
		return true
	}
	return false
}

// recogniser tells fields by headers.
type recogniser struct{ known map[string]Field }

func newRecogniser() *recogniser {
	r := &recogniser{known: map[string]Field{}}
	for f, words := range fieldWords {
		for _, w := range strings.Fields(words) {
			r.known[w] = Field(f)
		}
	}
	return r
}

// around are words of headers that say whose or which, not what: "Customer First Name", "E-Mail privat",
// "Phone 2".
var around = map[string]bool{
	"contact": true, "customer": true, "client": true, "person": true, "lead": true, "consumer": true, "buyer": true, "guest": true,
	"primary": true, "main": true, "home": true, "personal": true, "private": true, "work": true, "business": true, "mailing": true, "billing": true,
	"kunde": true, "kunden": true, "kontakt": true, "privat": true, "geschaeftlich": true, "geschaftlich": true, "dienstlich": true, "haupt": true,
	"raw": true, "fake": true, "clean": true, "original": true, "current": true, "legal": true, "preferred": true, "nbr": true,
	"1": true, "2": true, "3": true, "4": true,
}

// field tells what a column with a header says.
func (r *recogniser) field(header string) Field {
	words := headerWords(header)
	if f, ok := r.known[strings.Join(words, "")]; ok {
		return f
	}
	second := false // a further person, vehicle or name; a second phone is the same person's
	for len(words) > 1 {
		switch last := words[len(words)-1]; {
		case around[last]:
			second = second || last >= "2" && last <= "4"
			words = words[:len(words)-1]
		case around[words[0]] || words[0] == "address" || words[0] == "adresse":
			words = words[1:]
		default:
			return FieldNone
		}
		f, ok := r.known[strings.Join(words, "")]
		switch {
		case !ok:
		case second && f != FieldEmail && f != FieldPhone && f != FieldStreet && f != FieldVIN:
			return FieldNone
		case f == FieldID || f == FieldRegion && second:
			return FieldNone // "customer key" may be anything
		default:
			return f
		}
	}
	return FieldNone
}

// ofGroups are words of headers whose numbers are those of several rows, though by chance no two may
// share one.
var ofGroups = map[string]bool{"cluster": true, "household": true, "haushalt": true, "group": true, "gruppe": true, "family": true}

// idLike reports headers that end like those of ids: they may name rows.
func idLike(header string) bool {
	words := headerWords(header)
	if len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return ofGroups[w] }) {
		return false
	}
	switch words[len(words)-1] {
	case "id", "nr", "no", "number", "nummer", "key", "uid":
		return true
	}
	return strings.HasSuffix(words[len(words)-1], "id") && len(words) == 1 && len(words[0]) > 4
}

// headerWords splits a header into folded words at everything that is no letter, before capitals
// within a word and between letters and digits.
func headerWords(header string) []string {
	header = strings.NewReplacer("#", " number", "ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "e-mail", "email", "E-Mail", "Email", "E-mail", "Email", "E-MAIL", "EMAIL").Replace(header)
	var words []string
	var b strings.Builder
	cut := func() {
		if w := lead.Fold(b.String()); w != "" {
			words = append(words, w)
		}
		b.Reset()
	}
	var before rune
	for _, c := range header {
		switch {
		case !unicode.IsLetter(c) && !unicode.IsDigit(c):
			if c != '\'' && c != '’' {
				cut()
			}
		case unicode.IsUpper(c) && unicode.IsLower(before), unicode.IsDigit(c) != unicode.IsDigit(before) && b.Len() > 0:
			cut()
			b.WriteRune(c)
		default:
			b.WriteRune(c)
		}
		before = c
	}
	cut()
	return words
}
