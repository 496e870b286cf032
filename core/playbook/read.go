package playbook

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/document"
	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// Mistake is one thing wrong with a bundle: which file, which line from 1 (0: the whole file or
// bundle), and what would be right.
type Mistake = document.Mistake

// The files of a bundle. README.md may stand in every folder and is not read.
const (
	fileMain       = "playbook.yaml"
	fileGovernance = "governance.yaml"
	fileCatalogue  = "catalogue.yaml"
	fileSignals    = "signals.yaml"
	fileRouting    = "routing.yaml"
	fileClocks     = "sla.yaml"
	fileOffers     = "offers.yaml"
	fileIncentives = "incentives.yaml"
	fileChargers   = "chargers.csv"
	folderScoring  = "scoring"
	fileSegments   = "scoring/segments.yaml"
	folderPlays    = "plays"
)

// playbookFiles are the files that stand beside the folders.
func playbookFiles() []string {
	return []string{fileMain, fileGovernance, fileCatalogue, fileSignals, fileRouting, fileClocks, fileOffers, fileIncentives, fileChargers}
}

// Read decodes and compiles a bundle. With any mistake there is no playbook; the mistakes are all
// that could be found, ordered by file and line. The playbook keeps nothing of files.
func Read(files Files) (*Playbook, []Mistake) {
	if broken := checkFiles(files); len(broken) > 0 {
		return nil, broken
	}
	b := bundle{files: files, playbook: &Playbook{Revision: Revision(files)}}
	b.expect()
	b.main()
	b.governance()
	b.signals()
	b.scoring()
	b.routing()
	b.clocks()
	b.plays()
	if len(b.list.Mistakes) > 0 {
		slices.SortStableFunc(b.list.Mistakes, func(x, y Mistake) int {
			return cmp.Or(strings.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line))
		})
		return nil, b.list.Mistakes
	}
	return b.playbook, nil
}

// bundle is a playbook in the making.
type bundle struct {
	files    Files
	list     document.List
	playbook *Playbook
}

// expect names the files that are missing and those that are none of a playbook.
func (b *bundle) expect() {
	for _, name := range []string{fileMain, fileGovernance, fileCatalogue, fileSignals, fileRouting, fileClocks, fileSegments} {
		if _, ok := b.files[name]; !ok {
			b.list.Add(document.Place{File: name}, "the file is missing")
		}
	}
	files := playbookFiles()
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		folder := path.Dir(name)
		switch {
		case path.Base(name) == "README.md":
		case folder == "." && slices.Contains(files, name):
		case folder == folderScoring && path.Ext(name) == ".yaml":
		case folder == folderPlays && path.Ext(name) == ".md":
		default:
			b.list.Add(document.Place{File: name}, "a playbook has no such file; there are %s, scoring/*.yaml and plays/*.md",
				strings.Join(files, ", "))
		}
	}
}

// open starts reading a file; nil when it is missing or unreadable.
func (b *bundle) open(name, path string, where *document.Places) *document.Object {
	text, ok := b.files[name]
	if !ok {
		return nil
	}
	if where.Whole.File == "" {
		where.Whole = document.Place{File: name, Line: 1}
	}
	d := &document.Document{File: name, Places: where, List: &b.list}
	return d.Root(text, path)
}

// folder lists the files of a folder with an ending, in order, without README.md.
func (b *bundle) folder(name, ending string) []string {
	var out []string
	for _, f := range slices.Sorted(maps.Keys(b.files)) {
		if path.Dir(f) == name && path.Ext(f) == ending && path.Base(f) != "README.md" {
			out = append(out, f)
		}
	}
	return out
}

func (b *bundle) main() {
	o := b.open(fileMain, "", document.NewPlaces())
	if o == nil {
		return
	}
	p := b.playbook
	p.Name = o.NeedText("name")
	p.Market = document.NeedValue(o, "market", parseCountry)
	p.Currency = document.NeedValue(o, "currency", parseCurrency)
	p.TimeZone = document.NeedValue(o, "zone", parseZone)
	if o.Need("languages") != nil {
		for i, s := range o.Words("languages") {
			if _, err := parseLanguage(s); err != nil {
				o.Bad(o.Given("languages").Content[i], "%v, is %q", err, s)
			}
			p.Languages = append(p.Languages, s)
		}
	}
	o.Close()
}

