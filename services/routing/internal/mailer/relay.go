// Package mailer hands messages to one mail relay over SMTP.
package mailer

import (
	"crypto/tls"
	"errors"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
)

// Relay is the server that takes mail for everybody. The zero Relay is none.
type Relay struct {
	Host           string
	Port           int
	TLS            bool // from the first byte on; else by STARTTLS
	Clear          bool // mail may go unencrypted if the relay knows no STARTTLS
	User, Password string
	Config         *tls.Config // nil: the system's authorities, the relay's name
}

const (
	submissionPort  = 587
	submissionsPort = 465
)

// ParseRelay reads smtp://USER:PASSWORD@HOST:PORT, encrypted by STARTTLS, or smtps://..., encrypted
// from the first byte on. Ports are 587 and 465 unless given. A relay on this machine may be
// unencrypted, others only with ?tls=none, which no password may go through.
func ParseRelay(raw string) (Relay, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || strings.Trim(u.Path, "/") != "" {
		return Relay{}, errors.New("must be smtp://HOST:PORT or smtps://HOST:PORT, with USER:PASSWORD@ before the host if the relay asks for them")
	}
	r := Relay{Host: u.Hostname(), TLS: u.Scheme == "smtps", Port: submissionPort, Clear: isLoopback(u.Hostname())}
	if r.TLS {
		r.Port = submissionsPort
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return Relay{}, errors.New("the port must be 1 to 65535")
		}
		r.Port = int(n)
	}
	r.User = u.User.Username()
	r.Password, _ = u.User.Password()
	switch option := u.Query().Get("tls"); {
	case option == "":
	case option == "none" && !r.TLS && r.Password == "":
		r.Clear = true
	case option == "none":
		return Relay{}, errors.New("tls=none does not go with smtps or a password")
	default:
		return Relay{}, errors.New("tls may only be none")
	}
	return r, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// CheckAddress reports what is wrong with an address: it is one mailbox without a name.
func CheckAddress(address string) error {
	a, err := mail.ParseAddress(address)
	if err != nil || a.Address != address || len(address) > 254 || strings.ContainsAny(address, "\r\n") {
		return errors.New("must be one address such as leads@store.example.com")
	}
	return nil
}

// CheckSender reports what is wrong with a sender: an address, with or without a name before it.
func CheckSender(sender string) error {
	if a, err := mail.ParseAddress(sender); err != nil || a.Address == "" || strings.ContainsAny(sender, "\r\n") {
		return errors.New(`must be an address such as leads@oem.example.com or "OEM Leads <leads@oem.example.com>"`)
	}
	return nil
}
