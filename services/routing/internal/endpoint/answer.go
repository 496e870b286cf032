package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"syscall"
	"time"
)

// Outcome is what an attempt came to.
type Outcome uint8

// The values of Outcome.
const (
	Again   Outcome = iota // not taken; another attempt may succeed
	Taken                  // the endpoint has the message
	Refused                // this message will never be taken
	Gone                   // the endpoint wants no messages any more
)

// Answer is what an endpoint said to one message.
type Answer struct {
	Outcome      Outcome
	Word         string        // status or cause in one word, without personal data; see Explain
	Unwell       bool          // the endpoint itself is the trouble, not the message
	Reached      bool          // the endpoint may hold the message, whatever it answered
	RetryAfter   time.Duration // how long it asks to stay away; 0: it does not
	Acknowledged bool          // it says that somebody, or a bot, answered the customer
	Status       int           // of HTTP or SMTP; 0: none came
	Said         string        // the beginning of what it answered; may hold anything, so it is shown to who asked for a test and kept nowhere
	Timings      Timings
}

// Timings are the parts of an attempt; 0 for what did not take place.
type Timings struct {
	Lookup, Connect, TLS, Total time.Duration
}

// Delivered reports whether the endpoint took the message.
func (a Answer) Delivered() bool { return a.Outcome == Taken }

// Words of answers that are no status.
const (
	WordBarred      = "barred"
	WordUnknownHost = "unknown_host"
	WordTimeout     = "timeout"
	WordStopped     = "stopped"
	WordRefused     = "refused"
	WordTLS         = "tls"
	WordBroken      = "broken"
	WordBadSecret   = "bad_secret"
	WordBadAddress  = "bad_address"
	WordNegative    = "negative_answer"
	WordNoRelay     = "no_relay"
	WordNoAuth      = "no_auth"
	WordNoStartTLS  = "no_starttls"
)

// Cause is an error of a connection as one word: texts of errors name addresses.
func Cause(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, errBarred):
		return WordBarred
	case errors.As(err, &dns):
		return WordUnknownHost
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return WordTimeout
	case errors.Is(err, context.Canceled):
		return WordStopped
	case errors.Is(err, syscall.ECONNREFUSED):
		return WordRefused
	case errors.As(err, &certificate), errors.As(err, &record), strings.Contains(err.Error(), "tls:"), strings.Contains(err.Error(), "x509:"):
		return WordTLS
	}
	return WordBroken
}

// Explain says a word of an answer in a sentence, for who set the endpoint up.
func Explain(word string) string {
	switch word {
	case WordBarred:
		return "the host's name leads into a private network, where nothing is sent to; the server's --allow-private-webhooks permits it"
	case WordUnknownHost:
		return "the host's name is not known to DNS; check its spelling"
	case WordTimeout:
		return "no answer came in time; it must come within seconds"
	case WordStopped:
		return "the attempt was cut short here; try again"
	case WordRefused:
		return "the host refuses connections on this port; nothing listens there, or a firewall is in between"
	case WordTLS:
		return "no secure connection could be made; check the certificate: its names, its end and its chain"
	case WordBroken:
		return "the connection broke before an answer came"
	case WordBadSecret:
		return "the signing secret cannot be used; rotate it"
	case WordBadAddress:
		return "the address cannot be used; put it again"
	case WordNegative:
		return "the status says success, but the body says that the lead was not taken"
	case WordNoAuth:
		return "the mail relay offers no way to log in that is safe on this connection; use smtps, or a port with STARTTLS"
	case WordNoStartTLS:
		return "the mail relay does not offer STARTTLS; use smtps, or ?tls=none for a relay that needs no password"
	case WordNoRelay:
		return "no mail relay is set up; start the server with --smtp-relay and --mail-from"
	}
	switch {
	case len(word) == 3 && word[0] == '2', word == "smtp_250":
		return "the endpoint took it"
	case len(word) == 3 && word[0] == '3':
		return "the endpoint answered with a redirect, which is not followed; put the address it leads to"
	case word == "401" || word == "403":
		return "the endpoint does not let us in; check the secret or the authorization"
	case word == "404":
		return "the host has nothing at this path"
	case word == "410":
		return "the endpoint wants nothing any more; pushing there was switched off"
	case word == "415":
		return "the endpoint does not take this content type"
	case word == "429":
		return "the endpoint asks for fewer messages; they are sent more slowly"
	case len(word) == 3 && word[0] == '4':
		return "the endpoint refuses the message"
	case len(word) == 3 && word[0] == '5':
		return "the endpoint has an error of its own"
	case strings.HasPrefix(word, "smtp_4"):
		return "the mail server asks to try again later"
	case strings.HasPrefix(word, "smtp_5"):
		return "the mail server refuses for good; check the mailbox, and the relay's user and password"
	}
	return ""
}
