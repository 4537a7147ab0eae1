package faulty

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Mode is a kind of fault.
type Mode string

// The modes.
const (
	Healthy Mode = "healthy" // the right response
	Latency Mode = "latency" // the right response, Delay later
	Drip    Mode = "drip"    // the right response, a byte each Delay

	HangBeforeHeaders Mode = "hang-before-headers" // no byte, and the connection stays open
	HangInHeaders     Mode = "hang-in-headers"     // the status line and a header, then no more
	HangAfterHeaders  Mode = "hang-after-headers"  // the headers, then no more; no byte if there is no body
	HangMidBody       Mode = "hang-mid-body"       // half the body, then no more; no byte if there is no body

	ResetOnAccept      Mode = "reset-on-accept"      // every connection is reset before a request is read
	ResetBeforeHeaders Mode = "reset-before-headers" // the connection is reset after the request
	ResetInHeaders     Mode = "reset-in-headers"
	ResetMidBody       Mode = "reset-mid-body"
	BreakMidBody       Mode = "break-mid-body" // the connection is closed in good order within the body
	CloseUnanswered    Mode = "close"          // the connection is closed in good order after the request

	Status500      Mode = "500"
	Status502      Mode = "502"
	Status503      Mode = "503"       // with Retry-After: 1
	Status503Plain Mode = "503-plain" // without Retry-After
	Status504      Mode = "504"
	Status429      Mode = "429" // with Retry-After: 1

	HTML          Mode = "html"           // 200 with a page instead of JSON
	Garbage       Mode = "garbage"        // bytes that are not HTTP
	TruncatedJSON Mode = "truncated-json" // half the JSON, with the Content-Length of that half
	EmptyBody     Mode = "empty-body"     // 200 and no byte

	ListForObject   Mode = "list-for-object"   // the right response within a list
	StringForNumber Mode = "string-for-number" // each number is replaced by text
	NullForNonNull  Mode = "null-for-non-null" // each text is replaced by null

	HugeBody    Mode = "huge-body"    // 64 MB of JSON, with its Content-Length
	EndlessBody Mode = "endless-body" // JSON in chunks that never ends
	GzipBomb    Mode = "gzip-bomb"    // 1 GiB in 1 MB

	BadChunks      Mode = "bad-chunks"       // a chunk whose size is not a number
	LengthTooLong  Mode = "length-too-long"  // Content-Length promises more than is sent before the end
	LengthTooShort Mode = "length-too-short" // Content-Length promises half of what is sent
	SecondResponse Mode = "second-response"  // two responses to one request

	Redirect           Mode = "redirect"            // 302 to the same URL
	HeaderFlood        Mode = "header-flood"        // 100,000 headers
	EndlessHeaders     Mode = "endless-headers"     // headers that never end
	InformationalFlood Mode = "informational-flood" // 1xx responses that never end

	Flap      Mode = "flap"      // healthy and Status500 in turn, each for Delay
	Refuse    Mode = "refuse"    // nothing listens on the address
	Blackhole Mode = "blackhole" // connecting never ends, and open connections hang

	// Modes of servers with TLS.
	TLSHang   Mode = "tls-hang"   // the handshake gets no answer
	TLSBroken Mode = "tls-broken" // the handshake is answered with other bytes
)

// Secret is in every text that a fault adds: it must not reach a client of the gateway.
const Secret = "backend-text-that-no-client-may-see"

// mode is how a mode is played.
type mode struct {
	// play writes the response to a call. It reports whether the connection can be used further.
	play func(*exchange) bool
	// conn, if set, plays the mode on a connection before anything is read from it.
	conn func(*Server, net.Conn)
	// delay is the default of Fault.Delay.
	delay time.Duration
	// tls reports whether only a server with TLS can play it.
	tls bool
	// unreached reports whether no call reaches the handler.
	unreached bool
}

