// Command gen writes the made-up network of deploy/sample: dealers, codes, departments, roster,
// territories, programs, certificates and catalogue, and the postal codes they stand
// on. The same inputs always give the same bytes.
//
//	go run . -geo <folder with geonames_US.txt, _DE, _GB, _CA> -out ..
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	geo := flags.String("geo", "", "folder with the GeoNames postal code files geonames_US.txt, geonames_DE.txt, geonames_GB.txt and geonames_CA.txt")
	out := flags.String("out", "..", "the folder deploy/sample")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *geo == "" {
		fmt.Fprintln(os.Stderr, "gen: -geo is missing: the folder with the GeoNames postal code files")
		return 2
	}
	if err := generate(*geo, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		return 1
	}
	return 0
}

func generate(geo, out string) error {
	var us []place
	for _, country := range []string{"US", "DE", "GB", "CA"} {
		places, err := readPlaces(filepath.Join(geo, "geonames_"+country+".txt"))
		if err != nil {
			return err
		}
		if err := writePostal(filepath.Join(out, "postal"), country, places); err != nil {
			return err
		}
		if country == "US" {
			us = places
		}
	}

	n := build(us)
	for _, t := range []table{
		n.dealerTable(), n.codeTable(), n.departmentTable(), n.rosterTable(),
		n.territoryTable(us), programTable(), n.certificateTable(), catalogueTable(),
	} {
		if err := t.write(filepath.Join(out, "network")); err != nil {
			return err
		}
	}
	return nil
}
