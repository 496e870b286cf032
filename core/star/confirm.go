package star

import (
	"encoding/xml"
	"strings"
	"time"
)

// Result is what became of one lead of a document.
type Result struct {
	LeadID string
	OK     bool
	Reason string // "" where all is well
}

// Confirm writes the answer to a document: a ConfirmBOD that names it and says per lead, in order,
// what became of it.
func Confirm(d Document, results []Result, at time.Time) []byte {
	var b strings.Builder
	text := func(name, value string) {
		b.WriteString("<" + name + ">")
		_ = xml.EscapeText(&b, []byte(value)) // a strings.Builder takes everything
		b.WriteString("</" + name + ">")
	}
	b.WriteString(xml.Header + `<ConfirmBOD xmlns="http://www.starstandard.org/STAR/5" releaseID="5.4.4"><ApplicationArea>`)
	b.WriteString("<Sender><CreatorNameCode>leadmesh</CreatorNameCode><SenderNameCode>leadmesh</SenderNameCode></Sender>")
	text("CreationDateTime", at.UTC().Format(time.RFC3339))
	b.WriteString("<Destination>")
	text("DestinationNameCode", d.Sender)
	b.WriteString("</Destination></ApplicationArea><ConfirmBODDataArea><Confirm/><BOD><OriginalApplicationArea>")
	text("BODID", d.BODID)
	text("CreationDateTime", d.Created)
	b.WriteString("</OriginalApplicationArea>")
	for _, r := range results {
		outcome := "Success"
		if !r.OK {
			outcome = "Failure"
		}
		b.WriteString("<BOD" + outcome + "Message><Noun" + outcome + "Message>")
		text("DocumentID", r.LeadID)
		if r.Reason != "" {
			text("ReasonText", r.Reason)
		}
		b.WriteString("</Noun" + outcome + "Message></BOD" + outcome + "Message>")
	}
	b.WriteString("</BOD></ConfirmBODDataArea></ConfirmBOD>")
	return []byte(b.String())
}
