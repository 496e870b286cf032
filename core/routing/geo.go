package routing

import "math"

const (
	earthRadius = 6_371_009  // mean radius of the Earth in metres (IUGG)
	maxDistance = 20_015_200 // half the circumference, rounded up
	degree      = million    // coordinates are in millionths of a degree
)

// vector is a point on the unit sphere.
type vector struct{ x, y, z float64 }

func vectorOf(latitude, longitude int32) vector {
	lat := float64(latitude) / degree * (math.Pi / 180)
	lon := float64(longitude) / degree * (math.Pi / 180)
	cos := math.Cos(lat)
	return vector{cos * math.Cos(lon), cos * math.Sin(lon), math.Sin(lat)}
}

// chord2 is the square of the straight distance between two points of the unit sphere. The
// conversions forbid fused multiplication, so every machine rounds alike.
func (v vector) chord2(w vector) float64 {
	dx, dy, dz := v.x-w.x, v.y-w.y, v.z-w.z
	return float64(dx*dx) + float64(dy*dy) + float64(dz*dz)
}

// metres turns chord2 into whole metres on the ground: the haversine formula, whose haversine is
// a quarter of the squared chord.
func metres(chord2 float64) int32 {
	half := math.Sqrt(chord2) / 2
	return int32(math.Round(2 * earthRadius * math.Asin(min(half, 1))))
}

// onSphere returns the direction of a sum of unit vectors; ok is false where it has none.
func (v vector) onSphere() (w vector, ok bool) {
	n := math.Sqrt(v.chord2(vector{}))
	if n < 1e-9 {
		return vector{}, false
	}
	return vector{v.x / n, v.y / n, v.z / n}, true
}

func (v vector) add(w vector) vector { return vector{v.x + w.x, v.y + w.y, v.z + w.z} }
func (v vector) sub(w vector) vector { return vector{v.x - w.x, v.y - w.y, v.z - w.z} }

func (v vector) axis(i int) float64 {
	switch i {
	case 0:
		return v.x
	case 1:
		return v.y
	}
	return v.z
}

// morton interleaves the bits of a position, so that what is near on the ground is mostly near
// in memory too.
func morton(latitude, longitude int32) uint64 {
	return spread(uint32(latitude)+90*degree)<<1 | spread(uint32(longitude)+180*degree)
}

func spread(v uint32) uint64 {
	x := uint64(v)
	x = (x | x<<16) & 0x0000ffff0000ffff
	x = (x | x<<8) & 0x00ff00ff00ff00ff
	x = (x | x<<4) & 0x0f0f0f0f0f0f0f0f
	x = (x | x<<2) & 0x3333333333333333
	return (x | x<<1) & 0x5555555555555555
}
