package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// OldestJob is how long the oldest job in a queue's schema has waited that could run; 0 if none
// waits. The queue works by the database's own clock, and so does this.
func (s *Store) OldestJob(ctx context.Context, schema string) (time.Duration, error) {
	var seconds pgtype.Float8
	err := s.pool.QueryRow(ctx, `SELECT extract(epoch FROM now() - min(scheduled_at))::float8 FROM `+pgx.Identifier{schema, "river_job"}.Sanitize()+`
		WHERE state IN ('available', 'retryable', 'scheduled') AND scheduled_at <= now()`).Scan(&seconds)
	if err != nil {
		return 0, edge("look at the queue", err)
	}
	return time.Duration(max(0, seconds.Float64) * float64(time.Second)), nil
}
