package metrics

import (
	"log/slog"
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/gateway/admin"
)

// Serve serves the metrics, and nothing else, on an address until stop is called. stop waits up to five
// seconds for requests in progress.
func (m *Metrics) Serve(address string, log *slog.Logger) (stop func(), err error) {
	routes := http.NewServeMux()
	routes.Handle("GET "+Path, m.handler)
	return admin.Server{Name: "metrics", Setting: "metrics.listen", Address: address, Handler: routes}.Start(log)
}
