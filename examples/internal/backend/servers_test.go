package backend

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A client that never finishes its call must not keep the program from ending.
func TestCloseIsBounded(t *testing.T) {
	closed := false
	servers := NewServers(func() { closed = true })
	servers.grace = 10 * time.Millisecond
	url, _, err := servers.Serve(t.Context(), "", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusCreated)
	}))
	if err != nil {
		t.Fatal(err)
	}
	endless, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer endless.Close()
	// Expect makes the server say when it has begun to read the body.
	fmt.Fprint(endless, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
	answer := bufio.NewReader(endless)
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("line %q, %v", line, err)
	}
	servers.Close()
	servers.Close()
	if rest, err := io.ReadAll(answer); strings.Contains(string(rest), "201") {
		t.Errorf("answered %q, %v", rest, err)
	}
	if err := servers.Wait(); err != nil || !closed {
		t.Errorf("Wait: %v; closeFirst was called: %v", err, closed)
	}
}

func TestAFailingServerEndsWait(t *testing.T) {
	servers := NewServers(func() {})
	defer servers.Close()
	servers.fail(net.ErrClosed)
	servers.fail(net.ErrClosed) // must not wait for a reader
	if err := servers.Wait(); err == nil {
		t.Error("Wait returns no error")
	}
}
