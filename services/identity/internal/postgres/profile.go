package postgres

import (
	"context"

	"github.com/leadmesh/leadmesh/core/lead"
)

// KnownPerson is what the row of a person tells of somebody to be scored.
type KnownPerson struct {
	ID                     lead.ID
	Epoch                  int16
	Golden, Facts, Profile []byte
}

// ProfilesAfter returns what is known of persons that stand, bucket by bucket.
func (t *Tx) ProfilesAfter(ctx context.Context, bucket int16, id lead.ID, most int) ([]KnownPerson, error) {
	rows, err := t.q.ProfilesAfter(ctx, bucket, uuid(id), int32(most))
	out := make([]KnownPerson, len(rows))
	for i, r := range rows {
		out[i] = KnownPerson{r.PersonID.Bytes, r.ConsentEpoch, r.Golden, r.Facts, r.Profile}
	}
	return out, err
}

// ConsentsBetween returns the facts of persons after one and up to another, of every epoch.
func (t *Tx) ConsentsBetween(ctx context.Context, after, last lead.ID) ([]Consent, error) {
	rows, err := t.q.ConsentsBetween(ctx, after.Bucket(), uuid(after), last.Bucket(), uuid(last))
	out := make([]Consent, len(rows))
	for i, r := range rows {
		out[i] = Consent{PersonID: r.PersonID.Bytes, Epoch: r.Epoch, ID: r.ConsentID.Bytes, Fact: r.Fact}
	}
	return out, err
}
