package gateway

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// defaultConns is how many connections are held at once where Config says nothing else.
const defaultConns = 8_192

// conns bounds the connections of a server. When there are too many, the one that has been without
// a request for longest is closed, so that whoever opens thousands and asks nothing keeps nobody
// out; a new one is only turned away where all are at work. Safe for concurrent use.
type conns struct {
	max int

	mu    sync.Mutex
	all   map[net.Conn]*list.Element // nil: at work
	quiet list.List                  // of net.Conn, longest first
}

func newConns(limit int) *conns { return &conns{max: limit, all: map[net.Conn]*list.Element{}} }

// changed is the server's ConnState.
func (c *conns) changed(conn net.Conn, state http.ConnState) {
	if victim := c.note(conn, state); victim != nil {
		_ = victim.Close() // that it is closed already is as good
	}
}

func (c *conns) note(conn net.Conn, state http.ConnState) (victim net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.all[conn]; at != nil {
		c.quiet.Remove(at)
		c.all[conn] = nil
	}
	switch state {
	case http.StateClosed, http.StateHijacked:
		delete(c.all, conn)
	case http.StateActive:
		c.all[conn] = nil
	default: // new or idle
		if state == http.StateNew && len(c.all) >= c.max {
			victim = conn
			if oldest := c.quiet.Front(); oldest != nil {
				victim = oldest.Value.(net.Conn)
				c.quiet.Remove(oldest)
				delete(c.all, victim)
			}
		}
		if victim != conn {
			c.all[conn] = c.quiet.PushBack(conn)
		}
	}
	return victim
}
