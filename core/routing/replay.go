package routing

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

var (
	// ErrReplay is returned for a receipt whose facts cannot have come from Choose.
	ErrReplay = errors.New("receipt cannot be replayed")
	// ErrReplayDiffers is returned by Verify when the facts of a receipt lead to another outcome
	// than the one it states.
	ErrReplayDiffers = errors.New("replay differs from the receipt")
)

// Replay decides again from the facts of a receipt alone, its outcome put aside, and returns a
// new receipt. A receipt that Choose made gives the same canonical bytes. It changes nothing in
// its argument.
func Replay(stored *Receipt) (*Receipt, error) {
	if err := stored.check(); err != nil {
		return nil, err
	}
	r := *stored
	r.Exclusions = slices.Clone(stored.Exclusions)
	r.Inputs = slices.Clone(stored.Inputs)
	r.Programs = slices.Clone(stored.Programs)
	r.Candidates = slices.Clone(stored.Candidates)
	decide(&r)
	return &r, nil
}

// Verify replays stored canonical bytes: nil when they lead to themselves, else an error that is
// ErrNotCanonical, ErrReplay or ErrReplayDiffers.
func Verify(stored []byte) error {
	r, err := ParseReceipt(stored)
	if err != nil {
		return err
	}
	again, err := Replay(r)
	if err != nil {
		return err
	}
	if !bytes.Equal(again.AppendCanonical(nil), stored) {
		return ErrReplayDiffers
	}
	return nil
}

// check refuses facts that Choose never writes. Most of it guards the arithmetic of decide,
// which has no room for numbers out of range.
func (r *Receipt) check() error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrReplay, what) }
	share := func(v int32) bool { return v >= 0 && v <= million }
	p := &r.Policy
	switch {
	case r.Rules != Rules:
		return bad("other version of the rules")
	case len(r.Candidates) > MaxCandidates:
		return bad("too many candidates")
	case len(r.Programs) > maxPrograms:
		return bad("too many requirements")
	case p.K < 1 || p.K > MaxCandidates:
		return bad("k out of range")
	case p.NormalDistance < 1 || p.KnownDistance < 0 || p.MaxDistance < 0:
		return bad("distance of the terms out of range")
	case !share(p.PerformanceCap) || !share(p.Floor) || !share(p.Equals) || !share(p.Closed) ||
		!share(p.MissingProgram) || !share(p.OtherLanguage) || !share(r.WinChance):
		return bad("share out of range")
	case r.Draw < 0 || r.Draw >= million:
		return bad("draw out of range")
	}
	for i := range r.Candidates {
		c := &r.Candidates[i]
		if c.Distance < -1 || c.Distance > maxDistance {
			return bad("distance out of range")
		}
		if c.Missing>>len(r.Programs) != 0 {
			return bad("missing program that is not required")
		}
		if i > 0 && !r.Candidates[i-1].before(c) {
			return bad("candidates out of order")
		}
	}
	return nil
}

// before is the order of candidates: by distance, then by id. Each dealer stands once.
func (x *Candidate) before(d *Candidate) bool {
	return x.Distance < d.Distance || x.Distance == d.Distance && x.Dealer < d.Dealer
}
