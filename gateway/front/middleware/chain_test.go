package middleware

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/presenter"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/response"
	"github.com/gatehouse-graphql/gatehouse/gateway/network"
)

// all returns each middleware by its name, with the log that it writes to.
func all(log *slog.Logger) map[string]Middleware {
	errs := response.NewErrorWriter(presenter.New(log))
	callers, err := caller.NewRules(caller.Proxies{}, caller.Options{})
	if err != nil {
		panic(err)
	}
	networks, err := network.NewRules(network.Options{Lists: network.Lists{Deny: []string{"203.0.113.0/24"}}})
	if err != nil {
		panic(err)
	}
	verify := func(context.Context, string) (*auth.Identity, error) { return &auth.Identity{Subject: "u1"}, nil }
	cors, _ := CORS{Origins: []string{"https://shop.example"}}.Middleware(nil, nil, log)
	csrf, _ := CSRF{}.Middleware(CORS{}, log, errs)
	return map[string]Middleware{
		"SecurityHeaders":       SecurityHeaders(HSTS{}),
		"CORS":                  cors,
		"CSRF":                  csrf,
		"RequestID":             RequestID,
		"LimitBody":             LimitBody(10, time.Minute),
		"CountRefusals":         CountRefusals(func(string) {}),
		"ClientAddress":         ClientAddress(callers),
		"PermitNetworks":        PermitNetworks(networks, http.NotFoundHandler()),
		"Identify":              Identify(callers),
		"AccessLog":             AccessLog(log, AccessLogOptions{ClientAddress: true, Class: true}),
		"Recover":               Recover(errs),
		"Deadline":              Deadline(time.Minute),
		"RefuseContentEncoding": RefuseContentEncoding(errs),
		"Authenticate":          Authenticate(verify, errs),
		"ShareMemory":           ShareMemory(engine.NewMemory(1<<20, time.Second)),
		"ClientHeaders":         ClientHeaders(nil),
	}
}

// Each middleware works by itself, and all of them in any order.
func TestAnyOrder(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	var names []string
	for name := range all(log) {
		names = append(names, name)
	}
	slices.Sort(names)
	backwards := slices.Clone(names)
	slices.Reverse(backwards)
	orders := [][]string{names, backwards}
	for _, name := range names {
		orders = append(orders, []string{name})
	}
	for _, order := range orders {
		var c *request.Context
		last := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, c = request.Attach(r)
			if slices.Contains(order, "Authenticate") && auth.FromContext(r.Context()) == nil {
				t.Errorf("%v: the caller is not known", order)
			}
			if _, ok := r.Context().Deadline(); ok != slices.Contains(order, "Deadline") {
				t.Errorf("%v: the context has a deadline: %t", order, ok)
			}
			w.WriteHeader(http.StatusTeapot)
		})
		var chain []Middleware
		for _, name := range order {
			chain = append(chain, all(log)[name])
		}
		out.Reset()
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/", strings.NewReader("body"))
		r.Header.Set(request.HeaderID, "id-1")
		Chain(last, chain...).ServeHTTP(w, r)
		if w.Code != http.StatusTeapot {
			t.Errorf("%v: status %d %s", order, w.Code, w.Body)
		}
		if slices.Contains(order, "RequestID") != (c.Log.ID == "id-1") || c.Start.IsZero() {
			t.Errorf("%v: the id is %q, the start %s", order, c.Log.ID, c.Start)
		}
		if logged := strings.Contains(out.String(), "msg=operation"); logged != slices.Contains(order, "AccessLog") {
			t.Errorf("%v: the log is %q", order, out.String())
		}
	}
}
