// Package e2e tests the whole gateway through its front door: a real gateway before the shop's
// real services, over HTTP, queries and responses side by side, the services' calls counted.
package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/demo"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway"
	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/graph"
	"github.com/gatehouse-graphql/gatehouse/resolvers"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// secret signs the tests' tokens.
const secret = "a secret of 32 bytes, for tests only"

// gatewayUnderTest is a real gateway before a real shop, over real HTTP.
type gatewayUnderTest struct {
	URL   string
	Shop  *services.Shop
	Ports *services.Running
	Log   *logBuffer
}

// engineOfTests is the engine of gateways whose settings have none, so that all tests run on either one.
var engineOfTests = os.Getenv("GATEWAY_EXECUTION_ENGINE")

// TestMain runs the tests in the project's root, whose files they name.
func TestMain(m *testing.M) {
	if err := os.Chdir(".."); err != nil {
		panic(err)
	}
	m.Run()
}

// newGateway starts a shop and a gateway, and stops both when the test ends. change, if
// any, changes the settings first.
func newGateway(t testing.TB, change ...func(*config.Config)) *gatewayUnderTest {
	t.Helper()
	g, stop, stopped := startGateway(t, change...)
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Errorf("the gateway stopped with: %v", err)
		}
	})
	return g
}

// startGateway starts a shop and a gateway that the test stops itself.
func startGateway(t testing.TB, change ...func(*config.Config)) (g *gatewayUnderTest, stop context.CancelFunc, stopped <-chan error) {
	t.Helper()
	shop := services.New(services.Options{Secret: []byte(secret)})
	ports, err := shop.Start(context.Background(), services.Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ports.Close)
	settings := shopSettings(ports)
	for _, c := range change {
		c(settings)
	}
	g, stop, stopped = serve(t, command.Start{Config: settings}, nil)
	g.Shop, g.Ports = shop, ports
	return g, stop, stopped
}

// newSchema returns the shop's graph over its services.
func newSchema(s *upstreams.Services) graphql.ExecutableSchema {
	return graph.NewSchema(&resolvers.Resolver{Services: s})
}

// serve starts a gateway with these settings, and with the playground of a demo unless shop is nil.
func serve(t testing.TB, start command.Start, shop *demo.Demo) (g *gatewayUnderTest, stop context.CancelFunc, stopped <-chan error) {
	t.Helper()
	log := &logBuffer{serving: make(chan string, 1)}
	start.Config.Execution.Engine = cmp.Or(start.Config.Execution.Engine, engineOfTests)
	start.Log, start.Out = slog.New(slog.NewJSONHandler(log, nil)), io.Discard
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- gateway.Serve(ctx, start, gateway.Graph{Schema: newSchema, Requirements: resolvers.Requirements, Playground: shop.Playground()})
	}()
	t.Cleanup(stop)
	select {
	case address := <-log.serving:
		return &gatewayUnderTest{URL: "http://" + address, Log: log}, stop, done
	case err := <-done:
		t.Fatalf("the gateway did not start: %v", err)
	case <-time.After(long):
		t.Fatal("the gateway did not start")
	}
	return nil, nil, nil
}

// shopSettings returns settings for a shop on free ports.
func shopSettings(ports *services.Running) *config.Config {
	settings := &config.Config{Listen: "127.0.0.1:0", Playground: true, Introspection: true, Auth: config.Auth{RolesClaim: "roles"}}
	demo.Configure(settings, ports, []byte(secret))
	return settings
}

// logBuffer keeps the gateway's log, and sends the address at which the gateway serves.
type logBuffer struct {
	mu      sync.Mutex
	text    bytes.Buffer // guarded by mu
	serving chan string
}

func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var entry struct{ Msg, Address string }
	if json.Unmarshal(line, &entry) == nil && entry.Msg == "serving" {
		b.serving <- entry.Address
	}
	return b.text.Write(line)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// token returns a token of a demo identity.
func (g *gatewayUnderTest) token(t testing.TB, who services.Identity) string {
	t.Helper()
	token, err := g.Shop.Token(who)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// response is what a client receives.
type response struct {
	Status int
	Body   string
	Header http.Header
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Path       []any
		Locations  []struct{ Line, Column int }
		Extensions struct {
			Code    string
			Service string
			HTTP    struct{ Status int }
		}
	}
}

// codes returns the codes of all errors, separated by spaces.
func (a *response) codes() string {
	var codes []string
	for _, e := range a.Errors {
		codes = append(codes, e.Extensions.Code)
	}
	return strings.Join(codes, " ")
}

// query posts an operation; variables may be nil.
func (g *gatewayUnderTest) query(t testing.TB, token, query string, variables map[string]any) *response {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	return g.post(t, token, bytes.NewReader(body))
}

func (g *gatewayUnderTest) post(t testing.TB, token string, body io.Reader) *response {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, g.URL+"/graphql", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/graphql-response+json, application/json;q=0.9")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := &response{Status: res.StatusCode, Body: string(text), Header: res.Header}
	if err := json.Unmarshal(text, a); err != nil {
		t.Fatalf("the response is not JSON: %s", text)
	}
	return a
}

// wantData fails unless the response has this data and no errors.
func wantData(t testing.TB, a *response, want string) {
	t.Helper()
	if len(a.Errors) > 0 {
		t.Fatalf("errors: %s", a.Body)
	}
	if diff := gocmp.Diff(decoded(t, want), decoded(t, string(a.Data))); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

// decoded unmarshals JSON without rounding numbers.
func decoded(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// wantCalls fails unless the services had exactly these calls since the last reset.
func (g *gatewayUnderTest) wantCalls(t testing.TB, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for _, service := range []string{"users", "orders", "products"} {
		maps.Copy(got, g.Shop.Calls(service))
	}
	if !maps.Equal(got, want) {
		t.Errorf("calls were %v, want %v", got, want)
	}
}
