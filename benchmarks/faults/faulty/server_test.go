package faulty

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// long is more than anything takes that does not hang.
const long = 10 * time.Second

// start starts a server and stops it when the test ends.
func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(Service(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *Server) mustPlay(t *testing.T, f Fault) {
	t.Helper()
	if err := s.Play(f); err != nil {
		t.Fatal(err)
	}
}

// exchangeRaw sends a request and returns the bytes that came back until the connection ended, most bytes
// had come, or a time was over, with the error of reading; and that of connecting.
func exchangeRaw(t *testing.T, s *Server, request string, most int64, patience time.Duration) (received string, err error) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", s.Address(), 200*time.Millisecond)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, request)
	var b bytes.Buffer
	_, err = io.Copy(&b, io.LimitReader(conn, most))
	return b.String(), err
}

const (
	getUser    = "GET /users/U-1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	kept       = "GET /users/U-1 HTTP/1.1\r\nHost: a\r\n\r\n"
	deleteUser = "DELETE /users/U-1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
)

func isTimeout(err error) bool {
	var netError net.Error
	return errors.As(err, &netError) && netError.Timeout()
}
func isReset(err error) bool   { return errors.Is(err, syscall.ECONNRESET) }
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
func isEnd(err error) bool     { return err == nil }

// Every mode is what its name says, on the wire.
func TestModes(t *testing.T) {
	const right = `{"address":null,"created-by":"import"`
	tests := map[Mode]struct {
		contains string // of what is received
		end      func(error) bool
	}{
		Healthy:            {right, isEnd},
		Latency:            {right, isEnd},
		Drip:               {"Content-Length: 160\r\n\r\n{", isTimeout},
		HangBeforeHeaders:  {"", isTimeout},
		HangInHeaders:      {"HTTP/1.1 200 OK\r\nX-A: b", isTimeout},
		HangAfterHeaders:   {"\r\n\r\n", isTimeout},
		HangMidBody:        {right, isTimeout},
		ResetOnAccept:      {"", isReset},
		ResetBeforeHeaders: {"", isReset},
		ResetInHeaders:     {"", isReset}, // a reset may overtake what was sent before it
		ResetMidBody:       {"", isReset},
		BreakMidBody:       {right, isEnd},
		CloseUnanswered:    {"", isEnd},
		Status500:          {"HTTP/1.1 500 Internal Server Error\r\n", isEnd},
		Status502:          {"HTTP/1.1 502 Bad Gateway\r\n", isEnd},
		Status503:          {"\r\nRetry-After: 1\r\n", isEnd},
		Status503Plain:     {"HTTP/1.1 503 Service Unavailable\r\n", isEnd},
		Status504:          {"HTTP/1.1 504 Gateway Timeout\r\n", isEnd},
		Status429:          {"\r\nRetry-After: 1\r\n", isEnd},
		HTML:               {"<html>", isEnd},
		Garbage:            {Secret, isEnd},
		TruncatedJSON:      {"Content-Length: 80\r\n\r\n" + right, isEnd},
		EmptyBody:          {"Content-Length: 0\r\n\r\n", isEnd},
		ListForObject:      {"\r\n\r\n[" + right, isEnd},
		StringForNumber:    {right, isEnd},
		NullForNonNull:     {`"id":null`, isEnd},
		HugeBody:           {"\r\nContent-Length: 67", isEnd},
		EndlessBody:        {"\r\nTransfer-Encoding: chunked\r\n", isEnd},
		GzipBomb:           {"\r\nContent-Encoding: gzip\r\n", isEnd},
		BadChunks:          {"\r\n\r\nxyz\r\n", isEnd},
		LengthTooLong:      {"Content-Length: 170\r\n", isEnd},
		LengthTooShort:     {"Content-Length: 80\r\n", isEnd},
		SecondResponse:     {"}\nHTTP/1.1 200 OK\r\n", isEnd},
		Redirect:           {"/users/U-1\r\n", isEnd},
		HeaderFlood:        {"X-Flood", isEnd},
		EndlessHeaders:     {"X-Flood", isEnd},
		InformationalFlood: {"HTTP/1.1 103 Early Hints\r\n", isEnd},
		Flap:               {right, isEnd},
		Refuse:             {"", isRefused},
		Blackhole:          {"", isTimeout},
	}
	for _, m := range Modes(false) {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			test, ok := tests[m]
			if !ok {
				t.Fatal("the mode is not tested")
			}
			s := start(t, Options{})
			f := Fault{Mode: m, Delay: 100 * time.Millisecond}
			if m == Flap {
				f.Delay = long
			}
			patience := long
			if test.end(os.ErrDeadlineExceeded) {
				patience = time.Second
			}
			s.mustPlay(t, f)
			received, err := exchangeRaw(t, s, getUser, 1<<20, patience)
			if !strings.Contains(received, test.contains) || !test.end(err) {
				t.Errorf("got %.300q, %v", received, err)
			}
			wantCalls := 1
			if !m.Reached() {
				wantCalls = 0
			}
			if got := s.Counts().Total(); got != wantCalls {
				t.Errorf("%d calls are counted, want %d", got, wantCalls)
			}
			s.mustPlay(t, Fault{})
			if received, err := exchangeRaw(t, s, kept+getUser, 1<<20, long); strings.Count(received, right) != 2 || !isEnd(err) {
				t.Errorf("healed, it sent %.300q, %v", received, err)
			}
		})
	}
}

