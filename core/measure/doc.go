// Package measure holds the one definition of every figure: what counts, of what, and how sure
// the number is. It computes from facts about leads (LeadFact) that somebody else gathered; it
// reads no clock and no store.
//
// A figure whose denominator is empty is absent rather than zero: "nobody asked" and "nobody
// answered" are different news.
package measure
