// Package crowd fills an installation with open leads, by writing a few real ones again and again
// under new identifiers, and lets chosen ones come due at chosen times.
package crowd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/sla"
)

// Crowd is the open leads of one installation. Not safe for concurrent use.
type Crowd struct {
	db        *pgx.Conn
	run       string
	templates []template
	leads     []member // the longest not due first
	made      int
	random    *rand.Rand
}

// template is a real open lead whose response is the next thing that is due.
type template struct {
	id       lead.ID
	deadline time.Time
	clock    sla.State
}

type member struct {
	id       lead.ID
	template int
}

// New takes the open leads of an installation as templates. It lets what is due before the response
// come due at once, as often as needed, so that the product itself takes them there. Stores must
// always be open, or their clocks cannot be moved about.
func New(ctx context.Context, db *pgx.Conn, run string) (*Crowd, error) {
	c := &Crowd{db: db, run: run, random: rand.New(rand.NewPCG(7, uint64(len(run))))}
	for range 6 {
		all, err := c.read(ctx)
		if err != nil {
			return nil, err
		}
		var early []due
		c.templates = c.templates[:0]
		for _, t := range all {
			if t.kind == sla.DueRespond {
				c.templates = append(c.templates, t.template)
			} else if t.kind == sla.DueAccept || t.kind == sla.DueWarn {
				early = append(early, due{id: t.id, at: time.Now(), clock: t.clock, from: t.deadline})
			}
		}
		if len(early) == 0 {
			break
		}
		if err := c.set(ctx, early); err != nil {
			return nil, err
		}
		if err := c.settle(ctx); err != nil {
			return nil, err
		}
	}
	if len(c.templates) == 0 {
		return nil, errors.New("no open lead waits for its response")
	}
	return c, nil
}

type waiting struct {
	template
	kind sla.DeadlineKind
}

func (c *Crowd) read(ctx context.Context) ([]waiting, error) {
	rows, err := c.db.Query(ctx, "SELECT lead_id, next_deadline, deadline_kind, clock FROM routing.assignment ORDER BY lead_id")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (waiting, error) {
		var w waiting
		var id [16]byte
		var kind int16
		var clock []byte
		if err := row.Scan(&id, &w.deadline, &kind, &clock); err != nil {
			return w, err
		}
		var err error
		w.id, w.kind = id, sla.DeadlineKind(kind)
		w.clock, err = sla.UnmarshalState(clock)
		return w, err
	})
}

// settle waits until nothing is overdue.
func (c *Crowd) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		late, err := c.Overdue(ctx, time.Now())
		if err != nil || len(late) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d deadlines are not handled: %w", len(late), ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Overdue are the leads whose deadline had come at a time and is not handled.
func (c *Crowd) Overdue(ctx context.Context, at time.Time) (map[lead.ID]bool, error) {
	rows, err := c.db.Query(ctx, "SELECT lead_id FROM routing.assignment WHERE bucket = ANY($1::smallint[]) AND next_deadline <= $2", buckets(), at)
	if err != nil {
		return nil, err
	}
	out := map[lead.ID]bool{}
	var id [16]byte
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error { out[id] = true; return nil })
	return out, err
}

func buckets() []int16 {
	out := make([]int16, lead.Buckets)
	for i := range out {
		out[i] = int16(i)
	}
	return out
}

const filled = `CREATE TEMP TABLE IF NOT EXISTS crowd_member (
	bucket smallint, lead_id uuid, template uuid, next_deadline timestamptz, clock bytea)`

