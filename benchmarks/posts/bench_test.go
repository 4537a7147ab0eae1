package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/internal/proc"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/posts/graph"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/posts/graph/model"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/services"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/engine/encode"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// servicesOf is the environment variable by which the test binary becomes the services, so that
// a benchmark measures the gateway alone.
const servicesOf = "GATEHOUSE_BENCHMARK_SERVICES"

func TestMain(m *testing.M) {
	if options := os.Getenv(servicesOf); options != "" {
		serveServices(options)
		return
	}
	os.Exit(m.Run())
}

// serveServices prints its URL and serves until standard input ends.
func serveServices(options string) {
	var o services.Options
	if err := json.Unmarshal([]byte(options), &o); err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, services.New(o))
	fmt.Println("http://" + listener.Addr().String())
	bufio.NewReader(os.Stdin).ReadByte()
}

// startServices starts a process that serves o, and returns its URL.
func startServices(b *testing.B, o services.Options) string {
	b.Helper()
	options, _ := json.Marshal(o) // cannot fail
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), servicesOf+"="+string(options))
	in, err := child.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); child.Wait() })
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(url)
}

// measured runs the loop of a benchmark, and reports the CPU time of all threads in addition.
func measured(b *testing.B, body func()) {
	b.ReportAllocs()
	before, err := proc.CPU(proc.Self)
	for b.Loop() {
		body()
	}
	if after, err2 := proc.CPU(proc.Self); err == nil && err2 == nil {
		b.ReportMetric(float64(after-before)/float64(b.N), "cpu-ns/op")
	}
}

// A whole request except for the client's socket, with the services in another process.
func BenchmarkHandler(b *testing.B) {
	for _, op := range operations.All() {
		b.Run(op.Name, func(b *testing.B) {
			gateway := newGateway(b, startServices(b, op.Services))
			mustAnswer(b, gateway, op)
			measured(b, func() { ask(gateway, op.Request()) })
		})
	}
}

// Concurrent equal requests, with and without coalescing.
func BenchmarkCoalesce(b *testing.B) {
	for _, op := range operations.All()[1:4] {
		for name, execution := range map[string]engine.Options{"off": {}, "on": {Coalesce: true}} {
			b.Run(op.Name+"/"+name, func(b *testing.B) {
				gateway := newGateway(b, startServices(b, op.Services), execution)
				mustAnswer(b, gateway, op)
				b.SetParallelism(32)
				b.ReportAllocs()
				before, err := proc.CPU(proc.Self)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						ask(gateway, op.Request())
					}
				})
				if after, err2 := proc.CPU(proc.Self); err == nil && err2 == nil {
					b.ReportMetric(float64(after-before)/float64(b.N), "cpu-ns/op")
				}
			})
		}
	}
}

func mustAnswer(b *testing.B, gateway http.Handler, op operations.Operation) {
	b.Helper()
	if err := op.Check(ask(gateway, op.Request()).Body.Bytes()); err != nil {
		b.Fatal(err)
	}
}

// The cost of a response by its size: time, bytes and peak memory of the process.
func BenchmarkLinear(b *testing.B) {
	for _, n := range []int{10, 100, 1_000, 10_000} {
		b.Run("posts="+strconv.Itoa(n), func(b *testing.B) {
			op := operations.All()[2]
			op.Services = services.Options{Posts: n, Users: n / 10}
			gateway := newGateway(b, startServices(b, op.Services))
			mustAnswer(b, gateway, op)
			debug.FreeOSMemory()
			peak := proc.ForgetPeak(proc.Self) == nil
			measured(b, func() { ask(gateway, op.Request()) })
			if most, err := proc.PeakMemory(proc.Self); peak && err == nil {
				b.ReportMetric(float64(most)/1e6, "peak-MB")
			}
		})
	}
}

// Decoding the responses of services completely.
func BenchmarkDecode(b *testing.B) {
	backend := services.New(services.Options{})
	readPosts, readUsers := decode.ListOf(graph.DecodePost), decode.ListOf(graph.DecodeUser)
	b.Run("posts", func(b *testing.B) { decoding(b, answerOf(backend, "/posts"), readPosts) })
	b.Run("users", func(b *testing.B) { decoding(b, answerOf(backend, "/users"), readUsers) })
}

func answerOf(backend http.Handler, path string) []byte {
	w := httptest.NewRecorder()
	backend.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Body.Bytes()
}

func decoding[T any](b *testing.B, body []byte, read func(*decode.Decoder) []T) {
	b.SetBytes(int64(len(body)))
	measured(b, func() {
		if all, err := decode.Read("posts", body, new(decode.Faults), read); err != nil || len(all) == 0 {
			b.Fatal(len(all), err)
		}
	})
}

// From the bodies of services to the body of the response: decoding, joining and encoding by
// the generated resolvers, without calls and requests.
func BenchmarkBytes(b *testing.B) {
	for _, op := range operations.All()[1:4] {
		b.Run(op.Name, func(b *testing.B) { alongBytes(b, op) })
	}
	for _, n := range []int{1_000, 10_000} {
		b.Run("posts="+strconv.Itoa(n), func(b *testing.B) {
			op := operations.All()[2]
			op.Services = services.Options{Posts: n, Users: n / 10}
			alongBytes(b, op)
		})
	}
}

func alongBytes(b *testing.B, op operations.Operation) {
	op.Services.Latency = 0
	e := newPlanExecutor(graph.NewSchema(newBodies(op.Services)))
	ctx := engine.WithFaults(b.Context(), &decode.Faults{})
	var buffer []byte
	run := func() json.RawMessage {
		result := e.execute(b, engine.WithOperation(ctx, engine.Options{}), op.Query, buffer)
		buffer = result.Buffer
		return result.Response.Data
	}
	if err := op.Check([]byte(`{"data":` + string(run()) + `}`)); err != nil {
		b.Fatal(err)
	}
	measured(b, func() { run() })
}

