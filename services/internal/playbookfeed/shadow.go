package playbookfeed

import (
	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/scoring"
	scoringv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/scoring/v1"
)

// How the figures of shadows are counted.
const (
	PointsBuckets = 10
	BucketPoints  = scoring.MaxPoints / PointsBuckets
	Stages        = int(lead.StageReady) // AWARENESS to READY
)

// ShadowCount is what a shadow would have done with the leads of its line. The zero value is empty.
type ShadowCount struct {
	decided, shadow [PointsBuckets]int64
	moves           [Stages * Stages]int64
}

// Add counts a lead by its points and stage as decided and as the shadow has them, which must be
// those of a scored line.
func (c *ShadowCount) Add(decidedPoints int32, decided lead.Stage, shadowPoints int32, shadow lead.Stage) {
	c.decided[bucketOf(decidedPoints)]++
	c.shadow[bucketOf(shadowPoints)]++
	c.moves[(int(decided)-1)*Stages+int(shadow)-1]++
}

// bucketOf is the bucket of points; 100.00 points are in the last.
func bucketOf(points int32) int { return min(int(points)/BucketPoints, PointsBuckets-1) }

// Proto writes the counts for a report.
func (c *ShadowCount) Proto() *scoringv1.ShadowCount {
	out := *c
	return &scoringv1.ShadowCount{DecidedPoints: out.decided[:], ShadowPoints: out.shadow[:], Moves: out.moves[:]}
}
