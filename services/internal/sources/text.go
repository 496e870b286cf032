package sources

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// The file as written. A text knows its line, so that a mistake in it can be found.
type (
	fileText struct {
		Graph struct {
			URL     text `yaml:"url"`
			Version text `yaml:"version"`
		} `yaml:"graph"`
		Sources []sourceText `yaml:"sources"`
	}
	sourceText struct {
		Name        text          `yaml:"name"`
		Kind        text          `yaml:"kind"`
		AppSecret   secretText    `yaml:"app_secret"`
		VerifyToken secretText    `yaml:"verify_token"`
		Pages       []pageText    `yaml:"pages"`
		Keys        []keyText     `yaml:"keys"`
		Auth        *authText     `yaml:"auth"`
		Test        bool          `yaml:"test"`
		DayFirst    bool          `yaml:"day_first"`
		Set         setText       `yaml:"set"`
		Fields      []fieldText   `yaml:"fields"`
		Consents    []consentText `yaml:"consents"`
	}
	pageText struct {
		ID    text       `yaml:"id"`
		Token secretText `yaml:"token"`
	}
	keyText struct {
		Form text       `yaml:"form"`
		Key  secretText `yaml:"key"`
	}
	authText struct {
		By       text       `yaml:"by"`
		In       text       `yaml:"in"`
		Name     text       `yaml:"name"`
		Prefix   text       `yaml:"prefix"`
		Encoding text       `yaml:"encoding"`
		User     text       `yaml:"user"`
		Secret   secretText `yaml:"secret"`
	}
	setText struct {
		Channel   text `yaml:"channel"`
		Source    text `yaml:"source"`
		SubSource text `yaml:"sub_source"`
		Provider  text `yaml:"provider"`
		Medium    text `yaml:"medium"`
		Form      text `yaml:"form"`
		Campaign  struct {
			ID     text `yaml:"id"`
			Name   text `yaml:"name"`
			Medium text `yaml:"medium"`
			Offer  text `yaml:"offer"`
		} `yaml:"campaign"`
		Dealer struct {
			ID     text `yaml:"id"`
			Code   text `yaml:"code"`
			Scheme text `yaml:"scheme"`
			Name   text `yaml:"name"`
		} `yaml:"dealer"`
		DealerChoice text `yaml:"dealer_choice"`
		Origin       text `yaml:"origin"`
		Line         text `yaml:"line"`
		RequestType  text `yaml:"request_type"`
		Brand        text `yaml:"brand"`
		Market       text `yaml:"market"`
		Language     text `yaml:"language"`
	}
	fieldText struct {
		Question text            `yaml:"question"`
		Field    text            `yaml:"field"`
		Values   map[string]text `yaml:"values"`
	}
	consentText struct {
		Question     text   `yaml:"question"`
		Purpose      text   `yaml:"purpose"`
		Channels     []text `yaml:"channels"`
		Controller   text   `yaml:"controller"`
		ControllerID text   `yaml:"controller_id"`
		TextVersion  text   `yaml:"text_version"`
		PreTicked    bool   `yaml:"preticked"`
	}
)

// text is a scalar with its line.
type text struct {
	v    string
	line int
}

// UnmarshalYAML takes any scalar as it is spelt: ids are often written as numbers.
func (t *text) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: want a text", n.Line)
	}
	t.v, t.line = n.Value, n.Line
	return nil
}

// secretText is a secret by value, or {file: PATH} relative to the sources file.
type secretText struct {
	value, file text
}

// UnmarshalYAML reads either form.
func (s *secretText) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return s.value.UnmarshalYAML(n)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var into *text
		switch n.Content[i].Value {
		case "value":
			into = &s.value
		case "file":
			into = &s.file
		default:
			return fmt.Errorf("line %d: a secret is a text, {value: TEXT} or {file: PATH}", n.Content[i].Line)
		}
		if err := into.UnmarshalYAML(n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}
