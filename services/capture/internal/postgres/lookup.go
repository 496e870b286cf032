package postgres

import (
	"context"
	"strconv"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

// keyList writes lookup keys as the statement that stores leads takes them.
func keyList(keys []int64) string {
	if len(keys) == 0 {
		return ""
	}
	var b []byte
	for i, k := range keys {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, k, 10)
	}
	return string(b)
}

// Found is a lead that bears a lookup key. Keys are hashes: the body tells whether it is the one.
type Found struct {
	ID         lead.ID
	Credential string
	ReceivedAt time.Time
	Body       []byte
}

// Find returns up to n leads that bear a key, the latest first.
func (s *Store) Find(ctx context.Context, key int64, n int) ([]Found, error) {
	rows, err := s.q.FindByKey(ctx, key, int32(n))
	if err != nil {
		return nil, mapped(err)
	}
	found := make([]Found, len(rows))
	for i, r := range rows {
		found[i] = Found{ID: r.LeadID.Bytes, Credential: r.Credential, ReceivedAt: r.ReceivedAt.Time, Body: r.Body}
	}
	return found, nil
}

// AddLookupKeys adds to what a lead is found by.
func (s *Store) AddLookupKeys(ctx context.Context, id lead.ID, keys []int64) error {
	if len(keys) == 0 {
		return nil
	}
	return mapped(s.q.AddLookupKeys(ctx, keys, id.Bucket(), uuid(id)))
}
