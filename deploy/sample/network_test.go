package sample_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/deploy/sample"
)

// row is one CSV row by column name.
type row map[string]string

// readTable reads a CSV file of the sample, packed or not, and fails on a row of another width.
func readTable(t *testing.T, path string) []row {
	t.Helper()
	data, err := fs.ReadFile(sample.Files(), path)
	if err != nil {
		t.Fatal(err)
	}
	var plain io.Reader = bytes.NewReader(data)
	if strings.HasSuffix(path, ".gz") {
		if plain, err = gzip.NewReader(plain); err != nil {
			t.Fatal(err)
		}
	}
	records, err := csv.NewReader(plain).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if len(records) < 2 {
		t.Fatalf("%s: no rows", path)
	}
	var rows []row
	for _, record := range records[1:] {
		r := row{}
		for i, column := range records[0] {
			r[column] = record[i]
		}
		rows = append(rows, r)
	}
	return rows
}

func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "|")
}

func dealersByID(t *testing.T) map[string]row {
	t.Helper()
	dealers := map[string]row{}
	for _, d := range readTable(t, "network/dealers.csv") {
		if _, twice := dealers[d["dealer_id"]]; twice {
			t.Errorf("dealers: %s twice", d["dealer_id"])
		}
		dealers[d["dealer_id"]] = d
	}
	return dealers
}

var (
	reservedPhone = regexp.MustCompile(`^\+1[2-9]\d\d55501\d\d$`)
	day           = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	hoursText     = regexp.MustCompile(`^(mo|tu|we|th|fr|sa|su)(-(mo|tu|we|th|fr|sa|su))? (closed|\d\d:\d\d-\d\d:\d\d(, \d\d:\d\d-\d\d:\d\d)*)$`)
)

func checkHours(t *testing.T, where, hours string) {
	t.Helper()
	for _, part := range strings.Split(hours, "; ") {
		if !hoursText.MatchString(part) {
			t.Errorf("%s: hours %q", where, part)
		}
	}
}

func checkPeriod(t *testing.T, where string, r row) {
	t.Helper()
	from, to := r["valid_from"], r["valid_to"]
	if !day.MatchString(from) || to != "" && (!day.MatchString(to) || to < from) {
		t.Errorf("%s: period %q to %q", where, from, to)
	}
}

func TestDealers(t *testing.T) {
	dealers := dealersByID(t)
	regions, kinds, status, phones := map[string]int{}, map[string]int{}, map[string]int{}, map[string]bool{}
	for id, d := range dealers {
		kinds[d["kind"]]++
		status[d["status"]]++
		if d["kind"] == "ROOFTOP" {
			regions[d["region"]]++
		}
		if _, err := time.LoadLocation(d["time_zone"]); err != nil || d["time_zone"] == "" {
			t.Errorf("%s: time zone %q", id, d["time_zone"])
		}
		if !reservedPhone.MatchString(d["phone"]) || phones[d["phone"]] {
			t.Errorf("%s: phone %q is not reserved for fiction or is given twice", id, d["phone"])
		}
		phones[d["phone"]] = true
		lat, errLat := strconv.ParseFloat(d["latitude"], 64)
		lon, errLon := strconv.ParseFloat(d["longitude"], 64)
		if errLat != nil || errLon != nil || lat < 18 || lat > 72 || lon > -66 || lon < -180 {
			t.Errorf("%s: stands at %s, %s", id, d["latitude"], d["longitude"])
		}
		for _, column := range []string{"overflow_dealer_id", "succeeded_by"} {
			if other := d[column]; other != "" && (dealers[other] == nil || dealers[other]["status"] != "LIVE" || other == id) {
				t.Errorf("%s: %s is %q, which is no other live dealer", id, column, other)
			}
		}
		switch d["status"] {
		case "PAUSED":
			if d["paused_from"] == "" || d["pause_reason"] == "" || d["overflow_dealer_id"] == "" {
				t.Errorf("%s: paused without day, reason or overflow", id)
			}
		case "CLOSING", "CLOSED":
			if d["succeeded_by"] == "" {
				t.Errorf("%s: %s without successor", id, d["status"])
			}
		case "LIVE", "ONBOARDING":
		default:
			t.Errorf("%s: status %q", id, d["status"])
		}
	}
	if len(regions) != 51 {
		t.Errorf("stores in %d states and districts, want all 51", len(regions))
	}
	if kinds["DESK"] != 1 || kinds["BDC"] != 1 || kinds["ROOFTOP"] < 350 {
		t.Errorf("kinds: %v", kinds)
	}
	for _, s := range []string{"PAUSED", "ONBOARDING", "CLOSING", "CLOSED"} {
		if status[s] == 0 {
			t.Errorf("no dealer is %s", s)
		}
	}
}

