// Package rpc builds the gRPC servers and clients of the house and says who may call what.
package rpc

import (
	"context"
	"slices"
	"strings"
)

// Role is what a caller may do.
type Role string

// The roles. RoleService is for the services of the house only and never given by a token.
const (
	RoleOEM     Role = "oem"
	RoleDealer  Role = "dealer"
	RoleMOPS    Role = "mops"
	RoleOps     Role = "ops"
	RoleService Role = "service"
)

// Caller is who calls.
type Caller struct {
	Name     string // the token's or the service's name; what idempotency and lead ids are scoped by
	Roles    []Role
	DealerID string // the store of a caller with RoleDealer
	Service  string // the service of a caller with RoleService
	Test     bool   // a credential whose leads are all test leads
}

// Has reports whether the caller has a role.
func (c Caller) Has(role Role) bool { return slices.Contains(c.Roles, role) }

// OnlyDealer reports whether the caller may see and move the leads of its own store only.
func (c Caller) OnlyDealer() bool {
	return c.Has(RoleDealer) && !c.Has(RoleOEM) && !c.Has(RoleOps) && !c.Has(RoleService)
}

// String is the caller as one word for logs and records.
func (c Caller) String() string {
	if c.Service != "" {
		return c.Service
	}
	return c.Name
}

type callerKey struct{}

// WithCaller returns a context that carries the caller.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller that the server's interceptors found; the zero Caller, which may
// do nothing, outside a call.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// headers that only the house itself may set
const (
	peerHeader   = "leadmesh-peer"   // in-process connections name their service here
	callerHeader = "leadmesh-caller" // the gateway and services name whom they act for
)

// encode writes a caller for callerHeader.
func (c Caller) encode() string {
	roles := make([]string, len(c.Roles))
	for i, r := range c.Roles {
		roles[i] = string(r)
	}
	test := ""
	if c.Test {
		test = "test"
	}
	return strings.Join([]string{c.Name, strings.Join(roles, ","), c.DealerID, test}, "|")
}

func decodeCaller(s string) (Caller, bool) {
	parts := strings.Split(s, "|")
	if len(parts) != 4 {
		return Caller{}, false
	}
	c := Caller{Name: parts[0], DealerID: parts[2], Test: parts[3] == "test"}
	for r := range strings.SplitSeq(parts[1], ",") {
		if r != "" && Role(r) != RoleService {
			c.Roles = append(c.Roles, Role(r))
		}
	}
	return c, true
}
