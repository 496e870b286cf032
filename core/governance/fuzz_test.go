package governance_test

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/lead"
)

// FuzzApply holds Apply to its word: the same lead always gives the same result, a second time
// changes nothing, and no text grows without bound or stops being UTF-8.
func FuzzApply(f *testing.F) {
	f.Add("Dr. Erika von Beispiel", "erika@example.com", "+49 170 1234567", "80331", "DE", "Hyundai IONIQ 5", "within 30 days", "Please call, 25,000 EUR", int64(1784000000))
	f.Add("test test", "a@mailinator.com", "4152349999", "48201-1234", "us", "hyundai kona 2024", "T1", "We offer SEO services and backlinks", int64(0))
	f.Add("null", "@", "1", "", "XX", "\x00", "9999 years", "{{first_name}} http://x http://y bitcoin profit", int64(-62135596800))
	f.Fuzz(func(t *testing.T, name, mail, phone, postal, market, model, when, comments string, unix int64) {
		g := governor(t)
		at := time.Unix(unix%4e9, 0).UTC()
		fresh := func() *lead.Lead {
			return &lead.Lead{
				RawRequest: comments, Market: market, ReceivedAt: at, RequestedAt: at.Add(-time.Hour), Comments: comments, Language: market,
				Source: lead.Source{Channel: name, Source: model, Provider: mail}, Dealer: lead.DealerReference{Code: postal},
				Identifiers: []lead.Identifier{{Source: model, Value: phone}},
				Parties: []lead.Party{{
					Name: lead.Name{Full: name, Company: comments}, Emails: []lead.Email{{Raw: mail, Address: mail}}, Phones: []lead.Phone{{Raw: phone}},
					Address: lead.Address{Streets: []string{name}, City: model, Region: market, Postal: postal, Country: market}, Born: when,
				}},
				Vehicles:  []lead.Vehicle{{Make: model, Model: model, Trim: comments, VIN: phone, Odometer: -1, Comments: comments}, {Model: name, Odometer: unix}},
				TimeFrame: lead.TimeFrame{Text: when}, Extra: []lead.Field{{Path: "form_seconds", Value: phone}, {Path: "website_url", Value: postal}},
			}
		}
		one, two := fresh(), fresh()
		verdict := g.Apply(one, at)
		if again := g.Apply(two, at); again != verdict || cmp.Diff(one, two) != "" {
			t.Fatalf("the same lead gives %v, then %v\n%s", verdict, again, cmp.Diff(one, two))
		}
		if again := g.Apply(two, at); again != verdict || cmp.Diff(one, two) != "" {
			t.Fatalf("a second time gives %v, first %v (-first +second)\n%s", again, verdict, cmp.Diff(one, two))
		}
		given := len(name) + len(mail) + len(phone) + len(postal) + len(market) + len(model) + len(when) + len(comments)
		for _, text := range []string{one.Comments, one.Parties[0].Name.Full, one.Parties[0].Address.City, one.Vehicles[0].Make, one.Source.Source} {
			if len(text) > 8*given+256 {
				t.Fatalf("%d bytes became %d", given, len(text))
			}
			if utf8.ValidString(name+mail+phone+postal+market+model+when+comments) && !utf8.ValidString(text) {
				t.Fatalf("%q is not UTF-8", text)
			}
		}
	})
}
