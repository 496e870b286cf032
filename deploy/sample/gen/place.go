package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// place is one postal code. Region is the ISO 3166-2 subdivision without the country where
// GeoNames has it; lat and lon are degrees rounded to four decimals.
type place struct {
	country, postal, name, region, county string
	lat, lon                              float64
}

// Region codes of GeoNames for the United States that are no state and no district: military
// post offices carry none, MH lies outside the market.
var foreignRegions = map[string]bool{"": true, "MH": true}

// readPlaces reads a GeoNames postal code file and keeps the first row of each code, sorted by
// code. US rows without a state are left out: the coordinates of military post offices are
// those of the other side of the world.
func readPlaces(path string) ([]place, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var places []place
	seen := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		f := strings.Split(lines.Text(), "\t")
		if len(f) < 11 {
			return nil, fmt.Errorf("%s:%d: %d fields instead of 11 or 12", path, n, len(f))
		}
		if seen[f[1]] || f[0] == "US" && foreignRegions[f[4]] {
			continue
		}
		lat, err := strconv.ParseFloat(f[9], 64)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: latitude: %w", path, n, err)
		}
		lon, err := strconv.ParseFloat(f[10], 64)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: longitude: %w", path, n, err)
		}
		seen[f[1]] = true
		places = append(places, place{f[0], f[1], f[2], f[4], f[5], lat, lon})
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.postal, b.postal) })
	return places, lines.Err()
}

func writePostal(dir, country string, places []place) error {
	t := newTable(strings.ToLower(country)+".csv.gz", "country,postal,place,region,lat,lon")
	for _, p := range places {
		t.add(p.country, p.postal, p.name, p.region, degrees(p.lat), degrees(p.lon))
	}
	return t.write(dir)
}

func degrees(x float64) string { return strconv.FormatFloat(x, 'f', 4, 64) }

// kilometres is the great-circle distance (haversine, mean earth radius 6371 km).
func kilometres(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	a := math.Sin((lat2 - lat1) * rad / 2)
	b := math.Sin((lon2 - lon1) * rad / 2)
	h := a*a + b*b*math.Cos(lat1*rad)*math.Cos(lat2*rad)
	return 2 * 6371 * math.Asin(math.Sqrt(h))
}

// site is a postal code chosen for a store. Density is the number of postal codes of the same
// state within 40 km, our proxy for how many people live around it.
type site struct {
	place
	density int
}

// closedPlaces are bases whose postal codes lie in the middle of a city; nobody opens a store there.
var closedPlaces = map[string]bool{
	"Jbphh": true, "Camp H M Smith": true, "Tripler Army Medical Center": true, "Wheeler Army Airfield": true, "Schofield Barracks": true,
	"Jber": true, "Fort Shafter": true, "McBh Kaneohe Bay": true, "Joint Base Mdl": true, "Grand Forks Afb": true,
}

// choose picks n sites of one state. Each postal code stands for one unit of demand; the code
// whose 30 km ring holds the most demand wins, and what it serves counts a third from then on,
// so that stores spread out and crowded areas still get several.
func choose(state []place, n int) []site {
	const ring = 30.0
	near := make([][]int, len(state))
	density := make([]int, len(state))
	for i := range state {
		for j := range state {
			d := kilometres(state[i].lat, state[i].lon, state[j].lat, state[j].lon)
			if d <= ring {
				near[i] = append(near[i], j)
			}
			if d <= 40 {
				density[i]++
			}
		}
	}
	demand := make([]float64, len(state))
	for i := range demand {
		demand[i] = 1
	}
	taken := make([]bool, len(state))
	for i, p := range state {
		taken[i] = closedPlaces[p.name]
	}
	var sites []site
	for len(sites) < n {
		best, most := -1, 0.0
		for i := range state {
			if taken[i] {
				continue
			}
			sum := 0.0
			for _, j := range near[i] {
				sum += demand[j]
			}
			if sum > most {
				best, most = i, sum
			}
		}
		if best < 0 {
			return sites
		}
		for _, j := range near[best] {
			demand[j] /= 3
			// No second store in the same town centre.
			if kilometres(state[best].lat, state[best].lon, state[j].lat, state[j].lon) < 6 {
				taken[j] = true
			}
		}
		taken[best] = true
		sites = append(sites, site{state[best], density[best]})
	}
	return sites
}

// share divides total stores over the states: one each first, three where the state is an ocean
// away from the next, and every further one to the state with the most postal codes per store
// (Sainte-Lague).
func share(byState map[string][]place, total int) map[string]int {
	states := slices.Sorted(maps.Keys(byState))
	counts := map[string]int{}
	given := 0
	for _, state := range states {
		counts[state] = 1
		if state == "AK" || state == "HI" {
			counts[state] = 3
		}
		given += counts[state]
	}
	for ; given < total; given++ {
		next, most := "", 0.0
		for _, state := range states {
			if q := float64(len(byState[state])) / float64(2*counts[state]+1); q > most {
				next, most = state, q
			}
		}
		counts[next]++
	}
	return counts
}