// Flap is well and not, in turn.
func TestFlap(t *testing.T) {
	s := start(t, Options{})
	s.mustPlay(t, Fault{Mode: Flap, Delay: 30 * time.Millisecond})
	seen := map[int]bool{}
	for end := time.Now().Add(long); len(seen) < 2 && time.Now().Before(end); {
		resp, err := http.Get(s.URL() + "/users/U-1")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		seen[resp.StatusCode] = true
	}
	if !seen[200] || !seen[500] {
		t.Errorf("statuses were %v", seen)
	}
}

// Changes are counted by what they are, in every mode in which they reach the service.
func TestChanges(t *testing.T) {
	for _, m := range []Mode{Healthy, Status500, CloseUnanswered, ResetOnAccept} {
		s := start(t, Options{})
		s.mustPlay(t, Fault{Mode: m})
		for range 2 {
			_, _ = exchangeRaw(t, s, deleteUser, 1<<20, long)
		}
		want := 0
		if m.Reached() {
			want = 2
		}
		c := s.Counts()
		if c.Changes["DELETE /users/U-1 "] != want || c.Calls[m]["DELETE"] != want || c.Total() != want || c.Connections != 2 {
			t.Errorf("%s: %+v", m, c)
		}
		if c.Spoiled() != want && m != Healthy || m == Healthy && c.Spoiled() != 0 {
			t.Errorf("%s: %d calls are said to be spoiled", m, c.Spoiled())
		}
		if s.Reset(); s.Counts().Total() != 0 || s.Counts().Connections != 0 || len(s.Counts().Changes) != 0 {
			t.Errorf("%s: after Reset: %+v", m, s.Counts())
		}
	}
}

// A share of the calls is spoiled, and the others are answered.
func TestShare(t *testing.T) {
	s := start(t, Options{})
	s.mustPlay(t, Fault{Mode: Status500, Share: 0.5})
	for range 200 {
		resp, err := http.Get(s.URL() + "/users/U-1")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	if c := s.Counts(); c.Total() != 200 || c.Spoiled() < 60 || c.Spoiled() > 140 { // 5.6 standard deviations
		t.Errorf("%d of %d calls were spoiled", c.Spoiled(), c.Total())
	}
}

// A call that hangs is counted as waiting until its client leaves.
func TestWaiting(t *testing.T) {
	for _, m := range []Mode{HangBeforeHeaders, HangMidBody, Latency} {
		s := start(t, Options{})
		s.mustPlay(t, Fault{Mode: m, Delay: long})
		conn, err := net.Dial("tcp", s.Address())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, getUser)
		await(t, func() bool { return s.Counts().Waiting == 1 && s.Counts().Open == 1 })
		conn.Close()
		await(t, func() bool { return s.Counts().Waiting == 0 && s.Counts().Open == 0 })
	}
}

