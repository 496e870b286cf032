package rpc

import (
	"context"
	"time"
)

const (
	// callBudget is how long a unary call may work, whatever its caller would wait: a part that
	// neither answers nor refuses, such as a database that was stopped in mid-work, is told to the
	// caller as unavailable.
	callBudget = 10 * time.Second
	// fileBudget is that of calls that take in whole files or write long tables anew.
	fileBudget = 5 * time.Minute
	// waitBudget is that of calls that may wait for news, 20 s, before they work.
	waitBudget = 20*time.Second + callBudget
)

// budgetOf is how long a call of a method may take at most.
func budgetOf(method string) time.Duration {
	switch method {
	case "/leadmesh.routing.v1.RoutingService/ImportNetwork", "/leadmesh.routing.v1.RoutingService/PutDealer",
		"/leadmesh.scoring.v1.ScoringService/CheckPlaybook", "/leadmesh.scoring.v1.ScoringService/ApplyPlaybook",
		"/leadmesh.scoring.v1.ScoringService/RollbackPlaybook":
		return fileBudget
	case "/leadmesh.feedback.v1.FeedbackService/ListEvents":
		return waitBudget
	}
	return callBudget
}

// budget limits a call to what is left of its caller's time, less the reserve, and to what such a
// call may take at most.
func budget(ctx context.Context, method string) (context.Context, context.CancelFunc) {
	at := time.Now().Add(budgetOf(method))
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) >= 2*reserve {
		if deadline = deadline.Add(-reserve); deadline.Before(at) {
			at = deadline
		}
	}
	return context.WithDeadline(ctx, at)
}
