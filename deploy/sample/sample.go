// Package sample carries a made-up manufacturer with its dealers, the postal codes they stand
// on, leads, signals and a playbook, so that a fresh installation has something to work with.
package sample

import (
	"embed"
	"io/fs"
)

//go:embed network postal leads signals playbook
var files embed.FS

// Files returns the sample as a read-only file system with the folders network, postal, leads,
// signals and playbook; what each holds is said in README.md next to this file. Leads and
// signals hold time tokens such as {now-3h}, which whoever sends them replaces. Files may be
// read by any number of goroutines.
func Files() fs.FS { return files }
