package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
)

// EndpointKind is what a push address takes.
type EndpointKind int16

// The values of EndpointKind.
const (
	KindWebhook EndpointKind = iota + 1
	KindADFHTTP
	KindADFEmail
)

// WebhookTarget is whose leads go to an enabled push address; department 0: those of every
// department that has none of its own.
type WebhookTarget struct {
	ID         string
	DealerID   string
	Department lead.Department
	Kind       EndpointKind
}

// Webhook is a push address.
type Webhook struct {
	WebhookTarget
	Address        string // URL, or mailbox for KindADFEmail
	Secret         string
	OldSecret      string // signs too until OldSecretUntil; "": none
	OldSecretUntil time.Time
	Enabled        bool
	ContentType    string // of KindADFHTTP
	Authorization  string // of KindADFHTTP; "": none
	Attachment     bool   // of KindADFEmail
	Subject        string // of KindADFEmail
	NightlyTest    bool
	TestedAt       time.Time // the last nightly test
	TestAnswer     string    // in one word
}

// Secrets are those that sign at a moment, the new one first.
func (w *Webhook) Secrets(at time.Time) []string {
	if w.OldSecret != "" && at.Before(w.OldSecretUntil) {
		return []string{w.Secret, w.OldSecret}
	}
	return []string{w.Secret}
}

// PutWebhook makes or replaces the push address of a dealer's department. One that is replaced
// keeps its identifier, and its secret if the new one is empty: made is then not used. So it keeps
// an authorization. It answers the identifier and whether made was used.
func (s *Store) PutWebhook(ctx context.Context, w Webhook, made string, at time.Time) (id string, used bool, err error) {
	err = s.editWebhooks(ctx, at, func(q *db.Queries) (bool, error) {
		secret, keep := w.Secret, false
		if secret == "" {
			_, err := q.WebhookOf(ctx, w.DealerID, int16(w.Department))
			switch {
			case errors.Is(err, pgx.ErrNoRows):
				secret = made
			case err != nil:
				return false, err
			default:
				keep = true
			}
		}
		used = secret == made
		arg := db.PutWebhookParams{
			WebhookID: w.ID, DealerID: w.DealerID, Department: int16(w.Department), Secret: secret, Enabled: w.Enabled, KeepSecret: keep,
			Kind: int16(w.Kind), ContentType: w.ContentType, Attachment: w.Attachment, Subject: w.Subject, AuthorizationValue: w.Authorization,
			NightlyTest: w.NightlyTest,
		}
		if w.Kind == KindWebhook {
			arg.Url = w.Address
		} else {
			arg.Address = w.Address
		}
		var err error
		id, err = q.PutWebhook(ctx, arg)
		return true, err
	})
	if err != nil {
		return "", false, edge("put a webhook", err)
	}
	return id, used, nil
}

// editWebhooks changes push addresses; if edit says that it did, every replica learns of it as of a
// change of the network.
func (s *Store) editWebhooks(ctx context.Context, at time.Time, edit func(q *db.Queries) (changed bool, err error)) error {
	return s.inTx(ctx, func(_ pgx.Tx, q *db.Queries) error {
		if _, err := q.LockNetwork(ctx); err != nil {
			return err
		}
		if changed, err := edit(q); err != nil || !changed {
			return err
		}
		_, err := q.TouchNetwork(ctx, stamp(at))
		return err
	})
}

// Webhook reads a push address; the problem NOT_FOUND if there is none.
func (s *Store) Webhook(ctx context.Context, id string) (*Webhook, error) {
	row, err := s.q.WebhookByID(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("webhook")
	}
	if err != nil {
		return nil, edge("read a webhook", err)
	}
	return webhookOf(row), nil
}

// Webhooks reads the push addresses of a dealer, or of all with "", by dealer and department.
func (s *Store) Webhooks(ctx context.Context, dealerID string) ([]*Webhook, error) {
	rows, err := s.q.ListWebhooks(ctx, dealerID)
	if err != nil {
		return nil, edge("list webhooks", err)
	}
	out := make([]*Webhook, 0, len(rows))
	for _, row := range rows {
		out = append(out, webhookOf(row))
	}
	return out, nil
}

func webhookOf(row db.Webhook) *Webhook {
	w := &Webhook{
		WebhookTarget: WebhookTarget{row.WebhookID, row.DealerID, lead.Department(row.Department), EndpointKind(row.Kind)},
		Address:       row.Address, Secret: row.Secret, OldSecret: row.OldSecret, OldSecretUntil: row.OldSecretUntil.Time, Enabled: row.Enabled,
		ContentType: row.ContentType, Authorization: row.AuthorizationValue, Attachment: row.Attachment, Subject: row.Subject,
		NightlyTest: row.NightlyTest, TestedAt: row.TestedAt.Time, TestAnswer: row.TestAnswer,
	}
	if row.Url != "" {
		w.Kind, w.Address = KindWebhook, row.Url
	}
	return w
}

// RotateWebhook gives a push address a new secret; the old one signs too until then.
func (s *Store) RotateWebhook(ctx context.Context, id, secret string, until, at time.Time) error {
	n, err := s.q.RotateWebhook(ctx, db.RotateWebhookParams{WebhookID: id, Secret: secret, Until: stamp(until), At: stamp(at)})
	if err == nil && n == 0 {
		return problem.NotFound("webhook")
	}
	return edge("rotate a webhook", err)
}

// DisableWebhook stops pushes to an address.
func (s *Store) DisableWebhook(ctx context.Context, id string, at time.Time) error {
	err := s.editWebhooks(ctx, at, func(q *db.Queries) (bool, error) {
		n, err := q.DisableWebhook(ctx, id)
		return n > 0, err
	})
	return edge("disable a webhook", err)
}

// DeleteWebhook removes a push address; the problem NOT_FOUND if there is none.
func (s *Store) DeleteWebhook(ctx context.Context, id string, at time.Time) error {
	err := s.editWebhooks(ctx, at, func(q *db.Queries) (bool, error) {
		n, err := q.DeleteWebhook(ctx, id)
		if err == nil && n == 0 {
			return false, problem.NotFound("webhook")
		}
		return true, err
	})
	return edge("delete a webhook", err)
}

// NightlyTests are the push addresses whose last nightly test was before then.
func (s *Store) NightlyTests(ctx context.Context, notSince time.Time) ([]WebhookTarget, error) {
	rows, err := s.q.NightlyTests(ctx, stamp(notSince))
	if err != nil {
		return nil, edge("read nightly tests", err)
	}
	out := make([]WebhookTarget, 0, len(rows))
	for _, row := range rows {
		out = append(out, WebhookTarget{ID: row.WebhookID, DealerID: row.DealerID})
	}
	return out, nil
}

// ClaimNightlyTest reports whether the caller is who tests an address this night.
func (s *Store) ClaimNightlyTest(ctx context.Context, id string, at, notSince time.Time) (bool, error) {
	_, err := s.q.ClaimNightlyTest(ctx, stamp(at), id, stamp(notSince))
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, edge("claim a nightly test", err)
}

// SetTestAnswer notes what was answered to a nightly test.
func (s *Store) SetTestAnswer(ctx context.Context, id, answer string) error {
	return edge("note a nightly test", s.q.SetTestAnswer(ctx, answer, id))
}
