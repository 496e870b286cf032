// Package graph fetches lead forms from Meta's Graph API.
package graph

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Limits of one call.
const (
	timeout = 20 * time.Second // of all that is asked for one form
	maxBody = 1 << 20
)

// The fields asked for. A version that does not know the second part answers without it.
const (
	baseFields = "id,created_time,ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name,form_id,field_data"
	allFields  = baseFields + ",custom_disclaimer_responses,is_organic,platform,partner_name,home_listing,vehicle,retailer_item_id"
)

// Client calls the Graph API. Safe for concurrent use.
type Client struct {
	http  *http.Client
	limit time.Duration
}

// New makes a client that follows no redirect, since its requests carry a token.
func New() *Client {
	return &Client{limit: timeout, http: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Request names a form and who asks for it.
type Request struct {
	URL, Version     string // of the API
	LeadID           string
	Token, AppSecret string
}

// Failure is what a refusal means for who asks.
type Failure uint8

// The values of Failure.
const (
	Unavailable Failure = iota // it may work in a moment
	Limited                    // too many were asked for
	Denied                     // token or permission: somebody must act
	Gone                       // the form is deleted, or never was
)

// Error is why a form was not fetched. Its text holds no part of the request or the answer but
// Meta's codes.
type Error struct {
	Failure       Failure
	Status        int // of HTTP; 0 without an answer
	Code, Subcode int // of Meta; 0 if there is none
	RetryAfter    time.Duration
}

func (e *Error) Error() string {
	if e.Status == 0 {
		return "the Graph API does not answer"
	}
	what := map[Failure]string{
		Unavailable: "the Graph API is out of order", Limited: "the Graph API's rate limit is reached",
		Denied: "the Graph API refuses the token or its permissions", Gone: "the Graph API knows no such lead, or it was deleted",
	}[e.Failure]
	if e.Code == 0 {
		return fmt.Sprintf("%s (status %d)", what, e.Status)
	}
	return fmt.Sprintf("%s (status %d, code %d, subcode %d)", what, e.Status, e.Code, e.Subcode)
}

// Lead fetches a form as the API writes it; the error is an *Error, or the context's.
func (c *Client) Lead(ctx context.Context, r Request) ([]byte, error) {
	within, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	body, err := c.get(within, r, allFields)
	var e *Error
	const unknownField = 100
	if errors.As(err, &e) && e.Code == unknownField && e.Failure == Denied {
		body, err = c.get(within, r, baseFields)
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = &Error{Failure: Unavailable}
	}
	return body, err
}

func (c *Client) get(ctx context.Context, r Request, fields string) ([]byte, error) {
	proof := hmac.New(sha256.New, []byte(r.AppSecret))
	proof.Write([]byte(r.Token))
	query := url.Values{"fields": {fields}, "access_token": {r.Token}, "appsecret_proof": {hex.EncodeToString(proof.Sum(nil))}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL+"/"+r.Version+"/"+url.PathEscape(r.LeadID)+"?"+query.Encode(), nil)
	if err != nil {
		return nil, &Error{Failure: Denied}
	}
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if err != nil { // its text holds the address with the token
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &Error{Failure: Unavailable}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return nil, &Error{Failure: Unavailable, Status: resp.StatusCode}
	}
	return body, check(resp, body, r.LeadID)
}

// check reads what an answer says; nil if it is the form.
func check(resp *http.Response, body []byte, leadID string) error {
	var answer struct {
		ID    json.RawMessage `json:"id"`
		Error *struct {
			Code      int  `json:"code"`
			Subcode   int  `json:"error_subcode"`
			Transient bool `json:"is_transient"`
		} `json:"error"`
	}
	err := json.Unmarshal(body, &answer)
	e := &Error{Status: resp.StatusCode}
	if s, convErr := strconv.Atoi(resp.Header.Get("Retry-After")); convErr == nil && s > 0 {
		e.RetryAfter = min(time.Duration(s)*time.Second, time.Hour)
	}
	switch {
	case answer.Error != nil:
		e.Code, e.Subcode = answer.Error.Code, answer.Error.Subcode
		e.Failure = failure(resp.StatusCode, e.Code, e.Subcode, answer.Error.Transient)
		return e
	case resp.StatusCode != http.StatusOK:
		e.Failure = failure(resp.StatusCode, 0, 0, false)
		return e
	case err != nil: // a page of a proxy, or an answer cut short
		return e
	}
	id := string(answer.ID)
	if unquoted, err := strconv.Unquote(id); err == nil {
		id = unquoted
	}
	if id != leadID {
		e.Failure = Unavailable
		return e
	}
	return nil
}

// failure reads Meta's codes: https://developers.facebook.com/docs/graph-api/guides/error-handling
// and .../overview/rate-limiting.
func failure(status, code, subcode int, transient bool) Failure {
	const objectUnknown = 33
	switch {
	case status == http.StatusTooManyRequests, code == 4, code == 17, code == 32, code == 341, code == 613, code >= 80000 && code <= 80014:
		return Limited
	case transient, status >= http.StatusInternalServerError, code == 1, code == 2, status == http.StatusRequestTimeout:
		return Unavailable
	case code == 100 && subcode == objectUnknown, code == 803, status == http.StatusGone, status == http.StatusNotFound:
		return Gone
	}
	return Denied
}
