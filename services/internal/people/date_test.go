package people

import "testing"

func TestReadDate(t *testing.T) {
	for _, tt := range []struct {
		in    string
		order dateOrder
		want  string
	}{
		{"19081209", dayFirst, "1908-12-09"},
		{"1971-06-24", dayFirst, "1971-06-24"},
		{"1971-6-4", monthFirst, "1971-06-04"},
		{"1971/06/24", monthFirst, "1971-06-24"},
		{"1971-06-24T00:00:00Z", dayFirst, "1971-06-24"},
		{"1971-06-24 00:00:00.000", dayFirst, "1971-06-24"},
		{"24.06.1971", dayFirst, "1971-06-24"},
		{"4.6.1971", dayFirst, "1971-06-04"},
		{"06/24/1971", monthFirst, "1971-06-24"},
		{"06/07/1971", monthFirst, "1971-06-07"},
		{"06/07/1971", dayFirst, "1971-07-06"},
		{"06/24/1971", dayFirst, "1971-06-24"},
		{"24/06/1971", monthFirst, "1971-06-24"},
		{"24.6.71", dayFirst, "1971-06-24"},
		{"6/24/05", monthFirst, "2005-06-24"},
		{"24061971", dayFirst, "1971-06-24"},
		{"06241971", monthFirst, "1971-06-24"},
		{"1764-05-06", dayFirst, "1764-05-06"},
		{"19729518", dayFirst, "1972-95-18"}, // a typing error is near to what it should be
		{"24 June 1971", dayFirst, "1971-06-24"},
		{"June 24, 1971", dayFirst, "1971-06-24"},
		{"24th Jun 1971", dayFirst, "1971-06-24"},
		{"24-Jun-71", dayFirst, "1971-06-24"},
		{"3. März 1980", dayFirst, "1980-03-03"},
		{"3. Dez. 1980", dayFirst, "1980-12-03"},
		{"1900-01-01", dayFirst, ""}, // stands for none
		{"1899-12-30", dayFirst, ""},
		{"0000-00-00", dayFirst, ""},
		{"2071-06-24", dayFirst, ""},
		{"1971", dayFirst, ""},
		{"06/1971", dayFirst, ""},
		{"n/a", dayFirst, ""},
		{"", dayFirst, ""},
		{"1-2-3-4", dayFirst, ""},
	} {
		if got, ok := readDate(tt.in, tt.order, 2026); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%q, %s: %q, want %q", tt.in, tt.order, got, tt.want)
		}
	}
}

func TestOrderOfAColumn(t *testing.T) {
	for _, tt := range []struct {
		values  []string
		country string
		order   dateOrder
		said    bool
	}{
		{[]string{"06/07/1971", "01/24/1980"}, "DE", monthFirst, true},
		{[]string{"06/07/1971", "24/01/1980"}, "US", dayFirst, true},
		{[]string{"06.07.1971"}, "US", dayFirst, true},
		{[]string{"06/07/1971"}, "US", monthFirst, false},
		{[]string{"06/07/1971"}, "DE", dayFirst, false},
	} {
		var v dateVotes
		for _, s := range tt.values {
			v.add(s)
		}
		if order, said := v.order(tt.country); order != tt.order || said != tt.said {
			t.Errorf("%q in %s: %s, %t", tt.values, tt.country, order, said)
		}
	}
}
