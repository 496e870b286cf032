package scoring

import (
	"math"

	"github.com/leadmesh/leadmesh/core/lead"
)

// SegmentSet is a set of segments.
type SegmentSet uint8

// Has reports whether a segment is in the set.
func (s SegmentSet) Has(code lead.Segment) bool {
	return code != lead.SegmentUnspecified && int(code) < NumSegments && s>>(code-1)&1 == 1
}

func (s SegmentSet) with(code lead.Segment) SegmentSet { return s | 1<<(code-1) }

// Result is the score of one lead on every line. It is the caller's own: Score overwrites it
// wholly and keeps no reference to it, so one Result serves any number of leads in turn. The
// arrays are indexed by lead.Line; index 0 and lines without a scorecard are zero.
//
// For a line, Base + the contributions of features and pairs + GroupCaps + TotalCap + Clamp = Points,
// exactly.
type Result struct {
	Points      [NumLines]int32 // 0..10000, 1/100
	Probability [NumLines]int32 // of the line's win, parts per million
	Stage       [NumLines]lead.Stage

	Segments SegmentSet
	Levels   [NumSegments]uint8 // which rule of the segment holds, from 1; see Model.Level
	Active   lead.Segment       // the segment whose play is worth most now; unspecified without any
	// NoConsent says that tracked behaviour took no part, for want of granted profiling.
	NoConsent bool

	Base      [NumLines]int32
	GroupCaps [NumGroups][NumLines]int32 // what the caps of the groups changed
	TotalCap  [NumLines]int32            // what the cap of the line changed
	Clamp     [NumLines]int32            // what keeping to 0..10000 changed

	sums [NumGroups]lanes    // of each group before its cap
	rows [NumFeatures]packed // by column of the model
	bins [NumFeatures]uint32 // by column: index into the model's points
}

// narrow is the least width of a column: the last three steps of the search are written out.
const narrow = 8

// Score scores the inputs on every line. It allocates nothing. Contributions and reasons are read
// from the result with the same model.
func (m *Model) Score(in *Inputs, out *Result) {
	total := m.base
	for g := GroupNone + 1; g < NumGroups; g++ {
		var s0, s1, s2, s3, s4 int64
		for i := m.groups[g].from; i < m.groups[g].to; i++ {
			c := &m.columns[i]
			v := in.Values[c.feature]
			// Inputs are as good as random to the branch predictor, so the search has no branch on
			// them: a mask is all ones when the cut is not above the value.
			v1 := int64(v) + 1
			bin := 0
			cuts := m.cuts[c.cut:]
			for step := int(c.width) / 2; step > 4; step /= 2 {
				bin += step & int((int64(cuts[bin+step-1])-v1)>>63)
			}
			last := (*[narrow]int32)(cuts[bin:])
			low := 4 & int((int64(last[3])-v1)>>63)
			low += 2 & int((int64(last[low+1])-v1)>>63)
			low += 1 & int((int64(last[low&7])-v1)>>63)
			bin += low
			at := c.bin + uint32(bin)
			out.bins[i] = at
			points, row := &m.points[at], &out.rows[i]
			p0, p1, p2, p3, p4 := points[0], points[1], points[2], points[3], points[4]
			row[0], row[1], row[2], row[3], row[4] = p0, p1, p2, p3, p4
			s0, s1, s2, s3, s4 = s0+p0, s1+p1, s2+p2, s3+p3, s4+p4
		}
		sum := (&packed{s0, s1, s2, s3, s4}).unpack()
		out.sums[g] = sum
		lo, hi := &m.groupMin[g], &m.groupMax[g]
		for k := range sum {
			capped := min(max(sum[k], lo[k]), hi[k])
			out.GroupCaps[g][k+1] = capped - sum[k]
			total[k] += capped
		}
	}
	if len(m.pairs) > 0 {
		m.addPairs(out, &total)
	}
	m.belong(in, out)
	ready := &m.ready[out.Segments]
	for k := range total {
		capped := min(max(total[k], m.min[k]), m.max[k])
		points := min(max(capped, 0), MaxPoints)
		out.Base[k+1] = m.base[k]
		out.TotalCap[k+1] = capped - total[k]
		out.Clamp[k+1] = points - capped
		out.Points[k+1] = points
		out.Probability[k+1] = m.chance[k][points]
		// As above: each mask is all ones when the threshold is reached.
		considering := (m.consideration[k] - 1 - points) >> 31
		intending := (m.intent[k] - 1 - points) >> 31
		being := (ready[k] - 1 - points) >> 31
		stage := int32(lead.StageAwareness) - considering - intending
		stage = stage&^being | int32(lead.StageReady)&being
		out.Stage[k+1] = lead.Stage(stage & m.defined[k])
	}
	out.NoConsent = in.NoConsent
	m.activate(out)
}

