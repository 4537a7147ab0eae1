package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/redact"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// fakeUsers replaces the source users by one replica per handler.
func fakeUsers(t *testing.T, handlers ...http.HandlerFunc) func(*config.Config) {
	var urls []string
	for _, h := range handlers {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		urls = append(urls, server.URL)
	}
	return func(c *config.Config) {
		source := c.Sources["users"]
		source.URLs = upstreams.URLs(urls...)
		c.Sources["users"] = source
	}
}

// An object with another key than the requested one is an error, not data.
func TestResponsesMustMatchTheirCalls(t *testing.T) {
	const (
		get    = `{ user(id: "u1") { id name } }`
		name   = `{ user(id: "u1") { name } }`
		change = `mutation { updateUser(id: "u1", input: {name: "A"}) { id } }`
		create = `mutation { createUser(input: {name: "A", email: "a@example.com", password: "long enough 1"}) { id } }`
	)
	var status atomic.Int64
	var body atomic.Value
	g := newGateway(t, fakeUsers(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(status.Load()))
		io.WriteString(w, body.Load().(string))
	}))
	admin := g.token(t, services.Admin)
	for _, test := range []struct {
		query  string
		status int
		body   string
		want   string // a code, or the data
	}{
		{get, 200, `{"id": "u1", "name": "Ada"}`, `{"user":{"id":"u1","name":"Ada"}}`},
		{get, 200, `{"id": "U1", "name": "Ada"}`, `{"user":{"id":"U1","name":"Ada"}}`},
		{get, 200, `{"id": "u2", "name": "Bob"}`, "DOWNSTREAM_SERVICE_ERROR"},
		{get, 200, `{"name": "Bob", "id": "u2"}`, "DOWNSTREAM_SERVICE_ERROR"},
		{name, 200, `{"id": "u2", "name": "Bob"}`, "DOWNSTREAM_SERVICE_ERROR"},
		{name, 200, `{"id": "u1", "name": "Ada"}`, `{"user":{"name":"Ada"}}`},
		{name, 200, `{"name": "Ada"}`, `{"user":{"name":"Ada"}}`},
		{name, 200, `{"id": null, "name": "Ada"}`, `{"user":{"name":"Ada"}}`},
		{change, 200, `{"id": "u1"}`, `{"updateUser":{"id":"u1"}}`},
		{change, 200, `{"id": "u2"}`, "DOWNSTREAM_SERVICE_ERROR"},
		{create, 201, `{"id": "u9"}`, `{"createUser":{"id":"u9"}}`},

		{get, 200, ``, "DOWNSTREAM_SERVICE_ERROR"},
		{get, 200, " \n", "DOWNSTREAM_SERVICE_ERROR"},
		{get, 206, ``, "DOWNSTREAM_SERVICE_ERROR"},
		{get, 200, `null`, `{"user":null}`},
		{get, 204, ``, `{"user":null}`},
		{get, 205, ``, `{"user":null}`},
		{change, 200, ``, "DOWNSTREAM_SERVICE_ERROR"},
		{change, 202, ``, "DOWNSTREAM_SERVICE_ERROR"},
		{change, 204, ``, `{"updateUser":null}`},
		{create, 201, ``, "DOWNSTREAM_SERVICE_ERROR"},
		{`mutation { deleteUser(id: "u1") }`, 200, ``, `{"deleteUser":true}`},
		{`mutation { deleteUser(id: "u1") }`, 204, ``, `{"deleteUser":true}`},
	} {
		status.Store(int64(test.status))
		body.Store(test.body)
		a := g.query(t, admin, test.query, nil)
		if got := a.codes(); strings.HasPrefix(test.want, "{") && (got != "" || string(a.Data) != test.want) || !strings.HasPrefix(test.want, "{") && got != test.want {
			t.Errorf("%s, answered by %d %q: %s, want %s", test.query, test.status, test.body, a.Body, test.want)
		}
		if strings.Contains(a.Body, "Bob") || strings.Contains(a.Body, "u2") {
			t.Errorf("%s shows another's data: %s", test.query, a.Body)
		}
	}
	if !strings.Contains(g.Log.String(), `but \"u1\" was asked for`) {
		t.Errorf("the log does not say what is wrong: %s", g.Log)
	}
}

