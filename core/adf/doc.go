// Package adf reads and writes the Auto-lead Data Format 1.0.
//
// Reading is lenient. The published DTD, the prose of the specification and
// its own examples disagree with each other, and senders follow none of them,
// so nothing is validated by refusing it. Parse runs in five steps, each in
// time linear in the input:
//
//	bytes -> text       encoding.go  byte order marks, declared and real encodings, control characters
//	text -> tokens      scan.go      tags, attributes, entities; whatever is not markup stays text
//	tokens -> tree      tree.go      missing, crossed and foreign end tags
//	tree -> Document    read_*.go    ADF elements wherever they stand; the rest is kept in Unknown
//	comments -> facts   comment.go   key and value pairs, consent, preference, vehicles in free text
//
// What was repaired or looks odd is named in Document.Repairs (places in the
// text) and Prospect.Flags (places in the lead). A value that could not be
// placed is in Prospect.Unknown: nothing is dropped without a trace.
//
// Writing is strict. Emit writes the elements in the order of the DTD and
// refuses values the format does not know; see Check for the rules and
// Document.Canonical for the way from a read document to a writable one.
// Where the DTD and the prose differ the writer allows the union: name part
// suffix and surname, condition, primarycontact, besttime, and timeframe with
// children.
//
// Parsing needs no entity definitions and follows none: a document type
// declaration is skipped, so entity expansion cannot grow the input. Values
// are personal data; errors, repairs and flags therefore name places and
// kinds, never the value itself.
package adf