func (b *bundle) governance() {
	where := document.NewPlaces()
	var rules governance.Rules
	main := b.open(fileGovernance, "", where)
	if main != nil {
		rules = readRules(main)
		main.Close()
	}
	catalogue := b.open(fileCatalogue, "catalogue", where)
	if catalogue != nil {
		rules.Catalogue = b.catalogue(catalogue, where)
	}
	if main == nil || catalogue == nil {
		return
	}
	governor, problems := governance.Compile(rules)
	for _, p := range problems {
		b.list.Complain(where, p.Path, p.Message)
	}
	if len(rules.Markets) > 0 && b.playbook.Market != "" && rules.Markets[0].Country != b.playbook.Market {
		b.list.Add(where.At("markets[0].country"), "the first market must be %s, the one of %s", b.playbook.Market, fileMain)
	}
	b.playbook.Governor = governor
}

func (b *bundle) scoring() {
	where := document.NewPlaces()
	d := scoring.Definition{Lines: map[string]scoring.Line{}}
	complete := true
	for _, name := range b.folder(folderScoring, ".yaml") {
		if name == fileSegments {
			continue
		}
		o := b.open(name, "", document.NewPlaces())
		if o == nil {
			complete = false
			continue
		}
		read := b.readLine
		if o.Given("index") != nil {
			read = b.readIndex
		}
		complete = read(o, where, &d) && complete
		o.Close()
	}
	segments := b.open(fileSegments, "segments", where)
	if segments != nil {
		d.Segments = b.readSegments(segments)
		segments.Close()
	}
	if len(d.Lines) == 0 {
		b.list.Add(document.Place{File: folderScoring}, "there is no scorecard")
	}
	if !complete || segments == nil || len(d.Lines) == 0 {
		return
	}
	model, problems := scoring.Compile(d)
	for _, p := range problems {
		b.list.Complain(where, written(p.Path), strings.ReplaceAll(p.Message, "0..10000", "0 to 100 points"))
	}
	b.playbook.Scoring, b.playbook.Scorecards = model, d
}

func (b *bundle) routing() {
	where := document.NewPlaces()
	o := b.open(fileRouting, "policy", where)
	if o == nil {
		return
	}
	p := readPolicy(o)
	o.Close()
	p.Revision = b.playbook.Revision
	for _, problem := range checkPolicy(p) {
		b.list.Complain(where, problem.Path, problem.Message)
	}
	b.playbook.Routing = p
}

// checkPolicy compiles the policy with a network of just the stores it names, and returns what is
// wrong with the policy itself. Whether those stores exist is for the network to say.
func checkPolicy(p routing.Policy) []routing.Problem {
	var n routing.Network
	known := map[string]bool{"": true}
	add := func(id string, kind routing.Kind) {
		if !known[id] {
			known[id] = true
			n.Dealers = append(n.Dealers, routing.Dealer{ID: id, Kind: kind, Status: routing.StatusLive, Country: "US", TimeZone: "UTC"})
		}
	}
	add(p.Desk, routing.KindDesk)
	for _, m := range p.Markets {
		add(m.Desk, routing.KindDesk)
	}
	for _, o := range p.Overflow {
		add(o.Dealer, routing.KindRooftop)
	}
	_, problems := routing.Compile(n, p)
	return slices.DeleteFunc(problems, func(x routing.Problem) bool { return !strings.HasPrefix(x.Path, "policy.") })
}

func (b *bundle) signals() {
	o := b.open(fileSignals, "", document.NewPlaces())
	if o == nil {
		return
	}
	half := &b.playbook.HalfLives
	half[lead.SignalKindUnspecified] = document.NeedValue(o, "half_life", parseHalfLife)
	if kinds := o.Child("kinds"); kinds != nil {
		for _, key := range kinds.Names() {
			kind, ok := lead.ParseSignalKind(key)
			if !ok {
				kinds.Get(key)
				kinds.Bad(kinds.Name(key), "there is no kind of signal called %q%s", key, lead.Suggest(key, lead.Codes("signal")))
				continue
			}
			if v, ok := document.Value(kinds, key, parseHalfLife); ok {
				half[kind] = v
			}
		}
	}
	o.Close()
}

// Load compiles a packed bundle that was read without mistakes before. The error names the first
// mistake of a bundle that this version does not take, and how many there are.
func Load(packed []byte) (*Playbook, error) {
	files, err := Unpack(packed)
	if err != nil {
		return nil, err
	}
	p, mistakes := Read(files)
	if p == nil {
		return nil, fmt.Errorf("%d mistakes, the first: %s", len(mistakes), mistakes[0])
	}
	return p, nil
}