// Building a call with 100 keys.
func BenchmarkCall(b *testing.B) {
	keys := make([]string, 100)
	for i := range keys {
		keys[i] = strconv.Itoa(i + 1)
	}
	measured(b, func() {
		call := rest.New(http.MethodGet, "/users").QueryExploded("id", keys)
		if _, err := call.Request(b.Context(), "posts"); err != nil {
			b.Fatal(err)
		}
	})
}

// Execution without transport and services: resolvers that have their objects at hand. Encoding
// the response is included.
func BenchmarkEngine(b *testing.B) {
	e := newPlanExecutor(graph.NewSchema(newCanned()))
	execute := func(query string) json.RawMessage { return e.execute(b, b.Context(), query, nil).Response.Data }
	for _, op := range operations.All()[:4] {
		b.Run(op.Name, func(b *testing.B) {
			if err := op.Check([]byte(`{"data":` + string(execute(op.Query)) + `}`)); err != nil {
				b.Fatal(err)
			}
			measured(b, func() { execute(op.Query) })
		})
	}
}

// planExecutor executes operations by plans. gqlgen's executor reads and remembers documents.
type planExecutor struct {
	*executor.Executor
	plans engine.Executor
}

func newPlanExecutor(schema graphql.ExecutableSchema) planExecutor {
	e := executor.New(schema)
	e.SetQueryCache(lru.New[*ast.QueryDocument](10))
	return planExecutor{e, schema.(engine.Executor)}
}

func (e planExecutor) execute(b *testing.B, ctx context.Context, query string, buffer []byte) engine.Result {
	ctx = graphql.StartOperationTrace(ctx)
	op, errs := e.CreateOperationContext(ctx, &graphql.RawParams{Query: query})
	if len(errs) > 0 {
		b.Fatal(errs)
	}
	ctx = graphql.WithResponseContext(graphql.WithOperationContext(ctx, op), graphql.DefaultErrorPresenter, graphql.DefaultRecover)
	result, err := e.plans.Execute(ctx, op, buffer)
	if err != nil || result.Fallback != "" || len(graphql.GetErrors(ctx)) > 0 {
		b.Fatal(result.Fallback, err, graphql.GetErrors(ctx))
	}
	return result
}

// canned resolves fields from memory.
type canned struct {
	posts []*model.Post
	users map[int]*model.User
}

func newCanned() *canned {
	c := &canned{users: map[int]*model.User{}}
	for _, p := range (services.Options{}).PostsOf(0) {
		c.posts = append(c.posts, &model.Post{ID: p.ID, UserID: p.UserID, Title: p.Title, Body: p.Body})
		u := services.UserOf(p.UserID)
		c.users[u.ID] = &model.User{ID: u.ID, Name: u.Name, Username: u.Username, Email: u.Email, Phone: &u.Phone, Website: &u.Website}
	}
	return c
}

func (c *canned) Query() graph.QueryResolver { return cannedQuery{c} }
func (c *canned) Post() graph.PostResolver   { return cannedPost{c} }

type (
	cannedQuery struct{ *canned }
	cannedPost  struct{ *canned }
)

func (c cannedQuery) Greet(context.Context) (string, error)          { return operations.Greeting, nil }
func (c cannedQuery) Posts(context.Context) ([]*model.Post, error)   { return c.posts, nil }
func (c cannedQuery) Post(context.Context, int) (*model.Post, error) { return c.posts[0], nil }

func (c cannedPost) User(_ context.Context, parents []*model.Post) ([]*model.User, error) {
	users := make([]*model.User, len(parents))
	for i, p := range parents {
		users[i] = c.users[p.UserID]
	}
	return users, nil
}

// bodies resolves fields from given bodies of services.
type bodies struct{ posts, post, users []byte }

func newBodies(o services.Options) *bodies {
	backend := services.New(o)
	return &bodies{answerOf(backend, "/posts"), answerOf(backend, "/posts/1"), answerOf(backend, "/users")}
}

func (c *bodies) Query() graph.QueryResolver { return bodiesQuery{c} }
func (c *bodies) Post() graph.PostResolver   { return bodiesPost{c} }

type (
	bodiesQuery struct{ *bodies }
	bodiesPost  struct{ *bodies }
)

func read[T any](ctx context.Context, body []byte, read func(*decode.Decoder) T) (T, error) {
	return decode.ReadProjection("posts", body, engine.FaultsOf(ctx), engine.ProjectionOf(ctx), read)
}

func (c bodiesQuery) Greet(context.Context) (string, error) { return operations.Greeting, nil }

func (c bodiesQuery) Posts(ctx context.Context) ([]*model.Post, error) {
	return read(ctx, c.posts, decode.NullOf(decode.ListOf(decode.NullOf(graph.DecodePost))))
}

func (c bodiesQuery) Post(ctx context.Context, _ int) (*model.Post, error) {
	return read(ctx, c.post, decode.NullOf(graph.DecodePost))
}

func (c bodiesPost) User(ctx context.Context, parents []*model.Post) ([]*model.User, error) {
	return engine.LoadOne(ctx, parents, []string{"userId"}, func(parent *model.Post) *string {
		return encode.Key(&parent.UserID)
	}, engine.Batch[string, *model.User]{
		Identity: engine.Identity{Request: "users"},
		Fetch: func(ctx context.Context, keys []string) (map[string]*model.User, error) {
			return read(ctx, c.users, decode.ByKey("id", graph.DecodeUser, func(item *model.User) string { return strconv.Itoa(item.ID) }))
		},
	})
}
