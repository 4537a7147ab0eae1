package engine

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	gqlast "github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Each code of package fault is decided.
func TestDegradesHasEachCode(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../fault/fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
			n++
			code, _ := strconv.Unquote(literal.Value)
			if _, ok := degrades[fault.Code(code)]; !ok {
				t.Errorf("%s is not decided", code)
			}
		}
		return true
	})
	if n != len(degrades) {
		t.Errorf("%d codes are declared, %d are decided", n, len(degrades))
	}
}

// A field degrades when a service fails to answer, and for nothing else.
func TestDegradable(t *testing.T) {
	service := func(code fault.Code, cause error, extensions map[string]any) error {
		return &fault.Error{Code: code, Service: "users", Cause: cause, Extensions: extensions}
	}
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"failed":                    {service(fault.DownstreamService, nil, nil), true},
		"too slow":                  {service(fault.GatewayTimeout, context.DeadlineExceeded, nil), true},
		"open breaker":              {service(fault.ServiceUnavailable, nil, nil), true},
		"overloaded":                {service(fault.Overloaded, nil, nil), true},
		"wrapped":                   {fmt.Errorf("users: %w", service(fault.DownstreamService, nil, nil)), true},
		"a mapped code of its own":  {service(fault.DownstreamService, nil, map[string]any{"code": "MAINTENANCE"}), true},
		"mapped to a failure":       {service(fault.NotFound, nil, map[string]any{"code": "SERVICE_UNAVAILABLE"}), true},
		"mapped to not found":       {service(fault.DownstreamService, nil, map[string]any{"code": "NOT_FOUND"}), false},
		"mapped to forbidden":       {service(fault.DownstreamService, nil, map[string]any{"code": "FORBIDDEN"}), false},
		"not found":                 {service(fault.NotFound, nil, nil), false},
		"unauthenticated":           {service(fault.Unauthenticated, nil, nil), false},
		"forbidden":                 {service(fault.Forbidden, nil, nil), false},
		"bad input":                 {service(fault.BadUserInput, nil, nil), false},
		"conflict":                  {service(fault.Conflict, nil, nil), false},
		"an internal error":         {service(fault.Internal, nil, nil), false},
		"the client left":           {service(fault.GatewayTimeout, fmt.Errorf("call: %w", context.Canceled), nil), false},
		"the gateway is overloaded": {fault.New(fault.Overloaded, "no memory"), false},
		"a guard":                   {fault.New(fault.Forbidden, "no"), false},
		"a limit":                   {fault.New(fault.BadRequest, "too many calls"), false},
		"the operation's end":       {context.DeadlineExceeded, false},
		"another error":             {errors.New("bug"), false},
		"degraded already":          {&Degraded{Degradations: []Degradation{{Fault: &fault.Error{Code: fault.DownstreamService, Service: "users"}}}}, false},
		"nothing":                   {nil, false},
	} {
		if got := Degradable(test.err) != nil; got != test.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

var failure = &fault.Error{Code: fault.DownstreamService, Message: "the service failed", Service: "users"}

// Of a batch, each value with an error that may degrade it has another one.
func TestEachOnError(t *testing.T) {
	refusal := fault.New(fault.Forbidden, "no")
	values, err := DefaultEachOnError(func() int { return 7 })([]int{1, 0, 0}, graphql.BatchErrorList{nil, failure, refusal})
	errs := err.(graphql.BatchErrorList)
	if !slices.Equal(values, []int{1, 7, 0}) || errs[0] != nil || errs[2] != refusal {
		t.Errorf("got %v, %v", values, errs)
	}
	if d := AsDegraded(errs[1]); d == nil || d.Value != 7 || d.Degradations[0].Mode != DegradedToDefault || !errors.Is(d, failure) {
		t.Errorf("got %v", errs[1])
	}
	if values, err := NullEachOnError([]*int{new(1)}, failure); values[0] == nil || err != failure {
		t.Errorf("an error of the whole batch: got %v, %v", values, err)
	}
}

// A response lists its first degraded fields in the order of their paths, and counts all.
func TestTakeDegraded(t *testing.T) {
	ctx := WithOperation(t.Context(), Options{})
	at := func(path ...any) gqlast.Path {
		var p gqlast.Path
		for _, element := range path {
			switch element := element.(type) {
			case int:
				p = append(p, gqlast.PathIndex(element))
			case string:
				p = append(p, gqlast.PathName(element))
			}
		}
		return p
	}
	for _, path := range []gqlast.Path{at("b", 10), at("b", 9), at("a", "c"), at("a"), at("a", 1)} {
		RecordDegraded(ctx, path, &Degraded{Degradations: []Degradation{{Mode: DegradedToStale, Age: time.Second, Fault: failure}}})
	}
	RecordDegraded(ctx, at("l"), &Degraded{Degradations: []Degradation{{Index: []int{2}, Fault: failure}, {Index: []int{0, 1}, Fault: failure}}})
	taken := TakeDegraded(ctx)
	var paths []string
	for _, f := range taken.Fields {
		paths = append(paths, f.Path.String())
	}
	if want := []string{"a", "a[1]", "a.c", "b[9]", "b[10]", "l[0][1]", "l[2]"}; taken.NotShown() != 0 || !slices.Equal(paths, want) {
		t.Errorf("got %v, and %d more", paths, taken.NotShown())
	}
	if n := taken.Counts[DegradedBy{"users", DegradedToStale}]; n != 5 || len(taken.Counts) != 2 {
		t.Errorf("got %v", taken.Counts)
	}
	if again := TakeDegraded(ctx); again.Fields != nil || again.Counts != nil {
		t.Errorf("a second time: %v", again)
	}
	for range MaxDegraded + 5 {
		RecordDegraded(ctx, at("a"), &Degraded{Degradations: []Degradation{{Fault: failure}}})
	}
	if many := TakeDegraded(ctx); len(many.Fields) != MaxDegraded || many.NotShown() != 5 {
		t.Errorf("%d, and %d more", len(many.Fields), many.NotShown())
	}
	RecordDegraded(t.Context(), at("a"), &Degraded{Degradations: []Degradation{{Fault: failure}}})
	if none := TakeDegraded(t.Context()); none.Counts != nil {
		t.Errorf("without an operation: %v", none)
	}
}
