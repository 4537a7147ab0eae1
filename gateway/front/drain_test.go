package front_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/admission"
)

// stopping is a served front that is told to stop.
type stopping struct {
	url     string
	log     *logBuffer
	stop    context.CancelFunc
	stopped <-chan error
}

func newStopping(t *testing.T, o front.ServeOptions, respond func(context.Context) *graphql.Response) *stopping {
	t.Helper()
	f, log := newFront(t, front.Options{}, &service{respond: respond})
	url, stop, stopped := serving(t, f, o)
	return &stopping{url, log, stop, stopped}
}

func (s *stopping) dial(t *testing.T, send string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.url[strings.LastIndex(s.url, "/")+1:])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, send); err != nil {
		t.Fatal(err)
	}
	return conn
}

// wantStopped fails unless the front stops without an error, no later than most after it began.
func (s *stopping) wantStopped(t *testing.T, most time.Duration) {
	t.Helper()
	begin := time.Now()
	select {
	case err := <-s.stopped:
		if err != nil {
			t.Errorf("stopped with %v", err)
		}
	case <-time.After(most):
		t.Errorf("not stopped after %s", most)
		<-s.stopped
	}
	t.Logf("stopped after %s", time.Since(begin))
}

const postHeader = "POST /graphql HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"

// All responses in the delay end their connections, whatever they answer, so that the client opens
// the next one elsewhere: also that of an operation which had begun before.
func TestDrainAnnouncesTheEndOfConnections(t *testing.T) {
	started, finish := make(chan struct{}, 2), make(chan struct{})
	s := newStopping(t, front.ServeOptions{Delay: 2 * time.Second, Grace: time.Second}, func(ctx context.Context) *graphql.Response {
		if graphql.GetOperationContext(ctx).OperationName == "Slow" {
			started <- struct{}{}
			<-finish
		}
		return &graphql.Response{Data: []byte(`{"n":1}`)}
	})
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	send := func(method, path, body string) *http.Response {
		r, _ := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
		r.Header.Set("Content-Type", typeJSON)
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(method, path, err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		return response
	}
	if send("POST", "/graphql", `{"query":"{n}"}`).Close {
		t.Error("the connection ends without a drain")
	}
	slow := make(chan *http.Response, 1)
	go func() { slow <- send("POST", "/graphql", `{"query":"query Slow {n}","operationName":"Slow"}`) }()
	<-started
	s.stop()
	for status(t, s.url+"/readyz") != 503 {
		time.Sleep(time.Millisecond)
	}
	for _, request := range [][3]string{
		{"POST", "/graphql", `{"query":"{n}"}`},
		{"POST", "/graphql", `{"query":"{unknown}"}`},
		{"POST", "/graphql", `{`},
		{"PUT", "/graphql", `{}`},
		{"GET", "/graphql?query={n}", ""},
		{"OPTIONS", "/graphql", ""},
		{"GET", "/healthz", ""},
		{"GET", "/readyz", ""},
		{"GET", "/", ""},
		{"GET", "/nothing", ""},
		{"POST", "/healthz", "body"},
		{"HEAD", "/healthz", ""},
		{"GET", "/graphql/../healthz", ""},
	} {
		if got := send(request[0], request[1], request[2]); !got.Close {
			t.Errorf("%s %s %s: %d does not end the connection", request[0], request[1], request[2], got.StatusCode)
		}
	}
	close(finish)
	if got := <-slow; got.StatusCode != 200 || !got.Close {
		t.Errorf("the operation that ran: %d, ends the connection: %t", got.StatusCode, got.Close)
	}
	s.wantStopped(t, 5*time.Second)
}

// Over HTTP/2, GOAWAY ends the connection after a response in the delay, so that the client opens the
// next one, and no request is lost.
func TestDrainEndsConnectionsOfHTTP2(t *testing.T) {
	s := newStopping(t, front.ServeOptions{Delay: 500 * time.Millisecond, Grace: time.Second}, func(context.Context) *graphql.Response {
		return &graphql.Response{Data: []byte(`{"n":1}`)}
	})
	var dials atomic.Int32
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	send := func() {
		t.Helper()
		r, _ := http.NewRequestWithContext(t.Context(), "POST", s.url+"/graphql", strings.NewReader(`{"query":"{n}"}`))
		r.Header.Set("Content-Type", typeJSON)
		response, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != 200 || response.ProtoMajor != 2 {
			t.Fatalf("%s %d, %v", response.Proto, response.StatusCode, err)
		}
	}
	for range 3 {
		send()
	}
	if dials.Load() != 1 {
		t.Errorf("%d connections without a drain", dials.Load())
	}
	s.stop()
	for status(t, s.url+"/readyz") != 503 {
		time.Sleep(time.Millisecond)
	}
	for range 3 {
		send()
		time.Sleep(20 * time.Millisecond) // until the client has read GOAWAY
	}
	if dials.Load() < 3 {
		t.Errorf("%d connections, the first of which should have ended", dials.Load())
	}
	s.wantStopped(t, 3*time.Second)
}

// Gateways are replaced one after the other behind a balancer, while clients with connections that
// they keep alive send mutations, which no client repeats.
func TestRollingRestartLosesNoRequest(t *testing.T) {
	const clients, restarts, delay = 20, 4, 300 * time.Millisecond
	respond := func(context.Context) *graphql.Response {
		time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
		return &graphql.Response{Data: []byte(`{"set":1}`)}
	}
	var target atomic.Pointer[stopping] // of the balancer: where new connections go
	target.Store(newStopping(t, front.ServeOptions{Delay: delay}, respond))
	ctx, end := context.WithCancel(t.Context())
	var sent, lost atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(target.Load().url, "http://"))
			}}
			defer transport.CloseIdleConnections()
			for ctx.Err() == nil {
				r, _ := http.NewRequest("POST", "http://gateway/graphql", strings.NewReader(`{"query":"mutation {set(n:1)}"}`))
				r.Header.Set("Content-Type", typeJSON)
				response, err := transport.RoundTrip(r)
				sent.Add(1)
				if err != nil {
					lost.Add(1)
					t.Log(err)
					continue
				}
				text, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err != nil || string(text) != `{"data":{"set":1}}` {
					lost.Add(1)
					t.Log(err, string(text))
				}
				time.Sleep(time.Duration(rand.IntN(30)) * time.Millisecond)
			}
		})
	}
	for range restarts {
		time.Sleep(100 * time.Millisecond)
		old := target.Load()
		next := newStopping(t, front.ServeOptions{Delay: delay}, respond)
		old.stop()
		time.Sleep(delay / 4) // until the balancer sees /readyz
		target.Store(next)
		old.wantStopped(t, 10*time.Second)
	}
	end()
	all.Wait()
	if lost.Load() > 0 || sent.Load() < 100*restarts {
		t.Errorf("%d of %d requests were lost", lost.Load(), sent.Load())
	}
	last := target.Load()
	last.stop()
	<-last.stopped
}

