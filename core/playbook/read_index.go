package playbook

import (
	"strings"

	"github.com/leadmesh/leadmesh/core/document"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// readIndex reads the file of an index; ok is false where it says none that there is.
func (b *bundle) readIndex(o *document.Object, where *document.Places, d *scoring.Definition) (ok bool) {
	code, ok := document.Value(o, "index", parseIndex)
	b.claim(o, where, "indices."+code.String(), "index "+code.String())
	if d.Indices == nil {
		d.Indices = map[string]scoring.Index{}
	}
	d.Indices[code.String()] = scoring.Index{
		Base:        document.NeedValue(o, "base", document.Points),
		Cap:         readCap(o.Child("cap")),
		Groups:      readGroups(o),
		Rows:        readRows(o),
		Calibration: b.readMarks(o, code),
		Bands:       b.readBands(o, code),
	}
	return ok
}

// readMarks reads what the points of an index mean: a chance, or the revenue expected.
func (b *bundle) readMarks(o *document.Object, code lead.Index) (out []scoring.Mark) {
	word, amount := "chance", readChance
	if scoring.Money(code) {
		word, amount = "revenue", parseMoney(b.playbook.Currency)
	}
	o.Need("calibration")
	o.Objects("calibration", func(k *document.Object) {
		out = append(out, scoring.Mark{
			Points: document.NeedValue(k, "points", document.Score), Expected: document.NeedValue(k, word, amount),
			Low: document.Optional(k, "low", amount), High: document.Optional(k, "high", amount),
		})
	})
	return out
}

func (b *bundle) readBands(o *document.Object, code lead.Index) (out []scoring.Band) {
	amount := readChance
	if scoring.Money(code) {
		amount = parseMoney(b.playbook.Currency)
	}
	o.Objects("bands", func(k *document.Object) {
		out = append(out, scoring.Band{Name: k.NeedText("band"), From: document.NeedValue(k, "from", amount)})
	})
	return out
}

func readChance(s string) (int64, error) {
	ppm, err := document.Share(s)
	return int64(ppm), err
}

// written turns the path of a problem of the scorecards into the words that their files use.
func written(path string) string {
	words := []struct{ engine, file string }{{".ppm", ".chance"}}
	switch {
	case strings.HasPrefix(path, "indices."+lead.IndexCustomerValue.String()):
		words = []struct{ engine, file string }{{".expected", ".revenue"}, {".name", ".band"}}
	case strings.HasPrefix(path, "indices."):
		words = []struct{ engine, file string }{{".expected", ".chance"}, {".name", ".band"}}
	}
	for _, w := range words {
		if head, ok := strings.CutSuffix(path, w.engine); ok {
			return head + w.file
		}
	}
	return path
}
