package routing

// Metres measures between two points in millionths of a degree as the search for stores does.
func Metres(latitude1, longitude1, latitude2, longitude2 int32) int32 {
	return metres(vectorOf(latitude1, longitude1).chord2(vectorOf(latitude2, longitude2)))
}