// A client that does not send its request, or does not read its response, holds up the stop for a
// bounded time, and is not a failure of the gateway.
func TestStalledClientsDoNotHoldTheStop(t *testing.T) {
	large := []byte(`{"s":"` + strings.Repeat("x", 30<<20) + `"}`)
	respond := func(context.Context) *graphql.Response { return &graphql.Response{Data: large} }
	for name, send := range map[string]string{
		"half a body":                   postHeader + "Content-Length: 100\r\n\r\n{",
		"no byte of a body":             postHeader + "Content-Length: 100\r\n\r\n",
		"a chunk without end":           postHeader + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
		"half a chunk":                  postHeader + "Transfer-Encoding: chunked\r\n\r\n10\r\n{",
		"a body that is not read":       strings.Replace(postHeader, "application/json", "text/plain", 1) + "Content-Length: 100\r\n\r\n{",
		"a body of a GET":               "GET /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{",
		"a chunk at another path":       "PUT /nothing HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
		"a body that waits for 100":     postHeader + "Content-Length: 100\r\nExpect: 100-continue\r\n\r\n",
		"the body of a CONNECT":         "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
		"half a header":                 "POST /graphql HTTP/1.1\r\nHost: ",
		"a byte":                        "P",
		"nothing":                       "",
		"a request and half of another": "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\nGET /hea",
		"an idle connection":            "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n",
		"a response that is not read":   "GET /graphql?query={n} HTTP/1.1\r\nHost: h\r\n\r\n",
		"the preface of HTTP/2":         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStopping(t, front.ServeOptions{Grace: 2 * time.Second}, respond)
			s.dial(t, send)
			time.Sleep(200 * time.Millisecond) // the server has received it
			s.stop()
			s.wantStopped(t, 5*time.Second)
		})
	}
}

