package scoring

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
)

// ContributionKind is what gave or took points.
type ContributionKind uint8

// The kinds of contribution, in the order in which they are added up.
const (
	ContributionFeature ContributionKind = iota + 1
	ContributionPair
	ContributionBase
	ContributionGroupCap
	ContributionTotalCap
	ContributionClamp
)

var contributionNames = [...]string{"", "FEATURE", "PAIR", "BASE", "GROUP_CAP", "TOTAL_CAP", "CLAMP"}

// String returns the code of a kind.
func (k ContributionKind) String() string {
	if int(k) >= len(contributionNames) {
		return ""
	}
	return contributionNames[k]
}

// Contribution is one part of the points of a line. Base and caps carry no feature.
type Contribution struct {
	Kind    ContributionKind
	Feature Feature
	Group   Group
	Bin     int   // index into the bins of the row; -1 when no bin held the value
	Value   int32 // the input, or Missing
	Points  int32 // 1/100

	// Of a pair: its second feature and that one's input, and the parts of the pair's sides that the two
	// fall into, -1 where none holds it.
	Second      Feature
	SecondValue int32
	Cell        [2]int
}

// AppendContributions appends the contributions of a line to dst: base, every feature and pair of the
// line that took part, and the caps that changed something. Their points add up exactly to
// the points of the line. in and res must be those of one Score of this model.
func (m *Model) AppendContributions(dst []Contribution, in *Inputs, res *Result, line lead.Line) []Contribution {
	if line == lead.LineUnspecified || int(line) >= NumLines || m.defined[line-1] == 0 {
		return dst
	}
	k := line - 1
	dst = append(dst, Contribution{Kind: ContributionBase, Bin: -1, Value: Missing, Points: res.Base[line]})
	for i := range m.columns {
		f := m.columns[i].feature
		if m.rows[k][f] == nil || in.Values[f] == Absent {
			continue
		}
		dst = append(dst, Contribution{Kind: ContributionFeature, Feature: f, Group: f.Group(),
			Bin: int(m.origin[res.bins[i]][k]) - 1, Value: in.Values[f], Points: res.rows[i].lane(int(k))})
	}
	for i := range m.pairs {
		if p := &m.pairs[i]; p.line == int(k) {
			if c, ok := m.contribution(p, in, res); ok {
				dst = append(dst, c)
			}
		}
	}
	for g := GroupNone + 1; g < NumGroups; g++ {
		if p := res.GroupCaps[g][line]; p != 0 {
			dst = append(dst, Contribution{Kind: ContributionGroupCap, Group: g, Bin: -1, Value: Missing, Points: p})
		}
	}
	if p := res.TotalCap[line]; p != 0 {
		dst = append(dst, Contribution{Kind: ContributionTotalCap, Bin: -1, Value: Missing, Points: p})
	}
	if p := res.Clamp[line]; p != 0 {
		dst = append(dst, Contribution{Kind: ContributionClamp, Bin: -1, Value: Missing, Points: p})
	}
	return dst
}

// GroupScore is what the features and pairs of one group gave a line.
type GroupScore struct {
	Group     Group
	Points    int32 // after the group's cap
	Cap       int32 // what the cap changed
	NoConsent bool  // the line has tracked features in the group, and profiling is not granted
}

// AppendGroups appends the visible groups of a line in order.
func (m *Model) AppendGroups(dst []GroupScore, res *Result, line lead.Line) []GroupScore {
	if line == lead.LineUnspecified || int(line) >= NumLines || m.defined[line-1] == 0 {
		return dst
	}
	for g := GroupNone + 1; g < NumGroups; g++ {
		dst = append(dst, GroupScore{Group: g, Points: res.sums[g][line-1] + res.GroupCaps[g][line], Cap: res.GroupCaps[g][line],
			NoConsent: res.NoConsent && m.tracked[line-1][g]})
	}
	return dst
}

// Reason is one of the strongest contributions of a line, in words.
type Reason struct {
	Contribution
	// Label is the sentence with its slots filled in. Template is the sentence before that: the
	// key for a translation.
	Label, Template string
}

// Explain returns the n strongest features and pairs of a line, the greatest absolute points first, of
// equals features first and the one with the lower number. What gave nothing is no reason.
func (m *Model) Explain(in *Inputs, res *Result, line lead.Line, n int) []Reason {
	return m.AppendReasons(nil, in, res, line, n)
}

// AppendReasons appends to dst what Explain returns.
func (m *Model) AppendReasons(dst []Reason, in *Inputs, res *Result, line lead.Line, n int) []Reason {
	if line == lead.LineUnspecified || int(line) >= NumLines || m.defined[line-1] == 0 {
		return dst
	}
	k := int(line - 1)
	// Answers carry a few reasons: keeping those in order costs less than sorting all.
	var few [8]strength
	top := few[:0]
	if n > len(few) {
		top = make([]strength, 0, min(n, len(m.columns)+len(m.pairs)))
	}
	for i := range m.columns {
		x := strength{feature: m.columns[i].feature, column: int32(i), points: res.rows[i].lane(k)}
		if x.points != 0 && m.rows[k][x.feature] != nil && in.Values[x.feature] != Absent {
			top = x.into(top, n)
		}
	}
	for i := range m.pairs {
		p := &m.pairs[i]
		if x := (strength{feature: p.sides[0].feature, pair: int32(i + 1), points: p.points[m.cell(p, res)]}); p.line == k && x.points != 0 {
			top = x.into(top, n)
		}
	}
	for _, x := range top {
		c := Contribution{Kind: ContributionFeature, Feature: x.feature, Group: x.feature.Group(), Value: in.Values[x.feature], Points: x.points}
		if x.pair > 0 {
			c, _ = m.contribution(&m.pairs[x.pair-1], in, res)
		} else {
			c.Bin = int(m.origin[res.bins[x.column]][k]) - 1
		}
		r := Reason{Contribution: c}
		r.Template, r.Label = m.words(line, &c)
		dst = append(dst, r)
	}
	return dst
}

