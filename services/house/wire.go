package house

import (
	"context"
	"fmt"
	"runtime"

	"github.com/leadmesh/leadmesh/core/governance"
	"github.com/leadmesh/leadmesh/core/signal"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
	"github.com/leadmesh/leadmesh/services/capture"
	"github.com/leadmesh/leadmesh/services/feedback"
	"github.com/leadmesh/leadmesh/services/gateway"
	"github.com/leadmesh/leadmesh/services/identity"
	"github.com/leadmesh/leadmesh/services/internal/mesh"
	"github.com/leadmesh/leadmesh/services/internal/playbookfeed"
	"github.com/leadmesh/leadmesh/services/internal/stream"
	"github.com/leadmesh/leadmesh/services/postbox"
	"github.com/leadmesh/leadmesh/services/routing"
	"github.com/leadmesh/leadmesh/services/scoring"
	"google.golang.org/grpc"
)

// decideStreams bounds the streams by which Capture asks for decisions: each is decided on by one
// processor of Routing's at a time.
const decideStreams = 4

// wire makes the services this process runs and connects them.
func (h *House) wire(ctx context.Context) error {
	steps := []struct {
		service string
		make    func(context.Context) error
	}{
		{Scoring, h.wireScoring}, {Feedback, h.wireFeedback}, {Identity, h.wireIdentity}, {Routing, h.wireRouting}, {Capture, h.wireCapture},
	}
	for _, step := range steps {
		if !h.cfg.runs(step.service) {
			continue
		}
		if err := step.make(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.service, err)
		}
	}
	return nil
}

func (h *House) wireScoring(ctx context.Context) error {
	pool, err := h.pool(ctx, Scoring)
	if err != nil {
		return err
	}
	cases, err := h.host.Conn(Scoring, Routing)
	if err != nil {
		return err
	}
	names := newDirectory(routingv1.NewCaseServiceClient(cases), h.tel.Log)
	deps := scoring.Deps{
		Pool: pool, Model: names.catalogueModel, Past: routingv1.NewCaseServiceClient(cases), Receipts: routingv1.NewCaseServiceClient(cases),
		Cares: routingv1.NewCaseServiceClient(cases), Tel: h.tel, Now: h.cfg.Now,
	}
	if h.cfg.reaches(Identity) { // else this process scores as it did before anybody scored everybody
		persons, err := h.host.Conn(Scoring, Identity)
		if err != nil {
			return err
		}
		deps.Profiles = identityv1.NewProfileServiceClient(persons)
	}
	s, err := scoring.New(scoring.Config{Models: h.cfg.Models, RescoreAt: h.cfg.RescoreAt}, deps)
	if err != nil {
		return err
	}
	h.scoring = s
	h.host.Add(mesh.Service{Name: Scoring + ".directory", Run: names.run})
	h.host.Add(mesh.Service{
		Name: Scoring,
		Public: func(r grpc.ServiceRegistrar) {
			scoringv1.RegisterScoringServiceServer(r, s)
			scoringv1.RegisterModelServiceServer(r, s)
			scoringv1.RegisterModelReportServiceServer(r, s)
			scoringv1.RegisterRescoringServiceServer(r, s)
		},
		Internal: func(r grpc.ServiceRegistrar) { scoringv1.RegisterSnapshotServiceServer(r, s) },
		Health:   s.Health, Run: s.Run,
	})
	return nil
}

func (h *House) wireFeedback(ctx context.Context) error {
	pool, err := h.pool(ctx, Feedback)
	if err != nil {
		return err
	}
	cases, err := h.host.Conn(Feedback, Routing)
	if err != nil {
		return err
	}
	s, err := feedback.New(feedback.Config{}, feedback.Deps{Pool: pool, Cases: routingv1.NewCaseServiceClient(cases), Log: h.tel.Log, Now: h.cfg.Now})
	if err != nil {
		return err
	}
	h.host.Add(mesh.Service{
		Name:     Feedback,
		Public:   func(r grpc.ServiceRegistrar) { feedbackv1.RegisterFeedbackServiceServer(r, s) },
		Internal: func(r grpc.ServiceRegistrar) { feedbackv1.RegisterEventServiceServer(r, s) },
		Health:   s.Health, Run: s.Run, Drain: s.Drain,
	})
	return nil
}

