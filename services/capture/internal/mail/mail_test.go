package mail_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/core/adf"
	"github.com/leadmesh/leadmesh/services/capture/internal/mail"
	"github.com/leadmesh/leadmesh/services/internal/mailtest"
)

const document = `<?xml version="1.0" encoding="UTF-8"?>
<?adf version="1.0"?>
<adf>
  <prospect status="new">
    <id sequence="1" source="Portal">P-4711</id>
    <requestdate>2026-03-02T08:55:00-05:00</requestdate>
    <vehicle interest="buy" status="new">
      <year>2026</year><make>Norrvind</make><model>Lomvi 5</model>
    </vehicle>
    <customer>
      <contact>
        <name part="full">Zoë Müller-Ångström</name>
        <email>zoe@example.com</email>
        <phone type="cellphone">303-555-0142</phone>
      </contact>
      <comments>Is the 1,000 € bonus &amp; the "winter" pack still on? Please call after 5.</comments>
    </customer>
    <vendor><vendorname>Front Range Norrvind</vendorname></vendor>
    <provider><name part="full">Portal</name></provider>
  </prospect>
</adf>
`

// said is what a document says of one lead.
type said struct{ ID, Name, Email, Phone, Vehicle, Comments string }

func saidBy(docs []mail.Document) (all []said) {
	for _, d := range docs {
		for _, p := range d.ADF.Prospects {
			c, _ := p.Primary()
			var v adf.Vehicle
			if len(p.Vehicles) > 0 {
				v = p.Vehicles[0]
			}
			s := said{Name: c.Name().Full, Email: c.PreferredEmail(), Phone: c.PreferredPhone().Value, Vehicle: strings.Join([]string{v.Year, v.Make, v.Model}, " "), Comments: p.Customer.Comments}
			if len(p.IDs) > 0 {
				s.ID = p.IDs[0].Value
			}
			all = append(all, s)
		}
	}
	return all
}

var zoe = said{"P-4711", "Zoë Müller-Ångström", "zoe@example.com", "303-555-0142", "2026 Norrvind Lomvi 5",
	`Is the 1,000 € bonus & the "winter" pack still on? Please call after 5.`}

func TestEveryFormGivesItsLead(t *testing.T) {
	for _, form := range mailtest.Forms() {
		t.Run(form.Name, func(t *testing.T) {
			m := mail.Read(form.Wrap("m1", []byte(document)))
			want := []said{zoe}
			if form.Name == "text and attachment" { // which of them counts is decided by who takes the leads
				want = append(want, zoe)
			}
			if diff := cmp.Diff(want, saidBy(m.Documents)); diff != "" {
				t.Errorf("%s\n%s", diff, m.Trouble)
			}
			if m.ID != "m1@portal.example.com" || m.Automatic != mail.None || m.Trouble != "" {
				t.Errorf("id %q, automatic %v, trouble %q", m.ID, m.Automatic, m.Trouble)
			}
		})
	}
}

