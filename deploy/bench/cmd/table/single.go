package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/deploy/bench/load"
	"google.golang.org/protobuf/encoding/protojson"
)

// single measures one lead at a time over REST on an idle system beside four single-row commits in
// sequence, which is what four services that each keep what they know must do.
func (b *bench) single(ctx context.Context) (rows []Row, err error) {
	s, err := b.stage(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	maker, err := load.NewMaker("p5", uint64(time.Now().UnixNano()))
	if err != nil {
		return nil, err
	}
	const table = "CREATE SCHEMA leadmesh_limit; CREATE TABLE leadmesh_limit.single (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, body bytea NOT NULL)"
	if _, err := s.db.PgConn().Exec(ctx, table).ReadAll(); err != nil {
		return nil, err
	}
	var own, limits []time.Duration
	var p50, p99 []float64
	n := amount(b, 60, 1_000)
	for pair := range b.pairs + 1 {
		var a, c []time.Duration
		for range n {
			one, size, err := post(ctx, s, maker)
			if err != nil {
				return nil, fmt.Errorf("%w; the product said: %s", err, s.process.LastWords())
			}
			four, err := commits(ctx, s.db, size)
			if err != nil {
				return nil, err
			}
			a, c = append(a, one), append(c, four)
		}
		if pair == 0 {
			continue // to warm up
		}
		own, limits = append(own, a...), append(limits, c...)
		p50 = append(p50, ratioAt(a, c, 0.5))
		p99 = append(p99, ratioAt(a, c, 0.99))
	}
	row := func(q float64, ratios []float64, most float64) Row {
		return Row{
			What: fmt.Sprintf("one lead over REST, idle, p%.0f", 100*q), Figure: took(load.Quantile(own, q)), Limit: took(load.Quantile(limits, q)),
			Ratio: rangeOf(ratios), Goal: fmt.Sprintf("<= %.0fx", most), Held: held(median(ratios) <= most),
		}
	}
	rows = []Row{row(0.5, p50, 5), row(0.99, p99, 10)}
	rows[0].Note = fmt.Sprintf("%d leads, in turn with four commits of a row with the lead's bytes over one connection", n*b.pairs)
	return rows, nil
}

func ratioAt(a, b []time.Duration, q float64) float64 {
	return load.Quantile(a, q).Seconds() / load.Quantile(b, q).Seconds()
}

// post sends one lead and returns how long its answer took and how large it was.
func post(ctx context.Context, s *stage, maker *load.Maker) (time.Duration, int, error) {
	body, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(maker.Sent(time.Now()))
	if err != nil {
		return 0, 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.process.HTTP+"/v1/leads", bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	start := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, 0, err
	}
	answer, err := io.ReadAll(resp.Body)
	spent := time.Since(start)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return 0, 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("POST /v1/leads answered %d: %.500s", resp.StatusCode, answer)
	}
	return spent, len(body), nil
}

func commits(ctx context.Context, db *pgx.Conn, size int) (time.Duration, error) {
	body := make([]byte, size)
	start := time.Now()
	for range 4 {
		if _, err := db.Exec(ctx, "INSERT INTO leadmesh_limit.single (body) VALUES ($1)", body); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}
