package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// hostileStreams opens Decide streams as no caller of good faith does.
func hostileStreams(t *testing.T, w *world) {
	client := routingv1.NewDecisionServiceClient(w.routing(t))
	open := func(ctx context.Context) routingv1.DecisionService_DecideClient {
		st, err := client.Decide(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	t.Run("floods and never reads", func(t *testing.T) {
		together(4, func(int) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			st := open(ctx)
			for i := 0; i < 20_000 && st.Send(quote(uint64(i%7))) == nil; i++ {
			}
		})
	})
	t.Run("sequences again and again", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		st := open(ctx)
		for range 200 {
			if err := st.Send(quote(1)); err != nil {
				t.Fatal(err)
			}
		}
		for range 200 {
			a, err := st.Recv()
			if err != nil || a.GetSequence() != 1 {
				t.Fatalf("%v %v", a, err)
			}
		}
	})
	t.Run("nothing in it", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		st := open(ctx)
		if err := st.Send(&routingv1.DecideRequest{}); err != nil {
			t.Fatal(err)
		}
		if a, err := st.Recv(); err != nil || a.GetProblem() == nil || a.GetProblem().GetMessage() == "" {
			t.Errorf("%v %v", a, err)
		}
	})
	t.Run("every temper", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		st := open(ctx)
		for i, h := range tempers() {
			request := &routingv1.DecideRequest{}
			raw, err := marshalLoose(h.fill(request.ProtoReflect().Descriptor(), 3))
			if err != nil {
				continue // a client of protobuf cannot say it
			}
			if err := unmarshalWire(raw, request); err != nil {
				continue
			}
			request.Sequence = uint64(1_000 + i)
			if err := st.Send(request); err != nil {
				t.Fatalf("%s: %v", h.name, err)
			}
			a, err := st.Recv()
			if err != nil || a.GetProblem().GetReason().String() == "REASON_INTERNAL" {
				t.Fatalf("%s: %v %v", h.name, a, err)
			}
		}
	})
	t.Run("64 MB", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		st := open(ctx)
		large := quote(1)
		large.Traceparent = strings.Repeat("a", 64*megabyte)
		_ = st.Send(large) // the answer tells
		for {
			if _, err := st.Recv(); err != nil {
				if status.Code(err) != codes.ResourceExhausted {
					t.Errorf("64 MB: %v", err)
				}
				return
			}
		}
	})
	t.Run("metadata of a megabyte", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "x-large", strings.Repeat("a", megabyte)), time.Minute)
		defer cancel()
		st, err := client.Decide(ctx)
		if err == nil {
			_, err = st.Recv()
		}
		if err == nil || status.Code(err) == codes.OK {
			t.Error("a megabyte of metadata was taken")
		}
	})
	t.Run("half closed, and gone", func(t *testing.T) {
		together(200, func(i int) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			st, err := client.Decide(ctx)
			if err != nil || st.Send(quote(uint64(i+1))) != nil {
				return
			}
			if i%2 == 0 {
				return // gone without a word
			}
			if err := st.CloseSend(); err != nil {
				t.Error(err)
			}
			if a, err := st.Recv(); err != nil || a.GetSequence() != uint64(i+1) {
				t.Errorf("half closed: %v %v", a, err)
			}
		})
	})
}

