package http1

import (
	"context"
	"net"
	"testing"
	"time"
)

// openConns returns a transport and n of its connections to one address, in use.
func openConns(t *testing.T, o Options, n int) (transport *Transport, address string, conns []*conn) {
	t.Helper()
	if !CanCheckIdle {
		t.Skip("no connection is kept on this system")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	transport, address = New(o), listener.Addr().String()
	t.Cleanup(transport.CloseIdleConnections)
	for range n {
		c, err := transport.getConn(t.Context(), address, true)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	return transport, address, conns
}

func isOpen(c *conn) bool {
	_, err := c.Write([]byte("x"))
	return err == nil
}

// closeExpired closes the connections that have been idle for IdleTimeout, and no others.
func TestCloseExpired(t *testing.T) {
	transport, address, conns := openConns(t, Options{IdleTimeout: time.Hour}, 3)
	for _, c := range conns {
		transport.putConn(c)
	}
	conns[0].idleSince = conns[0].idleSince.Add(-time.Hour)
	transport.closeExpired()
	h := transport.hosts[address]
	if len(h.idle) != 2 || h.idle[0] != conns[1] || h.conns != 2 || transport.timer == nil {
		t.Errorf("%d idle of %d connections, want 2 of 2", len(h.idle), h.conns)
	}
	if isOpen(conns[0]) {
		t.Error("the old one is open")
	}
	conns[1].idleSince, conns[2].idleSince = conns[0].idleSince, conns[0].idleSince
	transport.closeExpired()
	if len(transport.hosts) != 0 || transport.timer != nil {
		t.Errorf("%d hosts are left", len(transport.hosts))
	}
}

// A connection that has its age is not kept when its call ends, and is closed while it is idle.
func TestMaxAge(t *testing.T) {
	const age = time.Hour
	opened := time.Now()
	transport, address, conns := openConns(t, Options{IdleTimeout: 24 * age, MaxAge: age}, 20)
	ages := map[time.Duration]bool{}
	for _, c := range conns {
		got := c.expires.Sub(opened)
		if got < age*4/5 || got > age+time.Minute {
			t.Errorf("a connection ends after %v", got)
		}
		ages[got.Round(time.Second)] = true
	}
	if len(ages) < 5 {
		t.Errorf("%d connections end together", len(conns))
	}
	conns[0].expires = time.Now()
	for _, c := range conns {
		transport.putConn(c)
	}
	h := transport.hosts[address]
	if isOpen(conns[0]) || len(h.idle) != 19 || h.conns != 19 {
		t.Errorf("%d idle of %d connections, want 19 of 19", len(h.idle), h.conns)
	}
	conns[1].expires = time.Now()
	transport.closeExpired()
	if isOpen(conns[1]) || !isOpen(conns[2]) || len(h.idle) != 18 {
		t.Errorf("%d are idle, want 18", len(h.idle))
	}
}

// A call that waits receives no connection that has its age, but the permission to open another.
func TestMaxAgeWhileCallsWait(t *testing.T) {
	transport, address, conns := openConns(t, Options{MaxAge: time.Hour, MaxConns: 1}, 1)
	received := make(chan *conn)
	go func() {
		c, err := transport.getConn(context.Background(), address, false)
		if err != nil {
			t.Error(err)
		}
		received <- c
	}()
	for waiting := 0; waiting == 0; time.Sleep(time.Millisecond) {
		transport.mu.Lock()
		waiting = transport.hosts[address].waiting.Len()
		transport.mu.Unlock()
	}
	conns[0].expires = time.Now()
	transport.putConn(conns[0])
	c := <-received
	if c == nil || c == conns[0] || isOpen(conns[0]) || !isOpen(c) {
		t.Error("the old connection is in use")
	}
	transport.discard(c)
}

// After a connection turned out to be dead, those that have been idle for longer are closed.
func TestCloseSuspects(t *testing.T) {
	transport, address, conns := openConns(t, Options{}, 4)
	for _, c := range conns {
		transport.putConn(c)
		time.Sleep(time.Millisecond)
	}
	stale := conns[2]
	transport.closeSuspects(stale)
	if isOpen(conns[0]) || isOpen(conns[1]) || !isOpen(conns[3]) {
		t.Error("want the first two closed, and the last open")
	}
	if n := len(transport.hosts[address].idle); n != 1 {
		t.Errorf("%d are idle, want 1", n)
	}
}

// Close leaves calls in peace and keeps no connection.
func TestClose(t *testing.T) {
	transport, address, conns := openConns(t, Options{}, 2)
	transport.putConn(conns[0])
	transport.Close()
	if isOpen(conns[0]) || !isOpen(conns[1]) {
		t.Error("want the idle one closed, and the other open")
	}
	transport.putConn(conns[1])
	if isOpen(conns[1]) {
		t.Error("it is kept after its call")
	}
	c, err := transport.getConn(t.Context(), address, false)
	if err != nil {
		t.Fatal(err)
	}
	transport.putConn(c)
	if isOpen(c) || len(transport.hosts) != 0 {
		t.Error("that of a later call is kept")
	}
}
