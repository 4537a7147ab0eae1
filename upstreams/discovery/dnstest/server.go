// Package dnstest has a DNS server for tests, as net/http/httptest has servers of HTTP. Its
// records change while it runs.
package dnstest

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// A Zone has the records of one name. The zero value is a name without records.
type Zone struct {
	// TTL is that of all records, in whole seconds.
	TTL time.Duration
	// Addresses are answered as A or AAAA records.
	Addresses []string
	// SRV are answered as SRV records.
	SRV []SRV
	// RCode, if it is not a success, is answered in the place of records.
	RCode dnsmessage.RCode
	// Silent has queries not answered at all.
	Silent bool
}

// SRV is one SRV record (RFC 2782).
type SRV struct {
	Host             string
	Port             uint16
	Priority, Weight uint16
}

// Server answers over UDP and TCP at Addr. A name that was not set does not exist
// (NXDOMAIN). It is safe for concurrent use.
type Server struct {
	// Addr is the host:port on which the server listens.
	Addr string

	udp     net.PacketConn
	tcp     net.Listener
	running sync.WaitGroup

	mu      sync.Mutex
	zones   map[string]Zone
	queries map[string]int
}

// maxUDP is how long an answer over UDP may be, in bytes (RFC 1035, 4.2.1). A longer one is
// truncated, and asked for again over TCP.
const maxUDP = 512

// Start starts a server at a free port of loopback. Close stops it.
func Start() (*Server, error) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := tcp.Addr().String()
	udp, err := net.ListenPacket("udp", addr)
	if err != nil {
		tcp.Close()
		return nil, err
	}
	s := &Server{Addr: addr, udp: udp, tcp: tcp, zones: map[string]Zone{}, queries: map[string]int{}}
	s.running.Go(s.serveUDP)
	s.running.Go(s.serveTCP)
	return s, nil
}

// Close stops the server, and waits until it has stopped.
func (s *Server) Close() {
	s.udp.Close()
	s.tcp.Close()
	s.running.Wait()
}

// Set replaces the records of a name.
func (s *Server) Set(name string, z Zone) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zones[canonical(name)] = z
}

// Remove has a name not exist any longer.
func (s *Server) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.zones, canonical(name))
}

// Queries returns how many queries there were for a name, of all types. An address takes
// two: A and AAAA.
func (s *Server) Queries(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queries[canonical(name)]
}

func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) + "." }

func (s *Server) serveUDP() {
	b := make([]byte, 4096)
	for {
		n, from, err := s.udp.ReadFrom(b)
		if err != nil {
			return
		}
		answer := s.answer(b[:n], false)
		if len(answer) > maxUDP {
			answer = s.answer(b[:n], true)
		}
		if answer != nil {
			_, _ = s.udp.WriteTo(answer, from)
		}
	}
}

func (s *Server) serveTCP() {
	for {
		conn, err := s.tcp.Accept()
		if err != nil {
			return
		}
		s.running.Go(func() { s.serveConn(conn) })
	}
}

// serveConn answers one query: Go's resolver makes a connection for each.
func (s *Server) serveConn(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return
	}
	query := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, query); err != nil {
		return
	}
	if answer := s.answer(query, false); answer != nil {
		_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	}
}

// answer returns the answer to a query, nil for none.
func (s *Server) answer(query []byte, truncate bool) []byte {
	var p dnsmessage.Parser
	header, err := p.Start(query)
	if err != nil {
		return nil
	}
	question, err := p.Question()
	if err != nil {
		return nil
	}
	zone, exists := s.count(question.Name.String())
	if zone.Silent {
		return nil
	}
	header.Response, header.RecursionAvailable, header.RCode = true, true, zone.RCode
	if !exists {
		header.RCode = dnsmessage.RCodeNameError
	}
	header.Truncated = truncate
	b := dnsmessage.NewBuilder(nil, header)
	b.EnableCompression()
	must(b.StartQuestions())
	must(b.Question(question))
	must(b.StartAnswers())
	if header.RCode == dnsmessage.RCodeSuccess && !truncate {
		zone.write(&b, question)
	}
	answer, err := b.Finish()
	must(err)
	return answer
}

// count counts a query and returns the records of its name.
func (s *Server) count(name string) (z Zone, exists bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name = canonical(name)
	s.queries[name]++
	z, exists = s.zones[name]
	return z, exists
}

func (z Zone) write(b *dnsmessage.Builder, q dnsmessage.Question) {
	header := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: uint32(z.TTL / time.Second)}
	for _, text := range z.Addresses {
		addr := netip.MustParseAddr(text)
		switch {
		case q.Type == dnsmessage.TypeA && addr.Is4():
			must(b.AResource(header, dnsmessage.AResource{A: addr.As4()}))
		case q.Type == dnsmessage.TypeAAAA && addr.Is6():
			must(b.AAAAResource(header, dnsmessage.AAAAResource{AAAA: addr.As16()}))
		}
	}
	if q.Type != dnsmessage.TypeSRV {
		return
	}
	for _, r := range z.SRV {
		must(b.SRVResource(header, dnsmessage.SRVResource{
			Priority: r.Priority, Weight: r.Weight, Port: r.Port,
			Target: dnsmessage.MustNewName(canonical(r.Host)),
		}))
	}
}

// must panics if a test has set a record that cannot be written.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("dnstest: %v", err))
	}
}
