package governance_test

import (
	"math"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
)

// patterns are what hostile texts are made of: what a reader of texts may look at again and again.
func patterns() []string {
	return []string{
		"a", "a ", " ", "von ", "A.", "+49 170 ", "1", "1,", "1.", "0", "@", "a@", "a.", "http://x ", "1/2/3 ", "\u00e9", "\u0301", "\u200b", "(", "()", "-", "'", "\n",
		"Key: value\n", "month ", "1-", "Q1 ", "test ", "x1y2", "KM8", "$", "$1", "EUR ", "ß", "I\u0307", "\U0001f600", "seo services ", "bitcoin", "<b>", "&amp;", "\"", "ioniq 5 ", "\xff",
	}
}

// stuffed is a lead whose every text is the same.
func stuffed(text string) *lead.Lead {
	return &lead.Lead{
		RawRequest: text, Brand: text, Market: text, Dealer: lead.DealerReference{ID: text, Code: text, Scheme: text, Name: text},
		Source:      lead.Source{Channel: text, Source: text, SubSource: text, Provider: text, Medium: text, Form: text},
		Campaign:    lead.Campaign{ID: text, Name: text, Medium: text, Offer: text, Term: text, Content: text, AdID: text, AdGroup: text, ClickIDs: []string{text}},
		Identifiers: []lead.Identifier{{Source: text, Value: text}},
		ReceivedAt:  now, RequestedAt: now,
		Parties: []lead.Party{{
			Name:   lead.Name{Full: text, Prefix: text, Given: text, Middle: text, Family: text, Suffix: text, Company: text},
			Emails: []lead.Email{{Raw: text, Address: text}}, Phones: []lead.Phone{{Raw: text, Extension: text}},
			Address: lead.Address{Streets: []string{text}, Unit: text, City: text, Region: text, Postal: text, Country: text},
			Born:    text, Language: text, BestTime: text,
		}, {Name: lead.Name{Full: text}}},
		Vehicles: []lead.Vehicle{{
			Make: text, Model: text, ModelCode: text, Trim: text, Body: text, VIN: text, Stock: text, Color: text, Condition: text, Lender: text, Comments: text, Options: []string{text},
		}},
		TimeFrame: lead.TimeFrame{Text: text}, Comments: text, Language: text,
		Extra: []lead.Field{{Path: text, Value: text}, {Path: "form_seconds", Value: text}},
	}
}

// The same amount of text takes the same time in eight times the length as in eight times the
// number; what is looked at again and again takes eight times as long. The bound lies in between.
func TestLongTextsTakeTimeInProportion(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	g := governor(t)
	const short, factor, bound = 4 << 10, 8, 4
	for _, p := range patterns() {
		took := func(size, times int) time.Duration {
			text := strings.Repeat(p, size/len(p)+1)
			start := processorTime(t)
			for range times {
				g.Apply(stuffed(text), now)
			}
			return processorTime(t) - start + tick
		}
		ratio := math.Inf(1)
		for again := 0; ratio > bound && again < 4; again++ {
			ratio = min(ratio, float64(took(factor*short, 2))/float64(took(short, 2*factor)))
		}
		if ratio > bound {
			t.Errorf("%q: a text of eight times the length takes %.1f times as long as eight texts", p, ratio)
		}
	}
}

// tick is how finely the system tells processor time.
const tick = 4 * time.Millisecond

// processorTime is what the thread has had of the processor: a busy machine does not count.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	const thread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if err := syscall.Getrusage(thread, &u); err != nil {
		t.Skip("this system does not tell the processor time of a thread: ", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
