package metrics_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/gateway/metrics"
)

func ExampleMetrics() {
	m, err := metrics.New(slog.Default())
	if err != nil {
		panic(err)
	}
	m.CountOperation(ast.Query, "")
	page := httptest.NewRecorder()
	m.Handler().ServeHTTP(page, httptest.NewRequest("GET", metrics.Path, nil))
	for line := range strings.Lines(page.Body.String()) {
		if strings.HasPrefix(line, "gateway_operations_total") {
			fmt.Print(line)
		}
	}
	// Output:
	// gateway_operations_total{executor="plan",graphql_operation_type="mutation"} 0
	// gateway_operations_total{executor="plan",graphql_operation_type="query"} 1
}
