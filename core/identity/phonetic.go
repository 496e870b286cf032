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

// soundsAlike reports that two names sound nearly the same: in their consonants, in a breath before
// them as in Hanna and Anna, in the first vowel as in Jane and June, and in the a that one letter makes
// Maria of Mario by.
func soundsAlike(a, b string) bool {
	x, _ := phonetic(a)
	y, _ := phonetic(b)
	return x == y && (a[0] == 'h') == (b[0] == 'h') && firstVowel(a) == firstVowel(b) &&
		(a[len(a)-1] == 'a') == (b[len(b)-1] == 'a')
}

// firstVowel returns the class of the first vowel of a name: a, e for the bright ones, o for the dark
// ones, 0 for none.
func firstVowel(s string) byte {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case 'a':
			return 'a'
		case 'e', 'i':
			return 'e'
		case 'y':
			if i > 0 || len(s) > 1 && !vowel(s[1]) {
				return 'e'
			}
		case 'o', 'u':
			return 'o'
		}
	}
	return 0
}

func vowel(c byte) bool { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' }

// spoken returns the first letters of a name as they are spoken, whatever way they are spelled: one of
// doubled letters, k for c and ck, f for ph and v, s for z and soft c, i for y, ie and ey, and neither an
// h but the first nor an e at the end.
func spoken(s string) (out [16]byte) {
	n := 0
	for i := 0; i < len(s) && n < len(out); i++ {
		c := s[i]
		next := byte(0)
		if i+1 < len(s) {
			next = s[i+1]
		}
		switch {
		case c == 'p' && next == 'h', c == 'v':
			c = 'f'
		case c == 'h' && i > 0, c == 'e' && next == 0 && i > 0, c == 'e' && next == 'y', c == 'c' && next == 'k':
			continue
		case c == 'c' && (next == 'e' || next == 'i' || next == 'y'), c == 'z':
			c = 's'
		case c == 'c', c == 'q':
			c = 'k'
		case c == 'y' && (i > 0 || !vowel(next)):
			c = 'i'
		}
		if n > 0 && out[n-1] == c {
			continue
		}
		out[n] = c
		n++
	}
	return out
}
