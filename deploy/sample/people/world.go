package people

import (
	"compress/gzip"
	"embed"
	"encoding/csv"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/deploy/sample"
)

//go:embed names
var files embed.FS

// world is what people are made from.
type world struct {
	country string
	men     weighted[string]
	women   weighted[string]
	family  weighted[string]
	short   map[string][]string // short forms by given name
	places  weighted[place]
	streets []string
	types   []string
}

type place struct{ postal, city, region string }

// weighted is a list to draw from, each value as often as its weight says.
type weighted[T any] struct {
	values []T
	sums   []float64
}

func (w *weighted[T]) add(v T, weight float64) {
	if n := len(w.sums); n > 0 {
		weight += w.sums[n-1]
	}
	w.values, w.sums = append(w.values, v), append(w.sums, weight)
}

func (w *weighted[T]) draw(r *rand.Rand) T {
	x := r.Float64() * w.sums[len(w.sums)-1]
	return w.values[min(sort.SearchFloat64s(w.sums, x), len(w.sums)-1)]
}

func newWorld(country string) (*world, error) {
	w := &world{country: country, short: map[string][]string{}}
	var err error
	switch country {
	case "", "US":
		w.country = "US"
		err = w.readNames()
		w.streets, w.types = streetsUS, typesUS
	case "DE":
		w.men, w.women, w.family = ranked(menDE), ranked(womenDE), ranked(familyDE)
		w.short = shortDE
		addInvented(&w.family, headsDE, tailsDE, 0.8)
		w.streets, w.types = streetsDE, typesDE
	default:
		return nil, fmt.Errorf("nobody is known in country %q; take US or DE", country)
	}
	if err != nil {
		return nil, err
	}
	return w, w.readPlaces()
}

func (w *world) readNames() error {
	given, err := readTable(files, "names/given.csv.gz")
	if err != nil {
		return err
	}
	for _, row := range given {
		n, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			return err
		}
		if row[1] == "F" {
			w.women.add(row[0], n)
		} else {
			w.men.add(row[0], n)
		}
	}
	family, err := readTable(files, "names/family.csv.gz")
	if err != nil {
		return err
	}
	for _, row := range family {
		n, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			return err
		}
		w.family.add(row[0], n)
	}
	// The list ends at the thousandth name. Of 295 million people 173 million have rarer ones, which
	// are made up.
	addInvented(&w.family, headsUS, tailsUS, 173.0/122)
	short, err := readTable(files, "names/short.csv.gz")
	if err != nil {
		return err
	}
	for _, row := range short {
		w.short[row[0]] = append(w.short[row[0]], row[1])
	}
	return nil
}

// addInvented adds the rarer family names: every combination of a head, a middle and a tail, their
// weights falling like those of real ones, all together share times what is there.
func addInvented(w *weighted[string], heads, tails []string, share float64) {
	total := w.sums[len(w.sums)-1] * share
	middles := []string{"", "a", "en", "er", "i", "o", "els", "ing"}
	n := len(heads) * len(tails) * len(middles)
	const from = 12 // beyond the most frequent ranks the law of ranks is flat
	all := math.Log(float64(n+from)) - math.Log(from)
	for i := range n {
		k := i * 7919 % n // neighbours in rank are no neighbours in spelling
		name := heads[k%len(heads)] + middles[k/len(heads)/len(tails)] + tails[k/len(heads)%len(tails)]
		w.add(name, total/all/float64(i+from))
	}
}

// readPlaces reads the postal codes. How many people live in one is not known: a few codes of each
// kind hold most, which is drawn from the code itself.
func (w *world) readPlaces() error {
	rows, err := readTable(sample.Files(), "postal/"+strings.ToLower(w.country)+".csv.gz")
	if err != nil {
		return err
	}
	for _, row := range rows {
		h := fnv.New64a()
		h.Write([]byte(row[1]))
		u := float64(h.Sum64()%1_000_003+1) / 1_000_004
		w.places.add(place{row[1], row[2], row[3]}, math.Exp(1.5*math.Sqrt2*math.Erfinv(2*u-1)))
	}
	return nil
}

// readTable reads a packed CSV file without its header.
func readTable(files fs.FS, name string) ([][]string, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil || len(rows) < 2 {
		return nil, fmt.Errorf("%s holds no rows: %w", name, err)
	}
	return rows[1:], nil
}

// ranked weighs a list by Zipf's law.
func ranked(list string) weighted[string] {
	var w weighted[string]
	for i, v := range strings.Fields(list) {
		w.add(v, 1/float64(i+5))
	}
	return w
}
