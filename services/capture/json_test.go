package capture_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/capture"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

func TestReadJSON(t *testing.T) {
	for name, c := range map[string]struct {
		body  string
		want  string // the lead in protojson
		flags []string
	}{
		"plain": {
			`{"line":"LINE_SALES","request_type":"REQUEST_TYPE_QUOTE","parties":[{"name":{"full":"Ada Byron"},"emails":[{"address":"a@b.example.com"}],"phones":[{"number":"+1 202 555 0147","preferred":true}]}]}`,
			`{"line":"LINE_SALES","requestType":"REQUEST_TYPE_QUOTE","parties":[{"name":{"full":"Ada Byron"},"emails":[{"address":"a@b.example.com"}],"phones":[{"number":"+1 202 555 0147","preferred":true}]}]}`, nil,
		},
		"codes in any spelling": {
			`{"line":"sales","request_type":"Test drive","dealer_choice":"customer-chose","origin":1,"trigger":"yes","vehicles":[{"role":"VEHICLE_ROLE_TRADED","interest":"trade-in"}]}`,
			`{"line":"LINE_SALES","requestType":"REQUEST_TYPE_TEST_DRIVE","dealerChoice":"DEALER_CHOICE_CUSTOMER_CHOSE","origin":"ORIGIN_OEM","trigger":true,"vehicles":[{"role":"VEHICLE_ROLE_TRADED","interest":"INTEREST_TRADE_IN"}]}`, nil,
		},
		"unknown codes": {
			`{"request_type":"more-info","line":"spaceships","vehicles":[{"status":"shiny"}]}`,
			`{"rawRequestType":"more-info","vehicles":[{}],"extra":[{"path":"line","value":"spaceships"},{"path":"vehicles[0].status","value":"shiny"}]}`,
			[]string{"unknown_code line", "unknown_code vehicles[0].status"},
		},
		"shorthands": {
			`{"phones":1,"source":"web","dealer":"D7","campaign":"spring","time_frame":"soon","parties":{"name":"Ada Byron","emails":"a@b.example.com","phones":["+1","+2"]}}`,
			`{"source":{"source":"web"},"dealer":{"dealerId":"D7","code":"D7"},"campaign":{"campaignId":"spring"},"timeFrame":{"text":"soon"},"parties":[{"name":{"full":"Ada Byron"},"emails":[{"address":"a@b.example.com"}],"phones":[{"number":"+1"},{"number":"+2"}]}],"extra":[{"path":"phones","value":"1"}]}`,
			[]string{"unknown_field phones"},
		},
		"numbers as text, text as numbers": {
			`{"brand":12,"vehicles":[{"year":"2026","odometer":"45,000","model":5},{"year":2026.0,"odometer":1e3}]}`,
			`{"brand":"12","vehicles":[{"year":2026,"odometer":"45000","model":"5"},{"year":2026,"odometer":"1000"}]}`, nil,
		},
		"odometer with its unit": {
			`{"vehicles":[{"odometer":"45,000 km"},{"odometer":"some"},{"odometer":""}]}`,
			`{"vehicles":[{"odometer":"45000","odometerUnit":"ODOMETER_UNIT_KM"},{},{}],"extra":[{"path":"vehicles[1].odometer","value":"some"}]}`,
			[]string{"unreadable_value vehicles[1].odometer"},
		},
		"camel case and times": {
			`{"requestType":"QUOTE","requestedAt":"2026-03-01T09:30:00+02:00","timeFrame":{"earliest":"2026-04-01"}}`,
			`{"requestType":"REQUEST_TYPE_QUOTE","requestedAt":"2026-03-01T07:30:00Z","timeFrame":{"earliest":"2026-04-01T00:00:00Z"}}`,
			nil,
		},
		"unreadable values": {
			`{"requested_at":"next tuesday","trigger":"perhaps","vehicles":[{"year":"new","price":"a lot"}],"comments":{"a":1}}`,
			`{"vehicles":[{}],"extra":[{"path":"requested_at","value":"next tuesday"},{"path":"trigger","value":"perhaps"},{"path":"vehicles[0].year","value":"new"},{"path":"vehicles[0].price","value":"a lot"},{"path":"comments","value":"{\"a\":1}"}]}`,
			[]string{"time_unreadable requested_at", "unreadable_value trigger", "unreadable_value vehicles[0].year", "unreadable_value vehicles[0].price", "unreadable_value comments"},
		},
		"money": {
			`{"finance":{"down_payment":"$2,500","monthly":{"minor":39900,"currency":"USD"}},"vehicles":[{"price":"25.000 EUR"}]}`,
			`{"finance":{"downPayment":{"minor":"250000","currency":"USD"},"monthly":{"minor":"39900","currency":"USD"}},"vehicles":[{"price":{"minor":"2500000","currency":"EUR"}}]}`, nil,
		},
		"unknown fields": {
			`{"utm_weird":"x","nested":{"a":[1,{"b":null}]},"parties":[{"shoe_size":44}],"nothing":null}`,
			`{"parties":[{}],"extra":[{"path":"utm_weird","value":"x"},{"path":"nested","value":"{\"a\":[1,{\"b\":null}]}"},{"path":"parties[0].shoe_size","value":"44"}]}`,
			[]string{"unknown_field utm_weird", "unknown_field nested", "unknown_field parties[0].shoe_size"},
		},
		"only the house sets": {
			`{"lead_id":"x","flags":[{"code":"f"}],"received_at":"2026-03-01T09:30:00Z","vehicles":[{"vin":"v","vin_valid":true}]}`,
			`{"vehicles":[{"vin":"v"}],"extra":[{"path":"lead_id","value":"x"},{"path":"flags","value":"[{\"code\":\"f\"}]"},{"path":"received_at","value":"2026-03-01T09:30:00Z"},{"path":"vehicles[0].vin_valid","value":"true"}]}`,
			[]string{"unknown_field lead_id", "unknown_field flags", "unknown_field received_at", "unknown_field vehicles[0].vin_valid"},
		},
		"the last of two counts": {
			`{"brand":"A","brand":"B","parties":[{"born":"x"}],"parties":[{"language":"de"}]}`,
			`{"brand":"B","parties":[{"language":"de"}]}`,
			[]string{"duplicate_key brand", "duplicate_key parties"},
		},
		"a test lead by another name": {`{"is_test":true}`, `{"test":true}`, nil},
		"escapes and broken text":     {"{\"comments\":\"a\\u00e9\\n\\\"\\ud83d\\ude97 \xff\"}", `{"comments":"aé\n\"🚗 �"}`, nil},
		"null is nothing":             {`{"brand":null,"parties":null,"vehicles":[null,{"model":null}]}`, `{"vehicles":[{}]}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if err := capture.ValidateJSON([]byte(c.body)); err != nil {
				t.Fatal(err)
			}
			want := &leadv1.Lead{}
			if err := protojson.Unmarshal([]byte(c.want), want); err != nil {
				t.Fatal(err)
			}
			got, flags := capture.ReadJSON([]byte(c.body))
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("lead (-want +got):\n%s", diff)
			}
			var named []string
			for _, f := range flags {
				named = append(named, f.Code+" "+f.Field)
			}
			if diff := cmp.Diff(c.flags, named); diff != "" {
				t.Errorf("flags (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnreadableJSONNamesThePlaceAndQuotesNothing(t *testing.T) {
	for name, c := range map[string]struct{ body, says string }{
		"empty":        {" \n", "empty"},
		"no json":      {"parties=Ada+Byron", "line 1, column 1"},
		"broken off":   {"{\n \"name\": \"Ada Byron", "line 2, column"},
		"wrong sign":   {"{\n \"name\": Ada}", "line 2, column 10"},
		"two values":   {`{} {"name":"Ada"}`, "line 1, column 4"},
		"too deep":     {strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33), "32 levels"},
		"far too deep": {strings.Repeat("[", 1<<20), "32 levels"},
		"too many":     {`{"parties":[` + strings.Repeat("{},", 300_000) + "{}]}", "250000 values"},
		"too large":    {`{"comments":"` + strings.Repeat("x", 4<<20) + `"}`, "4 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			err := capture.ValidateJSON([]byte(c.body))
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "Ada") {
				t.Errorf("error = %v, want %q and no word of the body", err, c.says)
			}
		})
	}
}

func FuzzReadJSON(f *testing.F) {
	for _, seed := range []string{
		adaJSON, `{}`, `{"a":{"b":[1,2,{"c":"\u0000\ud800"}]},"vehicles":[{"odometer":-0.0e1}]}`, `{"extra":{"a":1},"finance":"x","requested_at":1.5e300}`,
		`{"parties":[[1],2,"x",{"emails":{"address":[]}}],"line":"","line":99}`, "{\"\xff\":\"\xfe\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if err := capture.ValidateJSON(body); err != nil {
			if utf8.Valid(body) && json.Valid(body) && !strings.Contains(err.Error(), "levels") && !strings.Contains(err.Error(), "values") && len(bytes.TrimSpace(body)) > 0 {
				t.Fatalf("refused valid JSON: %v", err)
			}
			return
		}
		trimmed := bytes.TrimSpace(body)
		if trimmed[0] != '{' {
			return
		}
		one, flags := capture.ReadJSON(trimmed)
		if _, err := proto.Marshal(one); err != nil { // also: every text is valid UTF-8
			t.Fatal(err)
		}
		two, again := capture.ReadJSON(trimmed)
		if !proto.Equal(one, two) || fmt.Sprint(flags) != fmt.Sprint(again) {
			t.Fatal("the same body reads differently")
		}
	})
}

func FuzzOpenBatch(f *testing.F) {
	for _, seed := range []string{`{"leads":[{},{"a":1}]}`, `[{},1,"x"]`, `{"leads":1}`, `{"x":[],"leads" : [ ] }`, `"leads"`, `1`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if capture.ValidateJSON(body) != nil {
			return
		}
		for _, part := range capture.OpenBatch(body) {
			if !json.Valid(part) {
				t.Fatalf("the part %q is no JSON of its own", part)
			}
		}
	})
}

func BenchmarkReadJSON(b *testing.B) {
	body := []byte(adaJSON)
	b.ReportAllocs()
	for b.Loop() {
		if err := capture.ValidateJSON(body); err != nil {
			b.Fatal(err)
		}
		capture.ReadJSON(body)
	}
}
