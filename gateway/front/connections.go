package front

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"net"
	"net/http"
	"runtime/debug"
	"time"
)

// The defaults of HTTP.
const (
	DefaultHeaderTimeout        = 5 * time.Second
	DefaultIdleTimeout          = 120 * time.Second
	DefaultWriteTimeout         = 30 * time.Second
	DefaultMaxHeaderBytes       = 64_000
	DefaultMaxConnections       = 10_000
	DefaultMaxConcurrentStreams = 100
	DefaultMaxResets            = 500
)

// maxReadFrameSize is the largest frame of HTTP/2 that clients may send, the smallest bound that
// RFC 9113 (section 4.2) allows: net/http keeps a buffer of the size of the largest frame for each
// connection.
const maxReadFrameSize = 16 << 10

// pingAfter is after how long a client of HTTP/2 that sends nothing is asked whether it is still there.
// net/http waits 15 seconds for the answer.
const pingAfter = 60 * time.Second

// HTTP bounds the connections of clients. The zero value has safe bounds.
type HTTP struct {
	// HeaderTimeout is how long the header of a request may take to arrive, and before it the TLS
	// handshake and the header of the PROXY protocol. Default 5s.
	HeaderTimeout time.Duration `yaml:"headerTimeout"`
	// ReadTimeout is how long the body of a request may take to arrive, from the header on. Default
	// execution.deadline, beyond which it cannot be executed.
	ReadTimeout time.Duration `yaml:"readTimeout"`
	// WriteTimeout is how much longer than execution.deadline a request may take until the client has
	// read the response. Default 30s.
	WriteTimeout time.Duration `yaml:"writeTimeout"`
	// IdleTimeout is how long a connection is kept open for the next request. Default 120s.
	IdleTimeout time.Duration `yaml:"idleTimeout"`
	// MaxHeaderBytes is the largest header of a request, with its request line. Larger ones are refused
	// with the status 431. Default 64KB.
	MaxHeaderBytes int64 `yaml:"maxHeaderBytes"`
	// MaxConnections is how many connections of clients may be open at the same time. Beyond it a new one
	// takes the place of one that has been unused for longest, or is closed if all are in use. Default
	// 10,000, but no more than fit into a quarter of Go's memory limit with 40 KB each, and than half of
	// the files that the process may open; negative is no limit.
	MaxConnections int `yaml:"maxConnections"`
	// HTTP2 bounds what clients may do on one connection with HTTP/2.
	HTTP2 HTTP2 `yaml:"http2"`
}

// HTTP2 bounds what clients may do on one connection with HTTP/2.
type HTTP2 struct {
	// MaxConcurrentStreams is how many requests of one connection may run at the same time. Those that
	// the client has cancelled count until they have ended, and a connection on which four times as many
	// wait is closed. Default 100.
	MaxConcurrentStreams int `yaml:"maxConcurrentStreams"`
	// MaxResets is how many requests a client may cancel on one connection. Beyond it the connection is
	// closed, if the client has cancelled more than it has let end. Default 500; negative is no limit.
	MaxResets int `yaml:"maxResets"`
}

func (o HTTP) withDefaults() HTTP {
	o.HeaderTimeout = cmp.Or(max(o.HeaderTimeout, 0), DefaultHeaderTimeout)
	o.ReadTimeout = max(o.ReadTimeout, 0)
	o.WriteTimeout = cmp.Or(max(o.WriteTimeout, 0), DefaultWriteTimeout)
	o.IdleTimeout = cmp.Or(max(o.IdleTimeout, 0), DefaultIdleTimeout)
	o.MaxHeaderBytes = cmp.Or(max(o.MaxHeaderBytes, 0), DefaultMaxHeaderBytes)
	o.HTTP2.MaxConcurrentStreams = cmp.Or(max(o.HTTP2.MaxConcurrentStreams, 0), DefaultMaxConcurrentStreams)
	o.HTTP2.MaxResets = max(cmp.Or(o.HTTP2.MaxResets, DefaultMaxResets), 0)
	switch {
	case o.MaxConnections < 0:
		o.MaxConnections = 0
	case o.MaxConnections == 0:
		o.MaxConnections = defaultMaxConnections()
	}
	return o
}

// An idle connection holds 18 KB without TLS, 25 KB with it, and 38 KB with HTTP/2 over TLS, as
// TestMemoryOfIdleConnections measures.
const (
	bytesPerConnection = 40_000
	// shareOfMemory is the part of Go's memory limit that the connections may hold by default.
	shareOfMemory = 4
	// leastConnections is the smallest default.
	leastConnections = 100
)

// defaultMaxConnections returns the default of MaxConnections for this process.
func defaultMaxConnections() int {
	n := DefaultMaxConnections
	if files := maxFiles(); files > 0 {
		n = min(n, files/2)
	}
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		n = int(min(int64(n), limit/shareOfMemory/bytesPerConnection))
	}
	return max(n, leastConnections)
}

// bodyTimeout returns how long a body may take to arrive.
func (o Options) bodyTimeout() time.Duration {
	if o.HTTP.ReadTimeout > 0 {
		return min(o.HTTP.ReadTimeout, o.Deadline)
	}
	return o.Deadline
}

// requestTimeout returns how long a request may take, from its header to the end of its response.
func (o Options) requestTimeout() time.Duration { return o.Deadline + o.HTTP.WriteTimeout }

// HeaderTimeout returns how long whatever comes before a request may take to arrive.
func (f *Front) HeaderTimeout() time.Duration { return f.http.HeaderTimeout }

// server returns a server whose requests have contexts below running.
func (f *Front) server(running context.Context) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)            // over TLS, by ALPN
	protocols.SetUnencryptedHTTP2(true) // by prior knowledge (RFC 9113, section 3.3), as proxies and meshes use it
	return &http.Server{
		Protocols: &protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: f.http.HTTP2.MaxConcurrentStreams,
			MaxReadFrameSize:     maxReadFrameSize,
			SendPingTimeout:      pingAfter,
			WriteByteTimeout:     f.http.WriteTimeout,
		},
		Handler:           f.Handler(),
		BaseContext:       func(net.Listener) context.Context { return running },
		ConnContext:       f.drain.ConnContext,
		ConnState:         f.drain.ConnState,
		ErrorLog:          slog.NewLogLogger(f.log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: f.http.HeaderTimeout,
		WriteTimeout:      f.serverTimeout,
		IdleTimeout:       f.http.IdleTimeout,
		MaxHeaderBytes:    int(f.http.MaxHeaderBytes),
	}
}
