package endpoint

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// maxURL bounds an address, in bytes.
const maxURL = 2_000

// Network says which addresses may be sent to.
type Network struct {
	Loopback bool // this machine
	Private  bool // private networks, and everything else that is not the open internet
}

// CheckURL reports what is wrong with an address: https, http on loopback only, no user name, no
// literal address that may not be sent to. What a name resolves to is checked at each sending.
func (n Network) CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || len(raw) > maxURL:
		return errors.New("must be an address such as https://crm.example.com/leads")
	case u.User != nil:
		return errors.New("must not carry a user name or password; deliveries are signed instead")
	case u.Fragment != "":
		return errors.New("must not have a fragment")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("must begin with https://")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return errors.New("must begin with https://; http is for loopback only")
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		return n.allow(addr, u.Hostname())
	}
	if isLoopback(u.Hostname()) && !n.Loopback {
		return errBarred
	}
	return nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

var errBarred = errors.New("leads into a private network, where nothing is sent to")

// allow reports why an address may not be sent to. Loopback must be meant: a public name that
// leads there is an attack.
func (n Network) allow(addr netip.Addr, host string) error {
	addr = addr.Unmap()
	switch {
	case addr.IsLoopback():
		if n.Loopback && isLoopback(host) {
			return nil
		}
	case n.Private && !addr.IsUnspecified() && !addr.IsMulticast():
		return nil
	case addr.IsGlobalUnicast() && !addr.IsPrivate() && !barred(addr):
		return nil
	}
	return errBarred
}

// barred holds for ranges that are global by form but lead nowhere public: carrier-grade NAT,
// this-network, benchmarks, translation prefixes that wrap an IPv4 address, reserved.
func barred(addr netip.Addr) bool {
	for _, p := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"} {
		if netip.MustParsePrefix(p).Contains(addr) {
			return true
		}
	}
	return false
}

// control checks what the name of a host resolved to before a connection is made.
func (n Network) control(host string) func(network, resolved string, c syscall.RawConn) error {
	return func(_, resolved string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(resolved)
		if err != nil {
			return errBarred
		}
		return n.allow(ap.Addr(), host)
	}
}
