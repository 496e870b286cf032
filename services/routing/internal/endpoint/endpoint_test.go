package endpoint_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/services/routing/internal/endpoint"
)

func TestCheckURL(t *testing.T) {
	public := endpoint.Network{}
	local := endpoint.Network{Loopback: true}
	private := endpoint.Network{Loopback: true, Private: true}
	for _, c := range []struct {
		network endpoint.Network
		url     string
		ok      bool
	}{
		{public, "https://crm.example.com/leads?store=7", true},
		{public, "https://crm.example.com:8443/", true},
		{public, "https://93.184.216.34/", true},
		{public, "http://crm.example.com/", false},
		{public, "http://localhost:8080/", false},
		{local, "http://localhost:8080/", true},
		{local, "http://127.0.0.1:8080/", true},
		{local, "http://[::1]:8080/", true},
		{local, "https://[::ffff:10.0.0.1]/", false},
		{local, "https://10.1.2.3/", false},
		{private, "https://10.1.2.3/", true},
		{private, "http://10.1.2.3/", false},
		{private, "https://0.0.0.0/", false},
		{local, "https://169.254.169.254/latest/meta-data", false},
		{local, "https://100.64.0.1/", false},
		{local, "https://[64:ff9b::a00:1]/", false},
		{local, "https://[fd00::1]/", false},
		{local, "https://[fe80::1]/", false},
		{public, "https://user:secret@crm.example.com/", false},
		{public, "https://crm.example.com/#x", false},
		{public, "ftp://crm.example.com/", false},
		{public, "crm.example.com", false},
		{public, "https://", false},
		{public, "https://crm.example.com/" + strings.Repeat("x", 2_000), false},
	} {
		if err := c.network.CheckURL(c.url); (err == nil) != c.ok {
			t.Errorf("%+v %s: %v", c.network, c.url, err)
		}
	}
}

func post(t *testing.T, n endpoint.Network, url string) endpoint.Answer {
	t.Helper()
	return postWithin(t, n, url, 20*time.Second)
}

func postWithin(t *testing.T, n endpoint.Network, url string, limit time.Duration) endpoint.Answer {
	t.Helper()
	a, _ := endpoint.NewClient(n, limit).Post(t.Context(), url, http.Header{}, []byte("x"), time.Now())
	return a
}

func TestNameThatLeadsInsideIsNotDialled(t *testing.T) {
	called := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer s.Close()
	if a := post(t, endpoint.Network{}, s.URL); a.Word != endpoint.WordBarred || called || a.Reached {
		t.Errorf("answer %+v, called %v", a, called)
	}
	if a := post(t, endpoint.Network{Loopback: true}, s.URL); !a.Delivered() || !a.Reached || a.Timings.Total <= 0 {
		t.Errorf("answer %+v", a)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	s := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusTemporaryRedirect))
	defer s.Close()
	if a := post(t, endpoint.Network{Loopback: true}, s.URL); a.Word != "307" || a.Delivered() || endpoint.Explain(a.Word) == "" {
		t.Errorf("answer %+v", a)
	}
}

// An endpoint that took the message but never answered may hold it; one that nobody reached does not.
func TestReachedOrNot(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer s.Close()
	defer close(release)
	if a := postWithin(t, endpoint.Network{Loopback: true}, s.URL, 2*time.Second); a.Word != endpoint.WordTimeout || !a.Reached || !a.Unwell {
		t.Errorf("hanging: %+v", a)
	}
	if a := post(t, endpoint.Network{Loopback: true}, "http://127.0.0.1:1/"); a.Word != endpoint.WordRefused || a.Reached {
		t.Errorf("nobody there: %+v", a)
	}
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	if a := post(t, endpoint.Network{Loopback: true}, secure.URL); a.Word != endpoint.WordTLS || a.Reached {
		t.Errorf("unknown authority: %+v", a)
	}
}

func TestScheduleWaitsLongerEachTime(t *testing.T) {
	s := endpoint.DefaultSchedule()
	if s.Attempts() != 10 {
		t.Errorf("%d attempts", s.Attempts())
	}
	for i, want := range s {
		least, ok := s.Next(i+1, 0)
		most, _ := s.Next(i+1, 1)
		if !ok || least != want*9/10 || most < want*11/10-time.Microsecond || most > want*11/10+time.Microsecond {
			t.Errorf("after attempt %d: %v to %v, want %v by 10 %%", i+1, least, most, want)
		}
	}
	for _, attempt := range []int{-1, 0, 10} {
		if _, ok := s.Next(attempt, 0.5); ok {
			t.Errorf("a wait after attempt %d", attempt)
		}
	}
}

func TestGatesKeepEndpointsApart(t *testing.T) {
	g := endpoint.NewGates(8)
	for range 2 {
		if _, ok := g.Enter(t.Context(), "a"); !ok {
			t.Fatal("two may try at once")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if wait, ok := g.Enter(ctx, "a"); ok || wait <= 0 {
		t.Error("a third entered")
	}
	if _, ok := g.Enter(ctx, "b"); !ok {
		t.Error("another endpoint has to wait")
	}
	g.Leave("a", true, time.Millisecond)
	if _, ok := g.Enter(ctx, "a"); !ok {
		t.Error("no room after one left")
	}
}

func TestGateBreaksForLongerEachTime(t *testing.T) {
	g := endpoint.NewGates(8)
	for i := range 5 {
		if _, ok := g.Enter(t.Context(), "a"); !ok {
			t.Fatalf("closed after %d failures", i)
		}
		g.Leave("a", false, time.Millisecond)
	}
	wait, ok := g.Enter(t.Context(), "a")
	if ok || wait < 29*time.Second || wait > time.Minute {
		t.Errorf("after five failures in a row: %v, %v", wait, ok)
	}
	g.Forget("a")
	if _, ok := g.Enter(t.Context(), "a"); !ok {
		t.Error("closed for a new address")
	}
}
