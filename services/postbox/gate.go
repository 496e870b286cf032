package postbox

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// maxCommands is what a connection may send beside mails, in bytes, between two of them.
const maxCommands = 256 << 10

var errTalk = errors.New("more commands than a mail needs")

// gate is a listener that bounds the connections: their number, that of each sender, how long they
// live and how much they say beside mails. A sender who is slower or talks more is cut off and
// keeps its mail.
type gate struct {
	net.Listener
	s *Server

	mu   sync.Mutex
	all  int
	from map[netip.Addr]int
}

func newGate(l net.Listener, s *Server) *gate {
	return &gate{Listener: l, s: s, from: map[netip.Addr]int{}}
}

// Accept waits for a connection that has a place; the others are told to come back.
func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		sender := senderOf(addressOf(c.RemoteAddr()))
		if g.enter(sender) {
			return &gatedConn{Conn: c, until: time.Now().Add(g.s.cfg.ConnLimit), leave: sync.OnceFunc(func() { g.leave(sender) })}, nil
		}
		g.s.meters.count(context.Background(), reasonConnections)
		_ = c.SetWriteDeadline(time.Now().Add(time.Second)) // a line fits into the buffers of every connection
		_, _ = c.Write([]byte("421 4.7.0 too many connections; try again\r\n"))
		_ = c.Close()
	}
}

func (g *gate) enter(sender netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all >= g.s.cfg.MaxConns || g.from[sender] >= g.s.cfg.MaxConnsOfOne {
		return false
	}
	g.all++
	g.from[sender]++
	return true
}

func (g *gate) leave(sender netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all--
	if g.from[sender]--; g.from[sender] == 0 {
		delete(g.from, sender)
	}
}

// senderOf is what counts as one sender: an address, or a network of IPv6 as providers give them.
func senderOf(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	a = a.Unmap()
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

func addressOf(a net.Addr) net.IP {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.IP
	}
	return nil
}

// gatedConn is a connection with an end and a budget of talk.
type gatedConn struct {
	net.Conn
	until  time.Time
	leave  func()
	talk   atomic.Int64
	inMail atomic.Bool
}

// gated finds the connection under TLS.
func gated(c net.Conn) *gatedConn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	g, _ := c.(*gatedConn)
	return g
}

// begin and end stand around a mail, whose bytes have a bound of their own. Ending what was not
// begun renews no budget.
func (c *gatedConn) begin() {
	if c != nil {
		c.inMail.Store(true)
	}
}

func (c *gatedConn) end() {
	if c != nil && c.inMail.CompareAndSwap(true, false) {
		c.talk.Store(0)
	}
}

// Read counts what is said beside mails.
func (c *gatedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.inMail.Load() && c.talk.Add(int64(n)) > maxCommands {
		_ = c.Conn.Close() // the reader learns it by the error
		return 0, errTalk
	}
	return n, err
}

// SetReadDeadline never lets the connection outlive its time.
func (c *gatedConn) SetReadDeadline(t time.Time) error {
	if t.IsZero() || t.After(c.until) {
		t = c.until
	}
	return c.Conn.SetReadDeadline(t)
}

// Close gives the place back.
func (c *gatedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
