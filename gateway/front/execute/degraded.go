package execute

import (
	"context"
	"maps"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// The members of a response's extensions: the degraded fields, and how many more there are than are
// listed.
const (
	degradedKey     = "degraded"
	degradedMoreKey = "degradedNotShown"
)

// degraded is what a client is told of a degraded field. It holds nothing that a service said.
type degraded struct {
	Path    ast.Path           `json:"path"`
	Mode    engine.DegradeMode `json:"mode"`
	Code    fault.Code         `json:"code"`
	Service string             `json:"service"`
	// Age is how old a stale value is, in whole seconds, as the Age header of HTTP is (RFC 9111, 5.1).
	Age *int64 `json:"age,omitempty"`
}

// addDegraded adds the degraded fields to the extensions of a response, and logs the failures.
func (e *Executor) addDegraded(ctx context.Context, response *graphql.Response) {
	all := engine.TakeDegraded(ctx)
	if all.Counts == nil {
		return
	}
	e.options.Presenter.LogDegraded(ctx, all.Fields)
	for by, n := range all.Counts {
		e.options.OnDegraded(by, n)
	}
	shown := make([]degraded, len(all.Fields))
	for i, f := range all.Fields {
		shown[i] = degraded{Path: f.Path, Mode: f.Mode, Code: engine.CodeShown(f.Fault), Service: f.Fault.Service}
		if f.Mode == engine.DegradedToStale {
			shown[i].Age = new(int64(f.Age / time.Second))
		}
	}
	extensions := maps.Clone(response.Extensions)
	if extensions == nil {
		extensions = map[string]any{}
	}
	extensions[degradedKey] = shown
	if more := all.NotShown(); more > 0 {
		extensions[degradedMoreKey] = more
	}
	response.Extensions = extensions
}
