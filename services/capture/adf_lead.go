package capture

import (
	"github.com/leadmesh/leadmesh/core/adf"
	"github.com/leadmesh/leadmesh/core/lead"
)

func leadOf(p *adf.Prospect) lead.Lead { return lead.Lead{Resend: p.Status == "resend"} }
