// Package sla is the honest clock: store calendars, the deadlines of an
// assignment, the ladder that a missed response climbs, and what activities
// amount to. It is pure: time comes in as an argument, values come from the
// playbook, and everything it returns can be computed again.
//
// An assignment has one next deadline. Next says which, Fire sweeps it, Apply
// takes what happened; each returns a new State:
//
//	Begin --> State --Next--> Deadline --(its time has come)--> Fire --> State, effects
//	             ^                                                |
//	             +------- Apply(event) <--- activities, outcomes  +
//
// Two clocks run side by side until they end. The respond clock alone climbs:
//
//	ACCEPT 50% -> WARN 80% -> RESPOND 100% -> ESCALATE_PERSON 100%
//	   -> ESCALATE_MANAGER 2x -> ESCALATE_FIELD 4x -> ESCALATE_DAILY ... (again)
//	      any of them --responded--> the clock is over
//	      a late report of a response before a step: escalation needless
//
// The other is the plan and, once the customer took part, the next step:
//
//	not engaged:  ATTEMPT 2, 3, ... n -> WINDOW_END -> expired(unreachable | closed unworked)
//	                 | engaged
//	                 v
//	engaged:      NEXT_STEP  <--miss--+     customer back 60 min, no-show, visited, ordered,
//	                 |  ^-------------+     call on D; each list of terms in its order,
//	                 | appointment set      then repeated
//	                 v
//	appointment:  APPOINTMENT_REMIND -> APPOINTMENT_OUTCOME --kept, no-show, cancelled--> NEXT_STEP
//
// Beside both: ASKED_AGAIN when another inquiry was merged into this one, and a
// pause, which holds plan, window and next step until REVIEW but never the
// respond clock. Only a closed assignment has no deadline.
//
// What counts is when something happened. State keeps those times apart from
// what was swept; Judge reads the former.
package sla
