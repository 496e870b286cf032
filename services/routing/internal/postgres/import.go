package postgres

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/leadmesh/leadmesh/core/routing"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres/db"
	"google.golang.org/protobuf/proto"
)

// EditNetwork lets f make a new network from the present one, with all other changes of the network
// waiting, and stores the difference in one transaction. It answers the network's revision after
// it, which is a new one only if something differs. f must not change what it is given, may answer
// nil to change nothing, and may run again when the database asks for it.
func (s *Store) EditNetwork(ctx context.Context, at time.Time, f func(now *NetworkRows) (*NetworkRows, error)) (revision string, err error) {
	err = s.inTx(ctx, func(_ pgx.Tx, q *db.Queries) error {
		if _, err := q.LockNetwork(ctx); err != nil {
			return err
		}
		now := &NetworkRows{}
		if err := now.read(ctx, q); err != nil {
			return err
		}
		revision = now.Revision
		next, err := f(now)
		if err != nil || next == nil {
			return err
		}
		next.sort()
		changed, err := next.write(ctx, q, now)
		if err != nil || !changed {
			return err
		}
		n, err := q.TouchNetwork(ctx, stamp(at))
		revision = strconv.FormatInt(n, 10)
		return err
	})
	if err != nil {
		return "", edge("change the network", err)
	}
	return revision, nil
}

// OpenCounts answers how many open leads dealers hold; those with none are left out.
func (s *Store) OpenCounts(ctx context.Context, dealers []string) (map[string]int32, error) {
	rows, err := s.q.OpenCounts(ctx, dealers)
	if err != nil {
		return nil, edge("count open leads", err)
	}
	out := make(map[string]int32, len(rows))
	for _, row := range rows {
		out[row.DealerID] = row.Open
	}
	return out, nil
}

// Dealer reads one dealer; the problem NOT_FOUND if there is none.
func (s *Store) Dealer(ctx context.Context, id string) (*routingv1.Dealer, error) {
	raw, err := s.q.DealerByID(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("dealer")
	}
	if err != nil {
		return nil, edge("read a dealer", err)
	}
	d := &routingv1.Dealer{}
	if err := proto.Unmarshal(raw, d); err != nil {
		return nil, edge("decode a dealer", err)
	}
	return d, nil
}

func (n *NetworkRows) sort() {
	slices.SortFunc(n.Territories, func(a, b routing.Territory) int {
		return cmp.Or(cmp.Compare(a.Brand, b.Brand), cmp.Compare(a.Country, b.Country), cmp.Compare(a.Postal, b.Postal), cmp.Compare(a.Valid.From, b.Valid.From))
	})
	slices.SortFunc(n.Points, func(a, b routing.PostalPoint) int {
		return cmp.Or(cmp.Compare(a.Country, b.Country), cmp.Compare(a.Postal, b.Postal))
	})
	slices.SortFunc(n.Programs, func(a, b ProgramRow) int { return cmp.Compare(a.Code, b.Code) })
}

// write stores how n differs from what is there.
func (n *NetworkRows) write(ctx context.Context, q *db.Queries, now *NetworkRows) (changed bool, err error) {
	for _, part := range []func(context.Context, *db.Queries, *NetworkRows) (bool, error){
		n.writeDealers, n.writeCatalogue, n.writePrograms, n.writeTerritories, n.writePoints,
	} {
		some, err := part(ctx, q, now)
		if err != nil {
			return false, err
		}
		changed = changed || some
	}
	return changed, nil
}

func (n *NetworkRows) writeDealers(ctx context.Context, q *db.Queries, now *NetworkRows) (bool, error) {
	have, err := encoded(now.Dealers, (*routingv1.Dealer).GetDealerId)
	if err != nil {
		return false, err
	}
	var ids []string
	var raws [][]byte
	for _, d := range n.Dealers {
		raw, err := encode(d)
		if err != nil {
			return false, err
		}
		if !bytes.Equal(have[d.GetDealerId()], raw) {
			ids, raws = append(ids, d.GetDealerId()), append(raws, raw)
		}
		delete(have, d.GetDealerId())
	}
	if len(ids) > 0 {
		if err := q.PutDealers(ctx, ids, raws); err != nil {
			return false, err
		}
	}
	gone := make([]string, 0, len(have))
	for id := range have {
		gone = append(gone, id)
	}
	if len(gone) > 0 {
		if err := q.DeleteDealers(ctx, gone); err != nil {
			return false, err
		}
	}
	return len(ids)+len(gone) > 0, nil
}

type modelKey struct{ brand, code string }

func keyOf(m *routingv1.CatalogueModel) modelKey { return modelKey{m.GetBrand(), m.GetModelCode()} }

func (n *NetworkRows) writeCatalogue(ctx context.Context, q *db.Queries, now *NetworkRows) (bool, error) {
	have, err := encoded(now.Catalogue, keyOf)
	if err != nil {
		return false, err
	}
	var brands, codes []string
	var raws [][]byte
	for _, m := range n.Catalogue {
		raw, err := encode(m)
		if err != nil {
			return false, err
		}
		k := keyOf(m)
		if !bytes.Equal(have[k], raw) {
			brands, codes, raws = append(brands, k.brand), append(codes, k.code), append(raws, raw)
		}
		delete(have, k)
	}
	if len(raws) > 0 {
		if err := q.PutCatalogue(ctx, brands, codes, raws); err != nil {
			return false, err
		}
	}
	var goneBrands, goneCodes []string
	for k := range have {
		goneBrands, goneCodes = append(goneBrands, k.brand), append(goneCodes, k.code)
	}
	if len(goneCodes) > 0 {
		if err := q.DeleteCatalogue(ctx, goneBrands, goneCodes); err != nil {
			return false, err
		}
	}
	return len(raws)+len(goneCodes) > 0, nil
}

