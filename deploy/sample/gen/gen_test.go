package main

import (
	"bytes"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestKilometres(t *testing.T) {
	tests := []struct {
		name                   string
		lat1, lon1, lat2, lon2 float64
		want                   float64
	}{
		{"same point", 40, -75, 40, -75, 0},
		{"a degree of latitude", 0, 0, 1, 0, 111.19},
		{"a quarter of the equator", 0, 0, 0, 90, 10007.54},
		{"over the date line", 0, 179.5, 0, -179.5, 111.19},
	}
	for _, test := range tests {
		if got := kilometres(test.lat1, test.lon1, test.lat2, test.lon2); math.Abs(got-test.want) > 0.01 {
			t.Errorf("%s: %.3f km, want %.2f", test.name, got, test.want)
		}
	}
}

func TestShareGivesEachStateSomethingAndAllAway(t *testing.T) {
	states := map[string][]place{"AK": make([]place, 3), "RI": make([]place, 7), "CA": make([]place, 500), "TX": make([]place, 490)}
	counts := share(states, 40)
	sum := 0
	for state, n := range counts {
		sum += n
		if n < 1 {
			t.Errorf("%s: %d stores", state, n)
		}
	}
	if sum != 40 || counts["AK"] != 3 || counts["CA"] <= counts["RI"] {
		t.Errorf("counts %v add up to %d, want 40 with 3 for AK", counts, sum)
	}
}

func TestChooseSpreadsStores(t *testing.T) {
	var state []place
	for i := range 400 {
		state = append(state, place{lat: 40 + float64(i%20)*0.02, lon: -90 + float64(i/20)*0.02})
	}
	for i := range 20 {
		state = append(state, place{lat: 42 + float64(i)*0.05, lon: -95})
	}
	sites := choose(state, 6)
	if len(sites) != 6 {
		t.Fatalf("%d sites, want 6", len(sites))
	}
	rural := 0
	for i, a := range sites {
		if a.lon == -95 {
			rural++
		}
		for _, b := range sites[:i] {
			if d := kilometres(a.lat, a.lon, b.lat, b.lon); d < 6 {
				t.Errorf("two stores %.1f km apart", d)
			}
		}
	}
	if rural == 0 || rural == 6 {
		t.Errorf("%d of 6 stores in the country, want some in both", rural)
	}
}

func TestFactsCoverTheSameStates(t *testing.T) {
	zones, codes := slices.Sorted(maps.Keys(stateZone)), slices.Sorted(maps.Keys(areaCodes))
	if len(zones) != 51 || !slices.Equal(zones, codes) {
		t.Errorf("zones for %d states, area codes for %d, want the same 51", len(zones), len(codes))
	}
}

// The committed files are what this program makes of the GeoNames files.
func TestCommittedFilesAreCurrent(t *testing.T) {
	geo := filepath.Join("..", "..", "..", "..", "shared", "data", "geo")
	if _, err := os.Stat(geo); err != nil {
		t.Skip("the GeoNames files are not here")
	}
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	out := t.TempDir()
	if err := generate(geo, out); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"network", "postal"} {
		files, err := os.ReadDir(filepath.Join(out, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			want, err := os.ReadFile(filepath.Join(out, folder, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join("..", folder, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s/%s differs from what the generator writes", folder, f.Name())
			}
		}
	}
}
