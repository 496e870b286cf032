package identity

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

const (
	reviewPage    = 20
	maxReviewPage = 100
	sideRecords   = 20
)

// ListReviews answers pairs of persons, those that wait longest first.
func (s *Service) ListReviews(ctx context.Context, req *identityv1.ListReviewsRequest) (*identityv1.ListReviewsResponse, error) {
	page, person, err := parseReviewPage(req)
	if err != nil {
		return nil, err
	}
	resp := &identityv1.ListReviewsResponse{}
	err = s.store.Read(ctx, func(tx *postgres.Tx) error {
		if !person.IsZero() {
			p, err := personOf(ctx, tx, person)
			if err != nil {
				return err
			}
			if page.Persons, err = tx.WithJoined(ctx, p.row.ID); err != nil {
				return err
			}
		}
		rows, err := tx.Reviews(ctx, page)
		if err != nil {
			return err
		}
		if len(rows) == page.Most {
			rows = rows[:len(rows)-1]
			last := rows[len(rows)-1]
			resp.NextPageToken = reviewToken(last.CreatedAt, last.Pair)
		}
		for i := range rows {
			r, err := s.review(ctx, tx, &rows[i])
			if err != nil {
				return err
			}
			resp.Reviews = append(resp.Reviews, r)
		}
		resp.OpenCount, err = tx.OpenReviews(ctx)
		return err
	})
	return resp, err
}

func parseReviewPage(req *identityv1.ListReviewsRequest) (page postgres.ReviewPage, person lead.ID, err error) {
	var r reader
	page = postgres.ReviewPage{State: postgres.ReviewState(req.GetState()), Most: int(req.GetPageSize())}
	if page.State == 0 {
		page.State = postgres.ReviewOpen
	}
	if _, known := identityv1.ReviewState_name[int32(req.GetState())]; !known {
		r.bad("state", "must be one of the documented names")
	}
	if page.Most == 0 {
		page.Most = reviewPage
	}
	if page.Most < 1 || page.Most > maxReviewPage {
		r.bad("page_size", "must be 1 to %d", maxReviewPage)
	}
	page.Most++ // one more tells whether there is a next page
	if req.GetPersonId() != "" {
		person = r.id("person_id", req.GetPersonId())
	}
	if t := req.GetPageToken(); t != "" {
		var ok bool
		if page.After, page.Last, ok = readReviewToken(t); !ok {
			r.bad("page_token", "is none that an answer of this call held; leave it out to begin anew")
		}
	}
	return page, person, r.err()
}

func reviewToken(at time.Time, p postgres.Pair) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(slices.Concat(b, p.First[:], p.Second[:]))
}

func readReviewToken(token string) (at time.Time, p postgres.Pair, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != 40 {
		return at, p, false
	}
	micros := int64(binary.BigEndian.Uint64(b))
	if micros < 0 || micros > 1<<53 {
		return at, p, false
	}
	return time.UnixMicro(micros), postgres.Pair{First: lead.ID(b[8:24]), Second: lead.ID(b[24:])}, true
}

// reviewID names a pair.
func reviewID(p postgres.Pair) string { return p.First.String() + "_" + p.Second.String() }

func (r *reader) pair(text string) postgres.Pair {
	one, other, _ := strings.Cut(text, "_")
	first, err := lead.ParseID(one)
	second, err2 := lead.ParseID(other)
	if err != nil || err2 != nil || compareIDs(first, second) >= 0 {
		r.bad("review_id", "is none; GET /v1/reviews lists them")
	}
	return postgres.Pair{First: first, Second: second}
}

// GetReview answers one pair.
func (s *Service) GetReview(ctx context.Context, req *identityv1.GetReviewRequest) (*identityv1.GetReviewResponse, error) {
	var r reader
	pair := r.pair(req.GetReviewId())
	if err := r.err(); err != nil {
		return nil, err
	}
	resp := &identityv1.GetReviewResponse{}
	err := s.store.Read(ctx, func(tx *postgres.Tx) error {
		row, err := tx.Review(ctx, pair)
		if err != nil {
			return err
		}
		resp.Review, err = s.review(ctx, tx, &row)
		return err
	})
	return resp, err
}

