package capture

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/leadmesh/leadmesh/core/lead"
	capturev1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/capture/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	"github.com/leadmesh/leadmesh/services/internal/leadconv"
	"github.com/leadmesh/leadmesh/services/internal/problem"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
)

const (
	maxFound   = 50
	foundRead  = 4 * maxFound // a store may see few of them
	lookupText = 200          // characters of what is looked up
)

// lookupKinds are the identifiers that leads are found by. None tells anything of a person by itself.
var lookupKinds = [...]lead.IDKind{
	lead.IDKindSourceLead, lead.IDKindCRMLead, lead.IDKindCRMCustomer, lead.IDKindDMSCustomer, lead.IDKindDeal, lead.IDKindRepairOrder, lead.IDKindOrder,
}

// lookupKeys are the hashes that a lead is found by.
func lookupKeys(l *lead.Lead) []int64 {
	var keys []int64
	for i := range l.Identifiers {
		if source, id, ok := bears(l, &l.Identifiers[i]); ok {
			if key := lookupKey(source, id); !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// bears is by what source and value a lead is found for one of its identifiers. Its own id may come
// without a source: its provider's, else its source's it is then.
func bears(l *lead.Lead, i *lead.Identifier) (source, id string, ok bool) {
	if !slices.Contains(lookupKinds[:], i.Kind) || i.Value == "" || lead.Placeholder(i.Value) {
		return "", "", false
	}
	source = i.Source
	if source == "" && i.Kind == lead.IDKindSourceLead {
		if source = l.Source.Provider; source == "" {
			source = l.Source.Source
		}
	}
	return folded(source), strings.TrimSpace(i.Value), source != ""
}

func folded(source string) string { return strings.ToLower(strings.TrimSpace(source)) }

func lookupKey(source, id string) int64 {
	h := sha256.Sum256([]byte(source + "\x00" + id))
	return int64(binary.BigEndian.Uint64(h[:]))
}

// LookupLeads answers the leads that bear an identifier of another system, as far as the caller may
// see them.
func (s *Service) LookupLeads(ctx context.Context, req *capturev1.LookupLeadsRequest) (*capturev1.LookupLeadsResponse, error) {
	source, id, kind := folded(req.GetSource()), strings.TrimSpace(req.GetId()), lead.IDKind(req.GetKind())
	var bad []problem.Violation
	for field, text := range map[string]string{"source": source, "id": id} {
		if text == "" {
			bad = append(bad, problem.Violation{Field: field, Description: "is required"})
		} else if len(text) > lookupText {
			bad = append(bad, problem.Violation{Field: field, Description: "is longer than any that is held"})
		}
	}
	if kind != lead.IDKindUnspecified && !slices.Contains(lookupKinds[:], kind) {
		bad = append(bad, problem.Violation{Field: "kind", Description: "is none that leads are found by; send SOURCE_LEAD, CRM_LEAD, CRM_CUSTOMER, DMS_CUSTOMER, DEAL, REPAIR_ORDER or ORDER as the enum spells it"})
	}
	if len(bad) > 0 {
		slices.SortFunc(bad, func(a, b problem.Violation) int { return strings.Compare(a.Field, b.Field) })
		return nil, problem.Invalid(bad...)
	}
	rows, err := s.store.Find(ctx, lookupKey(source, id), foundRead)
	if err != nil {
		return nil, err
	}
	caller, ids := rpc.CallerFrom(ctx), make([]lead.ID, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	resp := &capturev1.LookupLeadsResponse{More: len(rows) == foundRead}
	now := s.states(ctx, ids)
	for i := range rows {
		r := &rows[i]
		state := now[r.ID]
		if state.problem != nil {
			return nil, state.problem
		}
		if mayRead(caller, r.Credential, state.decided, nil) != nil {
			continue
		}
		l, err := decode(r.Body)
		if err != nil {
			return nil, err
		}
		if err := s.withUpdates(ctx, r.ID, l); err != nil {
			return nil, err
		}
		as, ok := bearsAs(l, source, id, kind)
		if !ok {
			continue
		}
		if len(resp.Leads) == maxFound {
			resp.More = true
			break
		}
		result := &capturev1.LeadResult{}
		state.fill(result)
		resp.Leads = append(resp.Leads, &capturev1.FoundLead{
			Standing:   &capturev1.Standing{LeadId: r.ID.String(), State: result.GetState(), Code: result.GetCode(), Decision: result.GetDecision()},
			ReceivedAt: leadconv.Time(r.ReceivedAt), Kind: leadv1.IdentifierKind(as),
		})
	}
	return resp, nil
}

// bearsAs is as what a lead bears an identifier; its hash alone does not prove it.
func bearsAs(l *lead.Lead, source, id string, kind lead.IDKind) (lead.IDKind, bool) {
	for i := range l.Identifiers {
		s, v, ok := bears(l, &l.Identifiers[i])
		if ok && s == source && v == id && (kind == lead.IDKindUnspecified || kind == l.Identifiers[i].Kind) {
			return l.Identifiers[i].Kind, true
		}
	}
	return 0, false
}

// withUpdates adds the identifiers that came after a lead.
func (s *Service) withUpdates(ctx context.Context, id lead.ID, l *lead.Lead) error {
	updates, err := s.store.Updates(ctx, id)
	if err != nil {
		return err
	}
	for _, body := range updates {
		u, err := decode(body)
		if err != nil {
			return err
		}
		l.Identifiers = append(l.Identifiers, u.Identifiers...)
	}
	return nil
}
