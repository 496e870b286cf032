package sources

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/form"
	"github.com/leadmesh/leadmesh/core/lead"
	"go.yaml.in/yaml/v3"
)

const (
	defaultGraph   = "https://graph.facebook.com"
	defaultVersion = "v23.0"
)

// Read reads a sources file strictly: the error names every mistake with its line.
func Read(path string) (*File, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the sources file: %w", err)
	}
	f, err := parse(raw, filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("the sources file %s:\n%w", path, err)
	}
	return f, nil
}

func parse(raw []byte, dir string) (*File, error) {
	var doc fileText
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, plain(err)
	}
	c := &checker{dir: dir}
	f := &File{byName: map[string]*Source{}, Graph: Graph{URL: strings.TrimRight(doc.Graph.URL.v, "/"), Version: doc.Graph.Version.v}}
	if f.Graph.URL == "" {
		f.Graph.URL = defaultGraph
	}
	if u, err := url.Parse(f.Graph.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		c.fail(doc.Graph.URL.line, "graph.url is no address such as %s", defaultGraph)
	}
	if f.Graph.Version == "" {
		f.Graph.Version = defaultVersion
	}
	if !regexp.MustCompile(`^v\d+\.\d+$`).MatchString(f.Graph.Version) {
		c.fail(doc.Graph.Version.line, "graph.version is none such as %s", defaultVersion)
	}
	for i := range doc.Sources {
		s := c.source(&doc.Sources[i])
		if f.byName[s.Name] != nil {
			c.fail(doc.Sources[i].Name.line, "a source named %q is there already", s.Name)
		}
		f.byName[s.Name] = s
		f.Sources = append(f.Sources, s)
	}
	return f, errors.Join(c.errs...)
}

// plain frees an error of the decoder from the names of Go types and from values, which may be
// secrets.
func plain(err error) error {
	var several *yaml.TypeError
	if !errors.As(err, &several) {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	goType, value := regexp.MustCompile(` in type \S+`), regexp.MustCompile("cannot unmarshal (!!\\w+)( `[^`]*`)? into \\S+")
	var errs []error
	for _, e := range several.Errors {
		e = goType.ReplaceAllString(e, "")
		e = value.ReplaceAllString(e, "a value of kind $1 does not fit here")
		errs = append(errs, errors.New(strings.ReplaceAll(e, "field ", "there is no field ")))
	}
	for i := range errs {
		errs[i] = errors.New(strings.ReplaceAll(errs[i].Error(), " not found", ""))
	}
	return errors.Join(errs...)
}

// checker collects mistakes.
type checker struct {
	dir  string
	errs []error
}

func (c *checker) fail(line int, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("line %d: %s", line, fmt.Sprintf(format, args...)))
}

// secret reads a secret; a missing one is empty.
func (c *checker) secret(s secretText) Secret {
	if s.file.v == "" {
		return Secret{s.value.v}
	}
	path := s.file.v
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.dir, path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		c.fail(s.file.line, "the secret's file cannot be read: %v", err)
	}
	value := strings.TrimSpace(string(raw))
	if err == nil && value == "" {
		c.fail(s.file.line, "the secret's file is empty")
	}
	return Secret{value}
}

