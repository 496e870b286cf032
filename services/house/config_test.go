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