// A body of which little arrives at a time does not extend the time that it has.
func TestTricklingBodyDoesNotHoldTheStop(t *testing.T) {
	s := newStopping(t, front.ServeOptions{Grace: 2 * time.Second}, nil)
	conn := s.dial(t, postHeader+"Content-Length: 1000\r\n\r\n")
	go func() {
		for {
			if _, err := conn.Write([]byte(" ")); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	time.Sleep(100 * time.Millisecond)
	s.stop()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, _ := io.ReadAll(response.Body); response.StatusCode != 400 || !response.Close || !bytes.Contains(text, []byte("did not arrive")) {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	s.wantStopped(t, 3*time.Second)
}

// A body that is complete in time is answered, and its operation is not disturbed by the time that
// the body had.
func TestLateBodyIsAnswered(t *testing.T) {
	s := newStopping(t, front.ServeOptions{Grace: time.Second}, func(ctx context.Context) *graphql.Response {
		select {
		case <-ctx.Done():
			t.Error("the operation was cancelled")
		case <-time.After(800 * time.Millisecond): // beyond the time for the body
		}
		return &graphql.Response{Data: []byte(`{"n":1}`)}
	})
	const body = `{"query":"{n}"}`
	conn := s.dial(t, postHeader+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body[:3]))
	time.Sleep(100 * time.Millisecond)
	s.stop()
	time.Sleep(100 * time.Millisecond)
	_, _ = io.WriteString(conn, body[3:])
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, _ := io.ReadAll(response.Body); response.StatusCode != 200 || !response.Close {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	s.wantStopped(t, time.Second)
}

// More operations than may run wait, and are refused with 503 when that takes too long. Health checks
// do not wait with them.
func TestOverload(t *testing.T) {
	finish := make(chan struct{})
	refused := make(chan string, 10)
	g := newGateway(t, front.Options{Admission: admission.Options{MaxOperations: 1, MaxQueued: 1, MaxWait: 100 * time.Millisecond}},
		func(context.Context) *graphql.Response {
			<-finish
			return &graphql.Response{Data: []byte(`{"n":1}`)}
		}, func(d *front.Deps) { d.OnRefused = func(reason string) { refused <- reason } })
	first := make(chan *reply, 1)
	go func() { first <- g.ask(t, "{n}") }()
	for g.front.Load().Operations.Running == 0 {
		time.Sleep(time.Millisecond)
	}
	for range 2 {
		if got := g.ask(t, "{n}"); got.status != 503 || got.code() != "OVERLOADED" || !slices.Contains([]string{"1", "2"}, got.header.Get("Retry-After")) {
			t.Errorf("%d %v %s", got.status, got.header, got.text)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := g.do(t, g.request(t, "GET", path, "")); got.status != 200 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	close(finish)
	if got := <-first; got.status != 200 {
		t.Errorf("%d %s", got.status, got.text)
	}
	if got := g.front.Load().Operations; got.Running != 0 || got.Queued != 0 || got.Refused != (admission.Refusals{Wait: 2}) {
		t.Errorf("%+v", got)
	}
	if len(refused) != 2 || <-refused != "overload" || <-refused != "overload" {
		t.Errorf("%d refusals were counted, want 2 with the reason overload", len(refused))
	}
	for i, line := range g.log.lines(t, "operation") {
		if _, logged := line["refused_by"]; (line["refused"] == "overload") != (i < 2) || logged {
			t.Errorf("line %d: %v", i, line)
		}
	}
}

// A body for which there is no memory is refused, and what it held is returned.
func TestBodiesWaitForMemory(t *testing.T) {
	g := newGateway(t, front.Options{Admission: admission.Options{MaxBytes: 256 << 10, MaxWait: 50 * time.Millisecond}}, nil)
	large := envelope(t, "{n}", strings.Repeat("x", 100_000))
	if got := g.do(t, g.request(t, "POST", "/graphql", large, "Content-Type: "+typeJSON)); got.status != 503 || got.code() != "OVERLOADED" {
		t.Errorf("%d %s", got.status, got.text)
	}
	if got := g.ask(t, "{n}"); got.status != 200 {
		t.Errorf("%d %s", got.status, got.text)
	}
	if got := g.front.Load().Memory; got.Used != 0 || got.Refused == 0 {
		t.Errorf("%+v", got)
	}
}
