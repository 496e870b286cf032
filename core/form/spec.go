package form

import "github.com/leadmesh/leadmesh/core/lead"

// Spec is what an operator declares about one source of forms. The zero value declares nothing. It
// is not changed after it is made; many goroutines may read it.
type Spec struct {
	Name     string // of the source; stands for the lead's source where neither Set nor the form names one
	Set      Defaults
	Fields   map[string]Rule // by the folded question
	Consents []ConsentRule
	Test     bool // every lead is a test lead
	DayFirst bool // "03/04/2026" is the 3rd of April
}

// Defaults fill what the form leaves open.
type Defaults struct {
	Source      lead.Source
	Campaign    lead.Campaign
	Dealer      lead.DealerReference // Scheme also says whose codes the form's dealer codes are
	Choice      lead.DealerChoice
	Origin      lead.Origin
	Line        lead.Line
	RequestType lead.RequestType
	Brand       string
	Market      string
	Language    string
}

// Rule says which field a question asks for, and what its answers mean there.
type Rule struct {
	Field  Field
	Values map[string]string // by the folded answer; one that is not listed stays as it is
}

// ConsentRule says what a box or question of a form declares.
type ConsentRule struct {
	Key          string // folded key or question
	Purpose      lead.Purpose
	Channels     []lead.Channel // none: of no channel in particular
	Controller   lead.Controller
	ControllerID string
	TextVersion  string
	PreTicked    bool // the form comes with the box ticked, so a tick is no consent
}
