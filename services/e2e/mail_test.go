package e2e_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/smtp"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/house"
	"github.com/leadmesh/leadmesh/services/internal/mailtest"
)

// mailADF is a lead of somebody nobody else in the suite is.
// givenNames are of people whom nobody takes for one another.
var givenNames = [...]string{
	"Alma", "Boris", "Chiara", "Dolores", "Edmund", "Fatima", "Gustav", "Hedwig", "Ignacio", "Jolanda", "Kaspar",
	"Ludmila", "Mortimer", "Noemi", "Oswald", "Philippa", "Quentin", "Rosalind", "Sigmund", "Tabitha", "Ulrich",
	"Valerie", "Wenzel", "Xenia", "Yusuf", "Zelda", "Bertrand", "Clementine", "Dagmar", "Eugene", "Florence", "Gideon",
}

func mailADF(given string) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<?adf version="1.0"?>
<adf>
  <prospect>
    <requestdate>%s</requestdate>
    <vehicle interest="buy" status="new"><year>2026</year><make>Norrvind</make><model>Tindra</model></vehicle>
    <customer>
      <contact>
        <name part="first">%s</name><name part="last">Maïltest</name>
        <email>%s@mail.example.com</email>
        <address><street line="1">1 Main St</street><postalcode>80205</postalcode><country>US</country></address>
      </contact>
      <comments>Is it "available" &amp; blue?</comments>
    </customer>
    <vendor><vendorname>Norrvind</vendorname></vendor>
    <provider><name part="full">Portal</name></provider>
  </prospect>