func (n *NetworkRows) writePrograms(ctx context.Context, q *db.Queries, now *NetworkRows) (bool, error) {
	if slices.Equal(n.Programs, now.Programs) {
		return false, nil
	}
	if err := q.DeletePrograms(ctx); err != nil {
		return false, err
	}
	rows := make([]db.InsertProgramsParams, 0, len(n.Programs))
	for _, p := range n.Programs {
		rows = append(rows, db.InsertProgramsParams{
			Program: p.Code, Name: p.Name, AppliesTo: p.AppliesTo, Mandatory: p.Mandatory, Fallback: p.Fallback,
			ValidFrom: dayOf(p.ValidFrom), ValidTo: dayOf(p.ValidTo),
		})
	}
	_, err := q.InsertPrograms(ctx, rows)
	return true, err
}

type territoryKey struct {
	brand, country, postal string
	from                   int64
}

func (n *NetworkRows) writeTerritories(ctx context.Context, q *db.Queries, now *NetworkRows) (bool, error) {
	if slices.Equal(n.Territories, now.Territories) {
		return false, nil
	}
	have := make(map[territoryKey]routing.Territory, len(now.Territories))
	for _, t := range now.Territories {
		have[territoryKey{t.Brand, t.Country, t.Postal, t.Valid.From}] = t
	}
	var add []db.InsertTerritoriesParams
	for _, t := range n.Territories {
		k := territoryKey{t.Brand, t.Country, t.Postal, t.Valid.From}
		if have[k] == t {
			delete(have, k)
			continue
		}
		row := db.InsertTerritoriesParams{Brand: t.Brand, Country: t.Country, PostalCode: t.Postal, ValidFrom: date(t.Valid.From), DealerID: t.Dealer}
		if t.Valid.To != 0 {
			row.ValidTo = date(t.Valid.To - blobDay)
		}
		add = append(add, row)
	}
	if len(have) > 0 { // gone, or in the way of what replaces them
		var arg db.DeleteTerritoriesParams
		for k := range have {
			arg.Brands, arg.Countries = append(arg.Brands, k.brand), append(arg.Countries, k.country)
			arg.PostalCodes, arg.ValidFrom = append(arg.PostalCodes, k.postal), append(arg.ValidFrom, date(k.from))
		}
		if err := q.DeleteTerritories(ctx, arg); err != nil {
			return false, err
		}
	}
	if _, err := q.InsertTerritories(ctx, add); err != nil {
		return false, err
	}
	return true, q.SetNetworkBlob(ctx, blobTerritory, packTerritories(n.Territories))
}

type pointKey struct{ country, postal string }

func (n *NetworkRows) writePoints(ctx context.Context, q *db.Queries, now *NetworkRows) (bool, error) {
	if slices.Equal(n.Points, now.Points) {
		return false, nil
	}
	have := make(map[pointKey]routing.PostalPoint, len(now.Points))
	for _, x := range now.Points {
		have[pointKey{x.Country, x.Postal}] = x
	}
	var add []db.InsertPostalParams
	for _, x := range n.Points {
		k := pointKey{x.Country, x.Postal}
		if have[k] == x {
			delete(have, k)
			continue
		}
		add = append(add, db.InsertPostalParams{Country: x.Country, PostalCode: x.Postal, Region: x.Region, Latitude: x.Latitude, Longitude: x.Longitude})
	}
	var countries, codes []string
	for k := range have {
		countries, codes = append(countries, k.country), append(codes, k.postal)
	}
	if len(codes) > 0 {
		if err := q.DeletePostal(ctx, countries, codes); err != nil {
			return false, err
		}
	}
	if _, err := q.InsertPostal(ctx, add); err != nil {
		return false, err
	}
	return true, q.SetNetworkBlob(ctx, blobPostal, packPoints(n.Points))
}

// encode writes a row so that equal rows have equal bytes.
func encode(m proto.Message) ([]byte, error) {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode a row of the network: %w", err)
	}
	return raw, nil
}

func date(unix int64) pgtype.Date {
	return pgtype.Date{Time: time.Unix(unix, 0).UTC(), Valid: true}
}

// dayOf reads a day; one that is empty is open.
func dayOf(text string) pgtype.Date {
	t, err := time.Parse(time.DateOnly, text)
	return pgtype.Date{Time: t, Valid: err == nil}
}

func dayText(d pgtype.Date) string {
	if !d.Valid {
		return ""
	}
	return d.Time.Format(time.DateOnly)
}

// encoded encodes rows by their keys.
func encoded[M proto.Message, K comparable](rows []M, key func(M) K) (map[K][]byte, error) {
	out := make(map[K][]byte, len(rows))
	for _, row := range rows {
		raw, err := encode(row)
		if err != nil {
			return nil, err
		}
		out[key(row)] = raw
	}
	return out, nil
}
