package rpc

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// MaxConns is how many connections a gRPC listener holds at once.
const MaxConns = 4_096

// Limit bounds the connections of a listener. When there are too many, the one from which nothing
// has come for longest is closed, so that whoever opens thousands and says nothing keeps nobody out.
func Limit(l net.Listener, most int) net.Listener {
	return &limited{Listener: l, most: most, conns: map[*heard]struct{}{}}
}

type limited struct {
	net.Listener
	most int

	mu    sync.Mutex
	conns map[*heard]struct{}
}

// Accept waits for the next connection and makes room for it.
func (l *limited) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	h := &heard{Conn: conn, of: l}
	h.last.Store(time.Now().UnixNano())
	if silent := l.add(h); silent != nil {
		_ = silent.Close() // that it is closed already is as good
	}
	return h, nil
}

// add takes a connection in and returns the one that has to go; nil if there was room.
func (l *limited) add(h *heard) (silent *heard) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) >= l.most {
		for c := range l.conns {
			if silent == nil || c.last.Load() < silent.last.Load() {
				silent = c
			}
		}
		delete(l.conns, silent)
	}
	l.conns[h] = struct{}{}
	return silent
}

// heard is a connection that knows when something last came over it.
type heard struct {
	net.Conn
	of   *limited
	last atomic.Int64 // unix nanoseconds
}

// Read reads and notes the time.
func (h *heard) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	if n > 0 {
		h.last.Store(time.Now().UnixNano())
	}
	return n, err
}

// Close closes the connection and gives its place back.
func (h *heard) Close() error {
	h.of.mu.Lock()
	delete(h.of.conns, h)
	h.of.mu.Unlock()
	return h.Conn.Close()
}
