package discovery

import (
	"context"
	"net"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// ttlRecorder keeps the shortest TTL of the records that a lookup receives. Its dial is for
// net.Resolver. A forged message could shorten or lengthen the TTL, within the bounds of
// Options; it cannot change addresses, which the resolver alone reads.
type ttlRecorder struct {
	nameserver string // the host:port to ask; empty for those of the system

	mu       sync.Mutex
	shortest time.Duration // guarded by mu
	seen     bool          // guarded by mu
}

// ttl returns the shortest TTL, or -1 when there was no record.
func (r *ttlRecorder) ttl() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.seen {
		return -1
	}
	return r.shortest
}

func (r *ttlRecorder) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if r.nameserver != "" {
		address = r.nameserver
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	// A cancelled lookup returns at once, but its goroutines would wait for the answer.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	if udp, ok := conn.(*net.UDPConn); ok {
		return &recordedPackets{udp, r, stop}, nil // a net.PacketConn, by which the resolver knows UDP
	}
	return &recordedStream{Conn: conn, recorder: r, stop: stop}, nil
}

// observe reads the TTLs of a message. The resolver judges the message; what cannot be read
// here is skipped.
func (r *ttlRecorder) observe(message []byte) {
	var p dnsmessage.Parser
	header, err := p.Start(message)
	if err != nil || !header.Response || header.RCode != dnsmessage.RCodeSuccess || p.SkipAllQuestions() != nil {
		return
	}
	for {
		answer, err := p.AnswerHeader()
		if err != nil {
			return
		}
		switch answer.Type {
		case dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypeCNAME, dnsmessage.TypeSRV:
			r.record(time.Duration(answer.TTL) * time.Second)
		}
		if p.SkipAnswer() != nil {
			return
		}
	}
}

func (r *ttlRecorder) record(ttl time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.seen || ttl < r.shortest {
		r.shortest, r.seen = ttl, true
	}
}

// recordedPackets is a connection over UDP, each of whose reads is a message.
type recordedPackets struct {
	*net.UDPConn
	recorder *ttlRecorder
	stop     func() bool
}

func (c *recordedPackets) Close() error {
	c.stop()
	return c.UDPConn.Close()
}

func (c *recordedPackets) Read(b []byte) (int, error) {
	n, err := c.UDPConn.Read(b)
	if err == nil {
		c.recorder.observe(b[:n])
	}
	return n, err
}

// recordedStream is a connection over TCP, where the length of each message is before it, in
// two bytes (RFC 1035, 4.2.2). Only the goroutine of the lookup reads it.
type recordedStream struct {
	net.Conn
	recorder *ttlRecorder
	stop     func() bool
	received []byte // the beginning of a message
}

func (c *recordedStream) Close() error {
	c.stop()
	return c.Conn.Close()
}

func (c *recordedStream) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.received = append(c.received, b[:n]...)
	for len(c.received) >= 2 {
		end := 2 + int(c.received[0])<<8 + int(c.received[1])
		if len(c.received) < end {
			break
		}
		c.recorder.observe(c.received[2:end])
		c.received = c.received[end:]
	}
	return n, err
}
