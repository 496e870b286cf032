// Package charttest checks pages with pictures.
package charttest

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
)

// WellFormed checks that each picture of a page is XML, as a browser needs it.
func WellFormed(t testing.TB, html string) {
	t.Helper()
	for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(html, -1) {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("a picture is no XML: %v", err)
			}
		}
	}
}

// Sealed checks that nothing of the data a page shows became markup, and that it fetches nothing. The
// data holds "</td></svg>" and "<script" for that.
func Sealed(t testing.TB, html string) {
	t.Helper()
	html = strings.ReplaceAll(html, "http://www.w3.org/2000/svg", "")
	for _, bad := range []string{"<script", "</td></svg>", "http://", "https://", "url(", "src=", "href=", "@import"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

// Themed checks that pictures take their colours from the style sheet: those of print would be black on
// black in the dark.
func Themed(t testing.TB, html string) {
	t.Helper()
	_, body, _ := strings.Cut(html, "</style>")
	if c := regexp.MustCompile(`:#[0-9A-Fa-f]{6}`).FindString(body); c != "" {
		t.Errorf("a picture has a colour of its own: %s", c)
	}
}
