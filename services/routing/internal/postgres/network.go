package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
	"google.golang.org/protobuf/proto"
)

// NetworkRows are the rows of one revision of the network.
type NetworkRows struct {
	Revision    string
	Dealers     []*routingv1.Dealer // by id
	Territories []routing.Territory // whole days in UTC
	Programs    []ProgramRow        // by code
	Catalogue   []*routingv1.CatalogueModel
	Points      []routing.PostalPoint
	Webhooks    []WebhookTarget // those that are enabled; imports leave them alone
}

// ProgramRow is a program as its file gives it.
type ProgramRow struct {
	Code, Name         string
	AppliesTo          string // conditions joined by |: powertrain:CODE, model:CODE or fleet
	Mandatory          bool
	Fallback           string
	ValidFrom, ValidTo string // days, both inclusive; empty is open
}

// Program reads the row as routing wants it. Conditions are checked when they are imported.
func (r *ProgramRow) Program() routing.Program {
	p := routing.Program{Code: r.Code, Mandatory: r.Mandatory, Valid: Days(r.ValidFrom, r.ValidTo, time.UTC)}
	for condition := range strings.SplitSeq(r.AppliesTo, "|") {
		kind, value, _ := strings.Cut(strings.TrimSpace(condition), ":")
		switch kind {
		case "fleet":
			p.Fleet = true
		case "powertrain":
			if v, ok := lead.ParsePowertrain(value); ok {
				p.Powertrains = append(p.Powertrains, v)
			}
		case "model":
			p.Models = append(p.Models, value)
		}
	}
	p.Fallback, _ = routing.ParseFallback(r.Fallback)
	return p
}

// NetworkRevision is the revision of the network now; "0" before anything was imported.
func (s *Store) NetworkRevision(ctx context.Context) (string, error) {
	row, err := s.q.NetworkRevision(ctx)
	if err != nil {
		return "", edge("read the network's revision", err)
	}
	return strconv.FormatInt(row.Revision, 10), nil
}

// Network reads the whole network as of one moment.
func (s *Store) Network(ctx context.Context) (*NetworkRows, error) {
	rows := &NetworkRows{}
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		return rows.read(ctx, s.q.WithTx(tx))
	})
	if err != nil {
		return nil, edge("read the network", err)
	}
	return rows, nil
}

func (n *NetworkRows) read(ctx context.Context, q *db.Queries) error {
	revision, err := q.NetworkRevision(ctx)
	if err != nil {
		return err
	}
	n.Revision = strconv.FormatInt(revision.Revision, 10)
	dealers, err := q.Dealers(ctx)
	if err != nil {
		return err
	}
	n.Dealers = make([]*routingv1.Dealer, 0, len(dealers))
	for _, row := range dealers {
		d := &routingv1.Dealer{}
		if err := proto.Unmarshal(row.Dealer, d); err != nil {
			return fmt.Errorf("decode dealer %s: %w", row.DealerID, err)
		}
		n.Dealers = append(n.Dealers, d)
	}
	programs, err := q.Programs(ctx)
	if err != nil {
		return err
	}
	for _, row := range programs {
		n.Programs = append(n.Programs, ProgramRow{
			Code: row.Program, Name: row.Name, AppliesTo: row.AppliesTo, Mandatory: row.Mandatory, Fallback: row.Fallback,
			ValidFrom: dayText(row.ValidFrom), ValidTo: dayText(row.ValidTo),
		})
	}
	models, err := q.Catalogue(ctx)
	if err != nil {
		return err
	}
	for _, row := range models {
		m := &routingv1.CatalogueModel{}
		if err := proto.Unmarshal(row.Model, m); err != nil {
			return fmt.Errorf("decode model %s: %w", row.ModelCode, err)
		}
		n.Catalogue = append(n.Catalogue, m)
	}
	webhooks, err := q.EnabledWebhooks(ctx)
	if err != nil {
		return err
	}
	for _, row := range webhooks {
		n.Webhooks = append(n.Webhooks, WebhookTarget{row.WebhookID, row.DealerID, lead.Department(row.Department), EndpointKind(row.Kind)})
	}
	return n.readLong(ctx, q)
}

// readLong reads the long tables from their one-piece form where there is one, else by rows.
func (n *NetworkRows) readLong(ctx context.Context, q *db.Queries) error {
	blobs, err := q.NetworkBlobs(ctx)
	if err != nil {
		return err
	}
	haveTerritories, havePoints := false, false
	for _, b := range blobs {
		switch b.Kind {
		case blobTerritory:
			n.Territories, haveTerritories = unpackTerritories(b.Body)
		case blobPostal:
			n.Points, havePoints = unpackPoints(b.Body)
		}
	}
	if !haveTerritories {
		if n.Territories, err = territoryRows(ctx, q); err != nil {
			return err
		}
	}
	if !havePoints {
		if n.Points, err = pointRows(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func territoryRows(ctx context.Context, q *db.Queries) ([]routing.Territory, error) {
	rows, err := q.Territories(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]routing.Territory, 0, len(rows))
	for _, row := range rows {
		t := routing.Territory{Country: row.Country, Postal: row.PostalCode, Brand: row.Brand, Dealer: row.DealerID}
		t.Valid.From = row.ValidFrom.Time.Unix()
		if row.ValidTo.Valid {
			t.Valid.To = row.ValidTo.Time.AddDate(0, 0, 1).Unix()
		}
		out = append(out, t)
	}
	return out, nil
}

func pointRows(ctx context.Context, q *db.Queries) ([]routing.PostalPoint, error) {
	rows, err := q.PostalPoints(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]routing.PostalPoint, 0, len(rows))
	for _, row := range rows {
		out = append(out, routing.PostalPoint{
			Country: row.Country, Postal: row.PostalCode, Region: row.Region, Latitude: row.Latitude, Longitude: row.Longitude,
		})
	}
	return out, nil
}

// Days reads a span of whole days in a zone, both inclusive; an empty end is open. Days are checked
// when they are imported: one that cannot be read counts as open.
func Days(from, to string, zone *time.Location) routing.Span {
	var s routing.Span
	if t, err := time.ParseInLocation(time.DateOnly, from, zone); err == nil {
		s.From = t.Unix()
	}
	if t, err := time.ParseInLocation(time.DateOnly, to, zone); err == nil {
		s.To = t.AddDate(0, 0, 1).Unix()
	}
	return s
}
