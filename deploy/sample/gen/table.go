package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// table is one CSV file: its name (ending in .csv or .csv.gz), its header and its rows.
type table struct {
	name   string
	header []string
	rows   [][]string
}

func newTable(name, header string) table {
	return table{name: name, header: strings.Split(header, ",")}
}

// add appends one row; it has one value per column of the header.
func (t *table) add(values ...string) {
	t.rows = append(t.rows, values)
}

// write stores the table below dir. A name that ends in .gz is compressed without a time or a
// file name inside, so that equal rows give equal bytes.
func (t table) write(dir string) error {
	var plain bytes.Buffer
	w := csv.NewWriter(&plain)
	if err := w.Write(t.header); err != nil {
		return err
	}
	for i, row := range t.rows {
		if len(row) != len(t.header) {
			return fmt.Errorf("%s: row %d has %d values, the header has %d", t.name, i+1, len(row), len(t.header))
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}

	data := plain.Bytes()
	if strings.HasSuffix(t.name, ".gz") {
		var packed bytes.Buffer
		z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := z.Write(data); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		data = packed.Bytes()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, t.name), data, 0o644)
}
