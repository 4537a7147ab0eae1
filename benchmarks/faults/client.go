package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
)

// operation is a GraphQL operation with the data that it is due.
type operation struct {
	name string
	text string
	// variables returns those of the request with a number. Default: none.
	variables func(n int) map[string]any
	// want returns the data of the request with a number, as JSON.
	want func(n int) string
}

// The operations. None is equal to the ones before and after it, so that nothing is shared.
var (
	readUser = operation{
		"user", `query($id: ID!) { user(id: $id) { id name } }`,
		func(n int) map[string]any { return map[string]any{"id": fmt.Sprint("U-", n)} },
		func(n int) string { return fmt.Sprintf(`{"user":{"id":"U-%d","name":"user U-%d"}}`, n, n) },
	}
	readProduct = operation{
		"product", `query($id: ID!) { product(sku: $id) { sku name price } }`,
		func(n int) map[string]any { return map[string]any{"id": fmt.Sprint("P-", n)} },
		func(n int) string {
			return fmt.Sprintf(`{"product":{"sku":"P-%d","name":"product P-%d","price":7.5}}`, n, n)
		},
	}
	// join makes three calls to products: a list, the stock, and the related ones.
	join = operation{
		"join", `{ products(first: 3) { nodes { sku stock related { name } } } }`,
		nil,
		func(int) string {
			var nodes []string
			for i := range 3 {
				nodes = append(nodes, fmt.Sprintf(`{"sku":"P-%d","stock":%d,"related":[{"name":"product P-1"},{"name":"product P-2"}]}`, i, i))
			}
			return `{"products":{"nodes":[` + strings.Join(nodes, ",") + `]}}`
		},
	}
	typename = operation{"__typename", `{ __typename }`, nil, func(int) string { return `{"__typename":"Query"}` }}

	createUser = operation{
		"POST", `mutation($id: String!) { createUser(input: {name: $id, email: "a@example.com", password: "long enough 1"}) { id } }`,
		func(n int) map[string]any { return map[string]any{"id": fmt.Sprint("C-", n)} },
		func(int) string { return `{"createUser":{"id":"created"}}` },
	}
	updateUser = operation{
		"PATCH", `mutation($id: ID!) { updateUser(id: $id, input: {name: "A"}) { id } }`,
		func(n int) map[string]any { return map[string]any{"id": fmt.Sprint("M-", n)} },
		func(n int) string { return fmt.Sprintf(`{"updateUser":{"id":"M-%d"}}`, n) },
	}
	deleteUser = operation{
		"DELETE", `mutation($id: ID!) { deleteUser(id: $id) }`,
		func(n int) map[string]any { return map[string]any{"id": fmt.Sprint("D-", n)} },
		func(int) string { return `{"deleteUser":true}` },
	}
)

// verdict is what became of a request.
type verdict string

const (
	succeeded  verdict = "succeeded"  // the data that are due, without errors
	failed     verdict = "failed"     // errors, each with a code, and nothing of a service's text or address
	wrong      verdict = "wrong"      // data that differ without an error
	unclean    verdict = "unclean"    // an error without a code, or with a service's text or address
	unanswered verdict = "unanswered" // no response, or none that GraphQL over HTTP knows
)

// outcome is the result of a request.
type outcome struct {
	verdict verdict
	codes   string // of the errors, with + between them
	detail  string // for what must not be: wrong, unclean and unanswered
	started time.Time
	took    time.Duration
}

// client sends operations to a gateway.
type client struct {
	url       string
	token     string
	forbidden []string // what no response may contain
	http      *http.Client
	number    atomic.Int64 // of the last request
}

// answerTimeout is how long a request may take before it counts as unanswered. It is longer than the
// deadline of operations, 30 s.
const answerTimeout = 40 * time.Second

func newClient(url, token string, addresses []string) *client {
	return &client{
		url: url, token: token, forbidden: append([]string{faulty.Secret}, addresses...),
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}, Timeout: answerTimeout},
	}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// send sends an operation once.
func (c *client) send(ctx context.Context, op operation) outcome {
	n := int(c.number.Add(1))
	var variables map[string]any
	if op.variables != nil {
		variables = op.variables(n)
	}
	o := outcome{started: time.Now()}
	body, err := c.exchange(ctx, op.text, variables)
	o.took = time.Since(o.started)
	if err != nil {
		o.verdict, o.detail = unanswered, err.Error()
		return o
	}
	c.judge(&o, body, op.want(n))
	return o
}

