package sample_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/deploy/sample"
)

var (
	token = regexp.MustCompile(`^\{now([+-]\d+[mhd])?\}$`)
	// The countries' own number ranges for films and books, and 555-5555 of the fake contact.
	fictional = regexp.MustCompile(`5550?1\d\d$|^03023125\d{3}$|^02079460\d{3}$|^5555555555$`)
	// Top-level and second-level names that RFC 2606 reserves, a name that does not exist, and the
	// throw-away mail service that one lead is about.
	reservedMail = regexp.MustCompile(`(?i)@([a-z0-9-]+\.)*(example\.(com|net|org)|[a-z0-9-]+\.example|asdf\.asdf|mailinator\.com)$`)
)

// walk calls visit for every text in a JSON value with the name it stands under.
func walk(value any, key string, visit func(key, text string)) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			walk(inner, key, visit)
		}
	case []any:
		for _, inner := range v {
			walk(inner, key, visit)
		}
	case string:
		visit(key, v)
	}
}

func readFiles(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	entries, err := fs.ReadDir(sample.Files(), folder)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		data, err := fs.ReadFile(sample.Files(), path.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = data
	}
	return files
}

// checkTexts verifies every text of a lead or a signal: nobody real is named or reachable, dealers
// and vehicles exist, times are tokens.
func checkTexts(t *testing.T, name string, value any, dealers map[string]row) {
	t.Helper()
	walk(value, "", func(key, text string) {
		switch key {
		case "requested_at", "occurred_at", "ends_at":
			if !token.MatchString(text) {
				t.Errorf("%s: %s is %q, want a token such as {now-3h}", name, key, text)
			}
		case "address":
			if !reservedMail.MatchString(text) {
				t.Errorf("%s: mail address %q may be somebody's", name, text)
			}
		case "number":
			digits := strings.Map(func(r rune) rune {
				if r < '0' || r > '9' {
					return -1
				}
				return r
			}, text)
			if !fictional.MatchString(digits) {
				t.Errorf("%s: phone %q may be somebody's", name, text)
			}
		case "dealer_id":
			if dealers[text] == nil {
				t.Errorf("%s: dealer %q is not in the network", name, text)
			}
		case "vin":
			if !vinValid(text) {
				t.Errorf("%s: check digit of %s", name, text)
			}
		}
	})
}

// vinValid tells whether the check digit of a vehicle identification number agrees (49 CFR 565.15).
func vinValid(vin string) bool {
	const letters, values = "ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789"
	weights := []int{8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2}
	if len(vin) != len(weights) {
		return false
	}
	sum := 0
	for i, c := range []byte(vin) {
		switch n := strings.IndexByte(letters, c); {
		case c >= '0' && c <= '9':
			sum += int(c-'0') * weights[i]
		case n >= 0:
			sum += int(values[n]-'0') * weights[i]
		default:
			return false
		}
	}
	return "0123456789X"[sum%11] == vin[8]
}

func TestVINCheck(t *testing.T) {
	for vin, want := range map[string]bool{
		"11111111111111111": true, "1M8GDM9AXKP042788": true, "1M8GDM9A1KP042788": false, "1M8GDM9AXKP04278": false, "IM8GDM9AXKP042788": false,
	} {
		if got := vinValid(vin); got != want {
			t.Errorf("vinValid(%q) = %v, want %v", vin, got, want)
		}
	}
}

