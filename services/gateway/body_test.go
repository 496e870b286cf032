package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leadmesh/leadmesh/services/gateway"
)

func TestBodiesThatDoNotFitNameEveryField(t *testing.T) {
	d := open(t, nil)
	for name, tc := range map[string]struct {
		method, path, body string
		want               map[string]string
	}{
		"many fields": {
			"POST", "/v1/signals:batch",
			`{"signals": [{"kind": "SIGNAL_KIND_LOGIN"}, {
				"kind": "PHONED Erika Mustermann", "occurred_at": "4 May", "vin": 17, "odometer": "far",
				"party": {"born": 5, "nick": "E"}, "identifiers": [{"value": "a"}, 7], "limit_km": 1.5
			}], "extra": {}}`,
			map[string]string{
				"extra":                     "is no field here; there are signals",
				"signals[0].kind":           "takes one of SIGNAL_KIND_",
				"signals[1].kind":           "takes one of SIGNAL_KIND_",
				"signals[1].occurred_at":    "takes a time such as 2026-05-04T09:30:00Z",
				"signals[1].vin":            "takes text",
				"signals[1].odometer":       "takes a whole number",
				"signals[1].limit_km":       "takes a whole number",
				"signals[1].party.nick":     "is no field here; there are role, name, emails, phones, address, born, language, best_time, preferred_channel",
				"signals[1].party.born":     "takes text",
				"signals[1].identifiers[1]": "takes an object",
			},
		},
		"one field is the body": {
			"PUT", "/v1/dealers/D1", `{"latitude": "north", "departments": {}, "colour": 1}`,
			map[string]string{
				"latitude":    "takes a number",
				"departments": "takes a list",
				"colour":      "is no field here; remove it or correct its name; /openapi.yaml lists them",
			},
		},
		"not an object":    {"POST", "/v1/signals:batch", `[1]`, map[string]string{"": "takes an object"}},
		"unknown in empty": {"POST", "/v1/leads/L1:accept", `{"who": null}`, map[string]string{"who": "is no field here; there are lead_id, person_id, at"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := d.send(tc.method, tc.path, tc.body)
			p := got.problem(t)
			for f, description := range p.Fields {
				if strings.HasPrefix(description, "takes one of SIGNAL_KIND_") {
					p.Fields[f] = "takes one of SIGNAL_KIND_"
				}
			}
			if diff := cmp.Diff(tc.want, p.Fields); got.code != 400 || p.Reason != "INVALID_ARGUMENT" || diff != "" {
				t.Errorf("%d %s\n%s", got.code, p.Reason, diff)
			}
			if strings.Contains(got.body, "Mustermann") {
				t.Errorf("a value of the body is answered: %s", got.body)
			}
		})
	}
	if d.backend.signals != nil || d.backend.dealer != nil || d.backend.accepted != nil {
		t.Error("a wrong body reached a service")
	}
}

func TestBodiesThatAreNotJSONNameThePlace(t *testing.T) {
	d := open(t, nil)
	for body, place := range map[string]string{
		"{\"signals\": [\n  {\"vin\": nope}\n]}": "line 2, column 12",
		"{\"signals\": []} {}":                   "line 1, column 17",
		"<xml/>":                                 "line 1, column 1",
	} {
		got := d.send("POST", "/v1/signals:batch", body)
		if p := got.problem(t); got.code != 400 || p.Reason != "UNREADABLE_BODY" || !strings.Contains(p.Message, place) {
			t.Errorf("%q: %d %s", body, got.code, got.body)
		}
	}
	for name, body := range map[string]string{
		"cut off":     `{"signals": [`,
		"twice":       `{"signals": [], "signals": []}`,
		"not UTF-8":   "{\"signals\": [{\"vin\": \"\xff\"}]}",
		"two spelled": `{"signals": [{"occurred_at": "2026-05-04T09:30:00Z", "occurredAt": "2026-05-04T09:30:00Z"}]}`,
	} {
		got := d.send("POST", "/v1/signals:batch", body)
		if p := got.problem(t); got.code != 400 || p.Reason == "" {
			t.Errorf("%s: %d %s", name, got.code, got.body)
		}
	}
	if got := d.send("POST", "/v1/signals:batch", " \n"); got.code != 200 || d.backend.signals == nil {
		t.Errorf("an empty body is an empty message: %d %s", got.code, got.body)
	}
}

func TestBodiesOfCallsAreLimited(t *testing.T) {
	d := open(t, func(c *gateway.Config, _ *gateway.Deps) { c.MaxBody = 200 })
	large := `{"signals": [{"detail": "` + strings.Repeat("a", 300) + `"}]}`
	got := d.send("POST", "/v1/signals:batch", large)
	if p := got.problem(t); got.code != 413 || p.Reason != "TOO_LARGE" || !strings.Contains(p.Message, "200 bytes") {
		t.Errorf("announced: %d %s", got.code, got.body)
	}
	for _, path := range []string{"/v1/signals:batch", "/v1/leads"} { // chunked, so without a length
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+path, io.MultiReader(strings.NewReader(large)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+oemToken)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s, not announced: %d", path, resp.StatusCode)
		}
	}
	if got := d.send("POST", "/v1/signals:batch", "{}", "Content-Type: text/plain"); got.code != 415 {
		t.Errorf("text: %d %s", got.code, got.body)
	}
}

func TestSlowSendersAreCutOff(t *testing.T) {
	d := open(t, func(c *gateway.Config, _ *gateway.Deps) { c.ReadLimit = time.Second })
	for _, path := range []string{"/v1/leads", "/v1/signals:batch"} {
		conn := d.dial()
		if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", path, oemToken); err != nil {
			t.Fatal(err)
		}
		reader := bufio.NewReader(conn)
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(raw), "too slowly; the whole request has 1s") {
			t.Errorf("%s: %d %s", path, resp.StatusCode, raw)
		}
		if _, err := reader.ReadByte(); err != io.EOF {
			t.Errorf("%s: the connection stays open: %v", path, err)
		}
	}
	header := d.dial()
	if _, err := fmt.Fprint(header, "GET /healthz HTTP/1.1\r\nHo"); err != nil {
		t.Fatal(err)
	}
	if raw, err := io.ReadAll(header); err != nil || strings.Contains(string(raw), " 200 ") {
		t.Errorf("a header that does not end: %v %s", err, raw)
	}
	if d.backend.ingested != nil || d.backend.signals != nil {
		t.Error("half a body reached a service")
	}
}

func TestHeadersAreLimited(t *testing.T) {
	d := open(t, nil)
	if got := d.send("GET", "/healthz", "", "X-Large: "+strings.Repeat("a", 64<<10)); got.code != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", got.code)
	}
}
