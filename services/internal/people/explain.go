package people

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/identity/cluster"
	"github.com/leadmesh/leadmesh/services/internal/console"
	"github.com/leadmesh/leadmesh/services/internal/people/report"
	"github.com/leadmesh/leadmesh/services/internal/table"
)

// What the page shows of each kind.
const (
	shownClusters = 10
	shownRows     = 8 // of a cluster
	shownPasses   = 15
)

// explain writes the page that explains the outcome, if it is wanted.
func (w *work) explain(ctx context.Context, o *Outcome) error {
	out := w.page
	if out == nil {
		return nil
	}
	samples := o.samples()
	clusters, more := o.largest()
	wanted := map[int][]string{} // the cells of rows that are shown
	for _, s := range samples {
		wanted[int(s.pair.A)], wanted[int(s.pair.B)] = nil, nil
	}
	for _, rows := range clusters {
		for _, r := range rows[:min(shownRows, len(rows))] {
			wanted[int(r)] = nil
		}
	}
	for _, l := range w.lists {
		err := l.Each(ctx, func(row int, r *table.Row) error {
			if _, ok := wanted[l.first+row]; ok {
				wanted[l.first+row] = slices.Clone(r.Cells)
			}
			return nil
		}, nil)
		if err != nil {
			return err
		}
	}
	p := o.page()
	for _, s := range samples {
		p.Pairs = append(p.Pairs, o.explained(s, wanted))
	}
	ids := o.clusterIDs()
	for _, rows := range clusters {
		p.Clusters = append(p.Clusters, o.shown(ids, rows, wanted))
	}
	p.More = more
	return report.Write(out, p)
}

// page is what the page says of the whole.
func (o *Outcome) page() *report.Page {
	params, b := o.Result.Matcher.Params(), &o.Result.Blocking
	read, _ := o.Rows()
	p := &report.Page{
		Threshold: console.PercentOf(o.Match), MatchBits: float64(identity.Weight(o.Match)) / 1000, ViewBits: float64(params.Possible) / 1000,
		Revision: params.Revision(), Fields: weights(params, o.fields(), o.lacking()),
		Learned: "The weights were learned from the list itself: how often a field agrees between rows of one person, and how often by chance.",
	}
	if o.given {
		p.Learned = "The weights are those of the parameter file that was given."
	}
	p.ViewBits = min(p.ViewBits, p.MatchBits)
	p.Review = console.PercentOf(float64(identity.Probability(int32(1000*p.ViewBits))) / 1e6)
	p.Took = console.Took(o.Took) + " with " + console.Memory() + " of memory"
	var names []string
	for _, l := range o.Lists {
		names = append(names, l.Label)
		list := report.List{Name: l.Label, How: fmt.Sprintf("%s, separated by %s, %s", console.Plural(l.Rows, "row"), l.Dialect.Separator(), l.Dialect.Encoding)}
		if l.Skipped > 0 {
			list.How += fmt.Sprintf(", %s skipped because they cannot be read", console.Plural(l.Skipped, "row"))
		}
		for i, c := range l.Mapping.Columns {
			list.Columns = append(list.Columns, report.Column{
				Name: c.Header, Meaning: strings.ReplaceAll(strings.TrimPrefix(c.meaning(), notCompared), "_", " "), Filled: console.Percent(c.Filled, l.Rows), Note: l.note(i),
			})
		}
		p.Lists = append(p.Lists, list)
	}
	p.Title = "People in " + strings.Join(names, " and ")
	for _, f := range o.figures() {
		p.Figures = append(p.Figures, report.Figure{Label: f[0], Value: f[1], Note: f[2]})
	}
	for i, n := range o.Result.Weights {
		p.Weights = append(p.Weights, report.Bin{From: i + cluster.MinBits, Pairs: n})
	}
	p.Blocking = report.Blocking{
		Compared: console.Count(b.Compared), Possible: console.Count(read * (read - 1) / 2), Common: console.Count(b.Common), Lost: console.PercentOf(float64(b.Lost) / 1e6),
	}
	passes := slices.Clone(b.Passes)
	slices.SortStableFunc(passes, func(a, b cluster.Pass) int { return b.Pairs - a.Pairs })
	for i := range passes {
		if pass := &passes[i]; pass.Pairs > 0 && len(p.Blocking.Passes) < shownPasses {
			p.Blocking.Passes = append(p.Blocking.Passes, report.Pass{
				Fields: pass.String(), Blocks: console.Count(pass.Blocks), Large: console.Count(pass.Large), Pairs: console.Count(pass.Pairs), Links: console.Count(pass.Links),
			})
		}
	}
	return p
}