// playbooks follows the active playbook for one service.
func (h *House) playbooks(service string) (*playbookfeed.Feed, error) {
	conn, err := h.host.Conn(service, Scoring)
	if err != nil {
		return nil, err
	}
	feed := playbookfeed.New(scoringv1.NewSnapshotServiceClient(conn), h.tel.Log)
	h.host.Add(mesh.Service{Name: service + ".playbook", Run: feed.Run, Health: feed.Health})
	return feed, nil
}

func (h *House) wireIdentity(ctx context.Context) error {
	pool, err := h.pool(ctx, Identity)
	if err != nil {
		return err
	}
	feed, err := h.playbooks(Identity)
	if err != nil {
		return err
	}
	cases, err := h.host.Conn(Identity, Routing)
	if err != nil {
		return err
	}
	names := newDirectory(routingv1.NewCaseServiceClient(cases), h.tel.Log)
	h.names = names
	s, err := identity.New(identity.Config{}, identity.Deps{
		Pool: pool, Tel: h.tel, Now: h.cfg.Now, DealerID: names.dealerID, Model: names.model, Owners: owners(routingv1.NewCaseServiceClient(cases)),
		HalfLives: func() *signal.HalfLives {
			if now := feed.Current(); now != nil {
				return &now.Playbook.HalfLives
			}
			return &signal.HalfLives{}
		},
	})
	if err != nil {
		return err
	}
	h.host.Add(mesh.Service{Name: Identity + ".directory", Run: names.run})
	h.host.Add(mesh.Service{
		Name: Identity,
		Public: func(r grpc.ServiceRegistrar) {
			identityv1.RegisterIdentityServiceServer(r, s)
			identityv1.RegisterReviewServiceServer(r, s)
			identityv1.RegisterMatchingServiceServer(r, s)
		},
		Internal: func(r grpc.ServiceRegistrar) {
			identityv1.RegisterResolveServiceServer(r, s)
			identityv1.RegisterProfileServiceServer(r, s)
		},
		Health: s.Health, Run: s.Run,
	})
	return nil
}

func (h *House) wireRouting(ctx context.Context) error {
	pool, err := h.pool(ctx, Routing)
	if err != nil {
		return err
	}
	feed, err := h.playbooks(Routing)
	if err != nil {
		return err
	}
	shadows, err := h.host.Conn(Routing, Scoring)
	if err != nil {
		return err
	}
	events, err := h.host.Conn(Routing, Feedback)
	if err != nil {
		return err
	}
	persons, err := h.host.Conn(Routing, Identity)
	if err != nil {
		return err
	}
	s, err := routing.New(routing.Config{
		Window: h.cfg.Window, Webhooks: routing.WebhookConfig{
			AllowPrivate: h.cfg.AllowPrivateWebhooks, Provider: h.cfg.ADFProvider, Mail: h.cfg.Mail,
		},
	}, routing.Deps{
		Pool: pool, Playbook: feed, Shadows: scoringv1.NewSnapshotServiceClient(shadows), Events: feedbackv1.NewEventServiceClient(events), Identity: identityv1.NewResolveServiceClient(persons), Tel: h.tel, Now: h.cfg.Now,
	})
	if err != nil {
		return err
	}
	h.routing = s
	h.host.Add(mesh.Service{
		Name: Routing,
		Public: func(r grpc.ServiceRegistrar) {
			routingv1.RegisterRoutingServiceServer(r, s)
			routingv1.RegisterDecisionServiceServer(r, s)
		},
		Internal: func(r grpc.ServiceRegistrar) { routingv1.RegisterCaseServiceServer(r, s) },
		Health:   s.Health, Run: s.Run, Drain: s.Drain,
	})
	return nil
}

