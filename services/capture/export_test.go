package capture

import "context"

// DrivePending drives once what is due, as the background loop does.
func (s *Service) DrivePending(ctx context.Context) error {
	_, err := s.drivePending(ctx)
	return err
}

// ReviewParked looks once at what is due for review, as the background loop does.
func (s *Service) ReviewParked(ctx context.Context) error { return s.reviewParked(ctx) }
