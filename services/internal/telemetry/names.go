package telemetry

// Names of spans, metrics and attributes. Grammar: leadmesh.<area>.<noun>[.<descriptor>], lower
// case, low-cardinality values; lead ids stand on spans only, personal data nowhere.
const (
	Scope = "github.com/leadmesh/leadmesh/services"

	SpanCapture = "leadmesh.capture.lead"
	SpanMail    = "leadmesh.postbox.mail"
	SpanResolve = "leadmesh.identity.resolve"
	SpanDecide  = "leadmesh.routing.decide"
	SpanCommit  = "leadmesh.routing.commit"
	SpanDeliver = "leadmesh.routing.deliver"
	SpanSweep   = "leadmesh.routing.sweep"

	MetricStageDuration    = "leadmesh.lead.stage.duration" // seconds, by stage
	MetricDecisionDuration = "leadmesh.decision.duration"   // seconds, per lead in the stream
	MetricDecisionInflight = "leadmesh.decision.inflight"
	MetricDecisionOutcomes = "leadmesh.decision.outcomes"   // by outcome
	MetricPendingAge       = "leadmesh.capture.pending.age" // seconds, of the oldest pending lead
	MetricOutboxLag        = "leadmesh.outbox.lag"          // seconds, of the oldest event, by service
	MetricShadowLeads      = "leadmesh.decision.shadow"     // leads a shadow model scored too, by outcome
	MetricSweepLag         = "leadmesh.routing.sweep.lag"   // seconds past its deadline, of the oldest
	MetricDeliveryLag      = "leadmesh.routing.delivery.lag"
	MetricQueueLag         = "leadmesh.river.lag"                 // seconds, of the oldest job that could run, by service
	MetricSpansDropped     = "leadmesh.telemetry.spans.dropped"   // by reason
	MetricMails            = "leadmesh.postbox.mails"             // by outcome
	MetricLeads            = "leadmesh.capture.leads"             // by outcome
	MetricIgnored          = "leadmesh.capture.ignored"           // parts of webhook calls that tell of no lead
	MetricResolveDuration  = "leadmesh.identity.resolve.duration" // seconds, per call
	MetricResolved         = "leadmesh.identity.resolved"         // leads, by outcome
	MetricJoined           = "leadmesh.identity.joined"           // persons found to be another one known
	MetricCommonKeys       = "leadmesh.identity.common_keys"      // keys left out as too common
	MetricReviews          = "leadmesh.identity.reviews"          // pairs that wait for a person
	MetricShed             = "leadmesh.rpc.shed"                  // requests refused for overload, by service
	MetricDBConnections    = "leadmesh.db.connections"            // by service and state: max, open, busy
	MetricFilesStale       = "leadmesh.files.stale"               // 1: a changed file cannot be used, by what it holds
	MetricCertificateRest  = "leadmesh.certificate.rest"          // seconds until it ends, by which

	AttrLeadID  = "leadmesh.lead.id"
	AttrStage   = "stage"
	AttrOutcome = "outcome"
	AttrService = "service"
	AttrReason  = "reason"

	StageDurable   = "durable"   // received -> durable
	StageResolved  = "resolved"  // durable -> resolved
	StageDecided   = "decided"   // resolved -> decided
	StageCommitted = "committed" // decided -> committed
	StageDelivered = "delivered" // committed -> delivered
)
