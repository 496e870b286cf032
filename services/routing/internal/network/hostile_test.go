package network_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/services/routing/internal/network"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

// bomb is a gzip file of a few kilobytes that unpacks to size bytes of a piece.
func bomb(t *testing.T, head, piece string, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write([]byte(head)); err != nil {
		t.Fatal(err)
	}
	block := []byte(strings.Repeat(piece, 1+(64<<10)/len(piece)))
	for n := 0; n < size; n += len(block) {
		if _, err := z.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestHostileFiles says of each file what is wrong with it and holds on to no more memory than the
// limits allow.
func TestHostileFiles(t *testing.T) {
	aliases := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'j'; c++ {
		aliases += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.Repeat(fmt.Sprintf("*%c,", c-1), 8)+fmt.Sprintf("*%c", c-1))
	}
	full := bomb(t, dealersHead, "\n", 60<<20)
	var many []network.File
	for i := range 4 {
		many = append(many, network.File{Name: fmt.Sprintf("%c/dealers.csv.gz", 'a'+i), Content: full})
	}
	var wordy []network.File
	for i := range 15 {
		wordy = append(wordy, csv(fmt.Sprintf("%d/dealers.csv", i), dealersHead, strings.Repeat("x\n", 5_000)))
	}
	for _, c := range []struct {
		name  string
		files []network.File
		says  string
	}{
		{"gzip bomb", []network.File{{Name: "dealers.csv.gz", Content: bomb(t, "", "\x00", 80<<20)}}, "larger than 64 MiB unpacked"},
		{"many bombs", many, "together are larger than 192 MiB unpacked"},
		{"gzip in gzip", []network.File{{Name: "dealers.csv.gz", Content: bomb(t, string(full), "\x00", 1)}}, ""},
		{"columns without end", []network.File{{Name: "dealers.csv", Content: []byte(strings.Repeat(",", 20<<20))}}, "line holds more than 10000 fields"},
		{"many columns", []network.File{csv("dealers.csv", strings.Repeat("a,", 5_000)+"\n")}, "has 5001 columns"},
		{"one line", []network.File{csv("dealers.csv", dealersHead, strings.Repeat("x", 20<<20))}, "has 1 fields"},
		{"fields without end", []network.File{csv("dealers.csv", dealersHead, strings.Repeat(",", 20<<20))}, "line holds more than 10000 fields"},
		{"a quote that does not close", []network.File{csv("dealers.csv", dealersHead, `"`+strings.Repeat("x\n", 5<<20))}, "quotes do not match"},
		{"quotes", []network.File{csv("dealers.csv", dealersHead, strings.Repeat(`"`, 5<<20))}, "has 1 fields"},
		{"NUL", []network.File{csv("dealers.csv", dealersHead, "a\x00b,One,ROOFTOP,US,America/Chicago,LIVE,41,-87,,")}, ""},
		{"rows without end", []network.File{{Name: "dealers.csv.gz", Content: bomb(t, dealersHead, "x,x,x,x,x,x,x,x,x,x\n", 5<<20)}}, "more than 200000 rows"},
		{"aliases", []network.File{{Name: "dealers.yaml", Content: []byte(aliases)}}, ""},
		{"deep YAML", []network.File{{Name: "dealers.yaml", Content: []byte(strings.Repeat("[", 900_000))}}, "is no YAML"},
		{"values without end", []network.File{{Name: "dealers.yaml", Content: []byte("[" + strings.Repeat("[],", 2<<20) + "]")}}, "more than 1000000 values"},
		{"deep YAML by dashes", []network.File{{Name: "dealers.yaml", Content: []byte(strings.Repeat("- ", 100_000) + "x")}}, ""},
		{"mistakes without end", wordy, "more mistakes in this file are not listed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			r := run(t, &postgres.NetworkRows{}, network.Options{}, c.files...)
			runtime.GC()
			runtime.ReadMemStats(&after)
			if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 64<<20 {
				t.Errorf("%d MiB are held afterwards", held>>20)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 1<<30 {
				t.Errorf("%d MiB were used in all", took>>20)
			}
			told := 0
			for _, m := range r.Mistakes {
				told += len(m.Message)
			}
			if len(r.Mistakes) == 0 || len(r.Mistakes) > 21_000 || told > 8<<20 {
				t.Fatalf("%d mistakes in %d bytes", len(r.Mistakes), told)
			}
			for _, m := range r.Mistakes {
				if strings.Contains(m.Message, c.says) {
					return
				}
			}
			t.Errorf("nothing says %q: %.300v", c.says, r.Mistakes)
		})
	}
}