// Grow writes leads until the crowd has n, with deadlines between one and 25 hours from now.
func (c *Crowd) Grow(ctx context.Context, n int) error {
	const portion = 50_000
	if _, err := c.db.Exec(ctx, filled); err != nil {
		return err
	}
	from := time.Now().Add(time.Hour)
	for len(c.leads) < n {
		fresh := make([]member, min(portion, n-len(c.leads)))
		rows := make([][]any, len(fresh))
		for i := range fresh {
			m := member{id: lead.NewID([]byte("a crowd of open leads"), c.run, fmt.Sprint(c.made)), template: c.made % len(c.templates)}
			c.made++
			t := &c.templates[m.template]
			at := from.Add(time.Duration(c.random.Int64N(int64(24 * time.Hour)))).Truncate(time.Millisecond)
			fresh[i] = m
			rows[i] = []any{m.id.Bucket(), [16]byte(m.id), [16]byte(t.id), at, sla.MarshalState(moved(t.clock, at.Sub(t.deadline)))}
		}
		if err := c.write(ctx, rows); err != nil {
			return fmt.Errorf("write open leads: %w", err)
		}
		c.leads = append(c.leads, fresh...)
	}
	c.random.Shuffle(len(c.leads), func(i, j int) { c.leads[i], c.leads[j] = c.leads[j], c.leads[i] })
	for _, statement := range []string{"VACUUM (ANALYZE) routing.decision", "VACUUM (ANALYZE) routing.assignment", "CHECKPOINT"} {
		if _, err := c.db.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (c *Crowd) write(ctx context.Context, rows [][]any) error {
	columns := []string{"bucket", "lead_id", "template", "next_deadline", "clock"}
	if _, err := c.db.CopyFrom(ctx, pgx.Identifier{"crowd_member"}, columns, pgx.CopyFromRows(rows)); err != nil {
		return err
	}
	for _, table := range []string{"decision", "assignment"} {
		into, from, err := c.columns(ctx, table)
		if err != nil {
			return err
		}
		_, err = c.db.Exec(ctx, fmt.Sprintf("INSERT INTO routing.%s (%s) SELECT %s FROM crowd_member m JOIN routing.%s t ON t.lead_id = m.template",
			table, into, from, table))
		if err != nil {
			return err
		}
	}
	_, err := c.db.Exec(ctx, "TRUNCATE crowd_member")
	return err
}

// columns are those of a table, and what they are filled from: what is a member's own from the
// member, the rest from the template.
func (c *Crowd) columns(ctx context.Context, table string) (into, from string, err error) {
	rows, err := c.db.Query(ctx, `SELECT quote_ident(attname) FROM pg_attribute
		WHERE attrelid = ('routing.' || $1)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`, table)
	if err != nil {
		return "", "", err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return "", "", err
	}
	own := []string{"bucket", "lead_id", "next_deadline", "clock"}
	var sources []string
	for _, name := range names {
		if slices.Contains(own, name) {
			sources = append(sources, "m."+name)
		} else {
			sources = append(sources, "t."+name)
		}
	}
	return strings.Join(names, ", "), strings.Join(sources, ", "), nil
}

// Due are leads that will be due, in order.
type Due struct {
	ID lead.ID
	At time.Time
}

// Arrange lets n leads of the crowd come due one after the other, gap apart, the first at start:
// those that did not for the longest time.
func (c *Crowd) Arrange(ctx context.Context, n int, start time.Time, gap time.Duration) ([]Due, error) {
	if n > len(c.leads) {
		return nil, fmt.Errorf("the crowd has %d leads, not %d", len(c.leads), n)
	}
	chosen := slices.Clone(c.leads[:n])
	c.leads = append(c.leads[n:], chosen...)
	out, list := make([]Due, n), make([]due, n)
	for i, m := range chosen {
		t := &c.templates[m.template]
		at := start.Add(time.Duration(i) * gap).Truncate(time.Millisecond)
		out[i], list[i] = Due{ID: m.id, At: at}, due{id: m.id, at: at, clock: t.clock, from: t.deadline}
	}
	return out, c.set(ctx, list)
}

// due is a new deadline of a lead whose clock has another.
type due struct {
	id       lead.ID
	at, from time.Time
	clock    sla.State
}

func (c *Crowd) set(ctx context.Context, list []due) error {
	var ids [][16]byte
	var at []time.Time
	var clocks [][]byte
	for _, d := range list {
		ids, at = append(ids, d.id), append(at, d.at.Truncate(time.Millisecond))
		clocks = append(clocks, sla.MarshalState(moved(d.clock, d.at.Truncate(time.Millisecond).Sub(d.from))))
	}
	_, err := c.db.Exec(ctx, `UPDATE routing.assignment a SET next_deadline = n.at, clock = n.clock
		FROM (SELECT unnest($1::uuid[]) AS lead_id, unnest($2::timestamptz[]) AS at, unnest($3::bytea[]) AS clock, unnest($4::smallint[]) AS bucket) n
		WHERE a.bucket = n.bucket AND a.lead_id = n.lead_id`, ids, at, clocks, bucketsOf(list))
	return err
}

func bucketsOf(list []due) []int16 {
	out := make([]int16, len(list))
	for i, d := range list {
		out[i] = d.id.Bucket()
	}
	return out
}

// moved is a clock that began, and stands, d later.
func moved(s sla.State, d time.Duration) sla.State {
	for _, at := range []*time.Time{
		&s.AssignedAt, &s.DeliveredAt, &s.AcknowledgedAt, &s.AcceptedAt, &s.RespondedAt, &s.EngagedAt, &s.LevelAt, &s.StepFrom, &s.StepDue,
		&s.TouchedAt, &s.AskedAt, &s.AskedDue, &s.PausedAt, &s.PausedUntil, &s.ClosedAt,
		&s.Deadlines.Start, &s.Deadlines.AcknowledgeBy, &s.Deadlines.AcceptBy, &s.Deadlines.WarnAt, &s.Deadlines.RespondBy,
		&s.Deadlines.ManagerAt, &s.Deadlines.FieldAt, &s.Deadlines.AttemptsUntil,
	} {
		if !at.IsZero() {
			*at = at.Add(d)
		}
	}
	return s
}
