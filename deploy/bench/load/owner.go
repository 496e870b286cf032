package load

import (
	"fmt"
	"time"

	"github.com/leadmesh/leadmesh/deploy/sample/people"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Watched is [Resolves] of persons of whom half allow the manufacturer to use what it sees them do.
func Watched(p *people.Population, from, to, size int) ([]Asked, error) {
	return resolves(p, from, to, size, func(r *people.Record) *leadv1.Lead {
		l := captured(r)
		if r.Person%4 > 1 {
			l.Consents = append(l.Consents, &leadv1.Consent{
				Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose_PURPOSE_PROFILING,
				State: leadv1.ConsentState_CONSENT_STATE_GRANTED, At: l.GetRequestedAt(),
			})
		}
		return l
	})
}

// Owned encodes what persons of a population did, those with a mailbox among the records from one place
// to another, in requests of about size signals: two of three drive a car, on lease or bought, with
// visits to a workshop; half look around.
func Owned(p *people.Population, from, to, size int, now time.Time) ([]Frame, error) {
	var out []Frame
	req := &identityv1.BatchCreateSignalsRequest{}
	send := func() error {
		raw, err := proto.Marshal(req)
		if err != nil {
			return fmt.Errorf("encode signals: %w", err)
		}
		out, req = append(out, Frame{raw}), &identityv1.BatchCreateSignalsRequest{}
		return nil
	}
	for ; from < to; from++ {
		r := p.Record(from)
		if r.Email == "" {
			continue
		}
		req.Signals = append(req.Signals, owned(&r, now)...)
		if len(req.Signals) >= size {
			if err := send(); err != nil {
				return nil, err
			}
		}
	}
	if len(req.Signals) == 0 {
		return out, nil
	}
	return out, send()
}

func owned(r *people.Record, now time.Time) []*identityv1.Signal {
	party := captured(r).GetParties()[0]
	var out []*identityv1.Signal
	add := func(kind leadv1.SignalKind, days int) *identityv1.Signal {
		s := &identityv1.Signal{
			SignalId: fmt.Sprintf("%d-%d", r.ID, len(out)), Kind: kind, OccurredAt: timestamppb.New(now.AddDate(0, 0, -days)), Party: party,
		}
		out = append(out, s)
		return s
	}
	who := r.Person
	if who%3 > 0 {
		days := 100 + who%1000
		vin := fmt.Sprintf("1NV%08d%06d", who/1_000_000, who%1_000_000)
		car := add(leadv1.SignalKind_SIGNAL_KIND_VEHICLE_SOLD, days)
		if who%3 == 2 {
			car = add(leadv1.SignalKind_SIGNAL_KIND_LEASE_STARTED, days)
			car.EndsAt = timestamppb.New(now.AddDate(0, 0, 1095-days))
		}
		for _, s := range out {
			s.Vin = vin
		}
		if who%5 > 0 {
			visit := add(leadv1.SignalKind_SIGNAL_KIND_SERVICE_VISIT, days/2)
			visit.Vin, visit.Party = vin, nil
		}
	}
	if who%2 > 0 {
		for i := range 1 + who%4 {
			add([]leadv1.SignalKind{
				leadv1.SignalKind_SIGNAL_KIND_PAGE_VIEW, leadv1.SignalKind_SIGNAL_KIND_CONFIGURATOR_SAVED,
				leadv1.SignalKind_SIGNAL_KIND_FINANCE_CALCULATOR, leadv1.SignalKind_SIGNAL_KIND_RANGE_TOOL,
			}[i], 1+who%90+i)
		}
	}
	return out
}
