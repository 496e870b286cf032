package train

func (l *learner) alone() error { return nil }

func (l *learner) leaks(*trial) error { return nil }
