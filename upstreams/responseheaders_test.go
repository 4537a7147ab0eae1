package upstreams_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// Each function that makes a call gives the client the headers of its response, if that gives the field
// a value, and none of a failure.
func TestResponseHeaders(t *testing.T) {
	var status atomic.Int64
	var body atomic.Value
	users := newReplica(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["X-A"] = []string{"1", "", "2"}
		w.Header().Set("X-B", "b")
		w.Header().Set("Set-Cookie", "c")
		w.WriteHeader(int(status.Load()))
		io.WriteString(w, body.Load().(string))
	})
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(users.URL), ResponseHeaders: []upstreams.ResponseHeader{
		{Name: "x-a"}, {Name: "X-Missing"}, {Name: "X-B", As: "x-c"},
	}})
	asNull, asData := &upstreams.Rules{NullOn: []int{404}}, &upstreams.Rules{Success: func(r *upstreams.Response) bool { return r.Status == 404 }}
	post := func() *rest.Call { return rest.New("POST", "/users") }
	fetch := func(rules ...*upstreams.Rules) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			_, err := upstreams.Fetch(ctx, services, "users", post(), (*decode.Decoder).String, rules...)
			return err
		}
	}
	confirm := func(ctx context.Context) error {
		_, err := upstreams.Confirm(ctx, services, "users", post())
		return err
	}
	send := func(ctx context.Context) error { return upstreams.Send(ctx, services, "users", post()) }
	do := func(ctx context.Context) error {
		_, err := services.Do(ctx, "users", post())
		return err
	}
	for name, test := range map[string]struct {
		call   func(ctx context.Context) error
		status int64
		body   string
		has    bool
	}{
		"fetch":                  {fetch(), 200, `"text"`, true},
		"fetch, not JSON":        {fetch(), 200, `"te`, false},
		"fetch, another type":    {fetch(), 200, `{}`, false},
		"fetch, 500":             {fetch(), 500, `"text"`, false},
		"fetch, null":            {fetch(asNull), 404, `"text"`, true},
		"fetch, 404":             {fetch(), 404, `"text"`, false},
		"fetch, 404 as data":     {fetch(asData), 404, `"text"`, true},
		"fetch, 200 as an error": {fetch(asData), 200, `"text"`, false},
		"confirm":                {confirm, 204, ``, true},
		"confirm, true":          {confirm, 200, `true`, true},
		"confirm, not Boolean":   {confirm, 200, `5`, false},
		"confirm, 409":           {confirm, 409, ``, false},
		"send":                   {send, 201, `whatever`, true},
		"send, 503":              {send, 503, ``, false},
		"do":                     {do, 200, `x`, true},
		"do, 502":                {do, 502, `x`, false},
	} {
		status.Store(test.status)
		body.Store(test.body)
		ctx := engine.WithOperation(t.Context(), engine.Options{})
		if err := test.call(ctx); (err == nil) != test.has {
			t.Errorf("%s: %v", name, err)
		}
		got, _ := engine.TakeHeader(ctx)
		if test.has != (strings.Join(got["X-A"], " ") == "1 2" && slices.Equal(got["X-C"], []string{"b"}) && len(got) == 2) || !test.has && got != nil {
			t.Errorf("%s: got %v, want headers: %t", name, got, test.has)
		}
	}
}