var modes = map[Mode]mode{
	Healthy: {play: (*exchange).healthy},
	Latency: {play: func(e *exchange) bool { return e.wait(e.fault.Delay) && e.healthy() }, delay: 3 * time.Second},
	Drip:    {play: (*exchange).drip, delay: 100 * time.Millisecond},

	HangBeforeHeaders: {play: func(e *exchange) bool { return e.hang() }},
	HangInHeaders:     {play: func(e *exchange) bool { return e.write("HTTP/1.1 200 OK\r\nX-A: b") && e.hang() }},
	HangAfterHeaders:  {play: func(e *exchange) bool { return (e.bodyless() || e.write(e.head(e.length()))) && e.hang() }},
	HangMidBody:       {play: func(e *exchange) bool { return (e.bodyless() || e.write(e.head(e.length())+e.half())) && e.hang() }},

	ResetOnAccept:      {play: (*exchange).reset, conn: func(_ *Server, c net.Conn) { abort(c) }, unreached: true},
	ResetBeforeHeaders: {play: (*exchange).reset},
	ResetInHeaders:     {play: func(e *exchange) bool { return e.write("HTTP/1.1 200 OK\r\nX-A: b") && e.reset() }},
	ResetMidBody:       {play: func(e *exchange) bool { return e.write(e.head(e.length())+e.half()) && e.reset() }},
	BreakMidBody:       {play: func(e *exchange) bool { e.write(e.head(e.length()) + e.half()); return false }},
	CloseUnanswered:    {play: func(*exchange) bool { return false }},

	Status500:      {play: status(500)},
	Status502:      {play: status(502)},
	Status503:      {play: status(503, "Retry-After: 1\r\n")},
	Status503Plain: {play: status(503)},
	Status504:      {play: status(504)},
	Status429:      {play: status(429, "Retry-After: 1\r\n")},

	HTML:          {play: func(e *exchange) bool { return e.send("text/html", "<html><body>"+Secret+"</body></html>") }},
	Garbage:       {play: func(e *exchange) bool { e.write(Secret + "\r\n\r\n"); return false }},
	TruncatedJSON: {play: func(e *exchange) bool { return e.send("application/json", e.half()) }},
	EmptyBody:     {play: func(e *exchange) bool { return e.send("application/json", "") }},

	ListForObject:   {play: func(e *exchange) bool { return e.send("application/json", "["+e.body()+"]") }},
	StringForNumber: {play: func(e *exchange) bool { return e.send("application/json", e.replaced(numberByText)) }},
	NullForNonNull:  {play: func(e *exchange) bool { return e.send("application/json", e.replaced(textByNull)) }},

	HugeBody:    {play: (*exchange).hugeBody},
	EndlessBody: {play: (*exchange).endlessBody},
	GzipBomb:    {play: (*exchange).gzipBomb},

	BadChunks: {play: func(e *exchange) bool {
		e.write(e.head("Transfer-Encoding: chunked") + "xyz\r\n" + e.body())
		return false
	}},
	LengthTooLong:  {play: func(e *exchange) bool { e.write(e.head(contentLength(len(e.body())+10)) + e.body()); return false }},
	LengthTooShort: {play: func(e *exchange) bool { return e.write(e.head(contentLength(len(e.half()))) + e.body()) }},
	SecondResponse: {play: (*exchange).secondResponse},

	Redirect:           {play: (*exchange).redirect},
	HeaderFlood:        {play: (*exchange).headerFlood},
	EndlessHeaders:     {play: (*exchange).endlessHeaders},
	InformationalFlood: {play: (*exchange).informationalFlood},

	Flap:      {delay: time.Second},
	Refuse:    {play: (*exchange).reset, unreached: true},
	Blackhole: {play: func(e *exchange) bool { return e.hang() }, unreached: true},

	TLSHang:   {play: (*exchange).reset, conn: func(s *Server, c net.Conn) { s.hold(func() { waitForEnd(c) }) }, tls: true, unreached: true},
	TLSBroken: {play: (*exchange).reset, conn: func(_ *Server, c net.Conn) { _, _ = io.WriteString(c, Secret) }, tls: true, unreached: true},
}

