package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestDealersAreFoundAsADecisionSeesThem searches as a locator page, a store and the manufacturer do.
func TestDealersAreFoundAsADecisionSeesThem(t *testing.T) {
	w := secured(t)
	conn := w.routing(t)
	search, decide := routingv1.NewRoutingServiceClient(conn), routingv1.NewDecisionServiceClient(conn)
	oem, store := w.as(t.Context(), "oem"), w.as(t.Context(), "dealer")
	denver := &routingv1.SearchPlace{Country: "US", PostalCode: "80202"}

	// What a search would choose is what a dry run chooses.
	stream, err := decide.Decide(oem)
	if err != nil {
		t.Fatal(err)
	}
	chosen := map[string]bool{}
	for _, postal := range []string{"80202", "10001", "90012", "85257", "80202-1234"} {
		for _, line := range []leadv1.Line{leadv1.Line_LINE_SALES, leadv1.Line_LINE_SERVICE, leadv1.Line_LINE_CARE} {
			for _, brand := range []string{"NORRVIND", ""} {
				at := &routingv1.SearchPlace{Country: "US", PostalCode: postal}
				found, err := search.SearchDealers(oem, &routingv1.SearchDealersRequest{Place: at, Brand: brand, Line: line, Limit: 20, Explain: true})
				if err != nil {
					t.Fatalf("%s %v: %v", postal, line, err)
				}
				err = stream.Send(&routingv1.DecideRequest{Mode: routingv1.DecideMode_DECIDE_MODE_DRY_RUN, Lead: &leadv1.Lead{
					Brand: brand, Line: line, Market: "US", Origin: leadv1.Origin_ORIGIN_OEM,
					Parties: []*leadv1.Party{{Role: leadv1.PartyRole_PARTY_ROLE_PRIMARY, Address: &leadv1.Address{Country: "US", PostalCode: postal}}},
				}})
				if err != nil {
					t.Fatal(err)
				}
				d, err := stream.Recv()
				if err != nil || d.GetProblem() != nil {
					t.Fatalf("dry run at %s: %v %v", postal, err, d.GetProblem())
				}
				if want := d.GetDecision(); found.GetChosenDealerId() != want.GetAssignment().GetDealerId() || found.GetStep() != want.GetStep() || found.GetChosenDealerId() == "" {
					t.Errorf("%s %v %q: the search would choose %s by %s, a decision %s by %s", postal, line, brand,
						found.GetChosenDealerId(), found.GetStep(), want.GetAssignment().GetDealerId(), want.GetStep())
				}
				chosen[found.GetChosenDealerId()] = true
				before := int32(-1)
				for _, f := range found.GetDealers() {
					if f.GetDistanceMetres() < before {
						t.Errorf("%s: %s stands after one that is farther", postal, f.GetDealerId())
					}
					before = f.GetDistanceMetres()
					if (f.GetReason() == "") != (f.GetDealerId() == found.GetChosenDealerId()) {
						t.Errorf("%s: %s has the reason %q while %s is chosen", postal, f.GetDealerId(), f.GetReason(), found.GetChosenDealerId())
					}
				}
			}
		}
	}
	if len(chosen) < 3 {
		t.Errorf("all searches choose among %d stores; the comparison says little", len(chosen))
	}

	// A store is told what a customer could find out, and no more.
	seen, err := search.SearchDealers(store, &routingv1.SearchDealersRequest{Place: denver, Brand: "norrvind", RequestType: leadv1.RequestType_REQUEST_TYPE_SERVICE_BOOKING, Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	if seen.GetLine() != leadv1.Line_LINE_SERVICE || seen.GetPlace() != "POSTAL" || len(seen.GetDealers()) != 3 || seen.GetChosenDealerId() != "" || seen.GetStep() != "" || len(seen.GetOthers()) != 0 {
		t.Errorf("a store sees %v", seen)
	}
	for _, f := range seen.GetDealers() {
		if !f.GetEligible() || f.GetReason() != "" || f.GetName() == "" || f.GetTimeZone() == "" || f.GetDepartment() != leadv1.Department_DEPARTMENT_SERVICE || f.GetOpenNow() == (f.GetNextOpening() != nil) {
			t.Errorf("a store sees %v", f)
		}
	}
	if m := seen.GetDealers()[0].GetMarks(); len(m) == 0 || m[0] != "NEAREST" {
		t.Errorf("the nearest is marked %v", m)
	}
	if _, err := search.SearchDealers(store, &routingv1.SearchDealersRequest{Place: denver, Explain: true}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a store may ask why others are not chosen: %v", err)
	}

	// REST: a point in degrees, and every refusal names its field.
	var near routingv1.SearchDealersResponse
	w.post(t, "dealer", "/v1/dealers:search", `{"place":{"country":"US","latitude":39.75,"longitude":-104.99},"brand":"NORRVIND","line":"LINE_SALES","limit":1}`, &near)
	if len(near.GetDealers()) != 1 || near.GetPlace() != "POINT" || near.GetDealers()[0].GetDistanceMetres() > 100_000 {
		t.Errorf("near a point in Denver: %v", &near)
	}
	for _, tc := range []struct{ body, want string }{
		{`{"brand":"NORRVIND"}`, "place.country"},
		{`{"place":{"country":"US"}}`, "place.postal_code"},
		{`{"place":{"country":"US","postal_code":"00000"}}`, "import it with the postal file"},
		{`{"place":{"country":"US","latitude":39.75}}`, "together"},
		{`{"place":{"country":"US","latitude":139.75,"longitude":1}}`, "-90 to 90"},
		{`{"place":{"country":"US","latitude":"NaN","longitude":1}}`, "-90 to 90"},
		{`{"place":{"country":"ZZ","latitude":1,"longitude":1}}`, "no market"},
		{`{"place":{"country":"US","postal_code":"80202"},"brand":"NORVIND"}`, "did you mean NORRVIND"},
		{`{"place":{"country":"US","postal_code":"80202"},"brand":"NORRVIND","model_code":"zzz"}`, "model_code"},
		{`{"place":{"country":"US","postal_code":"80202"},"program":"zzz"}`, "no program"},
		{`{"place":{"country":"US","postal_code":"80202"},"limit":21}`, "1 to 20"},
		{`{"place":{"country":"US","postal_code":"80202"},"line":"LINE_NURTURE"}`, "no line that a store works"},
		{`{"place":{"country":"US","postal_code":"80202"},"phone":"+13035550100"}`, "phone"},
	} {
		if code, raw := w.call(t, "oem", http.MethodPost, "/v1/dealers:search", nil, tc.body); code != http.StatusBadRequest || !strings.Contains(string(raw), tc.want) {
			t.Errorf("%s answered %d %s, want %q", tc.body, code, raw, tc.want)
		}
	}
	for _, role := range []string{"oem", "ops", "mops"} {
		if _, known := w.token[role]; !known {
			continue
		}
		if code, raw := w.call(t, role, http.MethodPost, "/v1/dealers:search", nil, `{"place":{"country":"US","postal_code":"80202"},"explain":true}`); code != http.StatusOK {
			t.Errorf("%s: %d %s", role, code, raw)
		}
	}
	if code, _ := w.call(t, "", http.MethodPost, "/v1/dealers:search", nil, `{}`); code != http.StatusUnauthorized {
		t.Errorf("without a token: %s", fmt.Sprint(code))
	}
}