</adf>
`, time.Now().UTC().Format(time.RFC3339), given, strings.ToLower(given))
}

// mailboxesFile makes the mailboxes that the suite sends to.
func mailboxesFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mailboxes.yaml")
	writeFile(t, file, "mailboxes:\n  leads@example.com: {source: oem_site}\n  store@example.com: {source: store_mail, dealer: "+tokenDealer+"}\n  test@example.com: {source: oem_site, test: true}\n")
	return file
}

func writeFile(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// mailTo sends a mail as a relay does, under TLS where it is offered; the code is that of a refusal,
// 250 without one.
func (w *world) mailTo(t *testing.T, addr, to string, mail []byte) int {
	t.Helper()
	c, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if ok, _ := c.Extension("STARTTLS"); ok {
		roots := x509.NewCertPool()
		pem, err := os.ReadFile(w.ca)
		if err != nil || !roots.AppendCertsFromPEM(pem) {
			t.Fatal("no authority", err)
		}
		if err := c.StartTLS(&tls.Config{RootCAs: roots, ServerName: "localhost"}); err != nil { //nolint:gosec // SMTP's least version is what is tested
			t.Fatal(err)
		}
	}
	err = func() error {
		if err := c.Mail("portal@portal.example.com"); err != nil {
			return err
		}
		if err := c.Rcpt(to); err != nil {
			return err
		}
		d, err := c.Data()
		if err != nil {
			return err
		}
		if _, err := d.Write(mail); err != nil {
			return err
		}
		return d.Close()
	}()
	var refused *textproto.Error
	switch {
	case err == nil:
		return 250
	case errors.As(err, &refused):
		return refused.Code
	default:
		t.Fatal(err)
		return 0
	}
}

// mailed are the leads of a mailbox in the database, the newest last.
func (d database) mailed(t *testing.T, mailbox string) (ids []string) {
	t.Helper()
	rows, err := d.conn.Query(t.Context(), "SELECT lead_id::text FROM capture.lead WHERE credential = $1 ORDER BY received_at, lead_id", "mail:"+mailbox)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// TestMailBecomesADecidedLead mails a lead of another person in every form and follows each to its
// decision.
func TestMailBecomesADecidedLead(t *testing.T) {
	if testing.Short() {
		t.Skip("starts whole houses")
	}
	t.Run("one process", func(t *testing.T) {
		w := inProcess(t, func(c *house.Config) { c.SMTP, c.Mailboxes = "127.0.0.1:0", mailboxesFile(t) })
		mailRoad(t, w, w.smtp)
		auditClean(t, w)
	})
	t.Run("five processes", func(t *testing.T) {
		w := fiveProcesses(t)
		addr := freeAddr(t)
		front := w.processes["capture"]
		front.stop(t)
		w.processes["capture"] = spawn(t, append(front.args, "--smtp", addr, "--mailboxes", mailboxesFile(t))...)
		w.awaitHealthy(t)
		mailRoad(t, w, addr)
	})
}

func mailRoad(t *testing.T, w *world, addr string) {
	db := w.database(t)
	persons := map[string]string{}
	for i, form := range mailtest.Forms() {
		given := givenNames[i]
		persons[given] = form.Name
		if code := w.mailTo(t, addr, "leads@example.com", form.Wrap(given, mailADF(given))); code != 250 {
			t.Errorf("%s: answered %d", form.Name, code)
		}
	}
	ids := db.mailed(t, "leads@example.com")
	if len(ids) != len(persons) {
		t.Errorf("%d leads of %d mails", len(ids), len(persons))
	}
	for _, id := range ids {
		var l capturev1.GetLeadResponse
		eventually(t, patience, "a mailed lead is decided", func() bool {
			l.Reset()
			w.get(t, "oem", "/v1/leads/"+id, &l)
			return l.GetState() != leadv1.State_STATE_PENDING
		})
		name := l.GetLead().GetParties()[0].GetName()
		form := persons[name.GetGiven()]
		delete(persons, name.GetGiven())
		if l.GetState() != leadv1.State_STATE_ASSIGNED || l.GetDecision().GetAssignment().GetDealerId() == "" || l.GetDecision().GetAssignment().GetNextDeadline() == nil {
			t.Errorf("%s: %s, %v", form, l.GetState(), l.GetDecision())
		}
		if name.GetFamily() != "Maïltest" || l.GetLead().GetComments() != `Is it "available" & blue?` || l.GetLead().GetSource().GetSource() != "oem_site" {
			t.Errorf("%s: read as %v", form, l.GetLead())
		}
	}
	if len(persons) > 0 {
		t.Errorf("no lead of %v", persons)
	}

	for _, c := range []struct {
		to, state string
		test      bool
		mail      []byte
	}{
		{"store@example.com", "ASSIGNED", false, mailtest.Mail("s1", "", mailADF("Storemail"))},
		{"test@example.com", "ASSIGNED", true, mailtest.Mail("t1", "", mailADF("Testmail"))},
		{"store@example.com", "PARKED", false, mailtest.Mail("s2", "", []byte("I would like a car."))},
		{"store@example.com", "REJECTED", false, mailtest.Mail("s3", "Auto-Submitted: auto-replied\n", []byte("I am away."))},
	} {
		before := map[string]bool{}
		for _, id := range db.mailed(t, c.to) {
			before[id] = true
		}
		if code := w.mailTo(t, addr, c.to, c.mail); code != 250 {
			t.Fatalf("%s: answered %d", c.state, code)
		}
		for _, id := range db.mailed(t, c.to) {
			if before[id] {
				continue
			}
			var l capturev1.GetLeadResponse
			eventually(t, patience, "it is "+c.state, func() bool {
				l.Reset()
				w.get(t, "oem", "/v1/leads/"+id, &l)
				return l.GetState().String() == "STATE_"+c.state
			})
			if l.GetLead() != nil && l.GetLead().GetTest() != c.test {
				t.Errorf("%s: test %v", c.to, l.GetLead().GetTest())
			}
			if owner := l.GetDecision().GetAssignment().GetDealerId(); strings.HasPrefix(c.to, "store") && c.state == "ASSIGNED" && owner != tokenDealer {
				t.Errorf("the mail of a store went to %s", owner)
			}
		}
	}
	if code := w.mailTo(t, addr, "nobody@example.com", mailADF("Nobody")); code != 550 {
		t.Errorf("an unknown mailbox: answered %d", code)
	}
	if code, raw := w.call(t, "oem", http.MethodPost, "/v1/adf:validate", map[string]string{"Content-Type": "message/rfc822"},
		string(mailtest.Mail("v1", "", mailADF("Validated")))); code != http.StatusOK || !strings.Contains(string(raw), `"strict_form"`) {
		t.Errorf("validate answered %d %s", code, raw)
	}
	// Decided or not: it is taken.
	if code, raw := w.call(t, "oem", http.MethodPost, "/v1/adf", map[string]string{"Content-Type": "message/rfc822"},
		string(mailtest.Mail("h1", "", mailADF("Overhttp")))); code != http.StatusOK || !strings.Contains(string(raw), `"lead_id"`) {
		t.Errorf("a mail over HTTP answered %d %s", code, raw)
	}
	if log := w.written(); strings.Contains(log, "mail.example.com") || strings.Contains(log, "Maïltest") {
		t.Error("the log names a person")
	}
}

// TestMailWhileTheDatabaseIsAway answers 451 until mails can be made durable, so that relays keep
// them, and takes the same mails afterwards, once each.
func TestMailWhileTheDatabaseIsAway(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a house and a database")
	}
	start, stop := externalDatabase(t)
	url := start()
	file := mailboxesFile(t)
	w := inProcess(t, func(c *house.Config) { c.DatabaseURL, c.SMTP, c.Mailboxes = url, "127.0.0.1:0", file })
	w.db = url
	stop()
	mail := mailtest.Mail("away", "", mailADF("Away"))
	if code := w.mailTo(t, w.smtp, "leads@example.com", mail); code != 451 {
		t.Errorf("without a database answered %d", code)
	}
	start()
	eventually(t, patience, "the relay's next try is taken", func() bool { return w.mailTo(t, w.smtp, "leads@example.com", mail) == 250 })
	if code := w.mailTo(t, w.smtp, "leads@example.com", mail); code != 250 {
		t.Errorf("once more: answered %d", code)
	}
	if ids := w.database(t).mailed(t, "leads@example.com"); len(ids) != 1 {
		t.Errorf("%d leads of one mail", len(ids))
	}

	writeFile(t, file, "mailboxes: {new@example.com: {source: x}}\n")
	eventually(t, patience, "the changed file is taken up", func() bool {
		return w.mailTo(t, w.smtp, "new@example.com", mailtest.Mail("new", "", mailADF("Newbox"))) == 250
	})
}
