package people

import "testing"

// Headers as exports of CRMs, DMSs and web forms write them.
func TestHeaders(t *testing.T) {
	r := newRecogniser()
	for f, headers := range map[Field][]string{
		FieldGivenName:    {"first_name", "given_name", "vorname", "fname", "FirstName", "FIRST NAME", "First-Name", "Contact First Name", "Customer: First Name", "first"},
		FieldFamilyName:   {"last_name", "surname", "Nachname", "LastName", "family name", "Familienname", "Customer Last Name"},
		FieldName:         {"name", "Full Name", "full_name", "first_and_surname", "Customer Name", "Kundenname"},
		FieldMiddleName:   {"middle_initial", "MiddleName", "MI"},
		FieldSuffix:       {"suffix", "Name Suffix"},
		FieldEmail:        {"email", "E-Mail", "e_mail", "Email Address", "E-Mail-Adresse", "email2", "Primary Email", "E-Mail privat"},
		FieldPhone:        {"phone", "Phone 2", "Mobile", "tel", "Telefon", "Handy-Nr.", "Home Phone", "Work Phone", "Cell Phone", "Telefon privat", "phone_number"},
		FieldStreet:       {"street", "address_1", "address_2", "Address Line 1", "Straße", "strasse", "Mailing Street", "Adresse", "street_name", "Billing Address", "Address"},
		FieldStreetNumber: {"street_number", "Hausnummer", "Haus-Nr.", "House No", "mailing_address_street_number"},
		FieldUnit:         {"unit_number", "Apt", "Unit", "Unit#"},
		FieldCity:         {"city", "suburb", "town", "Ort", "Wohnort", "Mailing City", "mailing_address_city"},
		FieldPostalCode:   {"postcode", "zip", "PLZ", "Zip Code", "postal_code", "ZipCode", "postcode_fake", "zip5"},
		FieldRegion:       {"state", "Bundesland", "State/Province"},
		FieldCountry:      {"country", "Land", "Country Code"},
		FieldBorn:         {"dob", "date_of_birth", "birthdate", "Geburtsdatum", "DateOfBirth", "Birth Date", "birthday"},
		FieldBirthplace:   {"birth_place", "Geburtsort"},
		FieldSex:          {"gender", "sex", "Geschlecht"},
		FieldOccupation:   {"occupation", "Beruf", "Job Title"},
		FieldVIN:          {"vin", "VIN", "FIN", "Fahrgestellnummer", "Vehicle VIN"},
		FieldCompany:      {"company", "Firma", "Company Name"},
		FieldLoyaltyID:    {"loyalty_number", "Loyalty ID", "Kundenkartennummer", "Member No", "Loyalty #"},
		FieldAccountID:    {"account_id", "Account Number"},
		FieldCustomerID:   {"customer id", "Customer Number", "Kundennummer", "Kunden-Nr.", "CRM ID", "crm_id"},
		FieldDMSID:        {"DMS Customer No"},
		FieldNationalID:   {"soc_sec_id", "SSN"},
		FieldID:           {"id", "rec_id", "unique_id", "record id", "UUID", "lead_id"},
		FieldNone: {"cluster", "household_id", "simulant_id", "status", "notes", "created_at", "Lead Owner", "Contact Owner", "first_name_2", "Customer Name 2",
			"relationship_to_reference_person", "email opt in", "phone type", "birth year", "cluster_id", "", "fax", "Dealer Name", "Salesperson Email", "Co-Buyer First Name", "product name", "file name", "street view", "employer_city", "address type", "address id"},
	} {
		for _, h := range headers {
			if got := r.field(h); got != f {
				t.Errorf("%q is read as %q, want %q", h, got, f)
			}
		}
	}
}
