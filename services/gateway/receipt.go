package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	routingv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/routing/v1"
	"github.com/leadmesh/leadmesh/services/internal/problem"
)

// receipt answers the receipt of a decision as the JSON document it is. Its bytes stand in the
// answer exactly as stored, so that their SHA-256 is the digest beside them.
func (s *Server) receipt(w http.ResponseWriter, r *http.Request, params map[string]string) {
	attempt, _ := strconv.ParseInt(r.URL.Query().Get("attempt"), 10, 32) // absent: 0, else checked by admit
	resp, err := s.routing.GetReceipt(r.Context(), &routingv1.GetReceiptRequest{LeadId: params["lead_id"], Attempt: int32(attempt)})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	canonical := []byte(resp.GetReceipt().GetCanonical())
	if !json.Valid(canonical) {
		s.fail(w, r, problem.Internal(errors.New("the stored receipt is not JSON")))
		return
	}
	var out bytes.Buffer
	out.WriteString(`{"receipt":`)
	out.Write(canonical)
	out.WriteString(`,"digest":` + strconv.Quote(resp.GetDigest()))
	out.WriteString(`,"attempts":` + strconv.Itoa(int(resp.GetAttempts())))
	out.WriteString(`,"attempt":` + strconv.Itoa(int(resp.GetAttempt())) + `}`)
	write(w, http.StatusOK, out.Bytes())
}