func TestDepartmentsAndCodesAgree(t *testing.T) {
	dealers := dealersByID(t)
	franchise := map[string]map[string]bool{}
	current := map[string]string{}
	for _, c := range readTable(t, "network/dealer_codes.csv") {
		where := c["dealer_id"] + " code " + c["code"]
		checkPeriod(t, where, c)
		if dealers[c["dealer_id"]] == nil {
			t.Errorf("%s: no such dealer", where)
		}
		if c["scheme"] == "oem" {
			if franchise[c["dealer_id"]] == nil {
				franchise[c["dealer_id"]] = map[string]bool{}
			}
			franchise[c["dealer_id"]][c["brand"]] = true
		}
		if c["valid_to"] == "" {
			key := strings.Join([]string{c["brand"], c["scheme"], c["code"], c["sub_code"], c["department"]}, "/")
			if other := current[key]; other != "" {
				t.Errorf("%s stands for %s and %s", key, other, c["dealer_id"])
			}
			current[key] = c["dealer_id"]
		}
	}

	kinds := map[string][]string{}
	for _, d := range readTable(t, "network/departments.csv") {
		id, where := d["dealer_id"], d["dealer_id"]+" "+d["department"]
		dealer := dealers[id]
		if dealer == nil {
			t.Errorf("%s: no such dealer", where)
			continue
		}
		if slices.Contains(kinds[id], d["department"]) {
			t.Errorf("%s: twice", where)
		}
		kinds[id] = append(kinds[id], d["department"])
		if len(list(d["brands"])) == 0 {
			t.Errorf("%s: no brand", where)
		}
		for _, brand := range list(d["brands"]) {
			if dealer["kind"] == "ROOFTOP" && !franchise[id][brand] {
				t.Errorf("%s: works for %s, the store has no code of that brand", where, brand)
			}
		}
		checkHours(t, where, d["hours"])
		for _, date := range strings.Split(d["holidays"], ";") {
			if !day.MatchString(date) {
				t.Errorf("%s: holiday %q", where, date)
			}
		}
		if !reservedPhone.MatchString(d["phone"]) {
			t.Errorf("%s: phone %q", where, d["phone"])
		}
		if !slices.Contains([]string{"inbox", "webhook", "adf_email"}, d["delivery"]) {
			t.Errorf("%s: delivery %q", where, d["delivery"])
		}
		if bdc := d["bdc_dealer_id"]; (d["person_setting"] == "GROUP_BDC") != (bdc != "") || bdc != "" && dealers[bdc]["group"] != dealer["group"] {
			t.Errorf("%s: person setting %q with desk %q", where, d["person_setting"], bdc)
		}
	}
	for id := range dealers {
		for _, need := range []string{"NEW", "USED", "SERVICE"} {
			if !slices.Contains(kinds[id], need) {
				t.Errorf("%s: no department %s", id, need)
			}
		}
	}
}

func TestRoster(t *testing.T) {
	dealers := dealersByID(t)
	programs := programNames(t)
	size, roles, seen := map[string]int{}, map[string]map[string]bool{}, map[string]bool{}
	for _, p := range readTable(t, "network/roster.csv") {
		id := p["dealer_id"]
		if dealers[id] == nil || seen[p["person_id"]] {
			t.Errorf("%s: unknown dealer %q or person twice", p["person_id"], id)
		}
		seen[p["person_id"]] = true
		size[id]++
		if roles[id] == nil {
			roles[id] = map[string]bool{}
		}
		for _, role := range list(p["roles"]) {
			if !slices.Contains([]string{"BDC", "SALES", "SERVICE_ADVISOR", "RETENTION", "FLEET", "MANAGER"}, role) {
				t.Errorf("%s: role %q", p["person_id"], role)
			}
			if p["active"] == "true" {
				roles[id][role] = true
			}
		}
		for _, program := range list(p["programs"]) {
			if !programs[program] {
				t.Errorf("%s: program %q", p["person_id"], program)
			}
		}
		if p["shifts"] != "" {
			checkHours(t, p["person_id"], p["shifts"])
		}
		if from, to, ok := strings.Cut(p["absent"], ".."); p["absent"] != "" && (!ok || !day.MatchString(from) || !day.MatchString(to) || to < from) {
			t.Errorf("%s: absent %q", p["person_id"], p["absent"])
		}
	}
	for id, d := range dealers {
		if size[id] < 3 || size[id] > 8 || !roles[id]["MANAGER"] {
			t.Errorf("%s: %d people, roles %v", id, size[id], roles[id])
		}
		if d["kind"] == "ROOFTOP" && (!roles[id]["SALES"] || !roles[id]["SERVICE_ADVISOR"]) {
			t.Errorf("%s: nobody sells or nobody advises: %v", id, roles[id])
		}
	}
}

func programNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, p := range readTable(t, "network/programs.csv") {
		checkPeriod(t, p["program"], p)
		names[p["program"]] = true
		if f := p["fallback"]; (p["mandatory"] == "true") != (f == "DESK" || f == "UNCERTIFIED") {
			t.Errorf("%s: fallback %q does not go with mandatory %s", p["program"], f, p["mandatory"])
		}
		for _, what := range list(p["applies_to"]) {
			if !strings.HasPrefix(what, "powertrain:") && !strings.HasPrefix(what, "model:") && what != "fleet" {
				t.Errorf("%s: applies to %q", p["program"], what)
			}
		}
	}
	return names
}

