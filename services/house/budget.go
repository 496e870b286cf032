package house

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/leadmesh/leadmesh/services/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// share is what a service takes of a process's database connections.
type share struct {
	service string
	usual   int // its connections by default, and its weight where there are more or fewer
	least   int // without these its loops starve each other
}

// shares are of the services that keep something in the database. Routing's include the queue of
// pushes with its listener. The figures are those at which the throughput of a small machine was
// measured; more only helps a database with more cores than that.
var shares = []share{{Scoring, 4, 2}, {Feedback, 12, 3}, {Identity, 10, 3}, {Routing, 20, 6}, {Capture, 20, 4}}

// beside is how many connections of its share a service takes out of its pool for good: River listens
// for pushes on one.
func beside(service string) int {
	if service == Routing {
		return 1
	}
	return 0
}

// privateSpare is how many sessions beside the budget a private server takes: commands, migrations,
// an operator with psql.
const privateSpare = 54

// Budget divides the connections of a process over the services it runs; 0 gives each its usual
// number. It refuses fewer than they need.
func Budget(connections int, services []string) (map[string]int, error) {
	out := map[string]int{}
	usual, least := 0, 0
	for _, s := range shares {
		if slices.Contains(services, s.service) {
			usual, least = usual+s.usual, least+s.least
		}
	}
	if connections == 0 {
		connections = usual
	}
	if connections < least {
		return nil, fmt.Errorf("--db-connections %d is too few for what this process runs: give at least %d (0: %d)", connections, least, usual)
	}
	rest := connections
	for _, s := range shares {
		if slices.Contains(services, s.service) {
			out[s.service] = max(s.least, connections*s.usual/usual)
			rest -= out[s.service]
		}
	}
	// What rounding left over, or the least of the small ones took too much, the large ones settle.
	for ; rest != 0; rest -= sign(rest) {
		out[mostAbove(out, rest < 0)] += sign(rest)
	}
	return out, nil
}

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

// mostAbove is the service that is furthest above its least, or, when connections are to be given
// away, the one that has the least for its weight.
func mostAbove(now map[string]int, take bool) string {
	best, score := "", 0.0
	for _, s := range shares {
		n, runs := now[s.service]
		if !runs {
			continue
		}
		have := float64(s.usual) / float64(n)
		if take {
			have = float64(n - s.least)
		}
		if best == "" || have > score {
			best, score = s.service, have
		}
	}
	return best
}

// divide sets the budget of the process.
func (h *House) divide() error {
	budget, err := Budget(h.cfg.DBConnections, h.cfg.Only)
	h.budget = budget
	return err
}

func (h *House) connections() int {
	sum := 0
	for _, n := range h.budget {
		sum += n
	}
	return sum
}

// privateSettings let a private server take the whole budget.
func (h *House) privateSettings() map[string]string {
	return map[string]string{"max_connections": strconv.Itoa(max(120, h.connections()+privateSpare))}
}

// checkRoom compares the budget with what the database takes: what never fits is an error, what
// does not fit beside the sessions of now a warning, since those may go.
func (h *House) checkRoom(ctx context.Context) error {
	want := h.connections()
	if want == 0 {
		return nil
	}
	room, err := postgres.LookForRoom(ctx, h.url)
	if err != nil {
		return err
	}
	if want > room.Most() {
		return fmt.Errorf("%w: give --db-connections %d or less, or raise max_connections of the database (now %d, %d of them reserved%s) and restart it",
			h.tooMany(want), room.Most(), room.Max, room.Reserved, limited(room))
	}
	if want > room.Free() {
		h.tel.Log.WarnContext(ctx, "the database may run out of connections when this process is busy: lower --db-connections here or in the other processes, or raise max_connections",
			"db_connections", want, "free", room.Free(), "max_connections", room.Max, "reserved", room.Reserved, "in_use", room.Used, "in_use_by_leadmesh", room.Leadmesh)
	}
	return nil
}

func limited(r postgres.Room) string {
	if r.Limit < 0 {
		return ""
	}
	return fmt.Sprintf("; a CONNECTION LIMIT of the database or the login allows %d", r.Limit)
}

func (h *House) tooMany(want int) error {
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(h.budget)) {
		parts = append(parts, fmt.Sprintf("%s %d", s, h.budget[s]))
	}
	return fmt.Errorf("this process may open %d connections (%s), more than the database takes", want, strings.Join(parts, ", "))
}

// measurePools makes visible how many connections each service may have, has and uses.
func (h *House) measurePools() error {
	_, err := h.tel.Meter.Int64ObservableGauge(telemetry.MetricDBConnections,
		metric.WithDescription("Connections to the database by service and state: max, open, busy."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			h.poolsMu.Lock()
			defer h.poolsMu.Unlock()
			for service, pool := range h.pools {
				stat := pool.Stat()
				for state, n := range map[string]int32{"max": stat.MaxConns(), "open": stat.TotalConns(), "busy": stat.AcquiredConns()} {
					o.Observe(int64(n), metric.WithAttributes(attribute.String(telemetry.AttrService, service), attribute.String("state", state)))
				}
			}
			return nil
		}))
	return err
}

// pool opens a service's connections to its own schema.
func (h *House) pool(ctx context.Context, service string) (*pgxpool.Pool, error) {
	var pool *pgxpool.Pool
	err := h.patiently(ctx, func() (err error) {
		pool, err = postgres.Open(ctx, postgres.PoolConfig{
			URL: h.databaseURL(service), Role: postgres.ServiceRole(service), Schema: service, MaxConns: int32(h.budget[service] - beside(service)), //nolint:gosec // far below 2^31
			TracerProvider: h.tel.Tracing, Logger: h.tel.Log,
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: open the database: %w", service, err)
	}
	h.poolsMu.Lock()
	h.pools[service] = pool
	h.poolsMu.Unlock()
	h.closers = append(h.closers, func(context.Context) error { pool.Close(); return nil })
	return pool, nil
}
