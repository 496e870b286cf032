package playbook

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	"github.com/leadmesh/leadmesh/core/scoring"
)

// Mistake is one thing wrong with a bundle: which file, which line from 1 (0: the whole file or
// bundle), and what would be right.
type Mistake struct {
	File    string
	Line    int
	Message string
}

// String writes the mistake as compilers do: file:line: message.
func (m Mistake) String() string {
	switch {
	case m.File == "":
		return m.Message
	case m.Line == 0:
		return m.File + ": " + m.Message
	}
	return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Message)
}

// The files of a bundle. README.md may stand in every folder and is not read.
const (
	fileMain       = "playbook.yaml"
	fileGovernance = "governance.yaml"
	fileCatalogue  = "catalogue.yaml"
	fileSignals    = "signals.yaml"
	fileRouting    = "routing.yaml"
	fileClocks     = "sla.yaml"
	folderScoring  = "scoring"
	fileSegments   = "scoring/segments.yaml"
	folderPlays    = "plays"
)

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
	if len(b.list.mistakes) > 0 {
		slices.SortStableFunc(b.list.mistakes, func(x, y Mistake) int {
			return cmp.Or(strings.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line))
		})
		return nil, b.list.mistakes
	}
	return b.playbook, nil
}

// bundle is a playbook in the making.
type bundle struct {
	files    Files
	list     list
	playbook *Playbook
}

// expect names the files that are missing and those that are none of a playbook.
func (b *bundle) expect() {
	for _, name := range []string{fileMain, fileGovernance, fileCatalogue, fileSignals, fileRouting, fileClocks, fileSegments} {
		if _, ok := b.files[name]; !ok {
			b.list.add(place{file: name}, "the file is missing")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		folder := path.Dir(name)
		switch {
		case path.Base(name) == "README.md":
		case folder == "." && slices.Contains([]string{fileMain, fileGovernance, fileCatalogue, fileSignals, fileRouting, fileClocks}, name):
		case folder == folderScoring && path.Ext(name) == ".yaml":
		case folder == folderPlays && path.Ext(name) == ".md":
		default:
			b.list.add(place{file: name}, "a playbook has no such file; there are %s, scoring/*.yaml and plays/*.md",
				strings.Join([]string{fileMain, fileGovernance, fileCatalogue, fileSignals, fileRouting, fileClocks}, ", "))
		}
	}
}

// open starts reading a file; nil when it is missing or unreadable.
func (b *bundle) open(name, path string, where *places) *object {
	text, ok := b.files[name]
	if !ok {
		return nil
	}
	if where.whole.file == "" {
		where.whole = place{name, 1}
	}
	d := &document{file: name, places: where, list: &b.list}
	return d.root(text, path)
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
	o := b.open(fileMain, "", newPlaces())
	if o == nil {
		return
	}
	p := b.playbook
	p.Name = o.needText("name")
	p.Market = needValue(o, "market", parseCountry)
	p.Currency = needValue(o, "currency", parseCurrency)
	p.TimeZone = needValue(o, "zone", parseZone)
	if o.need("languages") != nil {
		for i, s := range o.words("languages") {
			if _, err := parseLanguage(s); err != nil {
				o.bad(o.values["languages"].Content[i], "%v, is %q", err, s)
			}
			p.Languages = append(p.Languages, s)
		}
	}
	o.close()
}

func (b *bundle) governance() {
	where := newPlaces()
	var rules governance.Rules
	main := b.open(fileGovernance, "", where)
	if main != nil {
		rules = readRules(main)
		main.close()
	}
	catalogue := b.open(fileCatalogue, "catalogue", where)
	if catalogue != nil {
		rules.Catalogue = readCatalogue(catalogue)
		catalogue.close()
	}
	if main == nil || catalogue == nil {
		return
	}
	governor, problems := governance.Compile(rules)
	for _, p := range problems {
		b.list.complain(where, p.Path, p.Message)
	}
	if len(rules.Markets) > 0 && b.playbook.Market != "" && rules.Markets[0].Country != b.playbook.Market {
		b.list.add(where.at("markets[0].country"), "the first market must be %s, the one of %s", b.playbook.Market, fileMain)
	}
	b.playbook.Governor = governor
}

func (b *bundle) scoring() {
	where := newPlaces()
	d := scoring.Definition{Lines: map[string]scoring.Line{}}
	complete := true
	for _, name := range b.folder(folderScoring, ".yaml") {
		if name == fileSegments {
			continue
		}
		o := b.open(name, "", newPlaces())
		if o == nil {
			complete = false
			continue
		}
		code, ok := value(o, "line", parseLine)
		if !ok {
			o.need("line")
			complete = false
		}
		if at, twice := where.lines["lines."+code.String()]; twice {
			o.bad(o.node, "the scorecard of %s stands in %s already", code, at.file)
		}
		// From here on the places of the file are those of its line.
		o.places, o.path = where, "lines."+code.String()
		where.lines[o.path] = o.place(o.node)
		d.Lines[code.String()] = b.readScorecard(o)
		o.close()
	}
	segments := b.open(fileSegments, "segments", where)
	if segments != nil {
		d.Segments = b.readSegments(segments)
		segments.close()
	}
	if len(d.Lines) == 0 {
		b.list.add(place{file: folderScoring}, "there is no scorecard")
	}
	if !complete || segments == nil || len(d.Lines) == 0 {
		return
	}
	model, problems := scoring.Compile(d)
	for _, p := range problems {
		path := p.Path
		if knot, ok := strings.CutSuffix(path, ".ppm"); ok {
			path = knot + ".chance"
		}
		b.list.complain(where, path, strings.ReplaceAll(p.Message, "0..10000", "0 to 100 points"))
	}
	b.playbook.Scoring = model
}

func (b *bundle) routing() {
	where := newPlaces()
	o := b.open(fileRouting, "policy", where)
	if o == nil {
		return
	}
	p := readPolicy(o)
	o.close()
	p.Revision = b.playbook.Revision
	for _, problem := range checkPolicy(p) {
		b.list.complain(where, problem.Path, problem.Message)
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
	o := b.open(fileSignals, "", newPlaces())
	if o == nil {
		return
	}
	half := &b.playbook.HalfLives
	half[lead.SignalKindUnspecified] = needValue(o, "half_life", parseHalfLife)
	if kinds := o.child("kinds"); kinds != nil {
		for _, key := range kinds.order {
			kind, ok := lead.ParseSignalKind(key)
			if !ok {
				kinds.get(key)
				kinds.bad(kinds.lines[key], "there is no kind of signal called %q%s", key, lead.Suggest(key, lead.Codes("signal")))
				continue
			}
			if v, ok := value(kinds, key, parseHalfLife); ok {
				half[kind] = v
			}
		}
	}
	o.close()
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
