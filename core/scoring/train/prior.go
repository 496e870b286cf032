package train

// prior is an expert's card in log-odds.
type prior struct{}

func (l *learner) priorParts(string) (cuts []float64, names []string) { return nil, nil }

func (l *learner) start() error { return nil }