func (c *checker) source(t *sourceText) *Source {
	s := &Source{Name: t.Name.v, Kind: Kind(t.Kind.v)}
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,63}$`).MatchString(s.Name) {
		c.fail(cmp.Or(t.Name.line, t.Kind.line), "a source needs a name of small letters, digits, -, _ and . such as site-contact")
	}
	s.AppSecret, s.VerifyToken = c.secret(t.AppSecret), c.secret(t.VerifyToken)
	for _, p := range t.Pages {
		s.Pages = append(s.Pages, Page{ID: p.ID.v, Token: c.secret(p.Token)})
		if s.Pages[len(s.Pages)-1].Token.Empty() {
			c.fail(p.ID.line, "a page needs a token")
		}
	}
	for _, k := range t.Keys {
		s.Keys = append(s.Keys, Key{Form: k.Form.v, Key: c.secret(k.Key)})
		if s.Keys[len(s.Keys)-1].Key.Empty() {
			c.fail(max(k.Form.line, t.Name.line), "a key is empty")
		}
	}
	c.auth(t, s)
	c.spec(t, &s.Spec)
	s.Spec.Name = s.Name
	c.needs(t, s)
	return s
}

// needs refuses a source that could let anybody in, and secrets that its kind does not use.
func (c *checker) needs(t *sourceText, s *Source) {
	line := t.Name.line
	if s.Kind != Meta && (!s.VerifyToken.Empty() || len(s.Pages) > 0) {
		c.fail(line, "verify_token and pages are for sources of kind meta")
	}
	if s.Kind != Meta && s.Kind != LinkedIn && !s.AppSecret.Empty() {
		c.fail(line, "app_secret is for sources of kind meta and linkedin")
	}
	if s.Kind != Google && len(s.Keys) > 0 {
		c.fail(line, "keys are for sources of kind google; give auth")
	}
	switch s.Kind {
	case Meta:
		if s.AppSecret.Empty() || s.VerifyToken.Empty() {
			c.fail(line, "a source of kind meta needs app_secret and verify_token")
		}
		if len(s.Pages) == 0 {
			c.fail(line, "a source of kind meta needs pages with a token each")
		}
	case Google:
		if len(s.Keys) == 0 {
			c.fail(line, "a source of kind google needs keys")
		}
	case LinkedIn, Form, STAR:
		switch {
		case !s.AppSecret.Empty() && s.Auth.By != "":
			c.fail(line, "give app_secret (LinkedIn signs its calls with it) or auth, not both")
		case s.AppSecret.Empty() && s.Auth.By == "":
			c.fail(line, "a source of kind %s needs auth%s; by: none is for loopback only", s.Kind, map[Kind]string{LinkedIn: " or app_secret"}[s.Kind])
		}
		return
	default:
		c.fail(max(t.Kind.line, line), "there is no kind %q; there are meta, google, linkedin, form, star", s.Kind)
	}
	if s.Auth.By != "" {
		c.fail(line, "a source of kind %s has its own way to be authenticated; leave auth out", s.Kind)
	}
}

func (c *checker) auth(t *sourceText, s *Source) {
	a := t.Auth
	if a == nil {
		return
	}
	s.Auth = Auth{By: a.By.v, In: a.In.v, Name: a.Name.v, Prefix: a.Prefix.v, Encoding: a.Encoding.v, User: a.User.v, Secret: c.secret(a.Secret)}
	line := max(a.By.line, t.Name.line)
	if s.Auth.By != ByNone && s.Auth.Secret.Empty() {
		c.fail(line, "auth needs a secret")
	}
	switch s.Auth.By {
	case ByNone:
	case ByKey:
		if !slices.Contains([]string{"header", "query", "body"}, s.Auth.In) || s.Auth.Name == "" {
			c.fail(line, "auth by key needs in (header, query or body) and name")
		}
		if s.Kind == STAR && s.Auth.In == "body" {
			c.fail(line, "a STAR document has no place for a key; send it in a header or the query")
		}
	case ByHMAC:
		if s.Auth.Name == "" {
			c.fail(line, "auth by hmac needs the name of the header")
		}
		if s.Auth.Encoding == "" {
			s.Auth.Encoding = "hex"
		}
		if s.Auth.Encoding != "hex" && s.Auth.Encoding != "base64" {
			c.fail(a.Encoding.line, "encoding is hex or base64")
		}
	case ByBasic:
		if s.Auth.User == "" {
			c.fail(line, "auth by basic needs a user")
		}
	default:
		c.fail(line, "auth by is key, hmac, basic or none")
	}
}

// code reads a code of a list in any case; the zero value for "".
func code[T any](c *checker, name string, t text, read func(string) (T, bool)) (v T) {
	if t.v == "" {
		return v
	}
	v, ok := read(strings.ToUpper(strings.ReplaceAll(t.v, " ", "_")))
	if !ok {
		c.fail(t.line, "%s has no code %q", name, t.v)
	}
	return v
}

func (c *checker) spec(t *sourceText, s *form.Spec) {
	s.Test, s.DayFirst = t.Test, t.DayFirst
	d, set := &t.Set, &s.Set
	set.Source = lead.Source{Channel: d.Channel.v, Source: d.Source.v, SubSource: d.SubSource.v, Provider: d.Provider.v, Medium: d.Medium.v, Form: d.Form.v}
	set.Campaign = lead.Campaign{ID: d.Campaign.ID.v, Name: d.Campaign.Name.v, Medium: d.Campaign.Medium.v, Offer: d.Campaign.Offer.v}
	set.Dealer = lead.DealerReference{ID: d.Dealer.ID.v, Code: d.Dealer.Code.v, Scheme: d.Dealer.Scheme.v, Name: d.Dealer.Name.v}
	set.Choice = code(c, "dealer_choice", d.DealerChoice, lead.ParseDealerChoice)
	set.Origin = code(c, "origin", d.Origin, lead.ParseOrigin)
	set.Line = code(c, "line", d.Line, lead.ParseLine)
	set.RequestType = code(c, "request_type", d.RequestType, lead.ParseRequestType)
	set.Brand, set.Market, set.Language = strings.ToUpper(d.Brand.v), d.Market.v, d.Language.v
	if m := set.Market; m != "" {
		known, ok := lead.CountryCode(m)
		if !ok {
			c.fail(d.Market.line, "market is no country such as US")
		}
		set.Market = known
	}
	s.Fields = map[string]form.Rule{}
	names := form.Fields()
	for _, f := range t.Fields {
		key := lead.Fold(f.Question.v)
		if key == "" {
			c.fail(f.Field.line, "a field needs a question")
		}
		if _, twice := s.Fields[key]; twice {
			c.fail(f.Question.line, "the question is mapped twice")
		}
		if !slices.Contains(names, f.Field.v) {
			c.unknownField(f, names)
		}
		rule := form.Rule{Field: form.Field(f.Field.v), Values: map[string]string{}}
		for from, to := range f.Values {
			rule.Values[lead.Fold(from)] = to.v
		}
		s.Fields[key] = rule
	}
	for _, t := range t.Consents {
		c.consent(t, s)
	}
}

func (c *checker) unknownField(f fieldText, names []string) {
	if near := lead.Suggest(f.Field.v, names); near != "" {
		c.fail(f.Field.line, "there is no field %q%s", f.Field.v, near)
		return
	}
	c.fail(f.Field.line, "there is no field %q; there are %s", f.Field.v, strings.Join(names, ", "))
}

func (c *checker) consent(t consentText, s *form.Spec) {
	rule := form.ConsentRule{
		Key: lead.Fold(t.Question.v), Purpose: code(c, "purpose", t.Purpose, lead.ParsePurpose),
		Controller: code(c, "controller", t.Controller, lead.ParseController), ControllerID: t.ControllerID.v,
		TextVersion: t.TextVersion.v, PreTicked: t.PreTicked,
	}
	line := max(t.Question.line, t.Purpose.line)
	if rule.Key == "" || rule.Purpose == lead.PurposeUnspecified {
		c.fail(line, "a consent needs a question and a purpose")
	}
	if rule.Controller != lead.ControllerUnspecified && rule.Controller != lead.ControllerOEM && rule.ControllerID == "" {
		c.fail(line, "a controller that is not the OEM needs controller_id")
	}
	for _, ch := range t.Channels {
		rule.Channels = append(rule.Channels, code(c, "channels", ch, lead.ParseChannel))
	}
	s.Consents = append(s.Consents, rule)
}