// review writes a pair as its caller may see it.
func (s *Service) review(ctx context.Context, tx *postgres.Tx, q *postgres.QueuedReview) (*identityv1.Review, error) {
	reasons := readReasons(q.Reasons)
	r := &identityv1.Review{
		ReviewId: reviewID(q.Pair), State: identityv1.ReviewState(q.State), WeightMillibits: q.Weight, ProbabilityPpm: q.Probability,
		Reasons: reasonWords(reasons), Evidence: matchReasons(reasons), RecordId: q.RecordID.String(), Parameters: q.Parameters,
		CreatedAt: leadconv.Time(q.CreatedAt), ClosedAt: leadconv.Time(q.ClosedAt),
	}
	var err error
	if r.One, err = s.side(ctx, tx, q.First); err != nil {
		return nil, err
	}
	if r.Other, err = s.side(ctx, tx, q.Second); err != nil {
		return nil, err
	}
	if q.State == postgres.ReviewSame || q.State == postgres.ReviewDifferent {
		decisions, err := tx.DecisionsAbout(ctx, []lead.ID{q.First})
		if err != nil {
			return nil, err
		}
		var last time.Time
		for _, d := range decisions {
			if d.OtherID == q.Second && d.DecidedAt.After(last) {
				last, r.DecidedBy, r.Note = d.DecidedAt, d.By, d.Why
			}
		}
	}
	return r, nil
}

func (s *Service) side(ctx context.Context, tx *postgres.Tx, id lead.ID) (*identityv1.ReviewSide, error) {
	p, err := personOf(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	golden, err := p.readGolden()
	if err != nil {
		return nil, err
	}
	ids, err := tx.WithJoined(ctx, p.row.ID)
	if err != nil {
		return nil, err
	}
	records, err := tx.Records(ctx, ids, sideRecords)
	if err != nil {
		return nil, err
	}
	n, err := tx.CountRecords(ctx, ids)
	if err != nil {
		return nil, err
	}
	side := &identityv1.ReviewSide{PersonId: p.row.ID.String(), Party: leadconv.PartyToProto(golden), RecordCount: int32(n)}
	for _, r := range records {
		t, err := s.readTold(r, p.facts.IDs)
		if err != nil {
			return nil, err
		}
		side.Records = append(side.Records, t.link())
	}
	if c := rpc.CallerFrom(ctx); c.Has(rpc.RoleMOPS) && !c.Has(rpc.RoleOEM) && !c.Has(rpc.RoleOps) {
		maskParty(side.Party)
		for _, r := range side.Records {
			maskRecord(r)
		}
	}
	return side, nil
}

// ConfirmReview decides that both are one person and merges them.
func (s *Service) ConfirmReview(ctx context.Context, req *identityv1.ConfirmReviewRequest) (*identityv1.ConfirmReviewResponse, error) {
	var r reader
	pair, by := r.pair(req.GetReviewId()), r.edit(ctx, req.GetNote())
	if err := r.err(); err != nil {
		return nil, err
	}
	resp := &identityv1.ConfirmReviewResponse{}
	err := s.store.Write(ctx, func(tx *postgres.Tx) error {
		if _, err := tx.Review(ctx, pair); err != nil {
			return err
		}
		if err := tx.CloseReviews(ctx, pair, nil, nil, postgres.ReviewSame, s.deps.Now()); err != nil {
			return err
		}
		merged, err := s.mergeTwo(ctx, tx, pair.First, pair.Second, by)
		if err != nil {
			return err
		}
		resp.PersonId, resp.MergeId = merged.GetPersonId(), merged.GetMergeId()
		return nil
	})
	return resp, err
}

// RejectReview decides that both are different persons.
func (s *Service) RejectReview(ctx context.Context, req *identityv1.RejectReviewRequest) (*identityv1.RejectReviewResponse, error) {
	var r reader
	pair, by := r.pair(req.GetReviewId()), r.edit(ctx, req.GetNote())
	if err := r.err(); err != nil {
		return nil, err
	}
	err := s.store.Write(ctx, func(tx *postgres.Tx) error {
		row, err := tx.Review(ctx, pair)
		if err != nil {
			return err
		}
		if row.State == postgres.ReviewDifferent {
			return nil // asked for again
		}
		w, err := s.loadPeople(ctx, tx, s.deps.Now(), sought{persons: []lead.ID{pair.First, pair.Second}})
		if err != nil {
			return err
		}
		one, other := w.byID[pair.First].root().row.ID, w.byID[pair.Second].root().row.ID
		if one == other {
			return problem.New(problemv1.Reason_REASON_WRONG_STATE, "both are one person by now; take the merge back with POST /v1/persons/%s:split", one)
		}
		ones, err := tx.WithJoined(ctx, one)
		if err != nil {
			return err
		}
		others, err := tx.WithJoined(ctx, other)
		if err != nil {
			return err
		}
		if err := tx.CloseReviews(ctx, pair, ones, others, postgres.ReviewDifferent, w.changes.At); err != nil {
			return err
		}
		return tx.Decide(ctx, pair, false, by.actor, by.note, w.changes.At)
	})
	if err != nil {
		return nil, err
	}
	return &identityv1.RejectReviewResponse{}, nil
}
