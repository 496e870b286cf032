package rpc

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
)

// Tokens are the bearer tokens of a file. The zero value knows none; an open one lets everybody
// in, which is for loopback only. Safe for concurrent use, also while a [Reloader] takes up a
// changed file.
type Tokens struct {
	open    bool
	current atomic.Pointer[[]token]
}

type token struct {
	digest [sha256.Size]byte
	caller Caller
}

// OpenTokens returns tokens for a loopback listener without a tokens file: any caller is trusted
// with every role but that of a service.
func OpenTokens() *Tokens { return &Tokens{open: true} }

// ReadTokens reads a tokens file: a line per token, "TOKEN NAME ROLE[,ROLE...]", where a role is
// oem, mops, ops, dealer:DEALER_ID, or test (every lead of this token is a test lead); "#" begins
// a comment. Tokens have at least 24 characters.
func ReadTokens(path string) (*Tokens, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the tokens file: %w", err)
	}
	t := &Tokens{}
	return t, t.use(raw)
}

// use puts the tokens of a file's content in force.
func (t *Tokens) use(raw []byte) error {
	tokens, err := parseTokens(raw)
	if err != nil {
		return err
	}
	t.current.Store(&tokens)
	return nil
}

func parseTokens(raw []byte) ([]token, error) {
	var tokens []token
	number := 0
	for line := range strings.Lines(string(raw)) {
		number++
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("tokens file line %d: want TOKEN NAME ROLE[,ROLE...]", number)
		}
		if len(fields[0]) < 24 {
			return nil, fmt.Errorf("tokens file line %d: a token has at least 24 characters", number)
		}
		if strings.ContainsAny(fields[1], "|") {
			return nil, fmt.Errorf("tokens file line %d: a name has no |", number)
		}
		caller := Caller{Name: fields[1]}
		for role := range strings.SplitSeq(fields[2], ",") {
			name, dealer, _ := strings.Cut(role, ":")
			switch Role(name) {
			case RoleOEM, RoleMOPS, RoleOps:
				caller.Roles = append(caller.Roles, Role(name))
			case RoleDealer:
				if dealer == "" || strings.Contains(dealer, "|") {
					return nil, fmt.Errorf("tokens file line %d: write dealer:DEALER_ID", number)
				}
				caller.Roles = append(caller.Roles, RoleDealer)
				caller.DealerID = dealer
			case "test":
				caller.Test = true
			default:
				return nil, fmt.Errorf("tokens file line %d: role %q is none of oem, mops, ops, dealer:DEALER_ID, test", number, name)
			}
		}
		tokens = append(tokens, token{digest: sha256.Sum256([]byte(fields[0])), caller: caller})
	}
	if len(tokens) == 0 {
		return nil, fmt.Errorf("tokens file: no token in it")
	}
	return tokens, nil
}

// Open reports whether any caller is trusted.
func (t *Tokens) Open() bool { return t != nil && t.open }

// Caller finds the caller of an Authorization header. Comparison takes the same time for every
// wrong token.
func (t *Tokens) Caller(authorization string) (Caller, bool) {
	if t == nil {
		return Caller{}, false
	}
	if t.open {
		return Caller{Name: "local", Roles: []Role{RoleOEM, RoleMOPS, RoleOps}}, true
	}
	text, ok := strings.CutPrefix(authorization, "Bearer ")
	if !ok {
		text, ok = strings.CutPrefix(authorization, "bearer ")
	}
	if !ok {
		return Caller{}, false
	}
	digest := sha256.Sum256([]byte(strings.TrimSpace(text)))
	var found Caller
	hit := 0
	if current := t.current.Load(); current != nil {
		for i := range *current {
			if subtle.ConstantTimeCompare(digest[:], (*current)[i].digest[:]) == 1 {
				found, hit = (*current)[i].caller, 1
			}
		}
	}
	return found, hit == 1
}
