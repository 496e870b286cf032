package identity

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// maxShares is how many values of a field a parameter file may list.
const maxShares = 200_000

const paramsHead = `# What records of people are compared by. All numbers are log2: of odds for prior, home, possible and
# match (0 is even odds, 3 is 8 to 1), of probabilities for m, u and home. Of a level, m says how
# often it is seen among records of one person, u among strangers, home among two people of one home;
# m less u, the weight of the level in bits, stands behind it. To make a level weaker, raise its u.
`

// Marshal writes the parameters as YAML for people. Equal parameters give equal bytes.
func (p *Params) Marshal() []byte {
	var b bytes.Buffer
	b.WriteString(paramsHead)
	fmt.Fprintf(&b, "prior: %s\nhome: %s\npossible: %s\nmatch: %s\nfields:\n", decimal(p.Prior), decimal(p.Home), decimal(p.Possible), decimal(p.Match))
	for f := range FieldCount {
		head := false
		for c := range ReasonCount {
			l := p.Levels[c]
			if c.Field() != f || l == (Level{}) {
				continue
			}
			if !head {
				fmt.Fprintf(&b, "  %s:\n", f.Name())
				head = true
			}
			fmt.Fprintf(&b, "    %s: {m: %s, u: %s, home: %s} # %+.2f\n", c.Name(), decimal(l.M), decimal(l.U), decimal(l.Home), float64(l.M-l.U)/1000)
		}
	}
	head := false
	for f := range FieldCount {
		s := p.Shares[f]
		if s == nil {
			continue
		}
		if !head {
			b.WriteString("frequencies:\n")
			head = true
		}
		fmt.Fprintf(&b, "  %s:\n    dictionary: %v\n    rare: %s\n", f.Name(), s.Dictionary, decimal(s.Rare))
		if len(s.Values) == 0 {
			continue
		}
		b.WriteString("    values:\n")
		for _, v := range slices.Sorted(maps.Keys(s.Values)) {
			fmt.Fprintf(&b, "      %s: %s\n", strconv.Quote(v), decimal(s.Values[v]))
		}
	}
	return b.Bytes()
}

func decimal(v int32) string { return strconv.FormatFloat(float64(v)/1000, 'f', -1, 64) }

// ParseParams reads what Marshal writes, as a person may have edited it. An error names the line and
// the field.
func ParseParams(text []byte) (*Params, error) {
	var n yaml.Node
	if err := yaml.Unmarshal(text, &n); err != nil {
		line, message := "1", err.Error()
		if m := yamlLine.FindStringSubmatch(message); m != nil {
			message = message[len(m[0]):]
			if m[1] != "" {
				line = m[1]
			}
		}
		return nil, fmt.Errorf("parameters, line %s: no YAML: %s", line, message)
	}
	if n.Kind != yaml.DocumentNode || len(n.Content) != 1 {
		return nil, errors.New("parameters, line 1: the file is empty")
	}
	r := paramsReader{p: &Params{}}
	seen := map[string]bool{}
	r.each(n.Content[0], "the file", func(key string, v *yaml.Node) {
		seen[key] = true
		switch key {
		case "prior":
			r.p.Prior = r.number(v, key, -60, 60)
		case "home":
			r.p.Home = r.number(v, key, -60, 60)
		case "possible":
			r.p.Possible = r.number(v, key, -1000, 1000)
		case "match":
			r.p.Match = r.number(v, key, -1000, 1000)
		case "fields":
			r.fields(v)
		case "frequencies":
			r.frequencies(v)
		default:
			r.bad(v, "%s is not known; there are prior, home, possible, match, fields and frequencies", key)
		}
	})
	for _, key := range [...]string{"prior", "home", "possible", "match", "fields"} {
		if !seen[key] {
			r.bad(n.Content[0], "%s is missing", key)
		}
	}
	if r.err == nil {
		r.err = r.p.check()
	}
	if r.err != nil {
		return nil, r.err
	}
	return r.p, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// paramsReader keeps the first mistake it meets.
type paramsReader struct {
	p   *Params
	err error
}

func (r *paramsReader) bad(n *yaml.Node, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("parameters, line %d: %s", max(1, n.Line), fmt.Sprintf(format, args...))
	}
}

