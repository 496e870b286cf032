package rpc

import (
	"strings"

	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// policy says which roles may call a method; an entry ending in "/" is for a whole service, the
// longest entry decides. A method without an entry may be called by services only.
var policy = map[string][]Role{
	"/leadmesh.capture.v1.CaptureService/":                   {RoleOEM, RoleDealer, RoleOps},
	"/leadmesh.capture.v1.CaptureService/UpdateLead":         {RoleOEM, RoleDealer, RoleMOPS, RoleOps},
	"/leadmesh.capture.v1.CaptureService/ResubmitLead":       {RoleOEM, RoleMOPS, RoleOps},
	"/leadmesh.capture.v1.CaptureService/BatchResubmitLeads": {RoleOEM, RoleMOPS, RoleOps},
	"/leadmesh.capture.v1.CaptureService/RejectLead":         {RoleOEM, RoleMOPS, RoleOps},
	"/leadmesh.identity.v1.IdentityService/":                 {RoleOEM, RoleOps},
	"/leadmesh.identity.v1.IdentityService/GetPerson":        {RoleOEM, RoleDealer, RoleOps},
	"/leadmesh.identity.v1.IdentityService/LookupPerson":     {RoleOEM, RoleDealer, RoleOps},
	"/leadmesh.identity.v1.ReviewService/":                   {RoleOEM, RoleMOPS, RoleOps},
	"/leadmesh.identity.v1.MatchingService/":                 {RoleMOPS, RoleOps},
	"/leadmesh.scoring.v1.ScoringService/":                   {RoleMOPS, RoleOps},
	"/leadmesh.scoring.v1.ScoringService/Score":              {RoleOEM, RoleMOPS, RoleOps},
	"/leadmesh.scoring.v1.ScoringService/Explain":            {RoleOEM, RoleMOPS, RoleOps},
	"/leadmesh.scoring.v1.ScoringService/ExplainScore":       {RoleOEM, RoleDealer, RoleMOPS, RoleOps},
	"/leadmesh.scoring.v1.ScoringService/ListFeatures":       {RoleOEM, RoleMOPS, RoleOps},
	"/leadmesh.scoring.v1.ScoringService/ListPlaybooks":      {RoleOEM, RoleMOPS, RoleOps},
	"/leadmesh.scoring.v1.ModelService/":                     {RoleMOPS, RoleOps},
	"/leadmesh.scoring.v1.ModelReportService/":               {RoleMOPS, RoleOps},
	"/leadmesh.scoring.v1.RescoringService/":                 {RoleOEM, RoleMOPS, RoleOps},
	"/leadmesh.routing.v1.DecisionService/":                  {RoleOEM, RoleMOPS, RoleOps},
	"/leadmesh.routing.v1.RoutingService/":                   {RoleOEM, RoleDealer, RoleOps},
	"/leadmesh.routing.v1.RoutingService/SearchDealers":      {RoleOEM, RoleDealer, RoleMOPS, RoleOps},
	"/leadmesh.routing.v1.RoutingService/PutDealer":          {RoleOEM, RoleOps},
	"/leadmesh.routing.v1.RoutingService/ImportNetwork":      {RoleOEM, RoleOps},
	"/leadmesh.feedback.v1.FeedbackService/":                 {RoleOEM, RoleDealer, RoleMOPS, RoleOps},
	"/grpc.reflection.":                                      {RoleOEM, RoleDealer, RoleMOPS, RoleOps},
}

// open methods need no caller: a probe has no token.
func openMethod(method string) bool { return strings.HasPrefix(method, "/grpc.health.v1.Health/") }

// Authorize reports why a caller may not call a method; nil if it may.
func Authorize(c Caller, method string) error {
	if openMethod(method) || c.Has(RoleService) {
		return nil
	}
	if len(c.Roles) == 0 {
		return problem.New(problemv1.Reason_REASON_UNAUTHENTICATED,
			"send a bearer token in the authorization header")
	}
	var roles []Role
	longest := -1
	for prefix, allowed := range policy {
		if len(prefix) > longest && (prefix == method || !endsInName(prefix) && strings.HasPrefix(method, prefix)) {
			roles, longest = allowed, len(prefix)
		}
	}
	for _, r := range roles {
		if c.Has(r) {
			return nil
		}
	}
	return problem.New(problemv1.Reason_REASON_PERMISSION_DENIED, "the token's roles do not allow this call")
}

// endsInName tells the entry of one method from that of a service.
func endsInName(entry string) bool {
	return !strings.HasSuffix(entry, "/") && !strings.HasSuffix(entry, ".")
}