// exchange returns the body of the response to a query.
func (c *client) exchange(ctx context.Context, query string, variables map[string]any) ([]byte, error) {
	text, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// judge compares a response with what is due.
func (c *client) judge(o *outcome, body []byte, want string) {
	var r struct {
		Data   any
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err := json.Unmarshal(body, &r); err != nil {
		o.verdict, o.detail = unanswered, fmt.Sprintf("%.200q", body)
		return
	}
	o.detail = fmt.Sprintf("%.300s", body)
	for _, text := range c.forbidden {
		if bytes.Contains(body, []byte(text)) {
			o.verdict = unclean
			return
		}
	}
	var codes []string
	for _, e := range r.Errors {
		if e.Extensions.Code == "" {
			o.verdict = unclean
			return
		}
		codes = append(codes, e.Extensions.Code)
	}
	slices.Sort(codes)
	o.codes = strings.Join(slices.Compact(codes), "+")
	var due any
	_ = json.Unmarshal([]byte(want), &due) // it is written above
	switch {
	case len(r.Errors) > 0:
		o.verdict = failed
	case reflect.DeepEqual(r.Data, due):
		o.verdict = succeeded
	default:
		o.verdict = wrong
	}
}

// burst sends an operation count times by some clients, each of which sends the next one when it has the
// response.
func (c *client) burst(ctx context.Context, op operation, clients, count int) outcomes {
	results := make([]outcome, count)
	var next atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= count || ctx.Err() != nil {
					return
				}
				results[i] = c.send(ctx, op)
			}
		})
	}
	all.Wait()
	return results
}

// steady sends operations in turn at a rate, a second, for a duration, whatever becomes of them: as many
// clients do that do not know of each other. It returns when all have their responses.
func (c *client) steady(ctx context.Context, rate int, d time.Duration, ops ...operation) outcomes {
	return c.paced(ctx, ctx, rate, int(d.Seconds()*float64(rate)), ops)
}

// background sends operations likewise until stop is called, which returns their outcomes.
func (c *client) background(ctx context.Context, rate int, ops ...operation) (stop func() outcomes) {
	sending, cancel := context.WithCancel(ctx)
	result := make(chan outcomes, 1)
	go func() { result <- c.paced(ctx, sending, rate, 1<<20, ops) }()
	return func() outcomes {
		cancel()
		return <-result
	}
}

// paced sends up to count operations in turn until sending ends. Those that were sent end with ctx.
func (c *client) paced(ctx, sending context.Context, rate, count int, ops []operation) (results outcomes) {
	var mu sync.Mutex // guards results
	var all sync.WaitGroup
	start := time.Now()
	for i := range count {
		if pause(sending, time.Until(start.Add(time.Duration(i)*time.Second/time.Duration(rate)))) != nil {
			break
		}
		all.Go(func() {
			o := c.send(ctx, ops[i%len(ops)])
			mu.Lock()
			defer mu.Unlock()
			results = append(results, o)
		})
	}
	all.Wait()
	slices.SortFunc(results, func(a, b outcome) int { return a.started.Compare(b.started) })
	return results
}

// outcomes are those of requests in the order in which they were sent.
type outcomes []outcome

// count returns how many requests had a verdict.
func (r outcomes) count(v verdict) (n int) {
	for _, o := range r {
		if o.verdict == v {
			n++
		}
	}
	return n
}

// success returns the share of requests that succeeded.
func (r outcomes) success() float64 { return float64(r.count(succeeded)) / float64(len(r)) }

// quantile returns the time within which a share of the requests had their responses, 0 without any.
func (r outcomes) quantile(share float64) time.Duration {
	if len(r) == 0 {
		return 0
	}
	var times []time.Duration
	for _, o := range r {
		times = append(times, o.took)
	}
	slices.Sort(times)
	return times[min(int(share*float64(len(times))), len(times)-1)]
}

// improper returns the requests that ended as none may: with a description of the first one.
func (r outcomes) improper() (n int, example string) {
	for _, o := range r {
		if o.verdict == wrong || o.verdict == unclean || o.verdict == unanswered {
			if n++; n == 1 {
				example = string(o.verdict) + ": " + o.detail
			}
		}
	}
	return n, example
}

// codes returns the codes of errors, the most frequent first.
func (r outcomes) codes() string {
	counts := map[string]int{}
	for _, o := range r {
		if o.codes != "" {
			counts[o.codes]++
		}
	}
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return counts[b] - counts[a] })
	return strings.Join(names, ", ")
}
