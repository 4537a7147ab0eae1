package upstreams_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// A service that refuses the gateway's own API key is not the caller's fault: clients sign
// their user out on UNAUTHENTICATED. The caller's codes are for calls by which the service
// identifies the caller.
func TestWhoseCredentialsAreRefused(t *testing.T) {
	const (
		callers  = "Bearer callers-token"
		gateways = "gateways-key"
	)
	forwards := upstreams.Source{Forward: []string{"Authorization"}}
	header := func(name, value string) http.Header { return http.Header{name: {value}} }
	for name, test := range map[string]struct {
		source upstreams.Source
		client http.Header
		call   func(context.Context) *rest.Call
		asks   string // WWW-Authenticate
		caller bool   // the codes are the caller's
	}{
		"the gateway's key": {
			source: upstreams.Source{Headers: map[string]string{"X-Api-Key": gateways}}, client: header("Authorization", callers),
		},
		"no credentials":              {client: header("Authorization", callers)},
		"no credentials, anonymous":   {client: http.Header{}},
		"the caller's token":          {source: forwards, client: header("Authorization", callers), caller: true},
		"an anonymous caller's token": {source: forwards, client: http.Header{}, caller: true},
		"the caller's token, challenged": {
			source: forwards, client: header("Authorization", callers), asks: `Basic realm="s", bearer realm="s", error="invalid_token"`, caller: true,
		},
		"the caller's token beside the gateway's key, which is challenged": {
			source: upstreams.Source{Forward: []string{"Authorization"}, Headers: map[string]string{"X-Api-Key": gateways}},
			client: header("Authorization", callers), asks: `ApiKey realm="s"`,
		},
		"no token beside the gateway's key, which is challenged": {source: forwards, client: http.Header{}, asks: `ApiKey realm="s"`},
		"no token, which is challenged":                          {source: forwards, client: http.Header{}, asks: `Bearer realm="s"`, caller: true},
		"another header of the caller": {
			source: upstreams.Source{Forward: []string{"X-Tenant"}}, client: header("X-Tenant", "t1"),
		},
		"the caller's key": {
			source: upstreams.Source{Forward: []string{"x-api-key"}}, client: header("X-Api-Key", "callers-key"), caller: true,
		},
		"a key of the settings instead of the caller's": {
			source: upstreams.Source{Forward: []string{"X-Api-Key"}, Headers: map[string]string{"X-Api-Key": gateways}},
			client: header("X-Api-Key", "callers-key"),
		},
		"a key of the binding instead of the caller's": {
			source: forwards, client: header("Authorization", callers),
			call: func(context.Context) *rest.Call { return get().Header("Authorization", gateways) },
		},
		"the caller's token in a header of the binding": {
			client: header("Authorization", callers), caller: true,
			call: func(ctx context.Context) *rest.Call {
				return get().Header("X-Token", upstreams.RequestHeader(ctx, "Authorization"))
			},
		},
		"the caller's token in the query": {
			client: header("Authorization", callers), caller: true,
			call: func(ctx context.Context) *rest.Call {
				return get().Query("token", upstreams.RequestHeader(ctx, "Authorization"))
			},
		},
	} {
		for status, code := range map[int]fault.Code{401: fault.Unauthenticated, 403: fault.Forbidden} {
			for _, coalesce := range []bool{false, true} {
				source := test.source
				source.URLs = upstreams.URLs(newReplica(t, func(w http.ResponseWriter, _ *http.Request) {
					if test.asks != "" {
						w.Header().Set("WWW-Authenticate", test.asks)
					}
					w.WriteHeader(status)
				}).URL)
				services := newServices(t, source)
				ctx := engine.WithOperation(upstreams.WithClientHeaders(t.Context(), test.client, "id"), engine.Options{Coalesce: coalesce})
				call := get()
				if test.call != nil {
					call = test.call(ctx)
				}
				_, err := services.Do(ctx, "users", call)
				want := fault.DownstreamService
				if test.caller {
					want = code
				}
				if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != want || f.Status != status {
					t.Errorf("%s, coalesce %t: %d is %v, want %s", name, coalesce, status, err, want)
				}
			}
		}
	}
}
