package routing_test

import (
	"bufio"
	"cmp"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
)

func TestDistance(t *testing.T) {
	tests := []struct {
		name           string
		a, b, c, d     int32
		want, tolerant int32
	}{
		{"nowhere", 50_000_000, 8_000_000, 50_000_000, 8_000_000, 0, 0},
		{"a degree of the equator", 0, 0, 0, 1_000_000, 111_195, 1},
		{"pole to pole", 90_000_000, 0, -90_000_000, 123_000_000, 20_015_114, 2},
		{"over the date line", 0, 179_500_000, 0, -179_500_000, 111_195, 1},
		{"one step of a coordinate", 0, 0, 9, 0, 1, 0},
		{"Berlin to Munich", 52_520_000, 13_405_000, 48_137_000, 11_575_000, 504_000, 1_000},
	}
	for _, tt := range tests {
		if got := routing.Metres(tt.a, tt.b, tt.c, tt.d); got < tt.want-tt.tolerant || got > tt.want+tt.tolerant {
			t.Errorf("%s: %d m, want %d", tt.name, got, tt.want)
		}
	}
}

// The nearest stores are those that measuring every store finds, in that order.
func TestNearestAgainstEveryStore(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 9))
		n := routing.Network{Dealers: []routing.Dealer{desk("desk")}}
		spread := int32(1) << r.IntN(24) // from all on one spot to a continent
		for i := range 1 + r.IntN(400) {
			n.Dealers = append(n.Dealers, store(strconv.Itoa(i), 50_000_000+r.Int32N(spread), 8_000_000+r.Int32N(spread), "TOY"))
		}
		latitude, longitude := 50_000_000+r.Int32N(spread), 8_000_000+r.Int32N(spread)
		n.Points = []routing.PostalPoint{{Country: "DE", Postal: "1", Latitude: latitude, Longitude: longitude}}
		type at struct {
			id     string
			metres int32
		}
		var want []at
		for _, d := range n.Dealers[1:] {
			want = append(want, at{d.ID, routing.Metres(latitude, longitude, d.Latitude, d.Longitude)})
		}
		slices.SortFunc(want, func(a, b at) int { return cmp.Or(cmp.Compare(a.metres, b.metres), strings.Compare(a.id, b.id)) })
		f := facts()
		f.Postal = "1"
		got := choose(compile(t, n, policy()), f)
		if len(got.Candidates) != min(len(want), routing.MaxCandidates) {
			t.Fatalf("seed %d: %d candidates of %d stores", seed, len(got.Candidates), len(want))
		}
		for i, c := range got.Candidates {
			if c.Dealer != want[i].id || c.Distance != want[i].metres {
				t.Fatalf("seed %d: place %d is %s at %d m, want %s at %d m", seed, i, c.Dealer, c.Distance, want[i].id, want[i].metres)
			}
		}
		if others := int(got.Others[routing.LossBeyondList]); others != len(want)-len(got.Candidates) {
			t.Errorf("seed %d: %d others counted, want %d", seed, others, len(want)-len(got.Candidates))
		}
	}
}

