package front_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

func TestDeadline(t *testing.T) {
	for name, test := range map[string]struct {
		o    front.Options
		want time.Duration
	}{
		"by default": {front.Options{}, 30 * time.Second},
		"of choice":  {front.Options{Deadline: time.Second}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, _ := newFront(t, test.o, &service{respond: func(ctx context.Context) *graphql.Response {
					<-ctx.Done()
					graphql.AddError(ctx, ctx.Err())
					return &graphql.Response{Data: []byte(`{"n":null}`)}
				}})
				start := time.Now()
				answer := httptest.NewRecorder()
				f.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/graphql?query={n}", nil))
				if took := time.Since(start); took != test.want {
					t.Errorf("it took %s", took)
				}
				if answer.Code != 200 || !strings.Contains(answer.Body.String(), `"GATEWAY_TIMEOUT"`) {
					t.Errorf("got %d %s", answer.Code, answer.Body)
				}
			})
		})
	}
}

// The deadline can pass before anything is executed.
func TestDeadlineBeforeExecution(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := newFront(t, front.Options{Deadline: time.Second}, &service{}, func(d *front.Deps) {
			d.Verify = slowVerify
		})
		answer := httptest.NewRecorder()
		f.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/graphql?query={n}", nil))
		if answer.Code != 504 || !strings.Contains(answer.Body.String(), `"GATEWAY_TIMEOUT"`) {
			t.Errorf("got %d %s", answer.Code, answer.Body)
		}
	})
}

// A body that arrives slowly does not hold its connection for longer than the deadline.
func TestSlowBody(t *testing.T) {
	g := newGateway(t, front.Options{Deadline: 50 * time.Millisecond}, nil)
	for _, path := range []string{"/graphql", "/healthz", "/nope"} {
		conn, err := net.Dial("tcp", g.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", path)
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second)) // only for a front that waits for ever
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		response.Body.Close()
		if response.StatusCode < 400 {
			t.Errorf("%s: got %d", path, response.StatusCode)
		}
	}
}

// The read deadline of one request does not apply to the next one on the same connection.
func TestReadDeadlineIsClearedAfterBody(t *testing.T) {
	g := newGateway(t, front.Options{Deadline: 200 * time.Millisecond}, func(ctx context.Context) *graphql.Response {
		<-ctx.Done()
		graphql.AddError(ctx, ctx.Err()) // "context canceled" if the server took the connection for dead
		return &graphql.Response{Data: []byte(`{"n":null}`)}
	})
	for range 2 {
		if got := g.ask(t, "{n}"); got.code() != "GATEWAY_TIMEOUT" {
			t.Errorf("got %d %s", got.status, got.text)
		}
	}
}

// serving runs Serve on a free port until stop is called.
func serving(t *testing.T, f *front.Front, o front.ServeOptions) (url string, stop context.CancelFunc, stopped <-chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	ended := make(chan struct{})
	go func() { done <- f.Serve(ctx, listener, o); close(ended) }()
	t.Cleanup(func() {
		stop()
		select {
		case <-ended:
		case <-time.After(10 * time.Second): // left to goleak
		}
	})
	return "http://" + listener.Addr().String(), stop, done
}

func status(t *testing.T, url string) int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

func TestServeWaitsForRequests(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	f, _ := newFront(t, front.Options{}, &service{respond: func(ctx context.Context) *graphql.Response {
		close(started)
		select {
		case <-finish:
		case <-ctx.Done():
			t.Error("the operation was cancelled")
		}
		return &graphql.Response{Data: []byte("{}")}
	}})
	url, stop, stopped := serving(t, f, front.ServeOptions{Delay: time.Second})
	answered := make(chan int, 1)
	go func() { answered <- status(t, url+"/graphql?query={n}") }()
	<-started
	stop()

	for status(t, url+"/readyz") == 200 { // turns within the delay, while connections are still accepted
		time.Sleep(time.Millisecond)
	}
	if got := status(t, url+"/healthz"); got != 200 {
		t.Errorf("healthz in the delay: got %d", got)
	}
	for status(t, url+"/healthz") != 0 { // ends with the delay
		time.Sleep(time.Millisecond)
	}
	close(finish)
	if got := <-answered; got != 200 {
		t.Errorf("what ran was answered with %d", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestServeStopsInBoundedTime(t *testing.T) {
	started, cancelled := make(chan struct{}), make(chan struct{})
	f, _ := newFront(t, front.Options{}, &service{respond: func(ctx context.Context) *graphql.Response {
		close(started)
		<-ctx.Done()
		close(cancelled)
		return nil
	}})
	url, stop, stopped := serving(t, f, front.ServeOptions{Grace: 10 * time.Millisecond})
	answered := make(chan int, 1)
	go func() { answered <- status(t, url+"/graphql?query={n}") }()
	<-started
	stop()
	if err := <-stopped; err == nil || !strings.Contains(err.Error(), "still running after 10ms") {
		t.Errorf("got %v", err)
	}
	<-cancelled
	if got := <-answered; got != 0 {
		t.Errorf("the client got %d", got)
	}
}

func TestServeReportsAFailingListener(t *testing.T) {
	f, _ := newFront(t, front.Options{}, &service{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if err := f.Serve(t.Context(), listener, front.ServeOptions{}); err == nil || !strings.HasPrefix(err.Error(), "serve: ") {
		t.Errorf("got %v", err)
	}
}