func TestLeads(t *testing.T) {
	dealers := dealersByID(t)
	codes := map[string]bool{}
	for _, c := range readTable(t, "network/dealer_codes.csv") {
		codes[c["code"]] = true
	}
	files := readFiles(t, "leads")
	if len(files) < 60 {
		t.Errorf("%d leads, want 60 or more", len(files))
	}
	numbers := map[int]bool{}
	for name, data := range files {
		number, err := strconv.Atoi(name[:2])
		if err != nil || numbers[number] {
			t.Errorf("%s: no number in front, or the same one twice", name)
		}
		numbers[number] = true
		switch path.Ext(name) {
		case ".json":
			var lead map[string]any
			if err := json.Unmarshal(data, &lead); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if named, ok := lead["dealer"].(map[string]any); ok && named["code"] != nil && !codes[named["code"].(string)] {
				t.Errorf("%s: no store has the code %v", name, named["code"])
			}
			if lead["parties"] == nil || lead["requested_at"] == nil {
				t.Errorf("%s: nobody asks, or no time", name)
			}
			checkTexts(t, name, lead, dealers)
		case ".adf":
			checkDocument(t, name, data)
		default:
			t.Errorf("%s: neither .json nor .adf", name)
		}
	}
	for i := range len(files) {
		if !numbers[i+1] {
			t.Errorf("number %02d is missing", i+1)
		}
	}
	first, again := files["01-quote-tindra.json"], files["06-resend-of-01-same-key-same-body.json"]
	if string(first) != string(again) || len(first) == 0 {
		t.Error("06 is to repeat 01 byte by byte")
	}
}

func checkDocument(t *testing.T, name string, data []byte) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(data)))
	element := ""
	for {
		part, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		switch v := part.(type) {
		case xml.StartElement:
			element = v.Name.Local
		case xml.EndElement:
			element = ""
		case xml.CharData:
			text := strings.TrimSpace(string(v))
			switch {
			case text == "":
			case element == "email":
				checkTexts(t, name, map[string]any{"address": text}, nil)
			case element == "phone":
				checkTexts(t, name, map[string]any{"number": text}, nil)
			case element == "requestdate":
				checkTexts(t, name, map[string]any{"requested_at": text}, nil)
			}
		}
	}
}

func TestSignals(t *testing.T) {
	dealers := dealersByID(t)
	models := map[string]bool{"": true}
	for _, m := range readTable(t, "network/catalogue.csv") {
		models[m["model_code"]] = true
	}
	people := map[string]string{}
	for _, p := range readTable(t, "network/roster.csv") {
		people[p["person_id"]] = p["dealer_id"]
	}
	ids, owners := map[string]bool{}, map[string]bool{}
	for name, data := range readFiles(t, "signals") {
		var body struct {
			Signals []struct {
				SignalID   string `json:"signal_id"`
				Kind       string
				VIN        string
				DealerID   string `json:"dealer_id"`
				EmployeeID string `json:"employee_id"`
				ModelCode  string `json:"model_code"`
				Party      struct {
					Name struct{ Family, Company string }
				}
			}
		}
		var plain any
		if err := json.Unmarshal(data, &body); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := json.Unmarshal(data, &plain); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		checkTexts(t, name, plain, dealers)
		for _, s := range body.Signals {
			if ids[s.SignalID] || s.SignalID == "" {
				t.Errorf("%s: signal id %q empty or twice", name, s.SignalID)
			}
			ids[s.SignalID] = true
			if !models[s.ModelCode] {
				t.Errorf("%s: model code %q", name, s.ModelCode)
			}
			if s.EmployeeID != "" && people[s.EmployeeID] != s.DealerID {
				t.Errorf("%s: %s does not work at %s", name, s.EmployeeID, s.DealerID)
			}
			switch s.Kind {
			case "SIGNAL_KIND_SERVICE_VISIT", "SIGNAL_KIND_VEHICLE_SOLD", "SIGNAL_KIND_LEASE_STARTED", "SIGNAL_KIND_WARRANTY_STARTED":
				if s.VIN == "" || s.DealerID == "" {
					t.Errorf("%s: %s without vehicle or store", name, s.SignalID)
				}
				owners[s.Party.Name.Family+s.Party.Name.Company] = true
			}
		}
	}
	if len(owners) < 15 {
		t.Errorf("%d customers with a history, want 15 or more", len(owners))
	}
}
