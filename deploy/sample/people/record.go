package people

import (
	"strconv"
	"time"
)

// Record is what one person said of themselves at one time, as a form, a store's system or a
// salesperson wrote it. Empty fields were not given.
type Record struct {
	ID        int // from 1, in the order of time
	At        time.Time
	Given     string
	Middle    string
	Family    string
	Suffix    string // Jr, Sr
	Email     string
	Phone     string // as written; the country's own form or E.164
	Street    string // with the number of the house
	Unit      string
	City      string
	Region    string // two letters
	Postal    string
	Country   string // ISO 3166-1, two letters
	Born      string // YYYY-MM-DD
	Person    int    // the truth: unique in the population
	Household int    // the truth at the beginning of the years
}

// Header returns the names of the columns of Row. The last two are the truth.
func Header() []string {
	return []string{
		"id", "at", "given_name", "middle_name", "family_name", "suffix", "email", "phone", "street", "unit", "city", "region",
		"postal_code", "country", "date_of_birth", "truth_person", "truth_household",
	}
}

// Row returns a record as one row of a table.
func (r *Record) Row() []string {
	return []string{
		strconv.Itoa(r.ID), r.At.UTC().Format(time.RFC3339), r.Given, r.Middle, r.Family, r.Suffix, r.Email, r.Phone, r.Street, r.Unit,
		r.City, r.Region, r.Postal, r.Country, r.Born, strconv.Itoa(r.Person), strconv.Itoa(r.Household),
	}
}
