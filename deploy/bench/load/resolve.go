package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/deploy/sample/people"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Asked is one request to resolve.
type Asked struct {
	Frame
	Truth []int // whom each of its leads is from
}

// Resolves encodes the records of a population from one place to another as requests to resolve, of
// size leads each, in the form in which Capture stores leads.
func Resolves(p *people.Population, from, to, size int) ([]Asked, error) {
	return resolves(p, from, to, size, captured)
}

func resolves(p *people.Population, from, to, size int, captured func(r *people.Record) *leadv1.Lead) ([]Asked, error) {
	var out []Asked
	for from < to {
		req := &identityv1.BatchResolveRequest{}
		var truth []int
		for ; from < to && len(req.Leads) < size; from++ {
			r := p.Record(from)
			req.Leads = append(req.Leads, captured(&r))
			truth = append(truth, r.Person)
		}
		raw, err := proto.Marshal(req)
		if err != nil {
			return nil, fmt.Errorf("encode leads to resolve: %w", err)
		}
		out = append(out, Asked{Frame{raw}, truth})
	}
	return out, nil
}

// errAnswers is more answers than leads.
var errAnswers = errors.New("more leads are answered than were sent")

// captured is what Capture makes of what somebody said.
func captured(r *people.Record) *leadv1.Lead {
	name := lead.NormalizeName(lead.Name{Given: r.Given, Middle: r.Middle, Family: r.Family, Suffix: r.Suffix})
	party := &leadv1.Party{
		Role: leadv1.PartyRole_PARTY_ROLE_PRIMARY,
		Name: &leadv1.Name{Full: name.Full, Given: name.Given, Middle: name.Middle, Family: name.Family, Suffix: name.Suffix},
		Born: r.Born,
	}
	if e := lead.ParseEmail(r.Email); r.Email != "" {
		party.Emails = []*leadv1.Email{{Address: e.Address, Valid: e.Valid}}
	}
	if f := lead.ParsePhone(r.Phone, r.Country); r.Phone != "" {
		party.Phones = []*leadv1.Phone{{Number: f.Raw, E164: f.E164, Valid: f.Valid}}
	}
	if r.Postal != "" || r.City != "" {
		party.Address = &leadv1.Address{Unit: r.Unit, City: r.City, Region: r.Region, PostalCode: r.Postal, Country: r.Country}
		if r.Street != "" {
			party.Address.Streets = []string{r.Street}
		}
	}
	at, number := timestamppb.New(r.At), fmt.Sprint(r.ID)
	return &leadv1.Lead{
		LeadId: lead.NewID([]byte("people"), number).String(), Market: r.Country, RequestedAt: at, ReceivedAt: at,
		Parties:     []*leadv1.Party{party},
		Identifiers: []*leadv1.Identifier{{Kind: leadv1.IdentifierKind_IDENTIFIER_KIND_SOURCE_LEAD, Source: "load", Value: number}},
		Consents: []*leadv1.Consent{{
			Controller: leadv1.Controller_CONTROLLER_OEM, Purpose: leadv1.Purpose_PURPOSE_MARKETING,
			Channel: leadv1.Channel_CHANNEL_EMAIL, State: leadv1.ConsentState_CONSENT_STATE_GRANTED, At: at,
		}},
	}
}

// Resolved is how a run of requests to resolve went.
type Resolved struct {
	Leads, Created int
	Took           time.Duration
	Times          []time.Duration // of each request, from when it was due or sent
	Found          []Found
}

// Found is whom a lead was found to be from.
type Found struct {
	Truth  int
	Person string
}

// Rate is leads resolved per second.
func (r Resolved) Rate() float64 { return float64(r.Leads) / r.Took.Seconds() }

// Resolve sends the requests with as many callers at once as said, as fast as they are answered; or,
// with a rate above 0, each when it is due, whatever the others do. It returns when all are answered.
func Resolve(ctx context.Context, conn *grpc.ClientConn, requests []Asked, callers int, rate float64) (Resolved, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := Resolved{Times: make([]time.Duration, len(requests))}
	var mu sync.Mutex
	var failed error
	send := func(i int, began time.Time) {
		var answer Frame
		err := conn.Invoke(ctx, identityv1.ResolveService_BatchResolve_FullMethodName, &requests[i].Frame, &answer, Frames())
		took := time.Since(began)
		mu.Lock()
		defer mu.Unlock()
		r.Times[i] = took
		if err == nil {
			err = r.add(answer.Bytes, requests[i].Truth)
		}
		if err != nil && failed == nil {
			failed = fmt.Errorf("resolve: %w", err)
			cancel()
		}
	}
	start := time.Now()
	if rate > 0 {
		if err := Pace(ctx, len(requests), rate, send); err != nil && failed == nil {
			failed = err
		}
	} else {
		var calls sync.WaitGroup
		var next atomic.Int64
		for range callers {
			calls.Go(func() {
				for i := next.Add(1) - 1; i < int64(len(requests)) && ctx.Err() == nil; i = next.Add(1) - 1 {
					send(int(i), time.Now())
				}
			})
		}
		calls.Wait()
	}
	r.Took = time.Since(start)
	return r, failed
}

func (r *Resolved) add(message []byte, truth []int) error {
	return Fields(message, func(field protowire.Number, _ uint64, result []byte) error {
		if field != 1 {
			return nil
		}
		if len(truth) == 0 {
			return errAnswers
		}
		r.Leads++
		f := Found{Truth: truth[0]}
		truth = truth[1:]
		err := Fields(result, func(field protowire.Number, number uint64, text []byte) error {
			switch field {
			case 1:
				f.Person = string(text)
			case 4:
				r.Created += int(number)
			}
			return nil
		})
		r.Found = append(r.Found, f)
		return err
	})
}