// oddMails are mails as only the field writes them, each with the one lead in it.
func oddMails() map[string][]byte {
	declared := func(charset string) string { return strings.Replace(document, "UTF-8", charset, 1) }
	text := func(header string, body []byte) []byte { return mailtest.Mail("odd", header, body) }
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	return map[string][]byte{
		"latin 1, declared by the mail":      text("Content-Type: text/plain; charset=ISO-8859-1\n", mailtest.Latin1(document)),
		"latin 1, declared by the document":  text("Content-Type: text/xml\n", mailtest.Latin1(declared("ISO-8859-1"))),
		"windows-1252, declared as UTF-8":    text("Content-Type: text/plain; charset=utf-8\n", mailtest.Latin1(document)),
		"UTF-8, declared as latin 1":         text("Content-Type: text/plain; charset=iso-8859-1\n", []byte(declared("iso-8859-1"))),
		"UTF-16 with a mark":                 text("Content-Type: application/xml\nContent-Transfer-Encoding: base64\n", mailtest.Base64(mailtest.UTF16(declared("UTF-16")))),
		"UTF-16 without a mark":              text("Content-Type: text/xml; charset=utf-16le\nContent-Transfer-Encoding: base64\n", mailtest.Base64(mailtest.UTF16(document)[2:])),
		"UTF-8, declared as UTF-16":          text("Content-Type: text/xml; charset=utf-16\n", []byte(declared("utf-16"))),
		"a charset nobody knows":             text("Content-Type: text/plain; charset=x-unknown\n", []byte(document)),
		"no charset at all, windows-1252":    text("Content-Type: text/plain\n", mailtest.Latin1(document)),
		"flowed":                             text("Content-Type: text/plain; charset=utf-8; format=flowed\n", []byte(crlf(strings.Replace(strings.ReplaceAll(document, "\n ", "\n  "), "bonus &amp; the", "bonus &amp; \r\nthe", 1)))),
		"flowed, delsp":                      text("Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\n", []byte(crlf(strings.Replace(document, "Please call", "Please \r\n call", 1)))),
		"flowed and quoted":                  text("Content-Type: text/plain; charset=utf-8; format=flowed\n", []byte(strings.ReplaceAll(strings.ReplaceAll(mailtest.Quote([]byte(document)), "> ", ">"), ">  ", ">   "))),
		"quoted twice":                       text("Content-Type: text/plain; charset=utf-8\n", []byte(mailtest.Quote([]byte(mailtest.Quote([]byte(document)))))),
		"soft-wrapped tags":                  text("Content-Type: text/plain; charset=utf-8\n", []byte(strings.ReplaceAll(document, " part=", "\r\npart="))),
		"html in a text part":                text("Content-Type: text/plain; charset=utf-8\n", []byte(mailtest.Page([]byte(document)))),
		"raw in a page":                      text("Content-Type: text/html; charset=utf-8\n", []byte("<html><body><p>New lead</p>"+document+"</body></html>")),
		"CDATA in a page":                    text("Content-Type: text/html; charset=utf-8\n", []byte("<html><body><pre><![CDATA["+document+"]]></pre></body></html>")),
		"in a comment of a page":             text("Content-Type: text/html; charset=utf-8\n", []byte("<html><body><!-- "+document+" --><p>Hi</p></body></html>")),
		"escaped in plain text":              text("Content-Type: text/plain; charset=utf-8\n", []byte(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(document))),
		"quoted in a page":                   text("Content-Type: text/html; charset=utf-8\n", []byte(mailtest.Page([]byte(mailtest.Quote([]byte(document)))))),
		"base64 that nobody declared":        text("Content-Type: application/octet-stream\n", mailtest.Base64([]byte(document))),
		"base64 with junk":                   text("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n", append([]byte("!! "), append(mailtest.Base64([]byte(document)), "\r\n--\r\n"...)...)),
		"quoted-printable that is none":      text("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n", []byte(document)),
		"quoted-printable, not declared":     text("Content-Type: text/plain; charset=utf-8\n", mailtest.QuotedPrintable([]byte(document))),
		"base64 declared, plain sent":        text("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n", []byte(document)),
		"a boundary that nobody declared":    text("Content-Type: multipart/mixed\n", []byte("--abc\r\nContent-Type: text/plain\r\n\r\n"+document+"\r\n--abc--\r\n")),
		"another boundary than declared":     text("Content-Type: multipart/mixed; boundary=xyz\n", []byte("--abc\r\nContent-Type: text/plain\r\n\r\n"+document+"\r\n--abc--\r\n")),
		"no last boundary":                   text("Content-Type: multipart/mixed; boundary=abc\n", []byte("--abc\r\nContent-Type: text/plain\r\n\r\n"+document)),
		"multipart without parts":            text("Content-Type: multipart/mixed; boundary=abc\n", []byte(document)),
		"a content type that is broken":      text("Content-Type: text/plain; charset=\"utf-8; name=\n", []byte(document)),
		"a header line that is none":         text("this is no field\nContent-Type: text/plain; charset=utf-8\n", []byte(document)),
		"no line between header and body":    bytes.Replace(text("Content-Type: text/plain; charset=utf-8\n", []byte(document)), []byte("\r\n\r\n<?xml"), []byte("\r\n<?xml"), 1),
		"no header at all":                   []byte(document),
		"line feeds only":                    bytes.ReplaceAll(text("Content-Type: text/plain; charset=utf-8\n", []byte(document)), []byte("\r\n"), []byte("\n")),
		"from a mailbox file":                append([]byte("From leads@portal.example.com Mon Mar  2 09:00:00 2026\n"), text("", []byte(document))...),
		"NULs in it":                         text("Content-Type: text/plain; charset=utf-8\n", []byte(strings.ReplaceAll(document, "<make>", "\x00<make>\x00"))),
		"marked as generated":                text("Auto-Submitted: auto-generated\nPrecedence: bulk\nList-Unsubscribe: <mailto:x@example.com>\n", []byte(document)),
		"from nobody":                        append([]byte("Return-Path: <>\r\n"), text("", []byte(document))...),
		"a page that spells it, then a part": mailtest.Mixed("odd", "Content-Type: text/html\n\n<p>An &lt;adf&gt; lead</p>", "Content-Type: text/xml; charset=utf-8\n\n"+document),
		"message declared as base64":         mailtest.Mixed("odd", "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"+string(mailtest.Base64(text("", []byte(document))))),
		"digest":                             text("Content-Type: multipart/digest; boundary=d\n", append(append([]byte("--d\r\n\r\n"), text("", []byte(document))...), "\r\n--d--\r\n"...)),
		"signed":                             text("Content-Type: multipart/signed; boundary=s\n", []byte("--s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"+document+"\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nabc\r\n--s--\r\n")),
		"a namespace prefix":                 text("Content-Type: text/plain; charset=utf-8\n", []byte(strings.NewReplacer("<adf>", "<a:adf xmlns:a=\"urn:x\">", "</adf>", "</a:adf>", "<prospect ", "<a:prospect ", "</prospect>", "</a:prospect>").Replace(document))),
		"upper case names":                   text("Content-Type: text/plain; charset=utf-8\n", []byte(strings.NewReplacer("<adf>", "<ADF>", "</adf>", "</ADF>", "<prospect ", "<PROSPECT ", "</prospect>", "</PROSPECT>").Replace(document))),
		"one form broken, the other whole":   text("Content-Type: multipart/alternative; boundary=a\n", []byte("--a\r\nContent-Type: text/plain\r\n\r\n<adf></adf>\r\n--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"+mailtest.Page([]byte(document))+"\r\n--a--\r\n")),
	}
}

