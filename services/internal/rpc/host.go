package rpc

import (
	"net"
	"strings"
)

// NamesThisMachine reports whether the host of a request is localhost or an address,
// which means the same whatever a name server says.
func NamesThisMachine(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	return net.ParseIP(strings.Trim(host, "[]")) != nil
}