func (h *House) wireCapture(ctx context.Context) error {
	pool, err := h.pool(ctx, Capture)
	if err != nil {
		return err
	}
	feed, err := h.playbooks(Capture)
	if err != nil {
		return err
	}
	var conns [3]grpc.ClientConnInterface
	for i, to := range []string{Identity, Routing, Feedback} {
		if conns[i], err = h.host.Conn(Capture, to); err != nil {
			return err
		}
	}
	names := newDirectory(routingv1.NewCaseServiceClient(conns[1]), h.tel.Log)
	decide := stream.NewClient(routingv1.NewDecisionServiceClient(conns[1]), min(runtime.GOMAXPROCS(0), decideStreams))
	h.closers = append(h.closers, func(context.Context) error { decide.Close(); return nil })
	s, err := capture.New(capture.Config{MaxInFlight: h.cfg.MaxInFlight, AnswerWithin: h.cfg.AnswerWithin}, capture.Deps{
		Pool: pool, Identity: identityv1.NewResolveServiceClient(conns[0]), Persons: identityv1.NewResolveServiceClient(conns[0]),
		Decide: decide, Cases: routingv1.NewCaseServiceClient(conns[1]), Events: feedbackv1.NewEventServiceClient(conns[2]),
		Governor: func() (*governance.Governor, string) {
			if now := feed.Current(); now != nil {
				return now.Playbook.Governor, now.Playbook.Revision
			}
			return nil, ""
		},
		DealerZone: names.dealerZone, Sources: h.sources.Current, Tel: h.tel, Now: h.cfg.Now,
	})
	if err != nil {
		return err
	}
	h.host.Add(mesh.Service{Name: Capture + ".directory", Run: names.run})
	h.host.Add(mesh.Service{
		Name:   Capture,
		Public: func(r grpc.ServiceRegistrar) { capturev1.RegisterCaptureServiceServer(r, s) },
		Health: s.Health, Run: s.Run,
	})
	return nil
}

func (h *House) openGateway(cfg mesh.Config) error {
	if !h.cfg.runs(Gateway) {
		return nil
	}
	var conns [5]grpc.ClientConnInterface
	for i, to := range []string{Capture, Identity, Scoring, Routing, Feedback} {
		c, err := h.host.Conn(Gateway, to)
		if err != nil {
			return err
		}
		conns[i] = c
	}
	g, err := gateway.New(gateway.Config{Addr: h.cfg.HTTP, TLS: cfg.PublicTLS, Tokens: cfg.Tokens, Version: h.cfg.Version, Sources: h.sources.Current}, gateway.Deps{
		Capture: conns[0], Identity: conns[1], Scoring: conns[2], Routing: conns[3], Feedback: conns[4],
		Tel: h.tel, Healthy: h.host.Healthy,
	})
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	h.gateway = g
	h.host.Add(mesh.Service{Name: Gateway, Run: g.Run, Drain: g.Drain})
	return nil
}

// openPostbox opens the door for mails, beside the gateway and, like it, for callers that Capture
// knows by name.
func (h *House) openPostbox(cfg mesh.Config) error {
	if h.cfg.SMTP == "" {
		return nil
	}
	boxes := &postbox.Mailboxes{}
	if err := h.files.Follow("mailboxes", h.cfg.Mailboxes, boxes.Use); err != nil {
		return err
	}
	conn, err := h.host.Conn(Gateway, Capture)
	if err != nil {
		return err
	}
	p, err := postbox.New(postbox.Config{Addr: h.cfg.SMTP, TLS: cfg.PublicTLS}, postbox.Deps{Capture: conn, Mailboxes: boxes, Tel: h.tel, Now: h.cfg.Now})
	if err != nil {
		return fmt.Errorf("postbox: %w", err)
	}
	h.postbox = p
	h.host.Add(mesh.Service{Name: "postbox", Run: p.Run, Drain: p.Drain})
	return nil
}