// fields returns what the lists allow to compare.
func (o *Outcome) fields() map[identity.Field]bool {
	compared := map[Field][]identity.Field{
		FieldName:       {identity.FieldGivenName, identity.FieldFamilyName},
		FieldGivenName:  {identity.FieldGivenName},
		FieldMiddleName: {identity.FieldMiddleName},
		FieldFamilyName: {identity.FieldFamilyName},
		FieldSuffix:     {identity.FieldGeneration},
		FieldCompany:    {identity.FieldCompany},
		FieldEmail:      {identity.FieldEmail},
		FieldPhone:      {identity.FieldPhone},
		FieldStreet:     {identity.FieldAddress},
		FieldCity:       {identity.FieldPlace},
		FieldRegion:     {identity.FieldPlace},
		FieldPostalCode: {identity.FieldPlace},
		FieldBorn:       {identity.FieldBorn},
		FieldBirthplace: {identity.FieldBirthplace},
		FieldSex:        {identity.FieldSex},
		FieldOccupation: {identity.FieldOccupation},
		FieldVIN:        {identity.FieldVehicle},
		FieldLoyaltyID:  {identity.FieldID},
		FieldAccountID:  {identity.FieldID},
		FieldCustomerID: {identity.FieldID},
		FieldDMSID:      {identity.FieldID},
		FieldNationalID: {identity.FieldNumber},
	}
	out := map[identity.Field]bool{}
	for _, l := range o.Lists {
		for _, c := range l.Mapping.Columns {
			for _, f := range compared[c.Field] {
				out[f] = true
			}
		}
		if len(l.Mapping.of(FieldStreet)) > 1 {
			out[identity.FieldLine] = true
		}
	}
	return out
}

// lacking returns the levels of places that the lists have no columns for.
func (o *Outcome) lacking() map[identity.ReasonCode]bool {
	out := map[identity.ReasonCode]bool{}
	for f, codes := range map[Field][]identity.ReasonCode{
		FieldPostalCode: {identity.ReasonPlace, identity.ReasonPlaceTypo, identity.ReasonPostal, identity.ReasonPostalAlike},
		FieldCity:       {identity.ReasonPlace, identity.ReasonPlaceTypo, identity.ReasonCity, identity.ReasonCityAlike},
		FieldRegion:     {identity.ReasonRegion},
	} {
		if !slices.ContainsFunc(o.Lists, func(l *List) bool { return len(l.Mapping.of(f)) > 0 }) {
			for _, c := range codes {
				out[c] = true
			}
		}
	}
	return out
}

// weights returns the levels of the fields that the lists have, the strongest field first.
func weights(p *identity.Params, has map[identity.Field]bool, lacking map[identity.ReasonCode]bool) []report.Field {
	byField := map[identity.Field]*report.Field{}
	var out []*report.Field
	for code := identity.ReasonCode(1); code < identity.ReasonCount; code++ {
		l, f := p.Levels[code], code.Field()
		if l == (identity.Level{}) || !has[f] || lacking[code] {
			continue
		}
		if byField[f] == nil {
			byField[f] = &report.Field{Name: capital(f.String())}
			out = append(out, byField[f])
		}
		byField[f].Levels = append(byField[f].Levels, report.Level{Words: words(code), Bits: float64(l.M-l.U) / 1000})
	}
	for _, f := range out {
		slices.SortStableFunc(f.Levels, func(a, b report.Level) int { return cmp.Compare(b.Bits, a.Bits) })
	}
	slices.SortStableFunc(out, func(a, b *report.Field) int { return cmp.Compare(b.Levels[0].Bits, a.Levels[0].Bits) })
	var fields []report.Field
	for _, f := range out {
		fields = append(fields, *f)
	}
	return fields
}

// words is a reason without its code.
func words(c identity.ReasonCode) string {
	_, w, _ := strings.Cut(c.String(), " ")
	return w
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// shown is a cluster with the rows that there is room for.
func (o *Outcome) shown(ids []string, rows []int32, cells map[int][]string) report.Cluster {
	c := report.Cluster{ID: ids[o.Result.Clusters[rows[0]]], Size: len(rows)}
	fields := o.facts()
	c.Header = append(c.Header, "row")
	for _, f := range fields {
		c.Header = append(c.Header, strings.ReplaceAll(f.String(), "_", " "))
	}
	for _, r := range rows[:min(shownRows, len(rows))] {
		row := []string{o.rowName(int(r))}
		for _, f := range fields {
			row = append(row, o.fact(int(r), f, cells))
		}
		c.Rows = append(c.Rows, row)
	}
	return c
}

// facts returns the fields that the lists have, in the order of their columns.
func (o *Outcome) facts() []Field {
	var out []Field
	for _, l := range o.Lists {
		for _, c := range l.Mapping.Columns {
			if c.Field != FieldNone && c.Field != FieldID && !slices.Contains(out, c.Field) {
				out = append(out, c.Field)
			}
		}
	}
	return out
}

// fact is what a row says of a field.
func (o *Outcome) fact(row int, f Field, cells map[int][]string) string {
	var out []string
	for i, c := range o.list(row).Mapping.Columns {
		if v := cells[row]; c.Field == f && i < len(v) && v[i] != "" {
			out = append(out, v[i])
		}
	}
	return strings.Join(out, ", ")
}

// largest returns the rows of the largest clusters of several rows, and how many more there are.
func (o *Outcome) largest() (rows [][]int32, more int) {
	members := map[int32][]int32{}
	sizes := make([]int32, o.Result.Persons)
	for _, c := range o.Result.Clusters {
		sizes[c]++
	}
	var order []int32
	for c, n := range sizes {
		if n > 1 {
			order = append(order, int32(c))
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int { return int(sizes[b] - sizes[a]) })
	more = max(0, len(order)-shownClusters)
	order = order[:len(order)-more]
	for row, c := range o.Result.Clusters {
		if sizes[c] > 1 && slices.Contains(order, c) {
			members[c] = append(members[c], int32(row))
		}
	}
	for _, c := range order {
		rows = append(rows, members[c])
	}
	return rows, more
}
