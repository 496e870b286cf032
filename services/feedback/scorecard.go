package feedback

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/leadmesh/leadmesh/core/lead"
	"github.com/leadmesh/leadmesh/core/measure"
	feedbackv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/feedback/v1"
	leadv1 "github.com/leadmesh/leadmesh/gen/go/leadmesh/lead/v1"
	store "github.com/leadmesh/leadmesh/services/feedback/internal/postgres"
	"github.com/leadmesh/leadmesh/services/internal/cursor"
	"github.com/leadmesh/leadmesh/services/internal/rpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	usualPeriod = 30 * 24 * time.Hour
	// safety is what the watermark keeps from now at least: relays hand events over within it.
	safety = 2 * time.Second
	// lagMemory is how long a late arrival holds the watermark back.
	lagMemory   = 10 * time.Minute
	usualPage   = 100
	longestPage = 1_000
)

// grouping names the group of a lead; ok is false if the lead is in none.
type grouping func(f *measure.LeadFact) (key string, ok bool)

var groupings = map[string]grouping{
	"":         func(*measure.LeadFact) (string, bool) { return "", true },
	"source":   func(f *measure.LeadFact) (string, bool) { return f.Source, true },
	"campaign": func(f *measure.LeadFact) (string, bool) { return f.Campaign, true },
	"line":     func(f *measure.LeadFact) (string, bool) { return f.Line.String(), true },
	// The manufacturer's desk is no dealer, and a lead nobody owns is in nobody's figures.
	"dealer": func(f *measure.LeadFact) (string, bool) { return f.DealerID, f.DealerID != "" && !f.Desk },
	"day":    func(f *measure.LeadFact) (string, bool) { return f.ReceivedAt.Format(time.DateOnly), true },
	"week": func(f *measure.LeadFact) (string, bool) {
		monday := f.ReceivedAt.AddDate(0, 0, -(int(f.ReceivedAt.Weekday())+6)%7)
		return monday.Format(time.DateOnly), true
	},
	"month": func(f *measure.LeadFact) (string, bool) { return f.ReceivedAt.Format("2006-01"), true },
}

