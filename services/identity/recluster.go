package identity

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/leadmesh/leadmesh/core/lead"
	identityv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/identity/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/identity/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

const (
	maxReclusters = 100
	sampleSteps   = 10 // of each kind
)

// StartReclustering begins to find out what a revision would change.
func (s *Service) StartReclustering(ctx context.Context, req *identityv1.StartReclusteringRequest) (*identityv1.StartReclusteringResponse, error) {
	var r reader
	by := r.edit(ctx, req.GetNote())
	if req.GetRevision() == "" {
		r.bad("revision", "is required; GET /v1/match-parameters lists them")
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	started := &postgres.Recluster{
		ID: newRandomID(), Revision: req.GetRevision(), State: postgres.ReclusterReporting, StartedBy: by.actor, Note: by.note,
		StartedAt: s.deps.Now(), UpdatedAt: s.deps.Now(),
	}
	err := s.store.Write(ctx, func(tx *postgres.Tx) error {
		if _, err := s.revisionOf(ctx, tx, req.GetRevision()); err != nil {
			return err
		}
		if err := tx.StartRecluster(ctx, started); err != nil {
			return err
		}
		return tx.Within(ctx, func(raw pgx.Tx) error { return s.jobs.enqueue(ctx, raw, started.ID) })
	})
	if err != nil {
		return nil, err
	}
	return &identityv1.StartReclusteringResponse{Reclustering: reclustering(started)}, nil
}

// GetReclustering answers how far one is, and its report.
func (s *Service) GetReclustering(ctx context.Context, req *identityv1.GetReclusteringRequest) (*identityv1.GetReclusteringResponse, error) {
	var r reader
	id := r.id("reclustering_id", req.GetReclusteringId())
	if err := r.err(); err != nil {
		return nil, err
	}
	resp := &identityv1.GetReclusteringResponse{}
	err := s.store.Read(ctx, func(tx *postgres.Tx) error {
		row, err := tx.Recluster(ctx, id, false)
		if err != nil {
			return err
		}
		resp.Reclustering = reclustering(row)
		sample, err := tx.SampleSteps(ctx, id, sampleSteps)
		for i := range sample {
			resp.Reclustering.Sample = append(resp.Reclustering.Sample, reclusteringChange(&sample[i]))
		}
		return err
	})
	return resp, err
}

// ListReclusterings answers the latest.
func (s *Service) ListReclusterings(ctx context.Context, _ *identityv1.ListReclusteringsRequest) (*identityv1.ListReclusteringsResponse, error) {
	resp := &identityv1.ListReclusteringsResponse{}
	err := s.store.Read(ctx, func(tx *postgres.Tx) error {
		rows, err := tx.Reclusters(ctx, maxReclusters)
		for _, row := range rows {
			resp.Reclusterings = append(resp.Reclusterings, reclustering(row))
		}
		return err
	})
	return resp, err
}

// ApplyReclustering does what a report says.
func (s *Service) ApplyReclustering(ctx context.Context, req *identityv1.ApplyReclusteringRequest) (*identityv1.ApplyReclusteringResponse, error) {
	var r reader
	id := r.id("reclustering_id", req.GetReclusteringId())
	if req.GetReportId() == "" {
		r.bad("report_id", "is required: that of the report as it was read")
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	row, err := s.changeRecluster(ctx, id, func(tx *postgres.Tx, row *postgres.Recluster) error {
		switch {
		case row.State == postgres.ReclusterReporting:
			return problem.New(problemv1.Reason_REASON_WRONG_STATE, "the report is not finished; wait until the state is REPORTED")
		case row.State != postgres.ReclusterReported && row.Digest == req.GetReportId() && row.State != postgres.ReclusterCancelled:
			return errNothingToDo // asked for again
		case row.State != postgres.ReclusterReported:
			return problem.New(problemv1.Reason_REASON_WRONG_STATE, "it was applied or cancelled; begin another one")
		case row.Digest != req.GetReportId():
			return problem.Invalid(problem.Violation{Field: "report_id", Description: "is another report's; read this one first"})
		}
		row.State, row.AppliedBy = postgres.ReclusterApplying, rpc.CallerFrom(ctx).String()
		if err := s.activate(ctx, tx, row.Revision, row.AppliedBy); err != nil {
			return err
		}
		return tx.Within(ctx, func(raw pgx.Tx) error { return s.jobs.enqueue(ctx, raw, row.ID) })
	})
	if err != nil {
		return nil, err
	}
	if err := s.matching.refresh(ctx, s.store); err != nil {
		return nil, problem.From(err)
	}
	return &identityv1.ApplyReclusteringResponse{Reclustering: reclustering(row)}, nil
}

// CancelReclustering ends one that is not applied yet.
func (s *Service) CancelReclustering(ctx context.Context, req *identityv1.CancelReclusteringRequest) (*identityv1.CancelReclusteringResponse, error) {
	var r reader
	id := r.id("reclustering_id", req.GetReclusteringId())
	if err := r.err(); err != nil {
		return nil, err
	}
	row, err := s.changeRecluster(ctx, id, func(_ *postgres.Tx, row *postgres.Recluster) error {
		switch row.State {
		case postgres.ReclusterCancelled:
			return errNothingToDo
		case postgres.ReclusterApplied:
			return problem.New(problemv1.Reason_REASON_WRONG_STATE, "it was applied; take single changes back by splitting and merging persons, or apply the former parameters")
		}
		row.State = postgres.ReclusterCancelled
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &identityv1.CancelReclusteringResponse{Reclustering: reclustering(row)}, nil
}

// errNothingToDo ends a change that was made already.
var errNothingToDo = errors.New("nothing to do")

// changeRecluster changes a re-clustering while nobody works on it.
func (s *Service) changeRecluster(ctx context.Context, id lead.ID, change func(*postgres.Tx, *postgres.Recluster) error) (*postgres.Recluster, error) {
	var row *postgres.Recluster
	err := s.store.Write(ctx, func(tx *postgres.Tx) (err error) {
		if row, err = tx.Recluster(ctx, id, true); err != nil {
			return err
		}
		switch err := change(tx, row); {
		case errors.Is(err, errNothingToDo):
			return nil
		case err != nil:
			return err
		}
		row.UpdatedAt = s.deps.Now()
		return tx.SaveRecluster(ctx, row)
	})
	return row, err
}

func reclustering(r *postgres.Recluster) *identityv1.Reclustering {
	out := &identityv1.Reclustering{
		ReclusteringId: r.ID.String(), Revision: r.Revision, State: identityv1.ReclusteringState(r.State), StartedBy: r.StartedBy, Note: r.Note,
		StartedAt: leadconv.Time(r.StartedAt), UpdatedAt: leadconv.Time(r.UpdatedAt), PersonCount: r.Persons, AddedLinks: r.Added,
		RemovedLinks: r.Removed, MovedToReview: r.Moved, NewReviews: r.Reviews, Applied: r.Applied, Skipped: r.Skipped,
	}
	if r.State != postgres.ReclusterReporting {
		out.ReportId = r.Digest
	}
	const whole = 1_000_000
	switch r.State {
	case postgres.ReclusterReporting:
		out.ProgressPpm = int32(int64(r.NextBucket) * whole / lead.Buckets)
	case postgres.ReclusterApplying:
		out.ProgressPpm = int32(r.NextStep * whole / max(r.Steps, 1))
	case postgres.ReclusterReported, postgres.ReclusterApplied:
		out.ProgressPpm = whole
	}
	return out
}

func reclusteringChange(s *postgres.Step) *identityv1.ReclusteringChange {
	c := &identityv1.ReclusteringChange{
		Kind: identityv1.ReclusteringChangeKind(s.Kind), PersonId: s.PersonID.String(), RecordIds: texts(s.RecordIDs),
		WeightMillibits: s.Weight, Reasons: reasonWords(readReasons(s.Reasons)),
	}
	if !s.OtherID.IsZero() {
		c.OtherPersonId = s.OtherID.String()
	}
	return c
}
