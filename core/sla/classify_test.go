package sla_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leadmesh/leadmesh/core/sla"
)

func TestClassify(t *testing.T) {
	start := at(t, wednesday10)
	m := func(n int) time.Time { return start.Add(time.Duration(n) * minute) }
	call := func(n int, r sla.CallResult, talk time.Duration) sla.Activity {
		return sla.Activity{Kind: sla.Call, Direction: sla.Outbound, Result: r, At: m(n), Named: true, Talk: talk}
	}
	message := func(n int, k sla.Channel) sla.Activity {
		return sla.Activity{Kind: k, Direction: sla.Outbound, At: m(n), Named: true}
	}
	template := func(a sla.Activity) sla.Activity { a.Template = true; return a }
	bot := func(a sla.Activity) sla.Activity { a.Bot = true; return a }
	unnamed := func(a sla.Activity) sla.Activity { a.Named = false; return a }
	inbound := func(a sla.Activity) sla.Activity { a.Direction = sla.Inbound; return a }
	attempts := func(a ...sla.Activity) (out []sla.Attempt) {
		for _, x := range a {
			out = append(out, sla.Attempt{At: x.At, Channel: x.Kind})
		}
		return out
	}
	connected, voicemail, noAnswer := call(5, sla.CallConnected, 60*time.Second), call(5, sla.CallVoicemail, 0), call(5, sla.CallNoAnswer, 0)
	mail := message(7, sla.Email)
	var none time.Time
	tests := []struct {
		name         string
		in           []sla.Activity
		appointments []time.Time
		want         sla.Stamps
	}{
		{"nothing", nil, nil, sla.Stamps{}},
		{"connected", []sla.Activity{connected}, nil, sla.Stamps{m(5), m(5), m(5), attempts(connected)}},
		{"connected, hung up", []sla.Activity{call(5, sla.CallConnected, 3*time.Second)}, nil, sla.Stamps{m(5), m(5), none, attempts(connected)}},
		{"connected, length unknown", []sla.Activity{call(5, sla.CallConnected, sla.TalkUnknown)}, nil, sla.Stamps{m(5), m(5), m(5), attempts(connected)}},
		{"voicemail", []sla.Activity{voicemail}, nil, sla.Stamps{m(5), m(5), none, attempts(voicemail)}},
		{"unanswered alone", []sla.Activity{noAnswer}, nil, sla.Stamps{none, none, none, attempts(noAnswer)}},
		{"unanswered and a template text in 15 min", []sla.Activity{noAnswer, template(message(20, sla.Text))}, nil, sla.Stamps{m(20), m(20), none, attempts(noAnswer, message(20, sla.Text))}},
		{"busy and a template mail in 15 min", []sla.Activity{call(5, sla.CallBusy, 0), template(mail)}, nil, sla.Stamps{m(7), m(7), none, attempts(noAnswer, mail)}},
		{"unanswered and a template text after 16 min", []sla.Activity{noAnswer, template(message(21, sla.Text))}, nil, sla.Stamps{m(21), none, none, attempts(noAnswer, message(21, sla.Text))}},
		{"unanswered and a bot's text", []sla.Activity{noAnswer, bot(message(6, sla.Text))}, nil, sla.Stamps{m(6), none, none, attempts(noAnswer)}},
		{"unanswered twice is one channel", []sla.Activity{noAnswer, call(6, sla.CallNoAnswer, 0)}, nil, sla.Stamps{none, none, none, attempts(noAnswer, call(6, 0, 0))}},
		{"wrong number and a template", []sla.Activity{call(5, sla.CallWrongNumber, 0), template(mail)}, nil, sla.Stamps{m(7), none, none, attempts(noAnswer, mail)}},
		{"dead numbers count once", []sla.Activity{call(5, sla.CallDisconnected, 0), call(6, sla.CallWrongNumber, 0), call(8, sla.CallDoNotCall, 0)}, nil, sla.Stamps{none, none, none, attempts(noAnswer)}},
		{"own words by mail", []sla.Activity{mail}, nil, sla.Stamps{m(7), m(7), none, attempts(mail)}},
		{"own words by messenger", []sla.Activity{message(7, sla.Messenger)}, nil, sla.Stamps{m(7), m(7), none, attempts(message(7, sla.Messenger))}},
		{"template mail", []sla.Activity{template(mail)}, nil, sla.Stamps{m(7), none, none, attempts(mail)}},
		{"bot's mail acknowledges only", []sla.Activity{bot(mail)}, nil, sla.Stamps{AcknowledgedAt: m(7)}},
		{"bot's call acknowledges only", []sla.Activity{bot(call(5, sla.CallConnected, 3*time.Second))}, nil, sla.Stamps{AcknowledgedAt: m(5)}},
		{"talk with a bot engages", []sla.Activity{bot(connected)}, nil, sla.Stamps{AcknowledgedAt: m(5), EngagedAt: m(5)}},
		{"nobody named", []sla.Activity{unnamed(mail)}, nil, sla.Stamps{AcknowledgedAt: m(7)}},
		{"reply", []sla.Activity{inbound(unnamed(mail))}, nil, sla.Stamps{EngagedAt: m(7)}},
		{"the customer's auto-reply", []sla.Activity{bot(inbound(mail))}, nil, sla.Stamps{}},
		{"customer called, taken", []sla.Activity{inbound(connected)}, nil, sla.Stamps{m(5), m(5), m(5), nil}},
		{"customer called, missed", []sla.Activity{inbound(noAnswer)}, nil, sla.Stamps{EngagedAt: m(5)}},
		{"visit", []sla.Activity{inbound(message(9, sla.Visit))}, nil, sla.Stamps{m(9), m(9), m(9), nil}},
		{"note", []sla.Activity{message(9, sla.Note), inbound(message(9, sla.Note))}, nil, sla.Stamps{}},
		{"appointment", []sla.Activity{mail}, []time.Time{m(30), m(20)}, sla.Stamps{m(7), m(7), m(20), attempts(mail)}},
		{"earliest wins, whatever the order", []sla.Activity{message(9, sla.Text), connected, bot(message(1, sla.Email))}, nil, sla.Stamps{m(1), m(5), m(5), attempts(connected, message(9, sla.Text))}},
	}
	rules := sla.Rules{EngagedTalk: 20 * time.Second, SecondChannelWithin: 15 * minute}
	rng := rand.New(rand.NewPCG(7, 8))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 5 {
				before := append([]sla.Activity(nil), tt.in...)
				if diff := cmp.Diff(tt.want, sla.Classify(rules, tt.in, tt.appointments)); diff != "" {
					t.Fatal(diff)
				}
				if diff := cmp.Diff(before, tt.in); diff != "" {
					t.Fatalf("the argument changed: %s", diff)
				}
				rng.Shuffle(len(tt.in), func(i, j int) { tt.in[i], tt.in[j] = tt.in[j], tt.in[i] })
			}
		})
	}
}