func TestProgramsCertificatesCatalogue(t *testing.T) {
	dealers, programs := dealersByID(t), programNames(t)
	held := map[string]bool{}
	for _, c := range readTable(t, "network/certificates.csv") {
		key := c["dealer_id"] + " " + c["program"]
		checkPeriod(t, key, c)
		if dealers[c["dealer_id"]] == nil || !programs[c["program"]] || held[key] {
			t.Errorf("%s: unknown dealer or program, or twice", key)
		}
		held[key] = true
	}
	models, spelled := map[string]bool{}, map[string]string{}
	for _, m := range readTable(t, "network/catalogue.csv") {
		models[m["model_code"]] = true
		if r := m["required_program"]; r != "" && !programs[r] {
			t.Errorf("%s: program %q", m["model_code"], r)
		}
		for _, name := range append(list(m["aliases"]), m["model"]) {
			key := m["brand"] + "/" + strings.ToLower(name)
			if other := spelled[key]; other != "" && other != m["model_code"] {
				t.Errorf("%q means %s and %s", name, other, m["model_code"])
			}
			spelled[key] = m["model_code"]
		}
	}
	for _, p := range readTable(t, "network/programs.csv") {
		for _, what := range list(p["applies_to"]) {
			if code, ok := strings.CutPrefix(what, "model:"); ok && !models[code] {
				t.Errorf("%s: model %q is not in the catalogue", p["program"], code)
			}
		}
	}
}

// Each postal code of a brand belongs to one store at a time; whoever has it from today on is in
// business (a paused store keeps its area: its overflow takes the leads).
func TestTerritories(t *testing.T) {
	dealers := dealersByID(t)
	brands := map[string]string{}
	for _, d := range readTable(t, "network/departments.csv") {
		if d["department"] == "NEW" {
			brands[d["dealer_id"]] = d["brands"]
		}
	}
	known := map[string]bool{}
	for _, p := range readTable(t, "postal/us.csv.gz") {
		known[p["postal"]] = true
	}
	end := map[string]string{}
	covered := map[string]map[string]bool{}
	for _, r := range readTable(t, "network/territories.csv.gz") {
		where := r["brand"] + " " + r["postal_code"]
		checkPeriod(t, where, r)
		dealer := dealers[r["dealer_id"]]
		if dealer == nil || !known[r["postal_code"]] || !slices.Contains(list(brands[r["dealer_id"]]), r["brand"]) {
			t.Fatalf("%s: dealer %q unknown or not of the brand, or the code unknown", where, r["dealer_id"])
		}
		if r["valid_to"] == "" && dealer["status"] != "LIVE" && dealer["status"] != "PAUSED" {
			t.Errorf("%s: belongs to %s, which is %s", where, r["dealer_id"], dealer["status"])
		}
		if last, again := end[where]; again && (last == "" || last >= r["valid_from"]) {
			t.Errorf("%s: two stores from %s on", where, r["valid_from"])
		}
		end[where] = r["valid_to"]
		if covered[r["brand"]] == nil {
			covered[r["brand"]] = map[string]bool{}
		}
		covered[r["brand"]][r["postal_code"]] = true
	}
	for brand, codes := range covered {
		if share := 100 * len(codes) / len(known); share < 60 || share > 97 {
			t.Errorf("%s: %d %% of the postal codes belong to a store; most should, not all", brand, share)
		}
	}
}

func TestPostalCodes(t *testing.T) {
	for country, least := range map[string]int{"us": 40000, "de": 8000, "gb": 2900, "ca": 1600} {
		rows := readTable(t, "postal/"+country+".csv.gz")
		if len(rows) < least {
			t.Errorf("%s: %d postal codes, want %d or more", country, len(rows), least)
		}
		last := ""
		for _, p := range rows {
			lat, errLat := strconv.ParseFloat(p["lat"], 64)
			lon, errLon := strconv.ParseFloat(p["lon"], 64)
			if errLat != nil || errLon != nil || lat < -90 || lat > 90 || lon < -180 || lon > 180 || p["country"] != strings.ToUpper(country) {
				t.Errorf("%s %s: %s, %s", country, p["postal"], p["lat"], p["lon"])
			}
			if p["postal"] <= last {
				t.Errorf("%s: %s after %s", country, p["postal"], last)
			}
			last = p["postal"]
		}
	}
}

func TestFoldersAreThere(t *testing.T) {
	for _, folder := range []string{"network", "postal", "leads", "signals", "playbook"} {
		entries, err := fs.ReadDir(sample.Files(), folder)
		if err != nil || len(entries) == 0 {
			t.Errorf("%s: %d files, %v", folder, len(entries), err)
		}
	}
}
