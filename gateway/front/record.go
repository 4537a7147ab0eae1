package front

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

const (
	// maxLoggedErrors is how many errors of one request are logged one by one.
	maxLoggedErrors = 20
	// maxLoggedName bounds the name of an operation in the log, in bytes.
	maxLoggedName = 100
)

// record is what the log will say of a request. It belongs to the goroutine that serves
// the request, but for logged.
type record struct {
	id        string
	operation string
	kind      ast.Operation
	status    int // of the answer, 0 before it has begun
	errors    int
	codes     []string // sorted, each once
	calls     int      // to services
	fallback  engine.FallbackReason
	coalesced string // the request that began the execution that this one joined; "" when it joined none

	logged atomic.Int64 // errors given to the log; resolvers count in parallel
}

type recordKey struct{}

// recordOf never gives nil: outside of a request it gives one that nobody reads.
func recordOf(ctx context.Context) *record {
	if rec, ok := ctx.Value(recordKey{}).(*record); ok {
		return rec
	}
	return &record{}
}

// RequestID is the name of the request that ctx belongs to, "" outside of requests.
func RequestID(ctx context.Context) string { return recordOf(ctx).id }

// begin notes the operation that was asked for. Its name is the document's, so that
// nothing else a client sends gets into the log.
func (rec *record) begin(op *ast.OperationDefinition) {
	rec.operation = op.Name[:min(len(op.Name), maxLoggedName)]
	rec.kind = op.Operation
}

// executed notes the execution that the request began. A request that joined another one's
// has no calls of its own: it names the other one, under which errors are logged, too.
func (rec *record) executed(found result) {
	rec.calls, rec.fallback = found.calls, found.fallback
}

// end notes the answer.
func (rec *record) end(status int, errs gqlerror.List) {
	rec.status = status
	rec.errors = len(errs)
	for _, err := range errs {
		if code := codeOf(err); code != "" && !slices.Contains(rec.codes, code) {
			rec.codes = append(rec.codes, code)
		}
	}
	slices.Sort(rec.codes)
}

// logAccess writes a line for each operation, also for one that was refused or panics.
// It holds no token, no variable and no text of a query.
func (f *Front) logAccess(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if r.Method == http.MethodOptions || !f.log.Enabled(r.Context(), slog.LevelInfo) { // the first asks for no operation
				return
			}
			f.log.LogAttrs(r.Context(), slog.LevelInfo, "operation", recordOf(r.Context()).attrs(time.Since(contextOf(r).begun))...)
		}()
		next.ServeHTTP(w, r)
	})
}

func (rec *record) attrs(took time.Duration) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("request_id", rec.id),
		slog.String("operation", rec.operation),
		slog.String("type", string(rec.kind)),
		slog.Int("status", rec.status),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
		slog.Int("backend_calls", rec.calls),
		slog.Int("errors", rec.errors),
	}
	if rec.fallback != "" {
		attrs = append(attrs, slog.String("fallback", string(rec.fallback)))
	}
	if rec.coalesced != "" {
		attrs = append(attrs, slog.String("coalesced", rec.coalesced))
	}
	if len(rec.codes) > 0 {
		attrs = append(attrs, slog.String("codes", strings.Join(rec.codes, ",")))
	}
	return attrs
}