func await(t *testing.T, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(long); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("what should happen has not happened")
		}
	}
}

// With a limit, calls have their latency after one another.
func TestParallel(t *testing.T) {
	const latency = 30 * time.Millisecond
	s := start(t, Options{Latency: latency, Parallel: 2})
	began := time.Now()
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() { _, _ = exchangeRaw(t, s, getUser, 1<<20, long) })
	}
	all.Wait()
	if took := time.Since(began); took < 3*latency {
		t.Errorf("six calls, two at a time, took %s", took)
	}
}

// Over TLS, the handshake can hang, break or succeed.
func TestTLS(t *testing.T) {
	authority, err := NewAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{TLS: authority.Server})
	client := authority.Client(500 * time.Millisecond)
	for _, test := range []struct {
		mode Mode
		want string // of the error; none if it is empty
	}{
		{Healthy, ""},
		{TLSBroken, "does not look like a TLS handshake"},
		{TLSHang, "deadline exceeded"},
		{Healthy, ""},
	} {
		s.mustPlay(t, Fault{Mode: test.mode})
		resp, err := client.Get(s.URL() + "/users/U-1")
		if err == nil {
			resp.Body.Close()
		}
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) && !strings.Contains(err.Error(), "handshake timeout") {
			t.Errorf("%s: %v, want %q", test.mode, err, test.want)
		}
	}
}

// Servers are switched and read over HTTP.
func TestControl(t *testing.T) {
	s := start(t, Options{})
	control := Control(map[string]*Server{"a": s})
	send := func(method, target, body string) (int, string) {
		w := &recorder{header: http.Header{}, status: http.StatusOK}
		req, err := http.NewRequestWithContext(context.Background(), method, target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		control.ServeHTTP(w, req)
		return w.status, w.body.String()
	}
	for _, test := range []struct {
		method, target, body string
		status               int
	}{
		{"PUT", "/a", `{"mode": "503"}`, 204},
		{"PUT", "/b", `{"mode": "503"}`, 404},
		{"PUT", "/a", `{"mode": "none"}`, 400},
		{"PUT", "/a", `{`, 400},
		{"GET", "/modes", ``, 200},
	} {
		if status, body := send(test.method, test.target, test.body); status != test.status {
			t.Errorf("%s %s %s: %d %s", test.method, test.target, test.body, status, body)
		}
	}
	received, _ := exchangeRaw(t, s, getUser, 1<<20, long)
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(received)), nil)
	if err != nil || resp.StatusCode != 503 {
		t.Errorf("it responds %q, %v", received, err)
	}
	var all map[string]state
	_, text := send("GET", "/", "")
	if err := json.Unmarshal([]byte(text), &all); err != nil || all["a"].Fault.Mode != Status503 || all["a"].Counts.Calls[Status503]["GET"] != 1 {
		t.Errorf("the state is %s, %v", text, err)
	}
	if status, _ := send("DELETE", "/", ""); status != 204 || s.Counts().Total() != 0 {
		t.Errorf("%d calls after a reset: %d", s.Counts().Total(), status)
	}
}

// The checks of health are spoiled, and not counted as calls.
func TestHealthPath(t *testing.T) {
	s := start(t, Options{})
	s.mustPlay(t, Fault{Mode: Status500})
	resp, err := http.Get(s.URL() + HealthPath)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if c := s.Counts(); resp.StatusCode != 500 || c.Checks != 1 || c.Total() != 0 {
		t.Errorf("status %d, %+v", resp.StatusCode, c)
	}
}
