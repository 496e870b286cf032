package routing

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/routing"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	problemv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/problem/v1"
	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"github.com/leadmesh/leadmesh/services/routing/internal/postgres"
)

const defaultFound = 5

// SearchDealers decides for nobody in particular and answers the stores that were looked at. It reads
// no database.
func (s *Service) SearchDealers(ctx context.Context, req *routingv1.SearchDealersRequest) (*routingv1.SearchDealersResponse, error) {
	caller := rpc.CallerFrom(ctx)
	if req.GetExplain() && caller.OnlyDealer() {
		return nil, problem.New(problemv1.Reason_REASON_PERMISSION_DENIED, "explain is for the manufacturer: it shows what other stores lack; leave it out")
	}
	rb, err := s.rules()
	if err != nil {
		return nil, err
	}
	q, wrong := rb.searched(req)
	if len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	now := s.now()
	v := s.verdicts.Get().(*verdict)
	defer s.verdicts.Put(v)
	rb.decide(q, now, v)
	r := &v.choice.Receipt
	if wrong = rb.unfound(req, r); len(wrong) > 0 {
		return nil, problem.Invalid(wrong...)
	}
	return rb.found(req, r, now), nil
}

// searched makes the inquiry of a search: the lead that anybody at the place would send.
func (rb *rulebook) searched(req *routingv1.SearchDealersRequest) (*inquiry, []problem.Violation) {
	var wrong []problem.Violation
	bad := func(field, description string) {
		wrong = append(wrong, problem.Violation{Field: field, Description: description})
	}
	at := req.GetPlace()
	if at == nil {
		at = &routingv1.SearchPlace{}
	}
	country := strings.ToUpper(strings.TrimSpace(at.GetCountry()))
	if len(country) != 2 {
		bad("place.country", "is required: two letters (ISO 3166-1), such as US; the market's rules apply")
	}
	q := &inquiry{attempt: 1, department: lead.Department(req.GetDepartment()), blind: !req.GetExplain()}
	switch {
	case (at.Latitude == nil) != (at.Longitude == nil):
		bad("place", "send latitude and longitude together, in degrees")
	case at.GetLatitude() < -90 || at.GetLatitude() > 90 || math.IsNaN(at.GetLatitude()):
		bad("place.latitude", "is degrees north, -90 to 90")
	case at.GetLongitude() < -180 || at.GetLongitude() > 180 || math.IsNaN(at.GetLongitude()):
		bad("place.longitude", "is degrees east, -180 to 180")
	case at.Latitude != nil:
		q.point = &point{micro(at.GetLatitude()), micro(at.GetLongitude())}
	case at.GetPostalCode() == "":
		bad("place.postal_code", "is required unless latitude and longitude are sent")
	case len(country) == 2 && !rb.stores.KnowsPostal(country, at.GetPostalCode()):
		bad("place.postal_code", "is no postal code that the network knows in "+country+"; correct it, send latitude and longitude instead, or import it with the postal file")
	}
	if n := req.GetLimit(); n < 0 || n > routing.MaxCandidates {
		bad("limit", "is 1 to 20")
	}
	if lead.Line(req.GetLine()).String() == "" && req.GetLine() != 0 || req.GetLine() == leadv1.Line_LINE_NURTURE {
		bad("line", "is no line that a store works")
	}
	if lead.RequestType(req.GetRequestType()).String() == "" && req.GetRequestType() != 0 {
		bad("request_type", "is no request type")
	}
	if q.department.String() == "" && req.GetDepartment() != 0 {
		bad("department", "is no department")
	}
	brand := rb.network.brand(req.GetBrand())
	q.lead = lead.Lead{
		Line: lead.Line(req.GetLine()), RequestType: lead.RequestType(req.GetRequestType()), Origin: lead.OriginOEM, Brand: brand, Market: country,
		Parties: []lead.Party{{Role: lead.PartyRolePrimary, Address: lead.Address{Country: country, Postal: at.GetPostalCode()}}},
	}
	if q.lead.Line == lead.LineUnspecified {
		q.lead.Line = rb.playbook.Governor.LineOf(&q.lead)
	}
	if code := req.GetModelCode(); code != "" {
		if brand == "" {
			bad("brand", "is required with model_code")
		} else if _, ok := rb.network.models[modelKey{brand, code}]; !ok {
			bad("model_code", "is no model of the brand in the catalogue"+lead.Suggest(code, rb.network.modelCodes(brand)))
		}
		q.lead.Vehicles = []lead.Vehicle{{Role: lead.VehicleRoleSought, ModelCode: code}}
	}
	if req.GetProgram() != "" {
		q.programs = []string{req.GetProgram()}
	}
	return q, wrong
}

