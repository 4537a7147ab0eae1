package front_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

// bufferService writes its responses into the buffers that it gets, and remembers them.
type bufferService struct {
	schema *ast.Schema
	lent   []*byte
}

func (s *bufferService) Schema() *ast.Schema { return s.schema }

func (s *bufferService) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (s *bufferService) CanCoalesce(context.Context, *graphql.OperationContext) bool { return true }

func (s *bufferService) Exec(context.Context) graphql.ResponseHandler { return nil }

func (s *bufferService) Execute(_ context.Context, _ *graphql.OperationContext, buf []byte) (engine.Result, error) {
	buf = append(buf[:0], `{"n":1}`...)
	s.lent = append(s.lent, &buf[0])
	return engine.Result{Response: &graphql.Response{Data: buf}, Buffer: buf}, nil
}

var (
	_ engine.Executor  = (*bufferService)(nil)
	_ engine.Coalescer = (*bufferService)(nil)
)

// Memory that was written to an HTTP/2 stream may be read after the request has ended, so that it
// is not written again.
func TestBuffersAreNotReusedOverHTTP2(t *testing.T) {
	for name, coalesces := range map[string]bool{"alone": false, "shared": true} {
		again := map[int]int{} // how many buffers were lent twice, by version of HTTP
		for _, version := range []int{1, 2} {
			s := &bufferService{schema: gqlparser.MustLoadSchema(&ast.Source{Input: "type Query { n: Int }"})}
			f, err := front.New(front.Options{Execution: engine.Options{Coalesce: coalesces}},
				front.Deps{Schema: s, Forwarded: []string{}, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			for range 100 {
				r := httptest.NewRequest("POST", "/graphql", strings.NewReader(`{"query":"{n}"}`))
				r.Header.Set("Content-Type", typeJSON)
				r.ProtoMajor = version
				w := httptest.NewRecorder()
				if f.Handler().ServeHTTP(w, r); w.Body.String() != `{"data":{"n":1}}` {
					t.Fatal(w.Body)
				}
			}
			seen := map[*byte]bool{}
			for _, first := range s.lent {
				if seen[first] {
					again[version]++
				}
				seen[first] = true
			}
		}
		if again[1] == 0 || again[2] > 0 {
			t.Errorf("%s: buffers lent again, by version of HTTP: %v", name, again)
		}
	}
}
