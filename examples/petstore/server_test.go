package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/gatehouse-graphql/gatehouse/examples/petstore/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultClient.CloseIdleConnections() // which are no leak
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// secret signs the tests' tokens.
const secret = "a secret of 32 bytes, for tests only"

// store is a gateway before a pet store, over HTTP.
type store struct {
	*services.Store
	URL string
}

// newStore starts a store and a gateway before it, and stops both when the test ends. Options
// change the gateway's settings.
func newStore(t *testing.T, options ...func(*config.Config)) *store {
	t.Helper()
	s := &store{Store: services.New(services.Options{Secret: []byte(secret)})}
	running, err := s.Start(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	settings := &config.Config{Listen: "127.0.0.1:0", Introspection: true}
	settings.Execution.Engine = os.Getenv("GATEWAY_EXECUTION_ENGINE") // to run all tests on either
	configure(settings, running.URL, []byte(secret))
	for _, option := range options {
		option(settings)
	}
	s.serve(t, command.Start{Config: settings, Out: io.Discard})
	return s
}

// serve runs the program until the test ends.
func (s *store) serve(t *testing.T, start command.Start) {
	t.Helper()
	at := make(serving, 1)
	start.Log = slog.New(slog.NewJSONHandler(at, nil))
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- run(ctx, start) }()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Errorf("the gateway stopped with: %v", err)
		}
	})
	select {
	case address := <-at:
		s.URL = "http://" + address
	case err := <-stopped:
		stopped <- err
		t.Fatalf("the gateway did not start: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("the gateway did not start")
	}
}

// serving is a log that reports the address when the gateway serves.
type serving chan string

func (s serving) Write(line []byte) (int, error) {
	var entry struct{ Msg, Address string }
	if json.Unmarshal(line, &entry) == nil && entry.Msg == "serving" {
		s <- entry.Address
	}
	return len(line), nil
}

// token returns a token of an identity, "" for nobody.
func (s *store) token(t *testing.T, who services.Identity) string {
	t.Helper()
	if who == anonymous {
		return ""
	}
	token, err := s.Token(who)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// anonymous is an anonymous caller.
var anonymous services.Identity

// answer is the response that a client receives.
type answer struct {
	Body   string
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Path       []any
		Extensions struct {
			Code, Problem string
			HTTP          struct{ Status int }
			Fields        []struct{ Field, Message string }
		}
	}
}

// codes returns the codes of all errors, separated by spaces.
func (a *answer) codes() string {
	var codes []string
	for _, e := range a.Errors {
		codes = append(codes, e.Extensions.Code)
	}
	return strings.Join(codes, " ")
}

// ask posts an operation with a token, "" for none. variables may be nil.
func (s *store) ask(t *testing.T, token, query string, variables map[string]any) *answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	return s.post(t, token, body)
}

func (s *store) post(t *testing.T, token string, body []byte) *answer {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, s.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := &answer{Body: string(text)}
	if err := json.Unmarshal(text, a); err != nil {
		t.Fatalf("the answer is no JSON: %s", text)
	}
	return a
}

// wantData fails unless the response has this data and no errors.
func wantData(t *testing.T, a *answer, want string) {
	t.Helper()
	if len(a.Errors) > 0 {
		t.Fatalf("errors: %s", a.Body)
	}
	var got, wanted any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(a.Data, &got) // it is part of an answer that was read
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

// wantCalls fails unless the service has received exactly these calls since the last time.
func (s *store) wantCalls(t *testing.T, want map[string]int) {
	t.Helper()
	if got := s.Calls(); !maps.Equal(got, want) {
		t.Errorf("calls were %v, want %v", got, want)
	}
	s.ResetCalls()
}
