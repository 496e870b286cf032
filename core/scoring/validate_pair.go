package scoring

import (
	"fmt"

	"github.com/leadmesh/leadmesh/core/lead"
)

const (
	maxPairs = 1000   // of a line, so that no sum overflows
	maxCells = 10_000 // of a pair
)

func (c *checker) pairs(path string, pairs []Pair) {
	if len(pairs) > maxPairs {
		c.add(path, "there are %d, at most %d are read", len(pairs), maxPairs)
		return
	}
	seen := map[[2]string]bool{}
	for i := range pairs {
		p := &pairs[i]
		at := fmt.Sprintf("%s[%d]", path, i)
		a, b := p.First.Feature, p.Second.Feature
		switch {
		case a == b:
			c.add(at, "a pair needs two different features")
		case seen[[2]string{a, b}] || seen[[2]string{b, a}]:
			c.add(at, "these two have a pair already; add its points to that one")
		}
		seen[[2]string{a, b}] = true
		c.side(at+".first", &p.First)
		c.side(at+".second", &p.Second)
		if _, ok := ParseGroup(p.Group); !ok && p.Group != "" {
			c.add(at+".group", "no group of this name%s", lead.Suggest(p.Group, groupNames[GroupEngagement:]))
		}
		if n := len(p.First.Parts) * len(p.Second.Parts); n > maxCells {
			c.add(at, "has %d cells, at most %d are read", n, maxCells)
			continue
		}
		c.grid(at+".points", p, p.Points, c.points)
		if len(p.Errors) > 0 {
			c.grid(at+".errors", p, p.Errors, c.error)
		}
	}
}

func (c *checker) side(path string, s *Side) {
	f, ok := ParseFeature(s.Feature)
	if !ok {
		c.add(path+".feature", "no feature named %q%s", s.Feature, SuggestFeature(s.Feature))
		return
	}
	if len(s.Parts) == 0 || len(s.Parts) > maxCuts {
		c.add(path+".parts", "must be 1..%d, are %d", maxCuts, len(s.Parts))
		return
	}
	r := s.row()
	c.bins(path+".parts", f, c.scale(path+".in", f, s.In), r.Bins)
}

// grid checks the numbers of a pair's cells: that there are as many, and each by itself.
func (c *checker) grid(path string, p *Pair, cells [][]int32, number func(path string, v int32)) {
	if len(cells) != len(p.First.Parts) {
		c.add(path, "must have one line for every part of the first feature, %d, has %d", len(p.First.Parts), len(cells))
		return
	}
	for i := range cells {
		at := fmt.Sprintf("%s[%d]", path, i)
		if len(cells[i]) != len(p.Second.Parts) {
			c.add(at, "must have one number for every part of the second feature, %d, has %d", len(p.Second.Parts), len(cells[i]))
			continue
		}
		for j, v := range cells[i] {
			number(fmt.Sprintf("%s[%d]", at, j), v)
		}
	}
}
