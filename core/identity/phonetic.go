package identity

// Phonetic returns a code that folded names of one sound share, for blocking: the first letter's
// class, then the classes of its further consonants without repetition, at most four in all. "" for
// a name without Latin letters.
func Phonetic(name string) string {
	code, n := phonetic(name)
	return string(code[:n])
}

func phonetic(name string) (code [4]byte, n int) {
	last := byte(0)
	for i := 0; i < len(name) && n < len(code); i++ {
		c := name[i]
		if c < 'a' || c > 'z' {
			continue
		}
		class := soundClasses[c-'a']
		switch {
		case n == 0:
			if code[0] = class; class == 0 {
				code[0] = 'a'
			}
			n = 1
		case class != 0 && class != last:
			code[n] = class
			n++
		}
		if c != 'h' && c != 'w' {
			last = class
		}
	}
	return code, n
}

// soundClasses holds the class of each letter from a to z, 0 for vowels and breath, as Soundex has
// them, letters of one class named by one of theirs.
var soundClasses = [26]byte{
	0, 'b', 'k', 't', 0, 'b', 'k', 0, 0, 'k', 'k', 'l', 'm', 'm', 0, 'b', 'k', 'r', 'k', 't', 0, 'b', 0, 'k', 0, 'k',
}
