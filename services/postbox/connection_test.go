package postbox_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/postbox"
)

func TestSlowSendersAreCutOff(t *testing.T) {
	w := open(t, func(c *postbox.Config) { c.ReadLimit = 2 * time.Second })
	r := w.dial().hello()
	r.say("MAIL FROM:<a@b.example>")
	r.say("RCPT TO:<leads@example.com>")
	if code := r.say("DATA"); code != 354 {
		t.Fatal(code)
	}
	go func() { // a byte now and then does not help
		for range 1000 {
			if _, err := r.conn.Write([]byte("x")); err != nil {
				return
			}
			<-time.After(20 * time.Millisecond)
		}
	}()
	if code := r.read(); code != 451 {
		t.Errorf("answered %d", code)
	}
	if _, err := io.ReadAll(r.conn); err != nil && !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the connection is not closed: %v", err)
	}
	if len(w.got()) != 0 {
		t.Error("half a mail was passed on")
	}
}

func TestConnectionsEnd(t *testing.T) {
	w := open(t, func(c *postbox.Config) { c.ConnLimit = 2 * time.Second })
	r := w.dial().hello()
	for start := time.Now(); ; {
		if err := r.text.PrintfLine("NOOP"); err != nil {
			break
		}
		if code, _, err := r.text.ReadResponse(250); err != nil || code == 421 {
			break
		}
		if time.Since(start) > 30*time.Second {
			t.Fatal("a connection lives on as long as it talks")
		}
		<-time.After(10 * time.Millisecond) // too little talk to be cut off for it
	}
}

func TestTalkIsBounded(t *testing.T) {
	w := open(t, nil)
	for name, flood := range map[string]string{"NOOP": "NOOP\r\n", "RSET": "RSET\r\n", "one line": "x"} {
		t.Run(name, func(t *testing.T) {
			r := w.dial().hello()
			go io.Copy(io.Discard, r.conn) //nolint:errcheck // it is cut
			block := []byte(strings.Repeat(flood, 1000))
			for sent := 0; ; sent += len(block) {
				if _, err := r.conn.Write(block); err != nil {
					return
				}
				if sent > 8<<20 {
					t.Fatal("8 MB of talk were listened to")
				}
			}
		})
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	w := open(t, func(c *postbox.Config) { c.MaxConnsOfOne = 3 })
	var held []*relay
	for range 3 {
		held = append(held, w.dial().hello())
	}
	if code := w.dial().read(); code != 421 {
		t.Errorf("a fourth: greeted with %d", code)
	}
	if code := held[0].send("a@b.example", "leads@example.com", letter); code != 250 {
		t.Errorf("one of the three: %d", code)
	}
	held[1].say("QUIT")
	deadline := time.Now().Add(30 * time.Second)
	for w.dial().read() != 220 {
		if time.Now().After(deadline) {
			t.Fatal("a place that was left is not given again")
		}
	}
}

func TestPipelinedMails(t *testing.T) {
	w := open(t, nil)
	r := w.dial().hello()
	var all bytes.Buffer
	for i := range 5 {
		fmt.Fprintf(&all, "MAIL FROM:<a@b.example>\r\nRCPT TO:<leads@example.com>\r\nDATA\r\nMessage-ID: <%d@x>\r\n\r\n<adf/>\r\n.\r\n", i)
	}
	if _, err := r.conn.Write(all.Bytes()); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		for _, want := range []int{250, 250, 354, 250} {
			if code := r.read(); code != want {
				t.Fatalf("mail %d: %d, want %d", i, code, want)
			}
		}
	}
	if len(w.got()) != 5 {
		t.Errorf("%d mails", len(w.got()))
	}
}

func TestChunkedMail(t *testing.T) {
	w := open(t, nil)
	r := w.dial().hello()
	r.say("MAIL FROM:<a@b.example>")
	r.say("RCPT TO:<leads@example.com>")
	if _, err := fmt.Fprintf(r.conn, "BDAT %d\r\n%sBDAT 3 LAST\r\nend", len(letter), letter); err != nil {
		t.Fatal(err)
	}
	if a, b := r.read(), r.read(); a != 250 || b != 250 {
		t.Fatalf("answered %d, %d", a, b)
	}
	if got := w.got(); len(got) != 1 || !bytes.HasSuffix(got[0].GetBody(), append(bytes.Clone(letter), "end"...)) {
		t.Errorf("passed on %v", got)
	}
	r.say("MAIL FROM:<a@b.example>")
	r.say("RCPT TO:<leads@example.com>")
	if code := r.say("BDAT 20000000"); code != 552 {
		t.Errorf("a large chunk: %d", code)
	}
}
