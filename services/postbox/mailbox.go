package postbox

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"go.yaml.in/yaml/v3"
)

// Mailbox is one address that takes mail, and what its leads are marked with.
type Mailbox struct {
	Address   string   `yaml:"-"`
	Source    string   `yaml:"source"`     // noted on every lead
	Provider  string   `yaml:"provider"`   // noted on leads that name none
	Dealer    string   `yaml:"dealer"`     // the store that it belongs to: as a token with dealer:ID
	Test      bool     `yaml:"test"`       // every lead is a test lead
	Networks  []string `yaml:"networks"`   // relays it takes mail from; none: any
	Domains   []string `yaml:"domains"`    // of envelope senders it takes mail from, and those below; none: any
	PerMinute int      `yaml:"per_minute"` // mails; 0: 600
	MaxBytes  int64    `yaml:"max_bytes"`  // of a mail; 0: MaxMail

	networks []netip.Prefix
	rate     *rate
}

const defaultPerMinute = 600

// Mailboxes are the mailboxes of a file; Use fills them. Safe for concurrent use, also while a
// changed file is taken up.
type Mailboxes struct {
	current atomic.Pointer[map[string]*Mailbox]
}

// Use puts the mailboxes of a file's content in force, all or none: YAML with "mailboxes", a map
// from address to what Mailbox says. What a mailbox has taken in the minute counts on.
func (m *Mailboxes) Use(raw []byte) error {
	next, err := parseMailboxes(raw)
	if err != nil {
		return err
	}
	if before := m.current.Load(); before != nil {
		for address, box := range next {
			if old := (*before)[address]; old != nil && old.PerMinute == box.PerMinute {
				box.rate = old.rate
			}
		}
	}
	m.current.Store(&next)
	return nil
}

func parseMailboxes(raw []byte) (map[string]*Mailbox, error) {
	var file struct {
		Mailboxes map[string]*Mailbox `yaml:"mailboxes"`
	}
	d := yaml.NewDecoder(strings.NewReader(string(raw)))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("mailboxes file: %w", err)
	}
	if len(file.Mailboxes) == 0 {
		return nil, errors.New("mailboxes file: no mailbox in it; write mailboxes: {leads@example.com: {source: portal}}")
	}
	boxes := make(map[string]*Mailbox, len(file.Mailboxes))
	for address, box := range file.Mailboxes {
		if box == nil {
			box = &Mailbox{}
		}
		if err := box.complete(address); err != nil {
			return nil, fmt.Errorf("mailboxes file: %s: %w", address, err)
		}
		if boxes[box.Address] != nil {
			return nil, fmt.Errorf("mailboxes file: %s stands in it twice", box.Address)
		}
		boxes[box.Address] = box
	}
	return boxes, nil
}

// complete fills in defaults and says what is wrong with a mailbox.
func (b *Mailbox) complete(address string) error {
	b.Address = strings.ToLower(strings.TrimSpace(address))
	local, domain, ok := strings.Cut(b.Address, "@")
	switch {
	case !ok || local == "" || domain == "" || strings.ContainsAny(b.Address, "<>|, \t\"") || strings.Contains(domain, "@"):
		return errors.New("is no address, such as leads@example.com")
	case strings.TrimSpace(b.Source) == "":
		return errors.New("has no source; write source: and the name that its leads are counted under")
	case strings.Contains(b.Dealer, "|"):
		return errors.New("dealer is no dealer's id")
	case b.PerMinute < 0:
		return errors.New("per_minute is below 0")
	case b.MaxBytes < 0 || b.MaxBytes > MaxMail:
		return fmt.Errorf("max_bytes is not within 1 and %d", MaxMail)
	}
	set(&b.PerMinute, defaultPerMinute)
	set(&b.MaxBytes, MaxMail)
	b.rate = &rate{}
	for _, text := range b.Networks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			one, addrErr := netip.ParseAddr(text)
			if addrErr != nil {
				return fmt.Errorf("networks: %s is no network, such as 192.0.2.0/24, and no address", text)
			}
			network = netip.PrefixFrom(one, one.BitLen())
		}
		b.networks = append(b.networks, network.Masked())
	}
	for i, d := range b.Domains {
		b.Domains[i] = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(d)), "@")
		if b.Domains[i] == "" || strings.ContainsAny(b.Domains[i], "@ /") {
			return fmt.Errorf("domains: %s is no domain, such as portal.example.com", d)
		}
	}
	return nil
}

// find returns the mailbox of an address; nil if there is none.
func (m *Mailboxes) find(address string) *Mailbox {
	boxes := m.current.Load()
	if boxes == nil {
		return nil
	}
	return (*boxes)[strings.ToLower(address)]
}

// allows reports whether the mailbox takes mail from a relay at an address for an envelope sender.
func (b *Mailbox) allows(client net.IP, from string) bool {
	if len(b.networks) > 0 {
		at, _ := netip.AddrFromSlice(client)
		at = at.Unmap()
		if !slices.ContainsFunc(b.networks, func(n netip.Prefix) bool { return n.Contains(at) }) {
			return false
		}
	}
	if len(b.Domains) == 0 {
		return true
	}
	_, domain, _ := strings.Cut(from, "@")
	return slices.ContainsFunc(b.Domains, func(d string) bool { return domain == d || strings.HasSuffix(domain, "."+d) })
}

// admit counts a mail; false if the mailbox has had its number for now.
func (b *Mailbox) admit(now time.Time) bool { return b.rate.take(now, b.PerMinute) }

// caller is who sends the leads of the mailbox: its address scopes ids, as a token's name does.
func (b *Mailbox) caller() rpc.Caller {
	c := rpc.Caller{Name: mailboxUser + b.Address, Roles: []rpc.Role{rpc.RoleOEM}, Test: b.Test}
	if b.Dealer != "" {
		c.Roles, c.DealerID = []rpc.Role{rpc.RoleDealer}, b.Dealer
	}
	return c
}

// rate lets a number of mails through in a minute, at once or spread.
type rate struct {
	mu   sync.Mutex
	left float64
	at   time.Time
}

func (r *rate) take(now time.Time, perMinute int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	full := float64(perMinute)
	if r.at.IsZero() {
		r.left = full
	} else if passed := now.Sub(r.at); passed > 0 {
		r.left = min(full, r.left+passed.Minutes()*full)
	}
	r.at = now
	if r.left < 1 {
		return false
	}
	r.left--
	return true
}
