package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/leadmesh/leadmesh/core/identity"
	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/cursor"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"google.golang.org/protobuf/proto"
)

const (
	usualProfiles = 500
	mostProfiles  = 2000
)

// profileQuery is what ListProfiles was asked, and where it is.
type profileQuery struct {
	at     time.Time
	most   int
	bucket int16
	after  lead.ID
}

// ListProfiles answers a page of everybody. It walks the primary key: a page costs what it holds.
func (s *Service) ListProfiles(ctx context.Context, req *identityv1.ListProfilesRequest) (*identityv1.ListProfilesResponse, error) {
	q, err := s.parseProfileQuery(req)
	if err != nil {
		return nil, err
	}
	resp := &identityv1.ListProfilesResponse{ProgressPpm: 1_000_000}
	err = s.store.Read(ctx, func(tx *postgres.Tx) error {
		rows, err := tx.ProfilesAfter(ctx, q.bucket, q.after, q.most)
		if err != nil {
			return err
		}
		if len(rows) == q.most {
			last := rows[len(rows)-1].ID
			resp.NextPageToken, resp.ProgressPpm = cursor.Text(last[:]), progressAt(last)
		}
		resp.Profiles, resp.UnreadablePersonIds, err = profiles(ctx, tx, q.after, rows, q.at)
		return err
	})
	for _, id := range resp.GetUnreadablePersonIds() {
		s.deps.Tel.Log.LogAttrs(ctx, slog.LevelWarn, "what is held of a person can not be read; everybody is told without them", slog.String("person_id", id))
	}
	return resp, err
}

func (s *Service) parseProfileQuery(req *identityv1.ListProfilesRequest) (profileQuery, error) {
	q := profileQuery{at: s.deps.Now(), most: int(req.GetPageSize())}
	var wrong []problem.Violation
	if t := req.GetAt(); t != nil {
		if q.at = t.AsTime(); t.CheckValid() != nil {
			wrong = append(wrong, problem.Violation{Field: "at", Description: "is no time"})
		}
	}
	switch {
	case q.most < 0 || q.most > mostProfiles:
		wrong = append(wrong, problem.Violation{Field: "page_size", Description: fmt.Sprintf("must be 1 to %d", mostProfiles)})
	case q.most == 0:
		q.most = usualProfiles
	}
	if token := req.GetPageToken(); token != "" {
		place, ok := cursor.Bytes(token)
		if !ok || len(place) != len(q.after) {
			wrong = append(wrong, problem.Violation{Field: "page_token", Description: "is none that ListProfiles answered"})
		} else {
			q.after = lead.ID(place)
			q.bucket = q.after.Bucket()
		}
	}
	if len(wrong) > 0 {
		return q, problem.Invalid(wrong...)
	}
	return q, nil
}

// progressAt is how much of everybody stands before a person, in millionths. Within a bucket
// identifiers begin with the time, of which nobody knows where it began; the bucket is near enough.
func progressAt(id lead.ID) int32 {
	return int32(id.Bucket()) * (1_000_000 / lead.Buckets)
}

// profiles writes what is known of persons. Consent is what Capture would be told of a lead of theirs:
// the facts held of them and the revocations of whoever shares a contact point. Where it is not
// granted by the person's own facts nobody else's are read, since those can only take away. Persons
// who can not be read are named instead: nobody could ever go beyond them otherwise.
func profiles(ctx context.Context, tx *postgres.Tx, after lead.ID, rows []postgres.KnownPerson, at time.Time) (out []*identityv1.PersonProfile, unread []string, err error) {
	if len(rows) == 0 {
		return nil, nil, nil
	}
	persons := make([]person, 0, len(rows)) // never grows: byID points into it
	byID := make(map[lead.ID]*person, len(rows))
	for i := range rows {
		r := &rows[i]
		var golden leadv1.Party
		facts, err := identity.Unmarshal(r.Facts)
		if errors.Join(err, proto.Unmarshal(r.Golden, &golden)) != nil {
			unread = append(unread, r.ID.String())
			continue
		}
		persons = append(persons, person{facts: facts})
		p := &persons[len(persons)-1]
		p.row.Epoch, byID[r.ID] = r.Epoch, p
		home := golden.GetAddress()
		out = append(out, &identityv1.PersonProfile{
			PersonId: r.ID.String(), Profile: r.Profile, HasEmail: len(facts.Emails) > 0, HasPhone: len(facts.Phones) > 0,
			Country: home.GetCountry(), Region: home.GetRegion(), PostalCode: home.GetPostalCode(),
		})
	}
	held, err := tx.ConsentsBetween(ctx, after, rows[len(rows)-1].ID)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range held {
		p := byID[r.PersonID]
		if p == nil || p.row.Epoch != r.Epoch {
			continue // of somebody joined, or no longer what holds
		}
		if err := p.said(r); err != nil {
			return nil, nil, err
		}
	}
	var points []lead.ID
	for i := range persons {
		if out[i].Profiling = profiled(&persons[i], nil, at); out[i].Profiling {
			points = append(points, pointsOf(&persons[i].facts)...)
		}
	}
	_, shared, err := tx.Bearing(ctx, nil, nil, points)
	if err != nil || len(shared) == 0 {
		return out, unread, err
	}
	stops, err := readStops(shared)
	if err != nil {
		return nil, nil, err
	}
	for i := range persons {
		out[i].Profiling = out[i].Profiling && profiled(&persons[i], stops, at)
	}
	return out, unread, nil
}

// profiled reports whether the manufacturer may use tracked behaviour of a person. A fact that this
// version does not know grants nothing.
func profiled(p *person, stops map[lead.ID][]fact, at time.Time) bool {
	var facts []lead.Consent
	for _, pb := range bearing(p, nil, stops) {
		if pb.GetPurpose() != leadv1.Purpose_PURPOSE_PROFILING && pb.GetPurpose() != leadv1.Purpose_PURPOSE_UNSPECIFIED {
			continue
		}
		c, wrong := leadconv.ConsentFromProto("", pb)
		if len(wrong) > 0 {
			return false
		}
		facts = append(facts, c)
	}
	return lead.MayUse(facts, lead.ConsentKey{Controller: lead.ControllerOEM, Purpose: lead.PurposeProfiling}, at)
}
