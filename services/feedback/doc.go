// Package feedback takes what dealers did and what became of leads, tells Routing at once, keeps
// the event log of the house and answers the figures from it.
//
// # Reports
//
// Activities and outcomes are stored with a place in the queue of unapplied ones, in one
// transaction, then applied at Routing in the same call. What could not be applied is retried by
// the loop in Run; nothing that was answered with an id is lost.
//
//	stored ──▶ waiting ──applied──▶ applied
//	              │ └──not_owner, closed──▶ refused (kept, with its reason)
//	              └──unknown_lead for 24 h──▶ refused (kept, with its reason)
//
// A report's id is unique within its lead. A report about a lead that neither Routing nor the log
// knows is answered with the problem NOT_FOUND and kept all the same: the lead may still be on
// its way. While Routing is down, reports wait without limit.
//
// # What is relied on in events
//
// Events carry a UUID as event_id and are unique by it; source names the service ("capture",
// "routing"); lead_version grows with every change at that service. Capture's word is older than
// any of Routing's. Types are leadmesh.lead.<word>.v1; facts by word:
//
//	captured           test line brand source campaign channel origin market flags requested_at
//	                   received_at; state if it is not PENDING. Makes the lead exist for the figures.
//	rejected           code
//	parked             code due_at(review) actor(owner of the review)
//	decided            state(ASSIGNED MERGED PARKED); ASSIGNED: dealer_id department role person_id
//	                   desk probability_ppm due_at deadline_kind, delivered_at for an inbox;
//	                   MERGED: related_id; PARKED: code due_at actor. line, if Routing chose it
//	delivered          delivered_at, else when it occurred
//	acknowledged       verdict dealer_id
//	accepted           verdict dealer_id; state if it is not ACCEPTED
//	transfer_offered   related_id(the receiving dealer) due_at
//	declined           answers an offer, or an assignment (then a decided event follows)
//	transfer_declined  answers an offer
//	transfer_lapsed    ends an offer
//	transferred        as decided; dealer_id is the new owner
//	returned           code; the state becomes REJECTED
//	activity           kind actor("bot" and "system" are nobody) code(result of a call)
//	milestone          kind(DELIVERED ATTEMPT RESPONDED ENGAGED ...) actor dealer_id; RESPONDED:
//	                   store_seconds verdict attempt(sequence of the assignment); those of an
//	                   appointment: appointment_at appointment_id
//	deadline           deadline_kind verdict(met breached unknown) dealer_id due_at(the one that fired)
//	escalated escalation_needless merged_in   not read
//	state              state code
//	woken won lost expired unwound reopened   state if it is not the word's own; code
//
// due_at with deadline_kind on any of them but those of offers and escalations and merged_in is the
// owner's next deadline from then on. The end of a lead ends its offer too. verdict is "met" or
// "breached" for dealers graded OBSERVED only, else "unknown"; the newest verdict of a clock and
// dealer counts. occurred_at of a state's event is since when it holds; events that merely repeat a
// state (milestones, deadlines, offers) do not move it.
//
// # Figures
//
// Appending writes the events and names their leads in a queue, nothing else. Run folds the leads of
// the queue, each from all of its events, whatever their order (internal/projection), into one row
// per lead, and core/measure computes the figures from those rows. A lead's capture and decision
// are folded together: three rows a lead, two of them events; one that is known by its capture alone
// waits up to a second in the queue for its decision. A lead is counted from its
// captured event on and stands in exactly one state, PENDING until an event says more, so the
// equation of conservation holds for every set of events.
//
// The watermark is the moment before which everything recorded is counted: now, less a safety of
// two seconds, or less the largest delay between recording and arrival of the last ten minutes
// if that is more, and never later than the oldest event that waits to be folded. Leads received after it are left out; news of the others may be newer than it.
// A relay that has stopped altogether cannot be seen from here; the age of its outbox is watched
// where the outbox is.
package feedback
