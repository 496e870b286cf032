package sla

import (
	"slices"
	"time"
)

// Channel is how people reach each other. It is also the kind of an activity.
type Channel uint8

// The values of Channel.
const (
	ChannelUnspecified Channel = iota
	Call
	Email
	Text
	Messenger
	Visit
	Note
	channelCount
)

// Direction of an activity.
type Direction uint8

// The values of Direction.
const (
	Outbound Direction = iota + 1 // from the store to the customer
	Inbound                       // from the customer
)

// CallResult is how a call ended.
type CallResult uint8

// The values of CallResult; the numbers are those of the code list.
const (
	CallUnspecified CallResult = iota
	CallConnected
	CallVoicemail
	CallNoAnswer
	CallBusy
	CallWrongNumber
	CallDisconnected
	CallDoNotCall
	CallOther
)

// TalkUnknown is the talk time of a call whose length the source does not tell.
const TalkUnknown time.Duration = -1

// Activity is one thing done about this inquiry. The caller leaves out what
// belongs to other inquiries.
type Activity struct {
	Kind      Channel
	Direction Direction
	Result    CallResult // calls only
	At        time.Time
	// Named says that a person known by name or id did it on the store's side;
	// for an inbound activity, that such a person took it.
	Named bool
	// Bot says that a machine did it: an auto-reply, an assistant, a campaign.
	// An inbound one is the customer's own auto-reply or a bounce.
	Bot bool
	// Template says that the text is a known template, whoever sent it.
	Template bool
	Talk     time.Duration // calls only; TalkUnknown if not told
}

// Rules are the values Classify needs.
type Rules struct {
	// EngagedTalk is the shortest talk that counts as the customer taking part.
	EngagedTalk time.Duration
	// SecondChannelWithin is how soon after an unanswered call a message on
	// another channel must follow (15 min).
	SecondChannelWithin time.Duration
}

// Stamps is what activities amount to. A zero time means "not so far".
type Stamps struct {
	AcknowledgedAt time.Time
	RespondedAt    time.Time
	EngagedAt      time.Time
	// Attempts of named persons, by time. A number known to be dead or barred
	// counts once.
	Attempts []Attempt
}

// Classify computes the stamps of Law 2 from the activities of one inquiry, in
// any order, and the times at which appointments were made. The result is the
// same whatever the order of reports.
//
// Responded needs a named person, never a bot: a call that connected or reached
// the voicemail; an unanswered call and a message on another channel soon after
// (at the time of the message, which may be a template); an e-mail or text that
// is no known template; a call taken or a visit received from the customer.
// Engaged is the customer taking part: talk of some length (a connected call of
// unknown length counts if a named person had it), a reply, a visit, an
// appointment. Acknowledged is anything that reached for the customer, by a bot
// too, at the latest the response.
func Classify(r Rules, activities []Activity, appointments []time.Time) Stamps {
	sorted := slices.Clone(activities)
	slices.SortStableFunc(sorted, func(a, b Activity) int { return a.At.Compare(b.At) })
	var s Stamps
	dead := false
	for i := range sorted {
		a := &sorted[i]
		if a.responds() {
			earlier(&s.RespondedAt, a.At)
		}
		if a.unanswered() {
			if at, ok := secondChannel(r, a, sorted[i+1:]); ok {
				earlier(&s.RespondedAt, at)
			}
		}
		if a.engages(r) {
			earlier(&s.EngagedAt, a.At)
		}
		if a.acknowledges() {
			earlier(&s.AcknowledgedAt, a.At)
		}
		if a.attempts() && !(a.dead() && dead) {
			dead = dead || a.dead()
			s.Attempts = append(s.Attempts, Attempt{At: a.At, Channel: a.Kind})
		}
	}
	for _, at := range appointments {
		earlier(&s.EngagedAt, at)
	}
	if !s.RespondedAt.IsZero() {
		earlier(&s.AcknowledgedAt, s.RespondedAt)
	}
	return s
}

// byPerson reports whether a named person acted on the store's side.
func (a *Activity) byPerson() bool { return a.Named && !a.Bot }

func (a *Activity) message() bool { return a.Kind == Email || a.Kind == Text || a.Kind == Messenger }

func (a *Activity) responds() bool {
	if !a.byPerson() {
		return false
	}
	switch {
	case a.Kind == Visit:
		return true
	case a.Kind == Call && a.Direction == Inbound:
		return a.Result == CallConnected
	case a.Kind == Call && a.Direction == Outbound:
		return a.Result == CallConnected || a.Result == CallVoicemail
	}
	return a.message() && a.Direction == Outbound && !a.Template
}

func (a *Activity) unanswered() bool {
	return a.byPerson() && a.Kind == Call && a.Direction == Outbound && (a.Result == CallNoAnswer || a.Result == CallBusy)
}

// secondChannel finds the message that turns an unanswered call into a
// response, among the activities after the call.
func secondChannel(r Rules, call *Activity, later []Activity) (time.Time, bool) {
	for i := range later {
		m := &later[i]
		if m.At.Sub(call.At) > r.SecondChannelWithin {
			break
		}
		if m.byPerson() && m.message() && m.Direction == Outbound {
			return m.At, true
		}
	}
	return time.Time{}, false
}

func (a *Activity) engages(r Rules) bool {
	switch {
	case a.Kind == Note:
		return false
	case a.Kind == Visit:
		return true
	case a.Direction == Inbound && a.Kind == Call:
		return true // the customer called back, whoever missed it
	case a.Kind == Call && a.Result == CallConnected:
		return a.Talk >= r.EngagedTalk || a.Talk == TalkUnknown && a.byPerson()
	}
	return a.Direction == Inbound && a.message() && !a.Bot
}

func (a *Activity) acknowledges() bool {
	if a.Direction != Outbound {
		return false
	}
	return a.message() || a.Kind == Call && (a.Result == CallConnected || a.Result == CallVoicemail)
}

func (a *Activity) attempts() bool {
	return a.byPerson() && a.Direction == Outbound && (a.Kind == Call || a.message())
}

// dead reports that the call proved its number useless.
func (a *Activity) dead() bool {
	return a.Kind == Call && (a.Result == CallWrongNumber || a.Result == CallDisconnected || a.Result == CallDoNotCall)
}
