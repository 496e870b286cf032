package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/playbook"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
)

// backlog is something that waits; the older the oldest, the worse.
type backlog struct {
	check, what string
	none        string // when nothing does
	query       string // count and the age of the oldest in seconds, at $1
	warn, fail  time.Duration
	remedy      string
}

var backlogs = []backlog{
	{"pending", "leads wait for their decision", "no lead waits for its decision", `SELECT count(*), extract(epoch FROM $1 - min(since))::float8 FROM capture.pending`,
		time.Minute, 10 * time.Minute, "see whether Identity, Scoring and Routing are healthy, a playbook is active and a network loaded; they are decided as soon as that is so"},
	{"outbox.capture", "events of Capture are not in the log", "every event of Capture is in the log", `SELECT count(*), extract(epoch FROM $1 - min(recorded_at))::float8 FROM capture.outbox`,
		time.Minute, 10 * time.Minute, "see whether Feedback runs and Capture reaches it (--peer); nothing is lost, figures lag"},
	{"outbox.routing", "events of Routing are not in the log", "every event of Routing is in the log", `SELECT count(*), extract(epoch FROM $1 - min(recorded_at))::float8 FROM routing.outbox`,
		time.Minute, 10 * time.Minute, "see whether Feedback runs and Routing reaches it (--peer); nothing is lost, figures lag"},
	{"figures", "batches of events are not in the figures", "every event is in the figures", `SELECT count(*), extract(epoch FROM $1 - min(recorded_at))::float8 FROM feedback.unfolded`,
		time.Minute, 30 * time.Minute, "see the log of Feedback; reports lag, nothing is lost"},
	{"reports", "reports of dealers are not applied", "every report of a dealer is applied", `SELECT count(*), extract(epoch FROM $1 - min(next_attempt_at))::float8 FROM feedback.unapplied WHERE next_attempt_at < $1`,
		5 * time.Minute, time.Hour, "see whether Routing runs and Feedback reaches it (--peer); clocks may run on although somebody called"},
	{"deadlines", "deadlines of open leads have passed unseen", "no deadline has passed unseen", `SELECT count(*), extract(epoch FROM $1 - min(next_deadline))::float8 FROM routing.assignment WHERE next_deadline < $1`,
		time.Minute, 10 * time.Minute, "see whether Routing runs: its sweep fires them, late ones too"},
	{"parked", "parked leads are past their review date", "no parked lead is past its review date", `SELECT count(*), extract(epoch FROM $1 - min(at))::float8 FROM (SELECT review_at AS at FROM routing.decision WHERE state = 4 AND review_at < $1
		UNION ALL SELECT review_at FROM capture.parked WHERE review_at < $1) AS late`,
		5 * time.Minute, time.Hour, "see whether Routing and Capture run: they wake them"},
	{"deliveries.late", "pushes to dealers are late", "no push to a dealer is late", `SELECT count(*), extract(epoch FROM $1 - min(at))::float8 FROM routing.delivery WHERE state = 1 AND at < $1`,
		5 * time.Minute, time.Hour, "see whether Routing runs and the receivers answer; the inbox holds the leads meanwhile"},
}

// work looks at what the house is to do and has not done. The server may be stopped: then what
// waits is what it takes up at its start.
func (x *exam) work(ctx context.Context, conn *pgx.Conn) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly, IsoLevel: pgx.RepeatableRead})
	if err != nil {
		x.warn("work", "run doctor again", "%s", oneLine(err))
		return
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // it only read
	if _, err := tx.Exec(ctx, "SET LOCAL ROLE "+postgres.AuditRole); err != nil {
		x.warn("work", "GRANT "+postgres.AuditRole+" to this login", "%s", oneLine(err))
		return
	}
	x.rules(ctx, tx)
	for _, b := range backlogs {
		x.backlog(ctx, tx, b)
	}
	x.dead(ctx, tx)
}

func (x *exam) backlog(ctx context.Context, tx pgx.Tx, b backlog) {
	var n int64
	var seconds *float64
	if err := tx.QueryRow(ctx, b.query, x.cfg.Now()).Scan(&n, &seconds); err != nil {
		x.warn("work."+b.check, "run doctor again", "%s", oneLine(err))
		return
	}
	if n == 0 || seconds == nil {
		x.ok("work."+b.check, "%s", b.none)
		return
	}
	age := max(0, time.Duration(*seconds*float64(time.Second)))
	found := fmt.Sprintf("%d %s, the oldest for %s", n, b.what, age.Round(time.Second))
	switch {
	case age > b.fail:
		x.fail("work."+b.check, b.remedy, "%s", found)
	case age > b.warn:
		x.warn("work."+b.check, b.remedy, "%s", found)
	default:
		x.ok("work."+b.check, "%s", found)
	}
}

// rules looks at the playbook and the network that leads are decided by.
func (x *exam) rules(ctx context.Context, tx pgx.Tx) {
	var revision string
	var bundle []byte
	err := tx.QueryRow(ctx, `SELECT p.revision, p.bundle FROM scoring.activation a JOIN scoring.playbook p USING (revision) ORDER BY activation_id DESC LIMIT 1`).Scan(&revision, &bundle)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		x.fail("playbook", "leadmesh policy apply DIR, or leadmesh serve --sample", "no playbook is active: leads are kept and not decided")
	case err != nil:
		x.warn("playbook", "run doctor again", "%s", oneLine(err))
	default:
		if files, err := playbook.Unpack(bundle); err != nil {
			x.fail("playbook", "leadmesh policy rollback", "the active playbook cannot be read: %s", oneLine(err))
		} else if _, mistakes := playbook.Read(files); len(mistakes) > 0 {
			x.fail("playbook", "leadmesh policy rollback, or apply one without mistakes", "the active playbook does not load in this version: %s", mistakes[0])
		} else {
			x.ok("playbook", "revision %.8s is active and loads", revision)
		}
	}
	var dealers int64
	var number int64
	if err := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM routing.dealer), (SELECT revision FROM routing.network)`).Scan(&dealers, &number); err != nil {
		x.warn("network", "run doctor again", "%s", oneLine(err))
		return
	}
	if dealers == 0 {
		x.fail("network", "leadmesh network import FILES, or leadmesh serve --sample", "no network is loaded: there is nobody to give leads to")
		return
	}
	x.ok("network", "%d dealers, revision %d", dealers, number)
}

// dead looks for pushes that were given up.
func (x *exam) dead(ctx context.Context, tx pgx.Tx) {
	var n, stores int64
	if err := tx.QueryRow(ctx, `SELECT count(*), count(DISTINCT dealer_id) FROM routing.delivery WHERE state = 3`).Scan(&n, &stores); err != nil {
		x.warn("work.deliveries.dead", "run doctor again", "%s", oneLine(err))
		return
	}
	if n > 0 {
		x.warn("work.deliveries.dead", "GET /v1/deliveries?state=dead shows them, POST /v1/deliveries/{id}:redeliver sends again; the inbox holds the leads", "%d pushes to %d dealers were given up", n, stores)
		return
	}
	x.ok("work.deliveries.dead", "no push was given up")
}