func TestPlace(t *testing.T) {
	n := row("a")
	n.Points = append(n.Points, routing.PostalPoint{Country: "GB", Postal: "E1", Latitude: 51_500_000}, routing.PostalPoint{Country: "GB", Postal: "E16", Latitude: 51_600_000},
		routing.PostalPoint{Country: "DE", Postal: "99999", Latitude: 50_000_000, Longitude: 8_000_000})
	s := compile(t, n, policy())
	tests := []struct {
		name, country, postal, region string
		want                          routing.Place
		distance                      int32
	}{
		{"known", "DE", "10000", "", routing.PlacePostal, 0},
		{"known, written otherwise", "DE", " 10-000 ", "", routing.PlacePostal, 0},
		{"longer than known", "DE", "10000-1234", "", routing.PlacePrefix, 0},
		{"middle of the prefix 10", "DE", "10999", "", routing.PlacePrefix, 35_739},
		{"region", "DE", "", "HE", routing.PlaceRegion, 35_739},
		{"a prefix is better than a region", "DE", "9", "HE", routing.PlacePrefix, 0},
		{"country", "DE", "XYZ", "", routing.PlaceCountry, 80_000},
		{"outward code of a full British one", "GB", "E1 6AN", "", routing.PlacePostal, 600_000},
		{"country without codes", "FR", "75001", "", routing.PlaceUnknown, -1},
	}
	for _, tt := range tests {
		f := facts()
		f.Country, f.Postal, f.Region = tt.country, tt.postal, tt.region
		f.ServiceDealer, f.ServicedAt = "a", now-1
		r := choose(s, f)
		got := rowOf(t, r, "a").Distance
		if r.Place != tt.want || math.Abs(float64(got-tt.distance)) > 0.2*math.Abs(float64(tt.distance)) {
			t.Errorf("%s: %v at %d m, want %v at %d m", tt.name, r.Place, got, tt.want, tt.distance)
		}
	}
	f := facts()
	f.HasPoint, f.Latitude, f.Longitude = true, 50_000_000, 8_010_000
	if r := choose(s, f); r.Place != routing.PlacePoint || rowOf(t, r, "a").Distance != 715 {
		t.Errorf("point: %v at %d m", r.Place, rowOf(t, r, "a").Distance)
	}
}

// Stores that may not take the lead never push out of the receipt those that may.
func TestStoresThatMayComeBeforeNearerOnesThatMayNot(t *testing.T) {
	n := routing.Network{Dealers: []routing.Dealer{desk("desk")}, Points: row("").Points}
	for i := range 30 {
		d := store("d"+strconv.Itoa(100+i), 50_000_000, 8_000_000+int32(i)*100_000, "TOY")
		if i < 25 {
			d.Status = routing.StatusPaused
		}
		n.Dealers = append(n.Dealers, d)
	}
	r := choose(compile(t, n, policy()), facts())
	if r.Step != routing.StepExpected || len(r.Candidates) != routing.MaxCandidates || r.Others[routing.LossPaused] != 10 {
		t.Errorf("%v with %d candidates, %d paused beside them\n%s", r.Step, len(r.Candidates), r.Others[routing.LossPaused], r.AppendCanonical(nil))
	}
}

// With the real postal codes of a country every lead finds a store nearby.
func TestRealPostalCodes(t *testing.T) {
	points := realPoints(t, "geonames_DE.txt")
	r := rand.New(rand.NewPCG(5, 5))
	n := routing.Network{Points: points, Dealers: []routing.Dealer{desk("desk")}}
	for i := range 2_000 {
		p := points[r.IntN(len(points))]
		n.Dealers = append(n.Dealers, store("d"+strconv.Itoa(i), p.Latitude, p.Longitude, "TOY"))
	}
	s := compile(t, n, policy())
	for range 500 {
		f := facts()
		f.Postal = points[r.IntN(len(points))].Postal
		f.LeadID = lead.NewID(secret(), f.Postal)
		c := choose(s, f)
		if c.Place != routing.PlacePostal || len(c.Candidates) != routing.MaxCandidates || c.Candidates[0].Distance > 100_000 {
			t.Fatalf("%v, %d candidates", c.Place, len(c.Candidates))
		}
	}
}

func realPoints(t *testing.T, name string) []routing.PostalPoint {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			break
		}
	}
	file, err := os.Open(filepath.Join(dir, "..", "shared", "data", "geo", name))
	if err != nil {
		t.Skip("the real postal codes are not here")
	}
	t.Cleanup(func() { _ = file.Close() }) // only read from
	var points []routing.PostalPoint
	for lines := bufio.NewScanner(file); lines.Scan(); {
		x := strings.Split(lines.Text(), "\t")
		latitude, err1 := strconv.ParseFloat(x[9], 64)
		longitude, err2 := strconv.ParseFloat(x[10], 64)
		if err1 != nil || err2 != nil {
			t.Fatalf("line %d of %s", len(points)+1, name)
		}
		points = append(points, routing.PostalPoint{Country: x[0], Postal: x[1], Region: x[4],
			Latitude: int32(math.Round(latitude * 1e6)), Longitude: int32(math.Round(longitude * 1e6))})
	}
	return points
}