// each calls do for each key of a mapping; a key may stand once.
func (r *paramsReader) each(n *yaml.Node, what string, do func(key string, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.bad(n, "%s must be a list of names with values", what)
		return
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content) && r.err == nil; i += 2 {
		key := n.Content[i].Value
		if n.Content[i].Kind != yaml.ScalarNode || seen[key] {
			r.bad(n.Content[i], "%s stands twice in %s", key, what)
			return
		}
		seen[key] = true
		do(key, n.Content[i+1])
	}
}

// number reads bits between two bounds as thousandths.
func (r *paramsReader) number(n *yaml.Node, what string, least, most float64) int32 {
	v, err := strconv.ParseFloat(n.Value, 64)
	if err != nil || n.Kind != yaml.ScalarNode || math.IsNaN(v) || v < least || v > most {
		r.bad(n, "%s must be a number of bits from %g to %g", what, least, most)
		return 0
	}
	return int32(math.Round(1000 * v))
}

func (r *paramsReader) fields(n *yaml.Node) {
	r.each(n, "fields", func(name string, v *yaml.Node) {
		f := r.field(v, name)
		r.each(v, name, func(level string, v *yaml.Node) {
			code := levelByName(f, level)
			if code == 0 {
				r.bad(v, "%s is no level of %s", level, name)
				return
			}
			l := &r.p.Levels[code]
			given := 0
			r.each(v, level, func(key string, v *yaml.Node) {
				given++
				switch key {
				case "m":
					l.M = r.number(v, level+" m", -60, 0)
				case "u":
					l.U = r.number(v, level+" u", -60, 0)
				case "home":
					l.Home = r.number(v, level+" home", -60, 0)
				default:
					r.bad(v, "%s of %s is not known; there are m, u and home", key, level)
				}
			})
			if given != 3 {
				r.bad(v, "%s needs m, u and home", level)
			}
		})
	})
}

func (r *paramsReader) frequencies(n *yaml.Node) {
	r.each(n, "frequencies", func(name string, v *yaml.Node) {
		f := r.field(v, name)
		if r.err == nil && FrequencyLevels(f) == nil {
			r.bad(v, "%s has no frequencies", name)
			return
		}
		s := &Shares{}
		r.p.Shares[f] = s
		rare := false
		r.each(v, name, func(key string, v *yaml.Node) {
			switch key {
			case "dictionary":
				if v.Value != "true" && v.Value != "false" {
					r.bad(v, "dictionary of %s must be true or false", name)
				}
				s.Dictionary = v.Value == "true"
			case "rare":
				rare = true
				s.Rare = r.number(v, name+" rare", -40, 0)
			case "values":
				if len(v.Content) > 2*maxShares {
					r.bad(v, "values of %s are more than %d", name, maxShares)
					return
				}
				s.Values = make(map[string]int32, len(v.Content)/2)
				r.each(v, "values of "+name, func(value string, v *yaml.Node) {
					s.Values[value] = r.number(v, "the frequency", -40, 0)
				})
			default:
				r.bad(v, "%s of %s is not known; there are dictionary, rare and values", key, name)
			}
		})
		if !rare {
			r.bad(v, "%s needs rare, the log2 share of a value that is not listed", name)
		}
	})
}

func (r *paramsReader) field(n *yaml.Node, name string) Field {
	for f := FieldPrior + 1; f < FieldCount; f++ {
		if f.Name() == name {
			return f
		}
	}
	r.bad(n, "%s is no field", name)
	return 0
}

func levelByName(f Field, name string) ReasonCode {
	for c := range ReasonCount {
		if c.Field() == f && c.Name() == name {
			return c
		}
	}
	return 0
}