// belong finds the segments of the person and at which level.
func (m *Model) belong(in *Inputs, out *Result) {
	out.Segments, out.Levels = 0, [NumSegments]uint8{}
	for i := range m.segments {
		s := &m.segments[i]
		for j, rule := range s.rules {
			if holds(rule, in) {
				out.Segments = out.Segments.with(s.code)
				out.Levels[s.code] = uint8(j + 1)
				break
			}
		}
	}
}

func holds(rule []condition, in *Inputs) bool {
	for i := range rule {
		c := &rule[i]
		v := in.Values[c.feature]
		if v <= Missing || v < c.min || v > c.max {
			return false
		}
		if c.set != 0 && (uint32(v) > 63 || c.set>>uint(v)&1 == 0) {
			return false
		}
	}
	return true
}

// activate picks the one active play: the greatest probability times value, of equals the
// segment with the lower code.
func (m *Model) activate(out *Result) {
	out.Active = lead.SegmentUnspecified
	best := int64(-1)
	for i := range m.segments {
		s := &m.segments[i]
		if !out.Segments.Has(s.code) {
			continue
		}
		if worth := int64(out.Probability[s.line+1]) * s.value; worth > best {
			best, out.Active = worth, s.code
		}
	}
}

// Level returns the name of the level at which the person belongs to a segment, e.g. hot; ""
// when they do not or the level has no name.
func (m *Model) Level(res *Result, code lead.Segment) string {
	for i := range m.segments {
		s := &m.segments[i]
		if s.code == code && res.Levels[code] > 0 && int(res.Levels[code]) <= len(s.levels) {
			return s.levels[res.Levels[code]-1]
		}
	}
	return ""
}

// Ready reports whether the person is ready for a line: sales-ready or upsell-ready.
func Ready(line lead.Line, res *Result) bool {
	return int(line) < NumLines && res.Stage[line] == lead.StageReady
}

// Nurture reports whether the points are below the trigger threshold of every line, so that a
// trigger lead is not worth a person's work yet. It must not be asked of a customer's request:
// that is always routed.
func (m *Model) Nurture(res *Result) bool {
	for k := range m.trigger {
		if res.Points[k+1] >= m.trigger[k] {
			return false
		}
	}
	return true
}

// Triggered returns the line a trigger lead should work for: among those at or above their
// trigger threshold the one with the greatest probability times value, of equals the lower code;
// unspecified when there is none.
func (m *Model) Triggered(res *Result) lead.Line {
	return m.worthiest(res, lead.LineUnspecified)
}

// Next returns the line most worth talking about beside the one a lead is on: what Triggered returns
// of all others. There is none beside CARE, as nothing is sold while a complaint is open.
func (m *Model) Next(res *Result, beside lead.Line) lead.Line {
	if beside == lead.LineCare {
		return lead.LineUnspecified
	}
	return m.worthiest(res, beside)
}

func (m *Model) worthiest(res *Result, except lead.Line) lead.Line {
	best, line := int64(-1), lead.LineUnspecified
	for k := range m.trigger {
		if res.Points[k+1] < m.trigger[k] || lead.Line(k+1) == except {
			continue
		}
		if worth := int64(res.Probability[k+1]) * m.value[k]; worth > best {
			best, line = worth, lead.Line(k+1)
		}
	}
	return line
}

// Trigger returns from how many points on a trigger lead of a line is worth a person's work; ok is
// false for a line that makes no trigger leads.
func (m *Model) Trigger(line lead.Line) (points int32, ok bool) {
	if line == lead.LineUnspecified || int(line) >= NumLines || m.trigger[line-1] == math.MaxInt32 {
		return 0, false
	}
	return m.trigger[line-1], true
}

// Value returns what a win of a line is worth, in minor units of the market's currency.
func (m *Model) Value(line lead.Line) int64 {
	if line == lead.LineUnspecified || int(line) >= NumLines {
		return 0
	}
	return m.value[line-1]
}
