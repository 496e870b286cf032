package house

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/scoring"
	"google.golang.org/grpc"
)

// directory keeps the names of dealers and models for services that are told of them by whatever
// code a sender uses.
type directory struct {
	cases networkSource
	log   *slog.Logger
	now   atomic.Pointer[names]
}

// networkSource is the part of Routing that hands out the network.
type networkSource interface {
	GetNetwork(ctx context.Context, in *routingv1.GetNetworkRequest, opts ...grpc.CallOption) (*routingv1.GetNetworkResponse, error)
}

type names struct {
	revision  string
	dealers   map[string]string         // any code -> dealer id; "" if several share it
	stores    map[string]string         // a dealer's name -> dealer id; "" if several share it
	zones     map[string]*time.Location // by dealer id
	models    map[string]modelName
	catalogue map[[2]string]scoring.Model // by brand and model code
}

type modelName struct {
	code       string
	powertrain lead.Powertrain
}

func newDirectory(cases networkSource, log *slog.Logger) *directory {
	d := &directory{cases: cases, log: log}
	d.now.Store(&names{})
	return d
}

// loaded reports whether a network is known.
func (d *directory) loaded() bool { return d.now.Load().revision != "" }

// run follows the network, every five seconds and quicker until it has one.
func (d *directory) run(ctx context.Context) error {
	wait := 50 * time.Millisecond
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if d.refresh(ctx) {
			wait = 5 * time.Second
		} else {
			wait = min(wait*2, 500*time.Millisecond)
		}
		timer.Reset(wait)
	}
}

func (d *directory) refresh(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	resp, err := d.cases.GetNetwork(ctx, &routingv1.GetNetworkRequest{KnownRevision: d.now.Load().revision})
	if err != nil {
		d.log.LogAttrs(ctx, slog.LevelDebug, "network not known yet", slog.String("cause", err.Error()))
		return false
	}
	if resp.GetUnchanged() {
		return true
	}
	n := &names{revision: resp.GetRevision(), dealers: map[string]string{}, stores: map[string]string{}, zones: map[string]*time.Location{}, models: map[string]modelName{}, catalogue: map[[2]string]scoring.Model{}}
	for _, dealer := range resp.GetDealers() {
		for _, code := range dealer.GetCodes() {
			key := lead.Fold(code.GetCode())
			if other, taken := n.dealers[key]; taken && other != dealer.GetDealerId() {
				n.dealers[key] = "" // a guess would be somebody else's customer
				continue
			}
			n.dealers[key] = dealer.GetDealerId()
		}
	}
	for _, dealer := range resp.GetDealers() {
		n.dealers[lead.Fold(dealer.GetDealerId())] = dealer.GetDealerId()
		name := lead.Fold(dealer.GetName())
		if _, taken := n.stores[name]; taken {
			n.stores[name] = ""
		} else {
			n.stores[name] = dealer.GetDealerId()
		}
		if zone, err := time.LoadLocation(dealer.GetTimeZone()); err == nil && dealer.GetTimeZone() != "" {
			n.zones[dealer.GetDealerId()] = zone
		}
	}
	for _, m := range resp.GetCatalogue() {
		powertrain, _ := lead.ParsePowertrain(m.GetPowertrain())
		n.catalogue[[2]string{m.GetBrand(), m.GetModelCode()}] = scoring.Model{Powertrain: powertrain, Program: m.GetRequiredProgram() != ""}
		name := modelName{m.GetModelCode(), powertrain}
		for _, alias := range append([]string{m.GetModelCode(), m.GetModel()}, m.GetAliases()...) {
			n.models[lead.Fold(alias)] = name
		}
	}
	d.now.Store(n)
	return true
}

func (d *directory) dealerID(code string) (string, bool) {
	id := d.now.Load().dealers[lead.Fold(code)]
	return id, id != ""
}

// dealerZone is the zone of a dealer by the first of its names that is known; nil if none is.
func (d *directory) dealerZone(ref lead.DealerReference) *time.Location {
	n := d.now.Load()
	for _, id := range [...]string{n.dealers[lead.Fold(ref.ID)], n.dealers[lead.Fold(ref.Code)], n.stores[lead.Fold(ref.Name)]} {
		if zone := n.zones[id]; id != "" && zone != nil {
			return zone
		}
	}
	return nil
}

func (d *directory) model(name string) (string, lead.Powertrain, bool) {
	m, ok := d.now.Load().models[lead.Fold(name)]
	return m.code, m.powertrain, ok
}

func (d *directory) catalogueModel(brand, code string) (scoring.Model, bool) {
	m, ok := d.now.Load().catalogue[[2]string{brand, code}]
	return m, ok
}
