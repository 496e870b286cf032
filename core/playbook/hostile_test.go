package playbook_test

import (
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"

	"github.com/leadmesh/leadmesh/core/playbook"
)

// TestHostileFiles says of each file what is wrong with it, without holding or using much memory.
func TestHostileFiles(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'j'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s*%c]\n", c, c, strings.Repeat(fmt.Sprintf("*%c,", c-1), 8), c-1)
	}
	for name, text := range map[string]string{
		"aliases":         bomb,
		"merges":          strings.Repeat("<<: *a\n", 1000),
		"deep":            strings.Repeat("[", 400_000),
		"deep by dashes":  strings.Repeat("- ", 100_000) + "x",
		"deep mappings":   strings.Repeat("{a: ", 100_000),
		"empty lists":     "a: [" + strings.Repeat("[],", 1<<20) + "]",
		"lines":           strings.Repeat("a:\n", 1<<20),
		"one word":        strings.Repeat("a", 4<<20),
		"a number":        "half_life: " + strings.Repeat("9", 1<<20),
		"controls":        "half_life: \"\\0\\x1b\u2028\"",
		"NUL":             "half_life: \x00",
		"not UTF-8":       "half_life: \xff\xfe",
		"UTF-16":          "\xff\xfea\x00:\x00 \x001\x00",
		"tags":            strings.Repeat("!!binary ", 10_000) + "x",
		"documents":       strings.Repeat("---\na: 1\n", 10_000),
		"same key":        strings.Repeat("half_life: 1\n", 50_000),
		"a pattern":       "half_life: \"" + strings.Repeat("(a+)+", 10_000) + "$\"",
		"a folded scalar": "a: >\n" + strings.Repeat(" x\n", 100_000),
	} {
		for _, file := range []string{"signals.yaml", "scoring/segments.yaml"} {
			files := maps.Clone(small(t))
			files[file] = []byte(text)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p, mistakes := playbook.Read(files)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<30 {
				t.Errorf("%s in %s: %d MiB were used", name, file, used>>20)
			}
			if p != nil || len(mistakes) == 0 {
				t.Errorf("%s in %s is taken", name, file)
			}
			told := 0
			for _, m := range mistakes {
				told += len(m.Message)
				if m.Message == "" {
					t.Errorf("%s in %s: a mistake without a word", name, file)
				}
			}
			if told > 4<<20 {
				t.Errorf("%s in %s: %d mistakes in %d bytes", name, file, len(mistakes), told)
			}
		}
	}
}
