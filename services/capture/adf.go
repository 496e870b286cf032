package capture

import (
	"github.com/leadmesh/leadmesh/core/adf"
)

// readADF finds the leads of an ADF document. One that cannot be read at all becomes a lead that
// is parked with its raw form.
func readADF(body []byte) []*intake {
	doc, err := adf.Parse(body)
	if err != nil {
		return []*intake{{raw: body, unreadable: "the ADF document could not be read"}}
	}
	items := make([]*intake, 0, len(doc.Prospects))
	for i := range doc.Prospects {
		in := &intake{raw: body}
		in.lead = leadOf(&doc.Prospects[i])
		items = append(items, in)
	}
	return items
}
