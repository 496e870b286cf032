package cluster

import (
	"math"
	"slices"
	"strings"
)

// Blocking says how pairs were chosen to be compared. Rows that share a value make a block. A block
// of few rows is compared within; a larger one is split by each further field, so that the pair is
// compared if any combination of up to four shared values is rare enough. What is still too large
// is a common key: it is compared in overlapping stretches of like rows only.
type Blocking struct {
	Limit    int    // most rows of a block
	Passes   []Pass // in the order in which they ran
	Compared int    // pairs
	Common   int    // blocks too large under every combination
	// Alone counts the rows that share no value or only too common ones with any other.
	Alone int
	// Lost estimates the share of pairs of one person, in millionths, that no block held, without
	// knowing the truth: by Chao's lower bound from how many matching pairs one block alone held, and
	// how many two.
	Lost int32
}

// Pass is one combination of fields.
type Pass struct {
	Fields []Field
	Blocks int // small enough
	Large  int // too large
	Pairs  int // compared here, not before
	Links  int // of these, those that match
}

// String names the fields.
func (p *Pass) String() string {
	words := make([]string, len(p.Fields))
	for i, f := range p.Fields {
		words[i] = f.String()
	}
	return strings.Join(words, " + ")
}

// depth is the most fields that are combined.
const depth = 4

// index holds the blocks. A pair is compared in the first block that holds both rows.
type index struct {
	start   []uint32 // by block, and one more, into members
	members []int32  // rows
	pass    []uint16 // by block
	passes  []uint8  // by block, how many passes found these very rows
	rowAt   []uint32 // by row, and one more, into blocks
	blocks  []uint32 // of each row, ascending
}

func (x *index) count() int { return len(x.pass) }

func (x *index) of(block int) []int32 { return x.members[x.start[block]:x.start[block+1]] }

// shared returns the first block that holds two rows, false if none does.
func (x *index) shared(a, b int32) (uint32, bool) {
	p, q := x.blocks[x.rowAt[a]:x.rowAt[a+1]], x.blocks[x.rowAt[b]:x.rowAt[b+1]]
	for i, j := 0, 0; i < len(p) && j < len(q); {
		switch {
		case p[i] == q[j]:
			return p[i], true
		case p[i] < q[j]:
			i++
		default:
			j++
		}
	}
	return 0, false
}

// times returns in how many passes two rows stood in one block, at most most.
func (x *index) times(a, b int32, most int) int {
	p, q := x.blocks[x.rowAt[a]:x.rowAt[a+1]], x.blocks[x.rowAt[b]:x.rowAt[b+1]]
	n := 0
	for i, j := 0, 0; i < len(p) && j < len(q) && n < most; {
		switch {
		case p[i] == q[j]:
			n += int(x.passes[p[i]])
			i, j = i+1, j+1
		case p[i] < q[j]:
			i++
		default:
			j++
		}
	}
	return min(n, most)
}

// limitOf returns the most rows of a block among n rows: the more rows, the fewer, so that the pairs
// to compare grow little faster than the rows.
func limitOf(n int) int {
	return int(min(max(math.Round(40*math.Pow(1e6/float64(max(n, 1)), 0.45)), 24), 400))
}

// limitUnder returns the most rows of a block under some fields, given the usual limit. Many records of
// one person may share what hardly anybody else does; and what many share by chance is worth a look
// only where few do.
func limitUnder(list []Field, limit int) int {
	if list[0] <= FieldSeven {
		return 4 * limit
	}
	for _, f := range list {
		switch f {
		case FieldDomain, FieldBornYear:
			limit /= 4
		case FieldLocalStart, FieldBornDay, FieldPlace, FieldStreet, FieldNumber, FieldBirthplace, FieldOccupation,
			FieldNamePart, FieldNameStart, FieldNameLetters:
			limit = limit * 2 / 3
		}
	}
	return max(limit, 8)
}

// found is what one combination of fields gave.
type found struct {
	fields  []Field
	from    uint16  // what the fields are made from
	rows    []int32 // to look at; nil when done
	start   []uint32
	members []int32
	large   []uint64 // hashes of blocks too large
	rest    []int32  // rows of these
	tooBig  int      // blocks too large
	common  int      // of these, those that no further field could split
}

// block finds the blocks.
func (w *work) block(r *Result) bool {
	r.Blocking.Limit = limitOf(len(w.rows))
	var level []found
	for f := range fields {
		level = append(level, found{fields: []Field{f}, from: fieldTable[f].from, rows: w.rows})
	}
	var all []found
	var large map[uint64]struct{} // of the level before
	scratch := make([]scratch, w.workers)
	for k := 1; k <= depth && len(level) > 0; k++ {
		ok := w.each(StepBlock, len(level), func(worker, i int) {
			w.combine(&level[i], large, r.Blocking.Limit, &scratch[worker])
		})
		if !ok {
			return false
		}
		large = map[uint64]struct{}{}
		var next []found
		for i := range level {
			f := &level[i]
			for _, h := range f.large {
				large[h] = struct{}{}
			}
			if len(f.large) > 0 {
				next = append(next, f.refine()...)
			}
			f.rest, f.large = nil, nil
		}
		all = append(all, level...)
		level = next
	}
	w.makeIndex(r, all)
	return true
}

// refine returns the combinations of one field more.
func (f *found) refine() []found {
	var out []found
	for g := f.fields[len(f.fields)-1] + 1; g < fields; g++ {
		if from := fieldTable[g].from; f.from&from == 0 {
			out = append(out, found{fields: append(slices.Clone(f.fields), g), from: f.from | from, rows: f.rest})
		}
	}
	return out
}

