package faulty

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"sync/atomic"
)

// Names is a DNS server over UDP that gives every name one IPv4 address, with a TTL of a second, and no
// address of IPv6.
type Names struct {
	conn    net.PacketConn
	address atomic.Pointer[netip.Addr]
	done    chan struct{}
}

// StartNames starts a server on a free port of 127.0.0.1.
func StartNames(address netip.Addr) (*Names, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &Names{conn: conn, done: make(chan struct{})}
	n.Point(address)
	go n.serve()
	return n, nil
}

// Address returns the host and port of the server.
func (n *Names) Address() string { return n.conn.LocalAddr().String() }

// Point has all names get another address.
func (n *Names) Point(address netip.Addr) { n.address.Store(&address) }

// Close ends the server.
func (n *Names) Close() {
	_ = n.conn.Close()
	<-n.done
}

func (n *Names) serve() {
	defer close(n.done)
	query := make([]byte, 512)
	for {
		length, from, err := n.conn.ReadFrom(query)
		if err != nil {
			return
		}
		if response := answer(query[:length], *n.address.Load()); response != nil {
			_, _ = n.conn.WriteTo(response, from)
		}
	}
}

// The parts of a DNS message (RFC 1035, 4.1).
const (
	headerLength = 12
	typeA        = 1
)

// answer returns the response to a query with one question, nil if it is not one.
func answer(query []byte, address netip.Addr) []byte {
	if len(query) < headerLength {
		return nil
	}
	end := bytes.IndexByte(query[headerLength:], 0) // of the name, whose labels have no zero
	if end < 0 || len(query) < headerLength+end+5 {
		return nil
	}
	question := query[headerLength : headerLength+end+5]
	isA := binary.BigEndian.Uint16(question[end+1:]) == typeA
	r := append([]byte{}, query[:2]...)                          // ID
	r = append(r, 0x84|query[2]&1, 0x80, 0, 1, 0, 0, 0, 0, 0, 0) // an authoritative response, of one question
	r = append(r, question...)
	if isA {
		r[7] = 1                                                            // answers
		r = append(r, 0xc0, headerLength, 0, typeA, 0, 1, 0, 0, 0, 1, 0, 4) // the name of the question, A, IN, a second, four bytes
		r = append(r, address.AsSlice()...)
	}
	return r
}
