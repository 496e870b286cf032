package e2e_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
)

// booksExact counts again what the books of the stores say: the capacity used on their day, and who
// works how many leads.
func (d database) booksExact(t *testing.T) {
	t.Helper()
	d.agrees(t, d.books(t))
}

// book is the book of a store.
type book struct {
	Day     string
	Granted map[string]int
	Persons map[string]struct{ Open int }
}

// books reads the books of all stores.
func (d database) books(t *testing.T) map[string]book {
	t.Helper()
	rows, err := d.conn.Query(t.Context(), `SELECT dealer_id, book FROM routing.capacity`)
	if err != nil {
		t.Fatal(err)
	}
	books := map[string]book{}
	var dealer string
	var raw []byte
	if _, err := pgx.ForEachRow(rows, []any{&dealer, &raw}, func() error {
		var b book
		err := json.Unmarshal(raw, &b)
		books[dealer] = b
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return books
}

// agrees compares books with the leads as they are now.
func (d database) agrees(t *testing.T, books map[string]book) {
	t.Helper()
	zones := sampleZones(t)
	for dealer, b := range books {
		for department, granted := range b.Granted {
			n, _ := lead.ParseDepartment(department)
			if used := d.count(t, grantedQuery, dealer, int16(n), b.Day, zones[dealer]); used != granted {
				t.Errorf("%s %s has granted %d leads on %s by its book, and %d owners are by decision", dealer, department, granted, b.Day, used)
			}
		}
		for person, work := range b.Persons {
			n := d.count(t, `SELECT count(*) FROM routing.assignment a JOIN routing.decision d USING (bucket, lead_id)
				WHERE a.dealer_id = $1 AND a.person_id = $2 AND NOT d.test`, dealer, person)
			if n != work.Open {
				t.Errorf("%s of %s works %d leads by the book, and %d are open", person, dealer, work.Open, n)
			}
		}
	}
}

// sampleZones are the time zones of the sample's dealers.
func sampleZones(t *testing.T) map[string]string {
	t.Helper()
	zones := map[string]string{}
	sampleFiles(t, "network", func(name string, content []byte) {
		if name != "dealers.csv" {
			return
		}
		rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		column := slices.Index(rows[0], "time_zone")
		for _, row := range rows[1:] {
			zones[row[0]] = row[column]
		}
	})
	return zones
}

// grantedQuery counts the owners whom a decision made on a day: not those to whom a lead was handed
// over or came back.
const grantedQuery = `
	WITH owner AS (
		SELECT bucket, lead_id, sequence, dealer_id, department, assigned_at, ended_by FROM routing.past_assignment
		UNION ALL SELECT bucket, lead_id, sequence, dealer_id, department, assigned_at, '' FROM routing.assignment)
	SELECT count(*) FROM owner o JOIN routing.decision d USING (bucket, lead_id)
	LEFT JOIN owner before ON before.bucket = o.bucket AND before.lead_id = o.lead_id AND before.sequence = o.sequence - 1
	WHERE o.dealer_id = $1 AND o.department = $2 AND NOT d.test AND coalesce(before.ended_by, 'declined') = 'declined'
		AND (o.assigned_at AT TIME ZONE $4)::date::text = $3`

// TestBooksAreReadAtOneMoment gives a lead to another person while the books are being checked: the
// check must not take that for an error of the books.
func TestBooksAreReadAtOneMoment(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole house")
	}
	w := inProcess(t, nil)
	id := chosen(t, w, "books", "REQUEST_TYPE_QUOTE").lead
	db, other := w.database(t), w.database(t)
	has := func(person string) bool {
		return other.count(t, `SELECT count(*) FROM routing.assignment WHERE lead_id = $1 AND person_id = $2`, id, person) == 1
	}
	person := tokenDealer + "-p03"
	if has(person) {
		person = tokenDealer + "-p04"
	}
	db.atOnce(t, func() {
		books := db.books(t)
		w.post(t, "dealer", "/v1/leads/"+id+":accept", `{"person_id":"`+person+`"}`, &routingv1.AcceptLeadResponse{})
		if !has(person) {
			t.Fatalf("%s did not get the lead", person)
		}
		db.agrees(t, books)
	})
	other.booksExact(t)
}
