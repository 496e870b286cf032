package mail_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/capture/internal/mail"
	"github.com/leadmesh/leadmesh/services/internal/mailtest"
)

// hostileMails are of about the size given, each made to cost more than it weighs.
func hostileMails(size int) map[string][]byte {
	fill := func(s string) []byte { return bytes.Repeat([]byte(s), size/len(s)+1) }
	multiparts := func() []byte {
		var b bytes.Buffer
		for i := 0; b.Len() < size; i++ {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		return b.Bytes()
	}
	return map[string][]byte{
		"parts in parts":             multiparts(),
		"one boundary over and over": mailtest.Mail("h", "Content-Type: multipart/mixed; boundary=b\n", fill("--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n")),
		"many parts":                 mailtest.Mail("h", "Content-Type: multipart/mixed; boundary=b\n", fill("--b\r\n\r\n<adf><prospect>\r\n")),
		"mails in mails":             fill("Content-Type: message/rfc822\r\n\r\n"),
		"a flood of fields":          fill("X-Field: value\r\n"),
		"a flood of one field":       fill("Content-Type: text/plain; charset=utf-8\r\n"),
		"an endless field":           append([]byte("Subject: x\r\n"), fill(" folded text\r\n")...),
		"one line":                   mailtest.Mail("h", "", fill("a")),
		"marks":                      mailtest.Mail("h", "", fill("<adf/>")),
		"prefixes":                   mailtest.Mail("h", "", fill(":adf/")),
		"references":                 mailtest.Mail("h", "", fill("&lt;adf")),
		"quotes":                     mailtest.Mail("h", "", append(fill(">"), "<adf>"...)),
		"flowed":                     mailtest.Mail("h", "Content-Type: text/plain; format=flowed\n", fill("> <adf> \n")),
		"tags of a page":             mailtest.Mail("h", "Content-Type: text/html\n", append(fill("<div><pre>"), "&lt;adf&gt;"...)),
		"comments of a page":         mailtest.Mail("h", "Content-Type: text/html\n", fill("<!--<adf>-->")),
		"an open comment":            mailtest.Mail("h", "Content-Type: text/html\n", append([]byte("&lt;adf&gt;<!--"), fill("<adf>-")...)),
		"an attribute of a page":     mailtest.Mail("h", "Content-Type: text/html\n", append([]byte("&lt;adf&gt;<a "), fill("x=y ")...)),
		"base64":                     mailtest.Mail("h", "Content-Transfer-Encoding: base64\n", fill("PGFkZj4=")),
		"quoted-printable":           mailtest.Mail("h", "Content-Transfer-Encoding: quoted-printable\n", fill("=3Cadf=\r\n")),
		"NULs":                       mailtest.Mail("h", "", append(fill("\x00"), "<adf><prospect>"...)),
		"parameters":                 append([]byte("Content-Type: multipart/mixed"), fill("; a=b")...),
		"elements":                   mailtest.Mail("h", "", append([]byte("<adf><prospect>"), fill("<a><b>")...)),
		"deep elements":              mailtest.Mail("h", "", append([]byte("<adf><prospect>"), fill("<vehicle>")...)),
		"charset":                    mailtest.Mail("h", "Content-Type: text/plain; charset=gb18030\n", append(fill("\x81\x30\x81\x30"), "<adf>"...)),
	}
}

// TestHostileMailsCostNoMoreThanTheyWeigh reads mails of the largest size that is taken and bounds
// time and memory for each (the reader of ADF makes a hundred bytes of one in the worst case): no level of nesting and no repetition may multiply them.
func TestHostileMailsCostNoMoreThanTheyWeigh(t *testing.T) {
	size := 4<<20 - 64<<10 // with its header less than ADF may have
	if testing.Short() {
		size = 1 << 20
	}
	for name, raw := range hostileMails(size) {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			m := mail.Read(raw)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if took > 30*time.Second {
				t.Errorf("took %s", took)
			}
			if made := after.TotalAlloc - before.TotalAlloc; made > uint64(250*len(raw)) {
				t.Errorf("made %d MB of %d MB", made>>20, len(raw)>>20)
			}
			if testing.Verbose() {
				t.Logf("%s, %d MB made, trouble %q, %d documents", took, (after.TotalAlloc-before.TotalAlloc)>>20, m.Trouble, len(m.Documents))
			}
			if strings.Contains(m.Trouble, "adf>") {
				t.Errorf("the trouble quotes the mail: %q", m.Trouble)
			}
		})
	}
}
