package engine

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// at returns a context of the field at positions in a document, below elements of lists.
func at(ctx context.Context, path ...any) context.Context {
	ctx = graphql.WithOperationContext(ctx, &graphql.OperationContext{})
	var parent *graphql.FieldContext
	for _, element := range path {
		fc := &graphql.FieldContext{}
		switch e := element.(type) {
		case int:
			fc.Index = &e
		case string:
			fc.Field = graphql.CollectedField{Field: &ast.Field{Alias: e, Position: &ast.Position{Start: int(e[0])}}}
		}
		ctx = graphql.WithFieldContext(ctx, fc)
		fc.Parent, parent = parent, fc
	}
	return ctx
}

// What clients receive does not depend on the order in which calls end.
func TestHeaderOrder(t *testing.T) {
	type call struct {
		path            []any
		source, request string
		epoch           int
	}
	calls := []call{ // in their order
		{path: []any{"a"}, source: "s", request: "1"},
		{path: []any{"a"}, source: "s", request: "2"},
		{path: []any{"a"}, source: "t", request: "1"},
		{path: []any{"a", 0, "c"}, source: "s"},
		{path: []any{"a", 2, "c"}, source: "s"},
		{path: []any{"a", 10, "c"}, source: "s"},
		{path: []any{"a", 10, "c", "d"}, source: "s"},
		{path: []any{"a", 0, "e"}, source: "s"},
		{path: []any{"b"}, source: "a"},
		{path: []any{"a"}, source: "a", epoch: 1},
		{path: []any{"A"}, source: "a", epoch: 2},
	}
	var want []string
	for i := range calls {
		want = append(want, fmt.Sprint(i))
	}
	for range 50 {
		ctx := WithOperation(t.Context(), Options{})
		epochs := []context.Context{ctx, WithEpoch(ctx), WithEpoch(ctx)}
		var all sync.WaitGroup
		for _, i := range rand.Perm(len(calls)) {
			c := calls[i]
			add := func() {
				value := []string{fmt.Sprint(i)}
				AddHeader(at(epochs[c.epoch], c.path...), CallHeader{
					Source: c.source, Request: func() string { return c.request },
					Fields: []HeaderField{{"All", value, MergeAppend}, {"First", value, MergeFirst}, {"Last", value, MergeLast}},
				})
			}
			all.Go(add)
		}
		all.Wait()
		got, leftOut := TakeHeader(ctx)
		if !slices.Equal(got["All"], want) || !slices.Equal(got["First"], want[:1]) || !slices.Equal(got["Last"], want[len(want)-1:]) || leftOut != 0 {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

// The rules of several sources may differ: each call adds its values by its own.
func TestHeaderMerge(t *testing.T) {
	for _, test := range []struct {
		merges []HeaderMerge
		want   string
	}{
		{[]HeaderMerge{MergeLast, MergeLast}, "2 2b"},
		{[]HeaderMerge{MergeFirst, MergeFirst}, "1 1b"},
		{[]HeaderMerge{MergeAppend, MergeAppend}, "1 1b 2 2b"},
		{[]HeaderMerge{MergeFirst, MergeLast}, "2 2b"},
		{[]HeaderMerge{MergeLast, MergeFirst}, "1 1b"},
		{[]HeaderMerge{MergeLast, MergeAppend, MergeFirst}, "1 1b 2 2b"},
		{[]HeaderMerge{MergeAppend, MergeAppend, MergeLast, MergeAppend}, "3 3b 4 4b"},
	} {
		ctx := WithOperation(t.Context(), Options{})
		for i, merge := range test.merges {
			values := []string{fmt.Sprint(i + 1), fmt.Sprintf("%db", i+1)}
			AddHeader(ctx, CallHeader{Fields: []HeaderField{{"X", values, merge}}})
		}
		if got, _ := TakeHeader(ctx); strings.Join(got["X"], " ") != test.want {
			t.Errorf("%v: got %q, want %q", test.merges, got["X"], test.want)
		}
	}
}

// A response that several fields read counts once, for the first of them.
func TestHeaderOfSharedResponse(t *testing.T) {
	ctx := WithOperation(t.Context(), Options{})
	shared := new(byte)
	add := func(field, value string, response any) {
		AddHeader(at(ctx, field), CallHeader{Response: response, Fields: []HeaderField{{"X", []string{value}, MergeAppend}}})
	}
	add("c", "shared", shared)
	add("b", "other", new(byte))
	add("a", "shared", shared)
	if got, _ := TakeHeader(ctx); strings.Join(got["X"], " ") != "shared other" {
		t.Errorf("got %q", got["X"])
	}
	if got, _ := TakeHeader(ctx); got != nil {
		t.Errorf("it is taken twice: %v", got)
	}
}

// However much services send, an operation keeps and returns a bounded part of it.
func TestHeaderBounds(t *testing.T) {
	for name, test := range map[string]struct {
		calls, values int
		value         string
		merge         HeaderMerge
		kept          int
	}{
		"few":                 {1, MaxHeaderValues, "x", MergeAppend, MaxHeaderValues},
		"many values":         {1, MaxHeaderValues + 1, "x", MergeAppend, MaxHeaderValues},
		"many calls":          {10_000, 10, "x", MergeAppend, MaxHeaderValues},
		"long values":         {1, 3, strings.Repeat("x", MaxHeaderBytes/2-10), MergeAppend, 2},
		"too long":            {1, 1, strings.Repeat("x", MaxHeaderBytes), MergeAppend, 0},
		"many calls that win": {500, 1, strings.Repeat("x", 100), MergeLast, 1},
	} {
		ctx := WithOperation(t.Context(), Options{})
		for i := range test.calls {
			var values []string
			for j := range test.values {
				values = append(values, fmt.Sprintf("%s%d-%d", test.value, i, j))
			}
			AddHeader(ctx, CallHeader{Fields: []HeaderField{{"X", values, test.merge}}})
		}
		collected := ctx.Value(operationKey{}).(*operation).headers.Load()
		if collected.size.bytes > maxCollected*MaxHeaderBytes || collected.size.values > maxCollected*MaxHeaderValues {
			t.Errorf("%s: collected %+v", name, collected.size)
		}
		got, leftOut := TakeHeader(ctx)
		if len(got["X"]) != test.kept {
			t.Errorf("%s: %d values, want %d", name, len(got["X"]), test.kept)
		}
		if want := test.calls*test.values - test.kept; test.merge == MergeAppend && leftOut != want {
			t.Errorf("%s: %d are left out, want %d", name, leftOut, want)
		}
	}
}

// Outside of operations, and after the end of one, nothing is collected and nothing fails.
func TestHeaderWithoutOperation(t *testing.T) {
	h := CallHeader{Fields: []HeaderField{{"X", []string{"1"}, MergeLast}}}
	AddHeader(t.Context(), h)
	if got, leftOut := TakeHeader(t.Context()); got != nil || leftOut != 0 {
		t.Errorf("got %v", got)
	}
	ctx := WithOperation(t.Context(), Options{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				AddHeader(ctx, h)
				got, _ := TakeHeader(ctx)
				if len(got) > 1 || got != nil && !maps.EqualFunc(got, map[string][]string{"X": {"1"}}, slices.Equal) {
					t.Errorf("got %v", got)
				}
			}
		})
	}
	all.Wait()
}
