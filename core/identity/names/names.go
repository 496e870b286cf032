// Package names holds the dictionary of names that is shipped: short forms of given names, how
// frequent names are in the United States, and whether men or women have them there.
package names

import (
	_ "embed"
	"iter"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
)

//go:embed nicknames.txt
var nicknames string

//go:embed given.txt
var given string

//go:embed family.txt
var family string

// Load reads the shipped dictionary. It is costly: call it once and pass the result on.
func Load() *identity.Dictionary {
	var groups [][]string
	for line := range lines(nicknames) {
		var group []string
		for name := range strings.FieldsSeq(line) {
			group = append(group, lead.Fold(name))
		}
		groups = append(groups, group)
	}
	return identity.NewDictionary(groups, bearers(given), shares(family))
}

// bearers reads a table as shares does, whose lines also say how many of a hundred are women.
func bearers(table string) map[string]identity.Bearers {
	out := make(map[string]identity.Bearers, strings.Count(table, "\n"))
	for name, of := range counted(table) {
		percent, _ := strconv.ParseFloat(of.rest, 64)
		have := out[name]
		all := have.Share + of.share
		out[name] = identity.Bearers{Share: all, Women: (have.Women*have.Share + percent/100*of.share) / all}
	}
	return out
}

// shares reads the share of people that has each name.
func shares(table string) map[string]float64 {
	out := make(map[string]float64, strings.Count(table, "\n"))
	for name, of := range counted(table) {
		out[name] += of.share
	}
	return out
}

// count is what a table says of a name.
type count struct {
	share float64 // of all people
	rest  string  // of the line
}

// counted yields the names of a table whose first line is the number of people and whose others are a
// name, how many of them have it, and what else there is to say. A name may come more than once.
func counted(table string) iter.Seq2[string, count] {
	return func(yield func(string, count) bool) {
		people := 0.0
		for line := range lines(table) {
			name, rest, _ := strings.Cut(line, " ")
			if people == 0 {
				people, _ = strconv.ParseFloat(name, 64)
				continue
			}
			number, rest, _ := strings.Cut(rest, " ")
			n, _ := strconv.ParseFloat(number, 64)
			if !yield(lead.Fold(name), count{n / people, rest}) {
				return
			}
		}
	}
}

// lines yields the lines of a table that hold something and are no remark.
func lines(table string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(table) {
			line = strings.TrimSpace(line)
			if line != "" && line[0] != '#' && !yield(line) {
				return
			}
		}
	}
}
