// Package e2e holds the black-box suite: the same cases run against the house in one process, over
// TCP with TLS and tokens, and as five processes with mutual TLS.
package e2e