// Modes returns the modes that a server plays, with TLS or without, in alphabetical order.
func Modes(withTLS bool) (list []Mode) {
	for name, m := range modes {
		if withTLS || !m.tls {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// Reached reports whether calls reach the handler in this mode, so that a change is carried out though
// its response is spoiled.
func (m Mode) Reached() bool { return !modes[m].unreached }

// exchange is a request with its right response.
type exchange struct {
	server   *Server
	fault    Fault
	conn     net.Conn  // the stream of HTTP
	tcp      net.Conn  // the connection below TLS, or the same
	r        io.Reader // of conn
	request  *http.Request
	response *recorder
}

// write writes a text. It reports whether the client received it, as far as that can be known.
func (e *exchange) write(text string) bool {
	_, err := io.WriteString(e.conn, text)
	return err == nil
}

// repeat writes a text until the client closes the connection, or count times.
func (e *exchange) repeat(text string, count int) bool {
	for n := 0; n < count; n++ {
		if !e.write(text) {
			return false
		}
	}
	return true
}

const endless = 1 << 40

// body returns the right body.
func (e *exchange) body() string { return e.response.body.String() }

// half returns the first half of the right body.
func (e *exchange) half() string { return e.body()[:e.response.body.Len()/2] }

// length returns the header with the length of the right body.
func (e *exchange) length() string { return contentLength(e.response.body.Len()) }

func contentLength(n int) string { return "Content-Length: " + strconv.Itoa(n) }

// head returns the head of the right response, with a header that says how the body is framed.
func (e *exchange) head(framing string) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", e.response.status, http.StatusText(e.response.status))
	_ = e.response.header.Write(&b)
	fmt.Fprintf(&b, "%s\r\n\r\n", framing)
	return b.String()
}

// bodyless reports whether the response has neither a body nor a Content-Length.
func (e *exchange) bodyless() bool { return e.response.status == http.StatusNoContent }

// right returns the right response.
func (e *exchange) right() string {
	if e.bodyless() {
		return e.head("X-Body: none")
	}
	return e.head(e.length()) + e.body()
}

func (e *exchange) healthy() bool { return e.write(e.right()) }

// ok returns a response of status 200 with another body.
func ok(mediaType, body string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: " + mediaType + "\r\n" + contentLength(len(body)) + "\r\n\r\n" + body
}

func (e *exchange) send(mediaType, body string) bool { return e.write(ok(mediaType, body)) }

// status returns the play of a response with a status and a problem document.
func status(code int, headers ...string) func(*exchange) bool {
	body := fmt.Sprintf(`{"title":%q,"status":%d,"detail":%q}`, http.StatusText(code), code, Secret)
	text := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\n%s\r\n", code, http.StatusText(code), contentLength(len(body)))
	for _, h := range headers {
		text += h
	}
	text += "\r\n" + body
	return func(e *exchange) bool { return e.write(text) }
}

// wait waits for a time. It reports whether the client has waited as well.
func (e *exchange) wait(d time.Duration) (stayed bool) {
	e.server.hold(func() {
		_ = e.conn.SetReadDeadline(time.Now().Add(d))
		stayed = !waitForEnd(e.r)
		_ = e.conn.SetReadDeadline(time.Time{})
	})
	return stayed
}

// hang waits until the client closes the connection.
func (e *exchange) hang() bool {
	e.server.hold(func() { waitForEnd(e.r) })
	return false
}

// waitForEnd waits until the other side closes a connection, or until the deadline of reading. It
// reports whether the connection ended.
func waitForEnd(r io.Reader) bool {
	_, err := io.Copy(io.Discard, r)
	timeout, ok := err.(net.Error)
	return !ok || !timeout.Timeout()
}

// hold counts a call as waiting while wait runs.
func (s *Server) hold(wait func()) {
	s.mu.Lock()
	s.counts.Waiting++
	s.mu.Unlock()
	wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Waiting--
}

// reset ends the connection by RST instead of FIN.
func (e *exchange) reset() bool {
	abort(e.tcp)
	return false
}

func abort(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// drip sends the head at once and the body byte by byte.
func (e *exchange) drip() bool {
	if e.bodyless() {
		return e.wait(e.fault.Delay) && e.healthy()
	}
	if !e.write(e.head(e.length())) {
		return false
	}
	for _, b := range e.response.body.Bytes() {
		if !e.wait(e.fault.Delay) || !e.write(string([]byte{b})) {
			return false
		}
	}
	return true
}

// replaced returns the right body with each value replaced.
func (e *exchange) replaced(replace func(any) any) string {
	var v any
	d := json.NewDecoder(bytes.NewReader(e.response.body.Bytes()))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return e.body()
	}
	text, _ := json.Marshal(walk(v, replace)) // what was decoded can be encoded
	return string(text)
}

// walk replaces the scalar values of a tree.
func walk(v any, replace func(any) any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = walk(member, replace)
		}
		return v
	case []any:
		for i, element := range v {
			v[i] = walk(element, replace)
		}
		return v
	}
	return replace(v)
}