// unfound says what of the search the network does not have.
func (rb *rulebook) unfound(req *routingv1.SearchDealersRequest, r *routing.Receipt) (wrong []problem.Violation) {
	if r.Doubts.Has(routing.DoubtMarketUnknown) {
		wrong = append(wrong, problem.Violation{Field: "place.country", Description: "is no market of the playbook"})
	}
	if r.Doubts.Has(routing.DoubtBrandUnknown) {
		wrong = append(wrong, problem.Violation{
			Field: "brand", Description: "no store of the market has this brand in this department" + lead.Suggest(req.GetBrand(), rb.network.brands()),
		})
	}
	if r.Doubts.Has(routing.DoubtProgramUnknown) {
		var names []string
		for i := range rb.network.definition.Programs {
			names = append(names, rb.network.definition.Programs[i].Code)
		}
		wrong = append(wrong, problem.Violation{Field: "program", Description: "is no program of the network" + lead.Suggest(req.GetProgram(), names)})
	}
	return wrong
}

// found writes what a search found.
func (rb *rulebook) found(req *routingv1.SearchDealersRequest, r *routing.Receipt, now time.Time) *routingv1.SearchDealersResponse {
	resp := &routingv1.SearchDealersResponse{Line: leadv1.Line(r.Line), Place: r.Place.String(), NetworkRevision: rb.network.revision}
	limit := int(req.GetLimit())
	if limit == 0 {
		limit = defaultFound
	}
	if req.GetExplain() {
		resp.ChosenDealerId, resp.Step, resp.Others = r.Winner, r.Step.String(), map[string]int32{}
		for i, n := range r.Others {
			if n > 0 {
				resp.Others[routing.Loss(i).String()] += n
			}
		}
	}
	nearest := true
	for i := range r.Candidates {
		c := &r.Candidates[i]
		may := c.Lost == routing.LossUnspecified || c.Lost > routing.LossNoCapacity
		if !may && !req.GetExplain() {
			continue
		}
		if len(resp.Dealers) == limit {
			if req.GetExplain() {
				resp.Others[unshown]++
				continue
			}
			break
		}
		d := rb.foundDealer(r, c, now)
		if d.Eligible = may; may && nearest {
			d.Marks, nearest = append([]string{"NEAREST"}, d.Marks...), false
		}
		if req.GetExplain() {
			d.Reason = c.Lost.String()
		}
		resp.Dealers = append(resp.Dealers, d)
	}
	return resp
}

// unshown counts candidates beyond the limit that the caller set.
const unshown = "BEYOND_LIMIT"

// foundDealer is what anybody may know of a candidate: nothing of its performance, capacity or codes.
func (rb *rulebook) foundDealer(r *routing.Receipt, c *routing.Candidate, now time.Time) *routingv1.FoundDealer {
	out := &routingv1.FoundDealer{DealerId: c.Dealer, Department: leadv1.Department(c.Department), DistanceMetres: c.Distance}
	for _, m := range [...]struct {
		mark routing.Mark
		word string
	}{{routing.MarkTerritory, "TERRITORY"}, {routing.MarkTerritoryOverflow, "TERRITORY_OVERFLOW"}, {routing.MarkOverflow, "OVERFLOW"}} {
		if c.Marks.Has(m.mark) {
			out.Marks = append(out.Marks, m.word)
		}
	}
	for i := range r.Programs {
		if c.Missing&(1<<i) != 0 {
			out.MissingPrograms = append(out.MissingPrograms, r.Programs[i].Code)
		}
	}
	v := rb.network.dealers[c.Dealer]
	if v == nil {
		return out
	}
	d := v.dealer
	out.Name, out.Street, out.City, out.Region, out.PostalCode, out.Country = d.GetName(), d.GetStreet(), d.GetCity(), d.GetRegion(), d.GetPostalCode(), d.GetCountry()
	out.Phone, out.Website, out.TimeZone = d.GetPhone(), d.GetWebsite(), d.GetTimeZone()
	if part := v.department(c.Department); part != nil {
		if phone := part.row.GetPhone(); phone != "" {
			out.Phone = phone
		}
		if out.OpenNow = part.calendar.Open(now); !out.OpenNow {
			if at, ok := part.calendar.NextOpen(now); ok {
				out.NextOpening = leadconv.Time(at)
			}
		}
	}
	for _, x := range d.GetCertificates() {
		if postgres.Days(x.GetValidFrom(), x.GetValidTo(), v.zone).Holds(now.Unix()) && !slices.Contains(out.Programs, x.GetProgram()) {
			out.Programs = append(out.Programs, x.GetProgram())
		}
	}
	return out
}

// brands are the brands that the network's departments have.
func (n *networkView) brands() (names []string) {
	for _, d := range n.dealers {
		for _, row := range d.dealer.GetDepartments() {
			names = append(names, row.GetBrands()...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// brand is a brand as the network writes it; what it does not have stays as it is.
func (n *networkView) brand(name string) string {
	if name = strings.TrimSpace(name); name == "" {
		return ""
	}
	for i := range n.definition.Dealers {
		for j := range n.definition.Dealers[i].Departments {
			for _, b := range n.definition.Dealers[i].Departments[j].Brands {
				if strings.EqualFold(b, name) {
					return b
				}
			}
		}
	}
	return name
}

// modelCodes are the codes of a brand's models.
func (n *networkView) modelCodes(brand string) (codes []string) {
	for k := range n.models {
		if k.brand == brand {
			codes = append(codes, k.code)
		}
	}
	slices.Sort(codes)
	return codes
}
