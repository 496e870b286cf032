package adf

import (
	"errors"
	"strings"
	"testing"
)

// TestStepsStayLinear feeds texts made to cause repeated searches. The bytes
// looked at may be a fixed multiple of the input, whatever its length.
func TestStepsStayLinear(t *testing.T) {
	wrap := func(s string) string {
		return "<adf><prospect><customer><comments>" + s + "</comments></customer></prospect></adf>"
	}
	cases := map[string]func(n int) string{
		"unclosed comments":        func(n int) string { return wrap(strings.Repeat("<!--", n)) },
		"unclosed cdata":           func(n int) string { return wrap(strings.Repeat("<![CDATA[", n)) },
		"unclosed doctype":         func(n int) string { return strings.Repeat("<!DOCTYPE a [>", n) },
		"brackets in doctype":      func(n int) string { return "<!DOCTYPE a [>" + strings.Repeat("]  ", n) + "<adf><prospect/></adf>" },
		"unclosed instructions":    func(n int) string { return wrap(strings.Repeat("<?a", n)) },
		"less-than signs":          func(n int) string { return wrap(strings.Repeat("< ", n)) },
		"ampersands":               func(n int) string { return wrap(strings.Repeat("&amp", n)) },
		"long references":          func(n int) string { return wrap(strings.Repeat("&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", n/8)) },
		"open quotes":              func(n int) string { return wrap(strings.Repeat(`<phone type="a`, n/8)) },
		"open quotes in one tag":   func(n int) string { return wrap("<phone " + strings.Repeat(`a="`, n) + ">") },
		"dangling attribute names": func(n int) string { return wrap("<phone " + strings.Repeat(`a="b c=`, n) + ">") },
		"smart quotes":             func(n int) string { return wrap(`<phone a="` + strings.Repeat("”   ", n) + `">`) },
		"long end tags":            func(n int) string { return wrap(strings.Repeat("</"+strings.Repeat("x", 60), n/60)) },
		"stray end tags":           func(n int) string { return wrap(strings.Repeat("</name>", n)) },
		"unclosed leaves":          func(n int) string { return wrap(strings.Repeat("<year>", n)) },
		"pairs":                    func(n int) string { return wrap(strings.Repeat("a: b; ", n)) },
		"line with markup":         func(n int) string { return wrap(strings.Repeat("&lt;year ", n)) },
		"escaped levels":           func(n int) string { return strings.Repeat("&amp;lt;adf ", n) },
		"commented vehicles":       func(n int) string { return wrap(strings.Repeat("<!--<vehicle><year>2000<make>-->", n/8)) },
	}
	for _, piece := range pieces() {
		cases[piece+" alone"] = func(n int) string { return strings.Repeat(piece, n) }
		cases[piece+" in a comment"] = func(n int) string { return wrap(strings.Repeat(piece, n)) }
		cases[piece+" in a tag"] = func(n int) string { return "<adf " + strings.Repeat(piece, n) + ">" }
		cases[piece+" in a value"] = func(n int) string { return "<adf a='" + strings.Repeat(piece, n) + "'>" }
	}
	for name, build := range cases {
		for _, n := range []int{1000, 8000} {
			raw := build(n)
			_, steps, err := parse([]byte(raw))
			var perr *ParseError
			if err != nil && !errors.As(err, &perr) {
				t.Fatal(err)
			}
			if limit := 12*len(raw) + 4096; steps > limit {
				t.Errorf("%s, %d bytes: %d steps, limit %d", name, len(raw), steps, limit)
			}
		}
	}
}

// pieces are what hostile documents are made of, each again and again.
func pieces() []string {
	return []string{
		"<", ">", "&", "&amp;", "&#38;", "&lt;", "<a>", "</a>", "<a ", "a=b ", `a="b" `, `a='`, "<!--", "-->", "<![CDATA[", "]]>", "<?", "<!DOCTYPE ", "<!ENTITY a 'b'>", "<!a [", "[", "]",
		"<adf>", "<prospect>", "<prospect/>", "<prospect><vehicle>", "<vehicle/>", "<contact>", "<name>", "<email>a@b.c</email>", "<comments>", "&lt;adf&gt;", "\n", "\\\"", "\x00", "\xff",
		"x", " ", "\n", "Key: value\n", "<b></b>", "<a><b>", "\"", "'", "=", "=\"", "%3C", "\u00e9", "\ufeff", "<?adf version='1.0'?>", "<?xml", "--boundary\n", "=3D", "=\n", "\u201d", "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	}
}

// TestAllocationsStayLinear compares an adversarial text with one four times
// as long.
func TestAllocationsStayLinear(t *testing.T) {
	builds := map[string]func(n int) string{
		"nested unknown": func(n int) string {
			return strings.Repeat("<adf><prospect>"+strings.Repeat("<aaaaaaaaaaaaaaaa>", 50)+strings.Repeat("</aaaaaaaaaaaaaaaa>", 50)+"</prospect></adf>", n)
		},
		"many siblings": func(n int) string {
			return "<adf><prospect>" + strings.Repeat("<b>x</b><year>2</year>", n*50) + "</prospect></adf>"
		},
		"quotes and references": func(n int) string {
			return "<adf><prospect><comments>" + strings.Repeat("&nbsp;“ Key: v // &bogus; ", n*50) + "</comments></prospect></adf>"
		},
	}
	for name, build := range builds {
		count := func(n int) float64 {
			raw := []byte(build(n))
			return testing.AllocsPerRun(1, func() { _, _, _ = parse(raw) })
		}
		if small, large := count(10), count(40); large > 6*small+1000 {
			t.Errorf("%s: %.0f allocations for a text, %.0f for one four times as long", name, small, large)
		}
	}
}
