package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/deploy/bench/load"
)

// starting measures the start on an existing data directory beside that of its Postgres alone.
func (b *bench) starting(ctx context.Context) (rows []Row, err error) {
	s, err := b.stage(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	// Something to find: leads that are open.
	conn, err := s.process.Dial()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	maker, err := load.NewMaker("p9", uint64(time.Now().UnixNano()))
	if err != nil {
		return nil, err
	}
	batches, err := load.Batches(maker, amount(b, 4, 40), batchSize)
	if err != nil {
		return nil, err
	}
	if _, err := load.Create(ctx, conn, batches, callers); err != nil {
		return nil, fmt.Errorf("%w; the product said: %s", err, s.process.LastWords())
	}
	if err := settled(ctx, s); err != nil {
		return nil, err
	}
	if err := s.stop(); err != nil {
		return nil, err
	}
	var own, alone, more, ratios []float64
	for range b.pairs {
		a, err := s.server.StartAlone(ctx)
		if err == nil {
			err = s.server.StopAlone(ctx)
		}
		if err != nil {
			return nil, err
		}
		if s.process, err = s.home.Start(ctx); err != nil {
			return nil, err
		}
		o := s.process.Healthy
		if err := s.stop(); err != nil {
			return nil, err
		}
		own, alone = append(own, o.Seconds()), append(alone, a.Seconds())
		more, ratios = append(more, (o-a).Seconds()), append(ratios, o.Seconds()/a.Seconds())
	}
	return []Row{{
		What: "start on existing data", Figure: took(seconds(median(own))), Limit: took(seconds(median(alone))) + " pg_ctl", Ratio: rangeOf(ratios),
		Goal: "<= 1 s more", Held: held(median(more) <= 1),
		Note: fmt.Sprintf("%s more (%s to %s), from the start of the process until /healthz says ok; pg_ctl looks ten times a second",
			took(seconds(median(more))), took(seconds(rangeOf(more).Min)), took(seconds(rangeOf(more).Max))),
	}}, nil
}

// stop ends the product, whose data stays.
func (s *stage) stop() error {
	err := errors.Join(s.db.Close(context.Background()), s.process.Stop())
	s.process = nil
	return err
}
