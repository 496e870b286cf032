package capture

import (
	"context"

	"github.com/leadmesh/leadmesh/core/lead"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
)

// DrivePending drives once what is due, as the background loop does.
func (s *Service) DrivePending(ctx context.Context) error {
	_, err := s.drivePending(ctx)
	return err
}

// ReviewParked looks once at what is due for review, as the background loop does.
func (s *Service) ReviewParked(ctx context.Context) error { return s.reviewParked(ctx) }

// LearnUpdates tells once what is due, as the background loop does.
func (s *Service) LearnUpdates(ctx context.Context) error { return s.learnUpdates(ctx) }

// ValidateJSON reports what keeps a body from being read.
func ValidateJSON(body []byte) error {
	if p := validate(body); p != nil {
		return p
	}
	return nil
}

var testReader = newJSONReader()

// ReadJSON reads one lead.
func ReadJSON(object []byte) (*leadv1.Lead, []lead.Flag) {
	read := testReader.read(object)
	return read.message, read.flags
}

// OpenBatch returns the raw parts of a batch; none if it is not taken.
func OpenBatch(body []byte) [][]byte {
	items, err := (&Service{json: testReader}).openBatch(body)
	if err != nil {
		return nil
	}
	var parts [][]byte
	for _, in := range items {
		parts = append(parts, in.raw)
	}
	return parts
}

// FetchForms fetches once what is due, as the background loop does.
func (s *Service) FetchForms(ctx context.Context) error {
	_, err := s.fetchForms(ctx)
	return err
}
