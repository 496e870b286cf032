package card

import (
	"fmt"
	"strings"
)

// Problem is one mistake in a card: where it is and what would be right.
type Problem struct {
	Line, Column int    // in the text, from 1; 0 for a card that was not read from one, and where only the line is known
	Path         string // e.g. rows[3].bins[1].points
	Message      string
}

// Error makes a Problem an error: line:column: path: message, without what is not known.
func (p Problem) Error() string {
	var b strings.Builder
	switch {
	case p.Column > 0:
		fmt.Fprintf(&b, "%d:%d: ", p.Line, p.Column)
	case p.Line > 0:
		fmt.Fprintf(&b, "%d: ", p.Line)
	}
	if p.Path != "" {
		b.WriteString(p.Path)
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
	return b.String()
}
