package house

import (
	"strings"
	"testing"
)

// TestAddresses: a listener's address is HOST:PORT, and beyond loopback it needs a lock.
func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		addr string
		want []string // nil: taken
	}{
		{"127.0.0.1:8080", nil},
		{"localhost:0", nil},
		{"[::1]:8080", nil},
		{"nonsense", []string{"--http nonsense is no HOST:PORT"}},
		{"127.0.0.1", []string{"is no HOST:PORT"}},
		{"127.0.0.1:http", []string{"is no HOST:PORT"}},
		{"127.0.0.1:70000", []string{"is no HOST:PORT"}},
		{"http://127.0.0.1:8080", []string{"is no HOST:PORT"}},
		{":8080", []string{"reachable from other machines", "--tls-cert", "--tokens"}},
		{"0.0.0.0:8080", []string{"reachable from other machines"}},
	} {
		_, err := Config{Data: t.TempDir(), HTTP: c.addr}.complete()
		if c.want == nil {
			if err != nil {
				t.Errorf("%s: %v", c.addr, err)
			}
			continue
		}
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", c.addr, err, want)
			}
		}
		if err != nil && strings.Contains(c.want[0], "HOST:PORT") && strings.Contains(err.Error(), "reachable") {
			t.Errorf("%s: what is no address is called reachable: %v", c.addr, err)
		}
	}
}

// TestPostboxAddress: the door for mails needs its mailboxes and the gateway, and beyond loopback a
// certificate; tokens are nothing that senders of mail have.
func TestPostboxAddress(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{SMTP: "127.0.0.1:25", Mailboxes: "m"}, ""},
		{Config{SMTP: "0.0.0.0:25", Mailboxes: "m", TLSCert: "c", TLSKey: "k"}, ""},
		{Config{SMTP: "0.0.0.0:25", Mailboxes: "m"}, "--smtp 0.0.0.0:25 is reachable from other machines: give --tls-cert"},
		{Config{SMTP: "here", Mailboxes: "m"}, "--smtp here is no HOST:PORT"},
		{Config{SMTP: "127.0.0.1:25"}, "--smtp needs --mailboxes"},
		{Config{Mailboxes: "m"}, "--mailboxes needs --smtp"},
		{Config{SMTP: "127.0.0.1:25", Mailboxes: "m", Only: []string{Capture}, DatabaseURL: "x"}, "--smtp needs the gateway"},
	} {
		c.cfg.Data = t.TempDir()
		if _, err := c.cfg.complete(); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("--smtp %q: %v, want %q", c.cfg.SMTP, err, c.want)
		}
	}
}

// TestOperationsAddress: the door of those who watch follows the rules of the others.
func TestOperationsAddress(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:9100": "", "": "", "here": "--ops here is no HOST:PORT", "0.0.0.0:9100": "--ops 0.0.0.0:9100 is reachable from other machines",
	} {
		_, err := Config{Data: t.TempDir(), Ops: addr}.complete()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("--ops %q: %v, want %q", addr, err, want)
		}
	}
}