// combine blocks rows by one combination of fields. Only rows whose blocks under every smaller
// combination were too large take part.
func (w *work) combine(f *found, large map[uint64]struct{}, limit int, s *scratch) {
	s.list = s.list[:0]
	var values [depth][]atom
	for _, row := range f.rows {
		rest := w.atoms.of(row)
		whole := true
		for i, field := range f.fields {
			for len(rest) > 0 && rest[0].field() < field {
				rest = rest[1:]
			}
			n := 0
			for n < len(rest) && rest[n].field() == field {
				n++
			}
			values[i], rest = rest[:n], rest[n:]
			if n == 0 {
				whole = false
				break
			}
		}
		if whole {
			s.list = product(s.list, row, values[:len(f.fields)], large)
		}
	}
	f.rows = nil
	s.sort()
	limit = limitUnder(f.fields, limit)
	f.start = append(f.start, 0)
	for list := s.list; len(list) > 0; {
		n := 1
		for n < len(list) && list[n].hash == list[0].hash {
			n++
		}
		rows := list[:n]
		list = list[n:]
		switch {
		case n < 2:
		case n <= limit:
			for _, e := range rows {
				f.members = append(f.members, e.row)
			}
			f.start = append(f.start, uint32(len(f.members)))
		case len(f.fields) < depth:
			f.tooBig++
			f.large = append(f.large, rows[0].hash)
			for _, e := range rows {
				f.rest = append(f.rest, e.row)
			}
		default:
			f.tooBig++
			f.common++
			w.stretch(f, rows, limit)
		}
	}
	slices.Sort(f.rest)
	f.rest = slices.Compact(f.rest)
}

// stretch makes overlapping blocks of a block too large, of rows with like content first.
func (w *work) stretch(f *found, rows []entry, limit int) {
	slices.SortFunc(rows, func(a, b entry) int { return w.byContent(a.row, b.row) })
	for from := 0; from < len(rows); from += limit / 2 {
		to := min(from+limit, len(rows))
		at := len(f.members)
		for _, e := range rows[from:to] {
			f.members = append(f.members, e.row)
		}
		slices.Sort(f.members[at:])
		f.start = append(f.start, uint32(len(f.members)))
		if to == len(rows) {
			break
		}
	}
}

// product adds a row under each combination of one atom per field, if all smaller combinations are
// too large. The hash of a combination is the sum of its atoms' hashes, so leaving out one atom is a
// subtraction.
func product(list []entry, row int32, values [][]atom, large map[uint64]struct{}) []entry {
	if len(values) == 1 {
		for _, a := range values[0] {
			list = append(list, entry{mix(uint64(a)), row})
		}
		return list
	}
	total := 1
	for _, v := range values {
		total *= len(v)
	}
	var hashes [depth]uint64
combinations:
	for k := range total {
		var sum uint64
		for i, v := range values {
			hashes[i] = mix(uint64(v[k%len(v)]))
			k /= len(v)
			sum += hashes[i]
		}
		for i := range values {
			if _, ok := large[sum-hashes[i]]; !ok {
				continue combinations
			}
		}
		list = append(list, entry{sum, row})
	}
	return list
}

// makeIndex numbers the blocks and leaves out those that hold the same rows as another.
func (w *work) makeIndex(r *Result, all []found) {
	x := &index{start: []uint32{0}, rowAt: make([]uint32, len(w.records)+1)}
	seen := map[uint64]int{}
	for i := range all {
		f := &all[i]
		if len(f.start) == 1 && f.tooBig == 0 {
			continue
		}
		p := Pass{Fields: f.fields, Large: f.tooBig}
		r.Blocking.Common += f.common
		for b := range len(f.start) - 1 {
			rows := f.members[f.start[b]:f.start[b+1]]
			h := uint64(offset64)
			for _, row := range rows {
				h = mix(h + uint64(row))
			}
			p.Blocks++
			if at, ok := seen[h]; ok {
				x.passes[at] = min(x.passes[at], math.MaxUint8-1) + 1
				continue
			}
			seen[h] = x.count()
			x.members = append(x.members, rows...)
			x.start = append(x.start, uint32(len(x.members)))
			x.pass = append(x.pass, uint16(len(r.Blocking.Passes)))
			x.passes = append(x.passes, 1)
			for _, row := range rows {
				x.rowAt[row+1]++
			}
		}
		f.members, f.start = nil, nil
		r.Blocking.Passes = append(r.Blocking.Passes, p)
	}
	for i := range len(w.records) {
		x.rowAt[i+1] += x.rowAt[i]
	}
	x.blocks = make([]uint32, len(x.members))
	at := slices.Clone(x.rowAt[:len(w.records)])
	for b := range x.count() {
		for _, row := range x.of(b) {
			x.blocks[at[row]] = uint32(b)
			at[row]++
		}
	}
	for _, row := range w.rows {
		if x.rowAt[row] == x.rowAt[row+1] {
			r.Blocking.Alone++
		}
	}
	w.index, r.index = x, x
}

// lost is Chao's lower bound for the share of pairs that none of the passes held, from how many
// pairs one pass alone held, and how many two, of all pairs held: once² / 2 twice of them are unseen
// (A. Chao, Scandinavian Journal of Statistics 11, 1984; here in the form free of bias).
func lost(once, twice, held int) int32 {
	if held == 0 {
		return 0
	}
	unseen := float64(once) * float64(once-1) / (2 * float64(twice+1))
	return int32(math.Round(1e6 * unseen / (unseen + float64(held))))
}
