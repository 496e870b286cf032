package scoring

// LookAtOnce has a statement of a list look at so many persons only.
func (s *Service) LookAtOnce(persons int32) { s.look = persons }