func TestOddMailsGiveTheirLead(t *testing.T) {
	for name, raw := range oddMails() {
		t.Run(name, func(t *testing.T) {
			m := mail.Read(raw)
			got := saidBy(m.Documents)
			for i := range got {
				got[i].Comments = strings.Join(strings.Fields(got[i].Comments), " ")
			}
			if diff := cmp.Diff([]said{zoe}, got); diff != "" {
				t.Errorf("%s\n%s", diff, m.Trouble)
			}
			if m.Automatic != mail.None {
				t.Errorf("taken for %v", m.Automatic)
			}
		})
	}
}

func TestAutomaticMail(t *testing.T) {
	plain := func(header string) []byte { return mailtest.Mail("a", header, []byte("Hello")) }
	report := "--r\r\nContent-Type: text/plain\r\n\r\nNot delivered.\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n" +
		"--r\r\nContent-Type: message/rfc822\r\n\r\n" + string(mailtest.Mail("b", "", []byte(document))) + "\r\n--r--\r\n"
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"delivery report":          {mailtest.Mail("a", "Content-Type: multipart/report; report-type=delivery-status; boundary=r\n", []byte(report)), "bounce"},
		"mailer daemon":            {bytes.Replace(plain(""), []byte("leads@portal"), []byte("MAILER-DAEMON@portal"), 1), "bounce"},
		"failed recipients":        {plain("X-Failed-Recipients: x@example.com\n"), "bounce"},
		"postmaster":               {bytes.Replace(plain(""), []byte("leads@portal"), []byte("postmaster@portal"), 1), "bounce"},
		"no sender":                {append([]byte("Return-Path: <>\r\n"), plain("")...), "bounce"},
		"answering machine":        {plain("Auto-Submitted: auto-replied (vacation)\n"), "auto_reply"},
		"answer that holds a lead": {mailtest.Mail("a", "Auto-Submitted: auto-replied\n", []byte(mailtest.Quote([]byte(document)))), "auto_reply"},
		"read receipt":             {plain("Content-Type: multipart/report; report-type=disposition-notification; boundary=r\n"), "auto_reply"},
		"subject":                  {bytes.Replace(plain(""), []byte("=?utf-8?q?New_lead_=E2=80=93_portal?="), []byte("Automatic reply: New lead"), 1), "auto_reply"},
		"bulk":                     {plain("Precedence: bulk\n"), "bulk"},
		"list":                     {plain("List-Id: <news.example.com>\n"), "bulk"},
		"a person":                 {plain("Auto-Submitted: no\n"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mail.Read(c.raw).Automatic.Rule; got != c.want {
				t.Errorf("taken for %q, want %q", got, c.want)
			}
		})
	}
}

func TestMailsWithoutALead(t *testing.T) {
	for name, raw := range map[string][]byte{
		"a person writes":        mailtest.Mail("a", "", []byte("I would like to buy a car: call me.")),
		"nothing":                nil,
		"one byte":               {0},
		"an adf without leads":   mailtest.Mail("a", "", []byte("<adf></adf>")),
		"names adf only":         mailtest.Mail("a", "", []byte("Our format: adf; prospect: yes. a<adfx>")),
		"binary":                 mailtest.Mail("a", "Content-Type: application/octet-stream\n", bytes.Repeat([]byte{0xff, 0, '<', 'a'}, 5000)),
		"a picture that says so": mailtest.Mail("a", "Content-Type: image/png\nContent-Transfer-Encoding: base64\n", mailtest.Base64([]byte(document))),
	} {
		t.Run(name, func(t *testing.T) {
			if m := mail.Read(raw); len(m.Documents) > 0 {
				t.Errorf("found %v", saidBy(m.Documents))
			}
		})
	}
}

func TestOnePartOfTwoIsBroken(t *testing.T) {
	m := mail.Read(mailtest.Mixed("a", "Content-Type: text/xml\n\n<adf></adf>", "Content-Type: text/xml; charset=utf-8\n\n"+document))
	if len(m.Documents) != 1 || m.Documents[0].Part != "2" || m.Trouble == "" {
		t.Errorf("documents %v, trouble %q: the broken one is not told", saidBy(m.Documents), m.Trouble)
	}
}

func FuzzRead(f *testing.F) {
	for _, form := range mailtest.Forms() {
		f.Add(form.Wrap("m", []byte(document)))
	}
	for _, raw := range oddMails() {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		m := mail.Read(raw)
		if !bytes.Equal(raw, before) {
			t.Fatal("the mail was written to")
		}
		for _, d := range m.Documents {
			if len(d.ADF.Prospects) == 0 || d.Part == "" || len(d.Text) == 0 {
				t.Fatalf("an empty document at %q", d.Part)
			}
		}
	})
}