// GetScorecard answers the figures of a period, grouped as asked. Days are UTC, a week is named by
// its Monday.
func (s *Service) GetScorecard(ctx context.Context, req *feedbackv1.GetScorecardRequest) (*feedbackv1.GetScorecardResponse, error) {
	f := &fields{}
	group := f.grouping(req.GetGroupBy())
	filter, watermark, err := s.filter(ctx, f, req)
	if err != nil {
		return nil, err
	}
	var equation measure.Conservation
	cards := make(map[string]*measure.Card)
	err = s.store.Scan(ctx, filter, store.Place{}, watermark, func(fact *measure.LeadFact) bool {
		equation.Add(fact)
		if key, ok := group(fact); ok && !fact.Test {
			card := cards[key]
			if card == nil {
				card = measure.NewCard(watermark)
				cards[key] = card
			}
			card.Add(fact)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	return &feedbackv1.GetScorecardResponse{
		Watermark:    timestamppb.New(watermark),
		Groups:       formatGroups(cards),
		Conservation: formatConservation(&equation),
	}, nil
}

// ListScorecardLeads answers the leads behind one figure, in order of receipt.
func (s *Service) ListScorecardLeads(ctx context.Context, req *feedbackv1.ListScorecardLeadsRequest) (*feedbackv1.ListScorecardLeadsResponse, error) {
	f := &fields{}
	group := f.grouping(req.GetGroupBy())
	if !slices.Contains(measure.Names(), req.GetFigure()) {
		f.wrong("figure", "is one of %s", strings.Join(measure.Names(), ", "))
	}
	page := f.pageSize(req.GetPageSize())
	after := f.place(req.GetPageToken())
	filter, watermark, err := s.filter(ctx, f, req)
	if err != nil {
		return nil, err
	}
	resp := &feedbackv1.ListScorecardLeadsResponse{}
	var last store.Place
	err = s.store.Scan(ctx, filter, after, watermark, func(fact *measure.LeadFact) bool {
		if key, in := group(fact); !in || req.GetGroupBy() != "" && key != req.GetGroupKey() {
			return true
		}
		wanted, missing, _ := measure.Part(req.GetFigure(), fact, watermark)
		if req.GetMissing() {
			wanted = missing
		}
		if !wanted {
			return true
		}
		if len(resp.LeadIds) == page {
			resp.NextPageToken = formatPlace(last)
			return false
		}
		resp.LeadIds = append(resp.LeadIds, fact.LeadID.String())
		last = store.Place{ReceivedAt: fact.ReceivedAt, LeadID: fact.LeadID}
		return true
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// leak is one lead that leaks.
type leak struct {
	fact  measure.LeadFact
	stage measure.LeakStage
	since time.Time
}

// GetLeakage answers the leads that leak, the oldest leak first.
func (s *Service) GetLeakage(ctx context.Context, req *feedbackv1.GetLeakageRequest) (*feedbackv1.GetLeakageResponse, error) {
	f := &fields{}
	page := f.pageSize(req.GetPageSize())
	after := f.place(req.GetPageToken())
	filter, watermark, err := s.filter(ctx, f, req)
	if err != nil {
		return nil, err
	}
	var valid int64
	var leaks []leak
	err = s.store.Scan(ctx, filter, store.Place{}, watermark, func(fact *measure.LeadFact) bool {
		if fact.Valid() {
			valid++
		}
		if stage, since, ok := measure.Leak(fact, watermark); ok {
			leaks = append(leaks, leak{fact: *fact, stage: stage, since: since})
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(leaks, func(a, b leak) int { return comparePlaces(a.place(), b.place()) })
	resp := &feedbackv1.GetLeakageResponse{
		Watermark: timestamppb.New(watermark), Count: proto.Int64(int64(len(leaks))), ByStage: make(map[string]int64),
	}
	if share, ok := (measure.Rate{Numerator: resp.GetCount(), Denominator: valid}).Share(); ok {
		resp.ShareOfValid = &share
	}
	for _, l := range leaks {
		resp.ByStage[string(l.stage)]++
	}
	start, _ := slices.BinarySearchFunc(leaks, after, func(l leak, p store.Place) int {
		if comparePlaces(l.place(), p) <= 0 {
			return -1
		}
		return 1
	})
	rest := leaks[start:]
	if len(rest) > page {
		rest = rest[:page]
		resp.NextPageToken = formatPlace(rest[page-1].place())
	}
	for i := range rest {
		resp.Leaks = append(resp.Leaks, rest[i].format(watermark))
	}
	return resp, nil
}

// place of a leak in the order of leaks: by the time since when it leaks.
func (l *leak) place() store.Place { return store.Place{ReceivedAt: l.since, LeadID: l.fact.LeadID} }

func comparePlaces(a, b store.Place) int {
	return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), slices.Compare(a.LeadID[:], b.LeadID[:]))
}

func (l *leak) format(at time.Time) *feedbackv1.Leak {
	owner := l.fact.DealerID
	if l.stage == measure.ParkedPastReview {
		owner = l.fact.ParkedWith
	}
	return &feedbackv1.Leak{
		LeadId: l.fact.LeadID.String(), Stage: string(l.stage), Owner: owner, AgeSeconds: int64(at.Sub(l.since).Seconds()),
		Line: leadv1.Line(l.fact.Line), Source: l.fact.Source,
	}
}

// narrowed is what every report can be narrowed by.
type narrowed interface {
	GetFrom() *timestamppb.Timestamp
	GetUntil() *timestamppb.Timestamp
	GetDealerId() string
	GetSource() string
	GetCampaign() string
	GetLine() leadv1.Line
	GetBrand() string
}

// filter reads which leads are asked for, together with what f found wrong before, and the
// watermark they are read at. A store sees its own leads only.
func (s *Service) filter(ctx context.Context, f *fields, in narrowed) (store.Filter, time.Time, error) {
	dealerID, err := dealerOf(rpc.CallerFrom(ctx), in.GetDealerId())
	if err != nil {
		return store.Filter{}, time.Time{}, err
	}
	now := s.now()
	from, until := f.span(in.GetFrom(), in.GetUntil(), time.Time{}, now)
	if _, ok := leadv1.Line_name[int32(in.GetLine())]; !ok {
		f.wrong("line", "is no known line")
	}
	if err := f.err(); err != nil {
		return store.Filter{}, time.Time{}, err
	}
	watermark, err := s.watermark(ctx, now)
	if err != nil {
		return store.Filter{}, time.Time{}, err
	}
	return store.Filter{
		From: from, Until: earlier(until, watermark), DealerID: dealerID, Source: in.GetSource(),
		Campaign: in.GetCampaign(), Brand: in.GetBrand(), Line: lead.Line(in.GetLine()),
	}, watermark, nil
}

// watermark is the moment before which everything recorded is in the facts.
func (s *Service) watermark(ctx context.Context, now time.Time) (time.Time, error) {
	late, err := s.store.Lateness(ctx, now.Add(-lagMemory))
	if err != nil {
		return time.Time{}, err
	}
	watermark := now.Add(-max(late.Lag, safety))
	if at := late.UnfoldedSince; !at.IsZero() {
		watermark = earlier(watermark, at)
	}
	return watermark, nil
}

// span reads a period. A zero earliest means the usual period before its end.
func (f *fields) span(from, until *timestamppb.Timestamp, earliest, latest time.Time) (time.Time, time.Time) {
	start, end := earliest, latest
	if until != nil {
		end = until.AsTime()
		if !until.IsValid() {
			f.wrong("until", "is no valid time")
		}
	}
	if start.IsZero() {
		start = end.Add(-usualPeriod)
	}
	if from != nil {
		start = from.AsTime()
		if !from.IsValid() {
			f.wrong("from", "is no valid time")
		}
	}
	if !start.Before(end) {
		f.wrong("from", "does not lie before until")
	}
	return start, end
}

func (f *fields) grouping(by string) grouping {
	group, ok := groupings[by]
	if !ok {
		f.wrong("group_by", "is one of source, campaign, dealer, line, day, week, month, or absent")
	}
	return group
}

func (f *fields) pageSize(n int32) int {
	switch {
	case n == 0:
		return usualPage
	case n < 0 || n > longestPage:
		f.wrong("page_size", "is not within 1 to %d", longestPage)
	}
	return int(n)
}

func (f *fields) place(token string) store.Place {
	if token == "" {
		return store.Place{}
	}
	raw, read := cursor.Bytes(token)
	if !read || len(raw) != 8+16 {
		f.wrong("page_token", "is not one that an answer gave")
		return store.Place{}
	}
	return store.Place{
		ReceivedAt: time.UnixMicro(int64(binary.BigEndian.Uint64(raw))).UTC(),
		LeadID:     lead.ID(raw[8:]),
	}
}

func formatPlace(p store.Place) string {
	raw := binary.BigEndian.AppendUint64(make([]byte, 0, 8+16), uint64(p.ReceivedAt.UnixMicro()))
	return cursor.Text(append(raw, p.LeadID[:]...))
}

func formatGroups(cards map[string]*measure.Card) []*feedbackv1.ScorecardGroup {
	keys := make([]string, 0, len(cards))
	for key := range cards {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(cards[b].Leads(), cards[a].Leads()), cmp.Compare(a, b))
	})
	groups := make([]*feedbackv1.ScorecardGroup, len(keys))
	for i, key := range keys {
		groups[i] = &feedbackv1.ScorecardGroup{Key: key}
		for _, figure := range cards[key].Figures() {
			groups[i].Figures = append(groups[i].Figures, formatFigure(&figure))
		}
	}
	return groups
}

// formatFigure sets every field that belongs to the figure's unit, so that a 0 is told from nothing.
func formatFigure(f *measure.Figure) *feedbackv1.Figure {
	out := &feedbackv1.Figure{
		Name: f.Name, Value: &f.Value, Unit: string(f.Unit), Quantiles: f.Quantiles, Note: f.Note,
	}
	switch f.Unit {
	case measure.Share:
		out.Numerator, out.Denominator = &f.Rate.Numerator, &f.Rate.Denominator
		out.Low, out.High, out.StillOpen = &f.Low, &f.High, &f.StillOpen
	case measure.Seconds:
		out.Denominator, out.StillOpen = &f.Rate.Denominator, &f.StillOpen
	}
	return out
}

func formatConservation(c *measure.Conservation) *feedbackv1.Conservation {
	return &feedbackv1.Conservation{
		Captured: &c.Captured, Pending: &c.Pending, Rejected: &c.Rejected, Merged: &c.Merged, Parked: &c.Parked,
		Open: &c.Open, Won: &c.Won, Lost: &c.Lost, Expired: &c.Expired, Holds: proto.Bool(c.Holds()),
	}
}
