package gateway

import (
	"net/http"

	"github.com/leadmesh/leadmesh/core/lead"
)

// code is one code with what people call it.
type code struct {
	Code  string `json:"code"`
	Label string `json:"label"`
}

// codeList is one list of codes.
type codeList struct {
	Kind  string `json:"kind"`
	Codes []code `json:"codes"`
}

// codes answers every list of codes with labels in the language asked for.
func (s *Server) codes(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	lang := r.URL.Query().Get("lang")
	kinds := lead.CodeKinds()
	lists := make([]codeList, 0, len(kinds))
	for _, kind := range kinds {
		list := codeList{Kind: kind, Codes: []code{}}
		for _, c := range lead.Codes(kind) {
			list.Codes = append(list.Codes, code{Code: c, Label: lead.Label(lang, kind, c)})
		}
		lists = append(lists, list)
	}
	s.answer(w, r, http.StatusOK, struct {
		Lists []codeList `json:"lists"`
	}{lists})
}