// strength is what one feature, or a pair counted from 1, gave a line.
type strength struct {
	feature              Feature
	column, pair, points int32
}

func (x strength) above(y strength) bool {
	if p, q := abs(x.points), abs(y.points); p != q {
		return p > q
	}
	if x.pair != y.pair {
		return x.pair < y.pair
	}
	return x.feature < y.feature
}

// into puts a strength in its place among the n strongest.
func (x strength) into(top []strength, n int) []strength {
	at := len(top)
	for at > 0 && x.above(top[at-1]) {
		at--
	}
	if at >= n {
		return top
	}
	if len(top) < n {
		top = append(top, strength{})
	}
	copy(top[at+1:], top[at:])
	top[at] = x
	return top
}

// words are the template and the sentence of a feature or pair that took part.
func (m *Model) words(line lead.Line, c *Contribution) (template, sentence string) {
	if c.Kind == ContributionPair {
		return m.pairOf(line, c).words(c)
	}
	template = m.template(line, *c)
	return template, fill(template, c.Feature, c.Value)
}

// template picks the sentence of a contribution: the bin's, else that for a value which is missing or past, else
// the row's, else the feature's.
func (m *Model) template(line lead.Line, c Contribution) string {
	r := m.rows[line-1][c.Feature]
	bin := ""
	if c.Bin >= 0 && c.Bin < len(r.Bins) {
		bin = r.Bins[c.Bin].Label
	}
	return c.Feature.template(bin, r.Label, c.Value)
}

// Sentence words a value of a feature, which may be Missing, as a reason. bin and row are the
// labels that a table gives the value's bin and the feature; either may be empty.
func (f Feature) Sentence(bin, row string, v int32) string {
	return fill(f.template(bin, row, v), f, v)
}

func (f Feature) template(bin, row string, v int32) string {
	if bin != "" {
		return bin
	}
	if v == Missing {
		return "not known: " + strings.TrimSuffix(strings.ReplaceAll(strings.ReplaceAll(f.String(), ".", " "), "_", " "), " recency")
	}
	if past := f.past(); past != "" && v < 0 {
		return past
	}
	return cmp.Or(row, f.Label())
}

// past is the built-in sentence of a feature that counts down once it is over.
func (f Feature) past() string {
	switch f {
	case FeatureLeaseDaysToEnd:
		return "lease ended {abs} day{s} ago"
	case FeatureWarrantyDaysLeft:
		return "warranty ended {abs} day{s} ago"
	case FeatureMaintenancePlanDaysLeft:
		return "maintenance plan ended {abs} day{s} ago"
	case FeatureEquity:
		return "owes {abs} more than the car is worth"
	}
	return ""
}

// fill puts a value into the slots of a sentence. Braces that are no slot stay.
func fill(template string, f Feature, v int32) string {
	if !strings.Contains(template, "{") {
		return template
	}
	n := shown(f.Unit(), v)
	var short [128]byte // that most sentences fit into
	out := short[:0]
	for {
		before, rest, found := strings.Cut(template, "{")
		out = append(out, before...)
		if !found {
			return string(out)
		}
		slot, after, _ := strings.Cut(rest, "}")
		template = after
		switch slot {
		case "value":
			switch {
			case v == Missing:
				out = append(out, "unknown"...)
			case f.Unit() == UnitCategory:
				out = append(out, f.phrase(v)...)
			default:
				out = strconv.AppendInt(out, n, 10)
			}
		case "abs":
			out = strconv.AppendInt(out, abs(n), 10)
		case "s":
			if n != 1 && n != -1 {
				out = append(out, 's')
			}
		case "ago":
			out = append(out, ago(int64(v))...)
		default:
			out, template = append(out, '{'), rest
		}
	}
}

// shown is the number people read: counts in times (at least one of something), seconds in days,
// metres in kilometres, 1/1000 in per cent, rounded half up.
func shown(u Unit, v int32) int64 {
	switch n := int64(v); u {
	case UnitMilli:
		if n <= 0 {
			return 0
		}
		return max(1, (n+500)/1000)
	case UnitSeconds:
		return floorDiv(n, 86400)
	case UnitMetres:
		return floorDiv(n+500, 1000)
	case UnitPermille:
		return floorDiv(n+5, 10)
	default:
		return n
	}
}

// ago says how long ago something was. It counts hours and days, not calendar days: the reader's
// time zone is not known here.
func ago(seconds int64) string {
	unit, n := "minute", seconds/60
	switch {
	case seconds < 120:
		return "just now"
	case seconds >= 2*86400:
		unit, n = "day", seconds/86400
	case seconds >= 2*3600:
		unit, n = "hour", seconds/3600
	}
	return strconv.FormatInt(n, 10) + " " + unit + "s ago"
}

func abs[T int32 | int64](n T) T {
	if n < 0 {
		return -n
	}
	return n
}
