package governance

// Steps lists the normalising steps that Rules.Skip can switch off. The caller owns the slice.
func Steps() []string { return append([]string(nil), stepList[:]...) }

// Fields lists the fields that a FieldRule can be for. The caller owns the slice.
func Fields() []string { return append([]string(nil), fieldNames[:]...) }
