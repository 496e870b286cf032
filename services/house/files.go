package house

import (
	"context"
	"time"

	"github.com/leadmesh/leadmesh/services/internal/mesh"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/internal/telemetry"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// doors are what listeners and connections are secured with.
type doors struct {
	tokens       *rpc.Tokens
	public, mesh *rpc.Certificates // nil: plain text; no connections between processes
}

// openDoors reads the tokens and certificates of the configuration and follows their files.
func (h *House) openDoors() (doors, error) {
	h.files = rpc.NewReloader(h.tel.Log)
	d := doors{tokens: rpc.OpenTokens()}
	var err error
	if h.cfg.Tokens != "" {
		if d.tokens, err = h.files.Tokens(h.cfg.Tokens); err != nil {
			return d, err
		}
	}
	if h.cfg.TLSCert != "" {
		if d.public, err = h.files.Certificates("public certificate", h.cfg.TLSCert, h.cfg.TLSKey, ""); err != nil {
			return d, err
		}
	}
	if h.cfg.MeshCert != "" {
		if d.mesh, err = h.files.Certificates("mesh certificate", h.cfg.MeshCert, h.cfg.MeshKey, h.cfg.MeshCA); err != nil {
			return d, err
		}
	}
	return d, h.measureDoors(d)
}

// measureDoors makes visible which files on disk are not in force, and when certificates end.
func (h *House) measureDoors(d doors) error {
	what := attribute.Key("what")
	_, err := h.tel.Meter.Int64ObservableGauge(telemetry.MetricFilesStale,
		metric.WithDescription("1 while a changed file of tokens or certificates cannot be used and what was read before stays in force."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			stale := h.files.Stale()
			for _, name := range h.files.Names() {
				var n int64
				if stale[name] != nil {
					n = 1
				}
				o.Observe(n, metric.WithAttributes(what.String(name)))
			}
			return nil
		}))
	if err != nil {
		return err
	}
	_, err = h.tel.Meter.Float64ObservableGauge(telemetry.MetricCertificateRest, metric.WithUnit("s"),
		metric.WithDescription("Time until the certificate in force ends."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			for name, c := range map[string]*rpc.Certificates{"public certificate": d.public, "mesh certificate": d.mesh} {
				if c != nil {
					o.Observe(time.Until(c.Expiry()).Seconds(), metric.WithAttributes(what.String(name)))
				}
			}
			return nil
		}))
	return err
}

// followFiles adds the loop that takes changed files up.
func (h *House) followFiles() {
	h.host.Add(mesh.Service{Name: "files", Run: h.files.Run})
}
