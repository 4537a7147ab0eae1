package middleware

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// AccessLogOptions say what the line of a request has beside what all of them have.
type AccessLogOptions struct {
	// ClientAddress adds the address of the client, which is personal data.
	ClientAddress bool
	// Class adds the class of the caller.
	Class bool
}

// AccessLog writes a line to log for each request, also for one that is refused or panics. The
// line has no token, no variable and no text of a query. OPTIONS requests have no line, since
// they ask for no operation.
func AccessLog(log *slog.Logger, o AccessLogOptions) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, c := request.Attach(r)
			defer func() {
				if r.Method != http.MethodOptions && log.Enabled(c, slog.LevelInfo) {
					log.LogAttrs(c, slog.LevelInfo, "operation", o.attrs(c, time.Since(c.Start))...)
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// attrs returns the attributes of a request's line. Those that most requests have empty are
// left out when they are.
func (o AccessLogOptions) attrs(c *request.Context, duration time.Duration) []slog.Attr {
	e := &c.Log
	attrs := []slog.Attr{
		slog.String("request_id", e.ID),
		slog.String("operation", e.Operation),
		slog.String("type", string(e.Type)),
		slog.Int("status", e.Status),
		slog.Float64("duration_ms", float64(duration.Microseconds())/1000),
		slog.Int("backend_calls", e.Calls),
		slog.Int("errors", e.Errors),
	}
	if e.Unmatched > 0 {
		attrs = append(attrs, slog.Int("unmatched_keys", e.Unmatched))
	}
	if e.Cost.HasEstimate {
		attrs = append(attrs, slog.Float64("cost_estimated", e.Cost.Estimated))
	}
	if e.Cost.HasActual {
		attrs = append(attrs, slog.Float64("cost_actual", e.Cost.Actual))
	}
	if e.Fallback != "" {
		attrs = append(attrs, slog.String("fallback", string(e.Fallback)))
	}
	if e.Coalesced != "" {
		attrs = append(attrs, slog.String("coalesced", e.Coalesced))
	}
	if e.Refused != "" {
		attrs = append(attrs, slog.String("refused", string(e.Refused)))
	}
	if e.RefusedBy != "" {
		attrs = append(attrs, slog.String("refused_by", e.RefusedBy))
	}
	if len(e.Codes) > 0 {
		attrs = append(attrs, slog.String("codes", strings.Join(e.Codes, ",")))
	}
	if o.ClientAddress && c.Caller.IP.IsValid() {
		attrs = append(attrs, slog.String("client_ip", c.Caller.IP.String()))
	}
	if c.Caller.Client != "" {
		attrs = append(attrs, slog.String("client", c.Caller.Client))
	}
	if c.Caller.ClientVersion != "" {
		attrs = append(attrs, slog.String("client_version", c.Caller.ClientVersion))
	}
	if o.Class && c.Caller.Class != "" { // "" if the request was refused before the caller was known
		attrs = append(attrs, slog.String("class", c.Caller.Class))
	}
	return attrs
}