func numberByText(v any) any {
	if _, ok := v.(json.Number); ok {
		return Secret
	}
	return v
}

func textByNull(v any) any {
	if _, ok := v.(string); ok {
		return nil
	}
	return v
}

// part is a piece of the bodies that are too large: the elements of a JSON list.
var part = string(bytes.Repeat([]byte(`"`+Secret+`",`), 1000))

func (e *exchange) hugeBody() bool {
	count := 64 << 20 / len(part)
	return e.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"+contentLength(2+count*len(part)+2)+"\r\n\r\n[") &&
		e.repeat(part, count) && e.write("0] ")
}

func (e *exchange) endlessBody() bool {
	return e.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n") &&
		e.repeat(fmt.Sprintf("%x\r\n%s\r\n", len(part), part), endless)
}

// bomb is the compressed body of GzipBomb: as many members (RFC 1952, 2.2) of 1 MiB of blanks, which is
// white space in JSON.
var bomb = sync.OnceValue(func() string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(bytes.Repeat([]byte(" "), 1<<20))
	_ = w.Close()
	return strings.Repeat(b.String(), 1<<10)
})

func (e *exchange) gzipBomb() bool {
	body := bomb()
	return e.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n" + contentLength(len(body)) + "\r\n\r\n" + body)
}

// secondResponse sends a response that nothing asked for together with the right one. A client that took
// it for the response to the next request would give it to another caller. Both are written at once: bytes
// that arrive after the next request was sent could not be told from its response by any client.
func (e *exchange) secondResponse() bool {
	body := `{"id":"` + Secret + `","sku":"` + Secret + `","name":"` + Secret + `","data":[],"items":[]}`
	return e.write(e.right() + ok("application/json", body))
}

func (e *exchange) redirect() bool {
	return e.write("HTTP/1.1 302 Found\r\nLocation: http://" + e.server.address + e.request.RequestURI + "\r\nContent-Length: 0\r\n\r\n")
}

// floodHeaders are a hundred headers.
var floodHeaders = strings.Repeat("X-Flood: "+Secret+"\r\n", 100)

func (e *exchange) headerFlood() bool {
	return e.write("HTTP/1.1 200 OK\r\n") && e.repeat(floodHeaders, 1000) && e.write(e.length()+"\r\n\r\n"+e.body())
}

func (e *exchange) endlessHeaders() bool {
	return e.write("HTTP/1.1 200 OK\r\n") && e.repeat(floodHeaders, endless)
}

func (e *exchange) informationalFlood() bool {
	return e.repeat(strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </"+Secret+">\r\n\r\n", 100), endless)
}
