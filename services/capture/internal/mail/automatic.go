package mail

import "strings"

// Automatic is a kind of mail that a machine sent about other mail, or to many.
type Automatic struct {
	// Rule names the kind: bounce, auto_reply, bulk; "" for none of them.
	Rule string
	// weak: what lead systems send looks the same, so that a document in it counts more.
	weak bool
}

// None is no automatic mail.
var None Automatic

// The kinds.
const (
	ruleBounce    = "bounce"     // a mail could not be delivered
	ruleAutoReply = "auto_reply" // somebody is away; a receipt
	ruleBulk      = "bulk"       // a list, a newsletter, a notice
)

// automatic tells by the header of a mail whether a machine sent it: a bounce (RFC 3464), an
// answering machine (RFC 3834), a list. Lead systems are machines too and mark their mails as
// generated, as bulk, or send them from the postmaster's or no address: such a mark alone says
// nothing where the mail holds a document. A bounce and an answer, though, may hold the very lead
// that they are about: its document is no new one.
func automatic(h header) Automatic {
	media, params := h.media()
	report := strings.ToLower(params["report-type"])
	from := strings.ToLower(h["from"])
	submitted := strings.ToLower(h["auto-submitted"])
	if end := strings.IndexAny(submitted, "; ("); end >= 0 {
		submitted = submitted[:end]
	}
	precedence := strings.ToLower(strings.TrimSpace(h["precedence"]))
	switch {
	case media == "multipart/report" && report == "delivery-status", strings.Contains(from, "mailer-daemon"), h["x-failed-recipients"] != "":
		return Automatic{Rule: ruleBounce}
	case media == "multipart/report" && report == "disposition-notification", submitted == "auto-replied", precedence == "auto_reply",
		h["x-autoreply"] != "", h["x-autorespond"] != "":
		return Automatic{Rule: ruleAutoReply}
	case strings.Contains(from, "postmaster@"), strings.TrimSpace(h["return-path"]) == "<>":
		return Automatic{Rule: ruleBounce, weak: true}
	case answers(h["subject"]):
		return Automatic{Rule: ruleAutoReply, weak: true}
	case submitted != "" && submitted != "no", precedence == "bulk", precedence == "list", precedence == "junk",
		h["list-id"] != "", h["list-unsubscribe"] != "":
		return Automatic{Rule: ruleBulk, weak: true}
	}
	return None
}

// answers tells the subjects that answering machines write without any other mark.
func answers(subject string) bool {
	subject = strings.ToLower(strings.TrimSpace(subject))
	for _, begin := range []string{"automatic reply:", "auto-reply:", "autoreply:", "auto response:", "out of office:", "automatische antwort:",
		"abwesenheitsnotiz:", "réponse automatique", "respuesta automática", "risposta automatica"} {
		if strings.HasPrefix(subject, begin) {
			return true
		}
	}
	return false
}