// hostileConnections speaks to the doors as no client of good faith does.
func hostileConnections(t *testing.T, w *world) {
	rest := strings.TrimPrefix(w.base, "http://")
	dial := func(addr string) net.Conn {
		conn, err := (&net.Dialer{Timeout: patience}).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	head := "POST /v1/leads HTTP/1.1\r\nHost: " + rest + "\r\nContent-Type: application/json\r\n"
	t.Run("thousands that say nothing", func(t *testing.T) {
		for range 1_500 {
			dial(rest)
			dial(w.addr)
		}
	})
	t.Run("headers and bodies without end", func(t *testing.T) {
		for i := range 100 {
			fmt.Fprint(dial(rest), head[:20+i%20])
			fmt.Fprint(dial(rest), head+"Content-Length: 4000000\r\n\r\n{")
			fmt.Fprint(dial(rest), head+"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n")
			fmt.Fprint(dial(w.addr), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
			fmt.Fprint(dial(w.addr), strings.Repeat("GET / HTTP/1.1\r\n\r\n", 100))
		}
	})
	t.Run("40 floods of 4 MB at once", func(t *testing.T) {
		large := append([]byte(`{"comments":"`), bytes.Repeat([]byte("a"), 4*megabyte-100)...)
		var codes [600]atomic.Int64
		together(40, func(int) {
			resp, err := http.Post(w.base+"/v1/leads", "application/json", io.MultiReader(bytes.NewReader(large))) //nolint:noctx // bounded by the house's own limits
			if err != nil {
				return // refused while it was sent
			}
			defer resp.Body.Close()
			codes[resp.StatusCode].Add(1)
		})
		for code := range codes {
			if n := codes[code].Load(); n > 0 && code != 400 && code != 429 {
				t.Errorf("%d were answered %d", n, code)
			}
		}
	})
	t.Run("chunks of one byte, trailers, and more than was told", func(t *testing.T) {
		for name, request := range map[string]string{
			"chunks":       head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\n \r\n", 50_000) + "0\r\n" + strings.Repeat("A: b\r\n", 100) + "\r\n",
			"long chunk":   head + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
			"extensions":   head + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("a", 100_000) + "\r\n{\r\n0\r\n\r\n",
			"smuggled":     head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n",
			"negative":     head + "Content-Length: -1\r\n\r\n",
			"huge":         head + "Content-Length: 99999999999999999999\r\n\r\n",
			"expect":       head + "Expect: 100-continue\r\nContent-Length: 20000000\r\n\r\n",
			"expect other": head + "Expect: a-miracle\r\nContent-Length: 2\r\n\r\n{}",
			"no version":   "GET /healthz\r\n\r\n",
			"version 9":    "GET /healthz HTTP/9.9\r\n\r\n",
			"garbage":      strings.Repeat("\x00\xff", 5_000) + "\r\n\r\n",
			"upgrade":      "GET /healthz HTTP/1.1\r\nHost: " + rest + "\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
			"header flood": "GET /healthz HTTP/1.1\r\nHost: " + rest + "\r\n" + strings.Repeat("X-A: b\r\n", 50_000) + "\r\n",
			"trace":        "GET /v1/codes HTTP/1.1\r\nHost: " + rest + "\r\nTraceparent: 00-" + strings.Repeat("f", 10_000) + "\r\nTracestate: " + strings.Repeat("a=b,", 2_000) + "\r\n\r\n",
			"rebound":      "POST /v1/leads HTTP/1.1\r\nHost: rebound.example\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
			"another site": head + "Origin: https://evil.example\r\nContent-Length: 2\r\n\r\n{}",
		} {
			conn := dial(rest)
			if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			go func() { _, _ = io.WriteString(conn, request) }() // it may stop listening
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err == nil {
				defer resp.Body.Close()
			}
			var timeout net.Error
			switch {
			case err != nil && errors.As(err, &timeout) && timeout.Timeout():
				t.Errorf("%s is left without an answer", name)
			case err == nil && resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented && resp.StatusCode != http.StatusHTTPVersionNotSupported:
				t.Errorf("%s was answered %d", name, resp.StatusCode)
			case err == nil && (name == "rebound" || name == "another site") && resp.StatusCode != http.StatusForbidden:
				t.Errorf("%s was answered %d", name, resp.StatusCode)
			}
		}
	})
	t.Run("a thousand requests without waiting", func(t *testing.T) {
		conn := dial(rest)
		go func() {
			_, _ = io.WriteString(conn, strings.Repeat("GET /v1/codes HTTP/1.1\r\nHost: "+rest+"\r\n\r\n", 1_000))
		}()
		r := bufio.NewReader(conn)
		for i := range 1_000 {
			resp, err := http.ReadResponse(r, nil)
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("request %d: %v", i, err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
	})
	t.Run("asks and never reads", func(t *testing.T) {
		for range 100 {
			conn := dial(rest)
			go func() {
				_, _ = io.WriteString(conn, strings.Repeat("GET /openapi.yaml HTTP/1.1\r\nHost: "+rest+"\r\n\r\n", 200))
			}()
		}
	})
	t.Run("streams opened and reset", func(t *testing.T) { rapidReset(t, w.addr) })
}
