package http1

import (
	"net"
	"testing"
	"time"
)

// closeExpired closes the connections that have been idle for IdleTimeout, and no others.
func TestCloseExpired(t *testing.T) {
	if !CanCheckIdle {
		t.Skip("no connection is kept on this system")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	transport, address := New(Options{IdleTimeout: time.Hour}), listener.Addr().String()
	defer transport.CloseIdleConnections()
	var conns []*conn
	for range 3 {
		c, err := transport.getConn(t.Context(), address, true)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	for _, c := range conns {
		transport.putConn(c)
	}
	conns[0].idleSince = conns[0].idleSince.Add(-time.Hour)
	transport.closeExpired()
	h := transport.hosts[address]
	if len(h.idle) != 2 || h.idle[0] != conns[1] || h.conns != 2 || transport.timer == nil {
		t.Errorf("%d idle of %d connections, want 2 of 2", len(h.idle), h.conns)
	}
	if _, err := conns[0].Write([]byte("x")); err == nil {
		t.Error("the old one is open")
	}
	conns[1].idleSince, conns[2].idleSince = conns[0].idleSince, conns[0].idleSince
	transport.closeExpired()
	if len(transport.hosts) != 0 || transport.timer != nil {
		t.Errorf("%d hosts are left", len(transport.hosts))
	}
}
