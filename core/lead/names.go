package lead

// names lists the spellings of an enum from value 1 on; value 0 is "not given".
type names []string

func (n names) of(v uint8) string {
	if v == 0 || int(v) > len(n) {
		return ""
	}
	return n[v-1]
}

func (n names) index(s string) (uint8, bool) {
	for i, name := range n {
		if name == s {
			return uint8(i + 1), true
		}
	}
	return 0, false
}
