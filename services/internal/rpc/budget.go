package rpc

import (
	"context"
	"slices"
	"time"
)

const (
	// callBudget is how long a unary call may work, whatever its caller would wait: a part that
	// neither answers nor refuses, such as a database that was stopped in mid-work, is told to the
	// caller as unavailable.
	callBudget = 10 * time.Second
	// fileBudget is that of calls that take in whole files or write long tables anew.
	fileBudget = 5 * time.Minute
)

// withFiles are the methods with fileBudget.
var withFiles = []string{
	"/leadmesh.routing.v1.RoutingService/ImportNetwork",
	"/leadmesh.routing.v1.RoutingService/PutDealer", // a change of the network writes its long tables anew
	"/leadmesh.scoring.v1.ScoringService/CheckPlaybook",
	"/leadmesh.scoring.v1.ScoringService/ApplyPlaybook",
	"/leadmesh.scoring.v1.ScoringService/RollbackPlaybook",
}

// budget limits a call to what is left of its caller's time, less the reserve, and to what such a
// call may take at most.
func budget(ctx context.Context, method string) (context.Context, context.CancelFunc) {
	limit := callBudget
	if slices.Contains(withFiles, method) {
		limit = fileBudget
	}
	at := time.Now().Add(limit)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) >= 2*reserve {
		if deadline = deadline.Add(-reserve); deadline.Before(at) {
			at = deadline
		}
	}
	return context.WithDeadline(ctx, at)
}
