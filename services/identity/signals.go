package identity

import (
	"context"
	"slices"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/signal"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// maxSignals is how many signals one call may create.
const maxSignals = 5_000

// arrival is one signal on its way to a person.
type arrival struct {
	statement
	place   int // in the request
	key     lead.ID
	signal  signal.Signal
	raw     []byte // the signal as it came
	body    []byte // what it says of its person, as records keep it
	problem *problem.Error
}

// byVehicle reports that only a vehicle names the signal's person.
func (a *arrival) byVehicle() bool {
	r := &a.record
	return len(r.VINs) > 0 && len(r.IDs)+len(r.Emails)+len(r.Phones)+len(r.Names)+len(r.Companies) == 0
}

// vehicle is the VIN of the person's vehicle that the signal is about; "" when it is about none.
func (a *arrival) vehicle() string {
	if len(a.record.VINs) == 0 {
		return ""
	}
	return a.signal.VIN
}

// BatchCreateSignals notes signals, durably. Signals that can not be taken are named one by one and
// do not hinder the others.
func (s *Service) BatchCreateSignals(ctx context.Context, req *identityv1.BatchCreateSignalsRequest) (*identityv1.BatchCreateSignalsResponse, error) {
	s.matching.begin(ctx, s.store)
	arrivals, err := s.parseSignals(ctx, req)
	if err != nil {
		return nil, err
	}
	resp := &identityv1.BatchCreateSignalsResponse{}
	var sound []*arrival
	for _, a := range arrivals {
		if a.problem == nil {
			sound = append(sound, a)
		}
	}
	if len(sound) > 0 {
		if err := s.take(ctx, sound, resp); err != nil {
			return nil, err
		}
	}
	for _, a := range arrivals {
		if a.problem != nil {
			resp.Problems = append(resp.Problems, &identityv1.SignalProblem{Index: int32(a.place), Problem: a.problem.Proto()})
		}
	}
	return resp, nil
}

// take notes signals in one transaction and counts them.
func (s *Service) take(ctx context.Context, arrivals []*arrival, resp *identityv1.BatchCreateSignalsResponse) error {
	half := s.halfLives()
	var w *people
	err := s.store.WritePiped(ctx, func(tx *postgres.Tx) error {
		resp.Accepted, resp.Duplicates = 0, 0
		keys, ids := make([][]key, 0, len(arrivals)), make([]lead.ID, 0, len(arrivals))
		var accounts []lead.ID
		var vins []string
		for _, a := range arrivals {
			a.problem = nil
			keys, ids = append(keys, a.keys), append(ids, a.key)
			accounts = append(accounts, a.accountKeys...)
			vins = append(vins, a.vehicle())
		}
		if err := tx.Lock(ctx, postgres.Locks{Buckets: buckets(append(accounts, ids...), keys...)}); err != nil {
			return err
		}
		seen, err := tx.Seen(ctx, ids)
		if err != nil {
			return err
		}
		if w, err = s.loadPeople(ctx, tx, s.deps.Now(), sought{keys: keys}); err != nil {
			return err
		}
		if err := w.loadAccounts(ctx, tx, accounts); err != nil {
			return err
		}
		if err := w.loadSales(ctx, tx, vins); err != nil {
			return err
		}
		// Who is known by a vehicle only may be named by another signal of the batch.
		for _, vehicles := range [...]bool{false, true} {
			for _, a := range arrivals {
				if a.byVehicle() != vehicles {
					continue
				}
				if seen[a.key] {
					resp.Duplicates++
					continue
				}
				taken, err := w.take(a, half)
				if err != nil {
					return err
				}
				if taken {
					seen[a.key] = true
					resp.Accepted++
				}
			}
		}
		if err := w.settle(ctx, tx, s, half); err != nil {
			return err
		}
		return w.write(ctx, tx)
	})
	if err == nil {
		s.metrics.note(ctx, w)
	}
	return err
}

// halfLives are those of the active playbook, else the default ones.
func (s *Service) halfLives() *signal.HalfLives {
	if half := s.deps.HalfLives(); half != nil {
		return half
	}
	return &signal.HalfLives{}
}

// take links one signal to its person and applies it. It reports false, and says why in the
// arrival, when the signal can not be taken.
func (w *people) take(a *arrival, half *signal.HalfLives) (bool, error) {
	var l link
	if a.byVehicle() {
		keepers := w.keepers(a.signal.VIN)
		if len(keepers) == 0 {
			a.problem = problem.Invalid(problem.Violation{Field: a.field("vin"),
				Description: "nobody is known to own this vehicle; send an identifier or the party, or send the sale first"})
			return false, nil
		}
		if l.person = w.buyer(a.signal.VIN, a.signal.At); l.person == nil {
			l.person = keepers[0]
		}
	} else {
		if !slices.ContainsFunc(a.keys, func(k key) bool { return !w.common(k.hashed) }) {
			// Somebody new each time would be nobody who is ever found again.
			a.problem = problem.Invalid(problem.Violation{Field: a.field("identifiers"),
				Description: "so many persons share these identifiers and contact points that they name nobody; send one of the person's own"})
			return false, nil
		}
		var err error
		if l, err = w.find(&a.statement); err != nil {
			return false, err
		}
		if l.created || l.person.facts.Adds(&a.record) {
			if err := w.learn(&l, &a.statement, lead.ID{}, a.body); err != nil {
				return false, err
			}
		}
	}
	p := l.person
	if vin := a.vehicle(); vin != "" {
		if a.signal.Kind == lead.SignalKindVehicleSold {
			w.sell(vin, a.signal.At, p, a.signal.DealerID)
		}
		a.signal.Past = w.past(vin, p, a.signal.At)
		// A signal that names nobody tells nothing of who has the vehicle, and whose it is does not
		// change any more unless a sale becomes known that lies between.
		if (!a.byVehicle() || w.buyer(vin, a.signal.At) == nil) && len(w.keepers(vin)) > 1 {
			w.unsettle(vin)
		}
	}
	profile, err := p.readProfile()
	if err != nil {
		return false, err
	}
	if err := signal.Apply(profile, a.signal, half); err != nil {
		return false, err // parsing has refused what Apply refuses
	}
	p.dirty = true
	w.changes.Signals = append(w.changes.Signals, postgres.Signal{
		PersonID: p.row.ID, Key: a.key, OccurredAt: a.signal.At, Kind: a.signal.Kind, Body: a.raw,
	})
	return true, nil
}

// latest is how far ahead of our clock a sender's may run.
const latest = 24 * time.Hour
