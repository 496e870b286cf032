package e2e_test

import (
	"net/http"
	"net/url"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
)

// balancer stands before several worlds as a load balancer does: requests take turns.
type balancer struct {
	world *world // whose doors are the balancer's
	grpc  *manual.Resolver

	mu      sync.Mutex
	turn    int
	targets []*world
	running map[*world]int
}

// balance puts a balancer before worlds that share a database.
func balance(t *testing.T, worlds ...*world) *balancer {
	t.Helper()
	b := &balancer{grpc: manual.NewBuilderWithScheme("balancer"), running: map[*world]int{}}
	b.world = &world{base: "http://balancer", db: worlds[0].db, creds: worlds[0].creds, logs: &buffer{}}
	b.world.http = &http.Client{Timeout: callLimit, Transport: b}
	b.targets = worlds
	b.grpc.InitialState(b.state())
	conn, err := grpc.NewClient("balancer:///", grpc.WithResolvers(b.grpc), grpc.WithTransportCredentials(b.world.creds),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	b.world.grpc = conn
	conn.Connect()
	return b
}

func (b *balancer) state() resolver.State {
	var s resolver.State
	for _, w := range b.targets {
		s.Addresses = append(s.Addresses, resolver.Address{Addr: w.addr})
	}
	return s
}

// use sends what comes from now on to these worlds.
func (b *balancer) use(worlds ...*world) {
	b.mu.Lock()
	b.targets = worlds
	s := b.state()
	b.mu.Unlock()
	b.grpc.UpdateState(s)
}

// settle waits until no world but the present ones has a REST request of the balancer's.
func (b *balancer) settle(t *testing.T) {
	t.Helper()
	eventually(t, patience, "requests of retired worlds end", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		for w, n := range b.running {
			used := false
			for _, target := range b.targets {
				used = used || target == w
			}
			if n > 0 && !used {
				return false
			}
		}
		return true
	})
}

// RoundTrip sends a request to the world whose turn it is.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	w := b.targets[b.turn%len(b.targets)]
	b.turn++
	b.running[w]++
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.running[w]--
	}()
	to, err := url.Parse(w.base)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = to.Scheme, to.Host, to.Host
	return http.DefaultTransport.RoundTrip(r)
}
