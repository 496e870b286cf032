package scoring

// Inputs is the vector a model scores: one integer per feature. It is a plain value of fixed
// size, so it can be compared, kept in a receipt and scored again to the same result.
type Inputs struct {
	Values [NumFeatures]int32 // indexed by Feature; Values[FeatureNone] is not used
	// NoConsent says that profiling is not granted: every tracked feature is Absent.
	NoConsent bool
}

// Reset makes every feature missing, with consent.
func (in *Inputs) Reset() {
	for i := range in.Values {
		in.Values[i] = Missing
	}
	in.NoConsent = false
}

// DropTracked takes out every tracked feature, as for a person who has not granted profiling.
func (in *Inputs) DropTracked() {
	in.NoConsent = true
	for f := FeatureNone + 1; f < NumFeatures; f++ {
		if features[f].tracked {
			in.Values[f] = Absent
		}
	}
}