// A replica executes a change and then breaks the connection: the change is not sent to another.
func TestMutationIsDoneOnce(t *testing.T) {
	var done, others atomic.Int64
	breaks := func(w http.ResponseWriter, r *http.Request) {
		done.Add(1)
		panic(http.ErrAbortHandler)
	}
	other := func(w http.ResponseWriter, r *http.Request) {
		others.Add(1)
		w.WriteHeader(http.StatusNotFound)
	}
	for query, second := range map[string]int64{
		`mutation { deleteUser(id: "u1") }`:                                                                     0,
		`mutation { updateUser(id: "u1", input: {name: "A"}) { id } }`:                                          0,
		`mutation { createUser(input: {name: "A", email: "a@example.com", password: "long enough 1"}) { id } }`: 0,
		`{ user(id: "u1") { id } }`:                                                                             1,
	} {
		done.Store(0)
		others.Store(0)
		g := newGateway(t, fakeUsers(t, breaks, other, other))
		a := g.query(t, g.token(t, services.Admin), query, nil)
		code := "DOWNSTREAM_SERVICE_ERROR"
		if second > 0 {
			code = "NOT_FOUND"
		}
		if done.Load() != 1 || others.Load() != second || a.codes() != code {
			t.Errorf("%s: done once and %d times (%d), %s", query, others.Load(), done.Load(), a.Body)
		}
	}
}

// Secrets in services' responses do not reach the log, in whatever form they are logged.
func TestLogHasNoSecrets(t *testing.T) {
	const configured, fixed = "configured-0123456789", "fixed-header-0123456789"
	var says atomic.Value // func(http.ResponseWriter, *http.Request)
	service := func(w http.ResponseWriter, r *http.Request) {
		says.Load().(func(http.ResponseWriter, *http.Request))(w, r)
	}
	g := newGateway(t, fakeUsers(t, service), func(c *config.Config) {
		source := c.Sources["users"]
		source.Forward = []string{"Authorization"}
		source.Headers = map[string]string{"X-Own": fixed}
		source.Config = map[string]string{"tenant": configured}
		c.Sources["users"] = source
	})
	token := g.token(t, services.Admin)
	refuse := func(body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			io.WriteString(w, body)
		}
	}
	secrets := []string{token, configured, fixed, "s3cretS3cret0123"}
	for name, say := range map[string]func(http.ResponseWriter, *http.Request){
		"the request's headers, as they are": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			r.Header.Write(w)
		},
		"the token alone":                     refuse(token),
		"the token, cut off":                  refuse(strings.Repeat("x", 250) + token),
		"the token in JSON":                   refuse(`{"detail": "bad token ` + token + `"}`),
		"what is configured":                  refuse("tenant " + configured + " is unknown, and so is " + fixed),
		"a password in JSON":                  refuse(`{"password": "s3cretS3cret0123"}`),
		"a cookie":                            refuse("Set-Cookie: session=s3cretS3cret0123"),
		"a URL":                               refuse("https://u:s3cretS3cret0123@host and /a?api_key=s3cretS3cret0123"),
		"a value that does not fit the graph": func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"id":"`+fixed+`","name":"A"}`) },
		"a malformed head": func(w http.ResponseWriter, r *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nAuthorization Bearer "+token+"\r\n\r\n")
			conn.Close()
		},
		"another encoding": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "token="+fixed)
			io.WriteString(w, "{}")
		},
	} {
		says.Store(say)
		before := strings.Count(g.Log.String(), "\n")
		a := g.query(t, token, `{ user(id: "u1") { id name } }`, nil)
		lines := strings.SplitAfter(g.Log.String(), "\n")[before:]
		if len(lines) < 2 || a.codes() == "" {
			t.Errorf("%s: %s with %d lines of log", name, a.Body, len(lines))
		}
		for _, secret := range secrets {
			if strings.Contains(a.Body+strings.Join(lines, ""), secret) {
				t.Errorf("%s: %s and %s", name, a.Body, lines)
			}
		}
	}
	if strings.Count(g.Log.String(), redact.Mask) < 8 {
		t.Errorf("too little was taken out: %s", g.Log)
	}
}
