package identity_test

import (
	"testing"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
)

func TestLevels(t *testing.T) {
	m := matcher(t)
	named := func(given, middle, family string) identity.Record {
		return identity.NewRecord(&lead.Party{Name: lead.Name{Given: given, Middle: middle, Family: family}}, nil, "", nil, 0)
	}
	mailed := func(address string) identity.Record {
		p := lead.Party{Emails: []lead.Email{identity.ParseListEmail(address)}}
		return identity.NewRecord(&p, nil, "", nil, 0)
	}
	called := func(number string) identity.Record { return identity.Record{Phones: []string{number}} }
	born := func(date string) identity.Record { return identity.Record{Born: []string{date}} }
	at := func(unit, city, postal string, streets ...string) identity.Record {
		p := lead.Party{Address: lead.Address{Streets: streets, Unit: unit, City: city, Postal: postal, Region: "TX"}}
		return identity.NewRecord(&p, nil, "", nil, 0)
	}
	cases := []struct {
		a, b  identity.Record
		field identity.Field
		want  identity.ReasonCode
	}{
		{named("José", "", "Müller"), named("Jose", "", "Mueller"), identity.FieldFamilyName, identity.ReasonFamilyName},
		{named("José", "", "Müller"), named("Jose", "", "Mueller"), identity.FieldGivenName, identity.ReasonGivenName},
		{named("Mary Ann", "", "King"), named("Mary", "Ann", "King"), identity.FieldGivenName, identity.ReasonGivenName},
		{named("Robert", "", "King"), named("Bob", "", "King"), identity.FieldGivenName, identity.ReasonGivenNameShort},
		{named("Christopher", "", "King"), named("Chris", "", "King"), identity.FieldGivenName, identity.ReasonGivenNameShort},
		{named("Oliver", "", "King"), named("Olvier", "", "King"), identity.FieldGivenName, identity.ReasonGivenNameTypo},
		{named("Eric", "", "King"), named("Erin", "", "King"), identity.FieldGivenName, identity.ReasonGivenNameOther},
		{named("Eric", "", "King"), named("Erik", "", "King"), identity.FieldGivenName, identity.ReasonGivenNameTypo},
		{named("John", "Edgar", "King"), named("Edgar", "", "King"), identity.FieldGivenName, identity.ReasonGivenNameMiddle},
		{named("J", "", "King"), named("John", "", "King"), identity.FieldGivenName, identity.ReasonInitial},
		{named("Elanor", "", "King"), named("Nleaeor", "", "King"), identity.FieldGivenName, identity.ReasonGivenNameAlike},
		{named("John", "", "King"), named("Peter", "", "King"), identity.FieldGivenName, identity.ReasonGivenNameDiffers},
		{named("Ada", "", "Byron"), named("Byron", "", "Ada"), identity.FieldGivenName, identity.ReasonNameSwapped},
		{named("Ada", "", "Byron"), named("Byrom", "", "Ada"), identity.FieldGivenName, identity.ReasonNameSwapped},
		{named("", "", "Gabriel"), named("Gabriel", "", "Thomas"), identity.FieldFamilyName, identity.ReasonNameCrossed},
		{named("Ada", "", "Garcia Lopez"), named("Ada", "", "Lopez"), identity.FieldFamilyName, identity.ReasonFamilyNamePart},
		{named("Ada", "", "Johnson"), named("Ada", "", "Jonhson"), identity.FieldFamilyName, identity.ReasonFamilyNameTypo},
		{named("Ada", "", "Byron"), named("Ada", "", "King"), identity.FieldFamilyName, identity.ReasonFamilyNameDiffers},
		{named("Ada", "Maria", "King"), named("Ada", "M", "King"), identity.FieldMiddleName, identity.ReasonMiddleInitial},
		{named("Ada", "Maria", "King"), named("Ada", "T", "King"), identity.FieldMiddleName, identity.ReasonMiddleNameDiffers},
		{mailed("ada.b+x@gmail.com"), mailed("adab@googlemail.com"), identity.FieldEmail, identity.ReasonEmail},
		{mailed("adabyron@example.com"), mailed("adabyrom@example.com"), identity.FieldEmail, identity.ReasonEmailTypo},
		{mailed("ada@example.com"), mailed("ada@exmaple.com"), identity.FieldEmail, identity.ReasonEmailTypo},
		{mailed("roberta25@smith.net"), mailed("robert255@smith.net"), identity.FieldEmail, identity.ReasonEmailAlike},
		{mailed("k.t50eherand@z.ncom"), mailed("k.t50@hernandez.com"), identity.FieldEmail, identity.ReasonEmailAlike},
		{mailed("lovelace@gmail.com"), mailed("lovelace@hotmail.com"), identity.FieldEmail, identity.ReasonEmailLocal},
		{mailed("info@king.example"), mailed("info@byron.example"), identity.FieldEmail, identity.ReasonEmailDiffers},
		{someone("John", "King", "john.king12@gmail.com"), someone("John", "King", "john.king873@gmail.com"), identity.FieldEmail, identity.ReasonEmailName},
		{someone("John", "King", "john.king@gmail.com"), someone("John", "King", "john.king@hotmail.com"), identity.FieldEmail, identity.ReasonEmailLocalName},
		{someone("Eric", "Hill", "eric.hill@example.com"), someone("Erin", "Hill", "erin.hill@example.com"), identity.FieldEmail, identity.ReasonEmailName},
		{someone("Eric", "Hill", "erichill@example.com"), someone("Erik", "Hill", "erichil@example.com"), identity.FieldEmail, identity.ReasonEmailTypo},
		{called("+15125550163"), called("+15125550136"), identity.FieldPhone, identity.ReasonPhoneTypo},
		{called("+15125550163"), called("+12145550163"), identity.FieldPhone, identity.ReasonPhoneSeven},
		{called("+15125550163"), called("+15129990000"), identity.FieldPhone, identity.ReasonPhoneDiffers},
		{born("1984-03-12"), born("1984-12-03"), identity.FieldBorn, identity.ReasonBornSwapped},
		{born("1984-03-12"), born("1884-03-12"), identity.FieldBorn, identity.ReasonBornTypo},
		{born("1984-03-12"), born("1984-03-22"), identity.FieldBorn, identity.ReasonBornTypo},
		{born("1984-03-12"), born("1984-03-29"), identity.FieldBorn, identity.ReasonBornPart},
		{born("1984-12-20"), born("1985-01-12"), identity.FieldBorn, identity.ReasonBornNear},
		{born("1984-03-12"), born("1994-04-05"), identity.FieldBorn, identity.ReasonBornYearTypo},
		{born("1984-03-12"), born("1984-10-05"), identity.FieldBorn, identity.ReasonBornYear},
		{born("1984-03-12"), born("1961-10-05"), identity.FieldBorn, identity.ReasonBornDiffers},
		{born("1984"), born("1984-10-05"), identity.FieldBorn, identity.ReasonBornYear},
		{at("", "Austin", "78745", "12 Main Street"), at("", "Austin", "78745", "12 Main St."), identity.FieldAddress, identity.ReasonAddress},
		{at("", "Berlin", "10115", "Hauptstraße 12"), at("", "Berlin", "10115", "12 Hauptstr."), identity.FieldAddress, identity.ReasonAddress},
		{at("4", "Austin", "78745", "12 Main St"), at("", "Austin", "78745", "12 Main St Apt 5"), identity.FieldAddress, identity.ReasonAddressUnit},
		{at("", "Austin", "78745", "12 Meadowlark Ave"), at("", "Austin", "78745", "12 Medowlark Avenue"), identity.FieldAddress, identity.ReasonAddressTypo},
		{at("", "Austin", "78745", "12 Main St"), at("", "Austin", "78745", "Main St"), identity.FieldAddress, identity.ReasonAddressStreet},
		{at("", "Austin", "78745", "12 Main St"), at("", "Austin", "78745", "9 Main St"), identity.FieldAddress, identity.ReasonAddressNeighbour},
		{at("", "Austin", "78745", "Rose Farm", "12 Main St"), at("", "Austin", "78745", "12 Main St", "Rose Farm"), identity.FieldLine, identity.ReasonLine},
		{at("", "Austin", "78745"), at("", "Austin", "78745"), identity.FieldPlace, identity.ReasonPlace},
		{at("", "Austin", "78745"), at("", "Austni", "78745"), identity.FieldPlace, identity.ReasonPlaceTypo},
		{at("", "", "78745"), at("", "", "78745"), identity.FieldPlace, identity.ReasonPostal},
		{at("", "Austin", ""), at("", "Austin", "78745"), identity.FieldPlace, identity.ReasonCity},
		{at("", "Austin", "78745"), at("", "Waco", "76701"), identity.FieldPlace, identity.ReasonRegion},
		{identity.Record{VINs: []string{vin}}, identity.Record{VINs: []string{"5ZNLM5E26PK301189"}}, identity.FieldVehicle, identity.ReasonVehicleTypo},
		{identity.Record{VINs: []string{vin}}, identity.Record{VINs: []string{"1HGCM82633A004352"}}, identity.FieldVehicle, 0},
		{numbered(identity.Record{}, "7364009"), numbered(identity.Record{}, "7364090"), identity.FieldNumber, identity.ReasonNumberTypo},
		// An address as it was stored before its parts were.
		{identity.Record{Addresses: []string{"12mainstreet||78745"}}, at("", "Austin", "78745", "12 Main St"), identity.FieldAddress, identity.ReasonAddress},
		{identity.Record{Addresses: []string{"12mainstreet||78745"}}, at("", "Austin", "78745", "12 Main St"), identity.FieldPlace, identity.ReasonPostal},
	}
	for _, c := range cases {
		x, y := m.Prepare(&c.a), m.Prepare(&c.b)
		if got := m.Levels(&x, &y)[c.field]; got != c.want {
			t.Errorf("%v and %v: %s is %q, want %q", c.a, c.b, c.field, got, c.want)
		}
		if got := m.Levels(&y, &x)[c.field]; got != c.want {
			t.Errorf("%v and %v: %s is %q, want %q", c.b, c.a, c.field, got, c.want)
		}
	}
}

// A common name speaks for less than a rare one, and is explained so.
func TestRareNamesWeighMore(t *testing.T) {
	m := matcher(t)
	smith, rare := someone("Ada", "Smith", home), someone("Ada", "Szymborska", home)
	a, b := m.Match(&smith, &smith), m.Match(&rare, &rare)
	weight := func(e identity.Evidence) int32 {
		for _, r := range e.Reasons {
			if r.Code == identity.ReasonFamilyNameFrequency {
				return r.Weight
			}
		}
		return 0
	}
	if weight(a) >= weight(b) {
		t.Errorf("Smith adds %d, Szymborska %d", weight(a), weight(b))
	}
}
