// Package listen has what lies between the socket of a listener and HTTP: TLS with its certificates, and
// the PROXY protocol.
//
// It promises that a connection reaches HTTP only when its handshake has ended, so that slow handshakes
// hold nothing else up; that certificates which change are used by the next connection and disturb no
// other one; and that an address in a PROXY header is believed from trusted peers alone.
package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"

	"github.com/gatehouse-graphql/gatehouse/gateway/watch"
)

// Terminator terminates TLS, and follows the files of its certificates. A nil Terminator leaves
// connections as they are. It is safe for concurrent use.
type Terminator struct {
	log     *slog.Logger
	current atomic.Pointer[version]
	failed  atomic.Int64 // handshakes

	mu      sync.Mutex
	started bool   // Listener was called; guarded by mu
	closed  bool   // Close was called; guarded by mu
	stop    func() // ends what follows the current files, and waits for it; guarded by mu
}

// version is the TLS of one version of the settings and the files.
type version struct {
	options TLS
	config  *tls.Config
	issuer  *issuer      // nil without ACME
	seen    watch.Digest // of the files, read before them
}

// NewTerminator reads the files of o. It returns nil if o is not enabled. Changes of the files, and mistakes
// in changed files, are logged to log. The files are followed, and certificates of ACME obtained, from the
// first call of Listener until Close.
func NewTerminator(o TLS, log *slog.Logger) (*Terminator, error) {
	if !o.Enabled() {
		return nil, nil
	}
	t := &Terminator{log: log, stop: func() {}}
	first, err := t.version(o)
	if err != nil {
		return nil, err
	}
	t.current.Store(first)
	return t, nil
}

// Prepare returns a function that has new connections use other settings, whose files it reads at once. The
// error says what is wrong with them. HTTPS cannot be switched on or off.
func (t *Terminator) Prepare(o TLS) (apply func(), err error) {
	switch {
	case t == nil && !o.Enabled():
		return func() {}, nil
	case t == nil:
		return nil, errors.New("tls: HTTPS cannot be switched on while the gateway runs, since clients of plain HTTP are connected; restart it")
	case !o.Enabled():
		return nil, errors.New("tls: HTTPS cannot be switched off while the gateway runs, since clients would send secrets in plain text; restart it")
	}
	next, err := t.version(o)
	if err != nil {
		return nil, err
	}
	return func() { t.use(next) }, nil
}

// version reads the files of o. Certificates that ACME has obtained are kept if its settings are the same.
func (t *Terminator) version(o TLS) (*version, error) {
	v := &version{options: o, seen: watch.DigestOf(o.files()...)}
	var get func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	if len(o.ACME.Domains) > 0 {
		if before := t.current.Load(); before != nil && before.issuer != nil && before.issuer.options.equal(o.ACME) {
			v.issuer = before.issuer
		} else {
			var err error
			if v.issuer, err = newIssuer(o.ACME, o.Redirect != "", t.log); err != nil {
				return nil, err
			}
		}
		get = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return v.issuer.certificate(hello, len(o.Certificates) > 0)
		}
	}
	var err error
	if v.config, err = o.config(get); err != nil {
		return nil, err
	}
	if v.issuer != nil {
		v.config.NextProtos = append(v.config.NextProtos, acme.ALPNProto)
	}
	for i, c := range v.config.Certificates {
		if wrong := expiry(c.Leaf, time.Now()); wrong != "" {
			t.log.Warn("a TLS certificate "+wrong, "file", o.Certificates[i].CertFile, "not_before", c.Leaf.NotBefore, "not_after", c.Leaf.NotAfter)
		}
	}
	return v, nil
}

// use has new connections use a version, and follows its files in the place of those before.
func (t *Terminator) use(v *version) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop()
	t.stop = func() {}
	t.current.Store(v)
	if t.started && !t.closed {
		t.follow(v)
	}
}

// follow follows the files of a version, and obtains its certificates of ACME, until stop is called. The
// caller holds mu.
func (t *Terminator) follow(v *version) {
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	t.stop = func() { cancel(); following.Wait() }
	if files := v.options.files(); len(files) > 0 {
		w := watch.New(watch.Files{What: "the files of tls", Paths: files, Seen: v.seen}, func() { t.readAgain(v.options) }, t.log)
		following.Go(func() { w.Run(ctx) })
	}
	if v.issuer != nil {
		following.Go(func() { v.issuer.obtain(ctx) })
	}
}

// readAgain reads the files of o, which have changed. It runs while they are followed.
func (t *Terminator) readAgain(o TLS) {
	next, err := t.version(o)
	if err != nil {
		t.log.Error("the changed files of tls cannot be used; the certificates from before stay in use", "error", err)
		return
	}
	t.current.Store(next)
	t.log.Info("the files of tls have changed; new connections use them")
}

// Close ends the following of files. Connections are not touched.
func (t *Terminator) Close() {
	if t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.stop()
		t.stop, t.closed = func() {}, true
	}
}

// Handshaker is a connection below TLS whose methods are called around the handshake.
type Handshaker interface {
	// BeginHandshake is called before anything is read.
	BeginHandshake()
	// EndHandshake is called when the handshake has ended with a protocol (ALPN), "" for none.
	EndHandshake(protocol string)
}

// Listener is a listener whose connections have ended their handshakes.
type Listener struct {
	net.Listener
	terminator *Terminator
	timeout    time.Duration

	start    sync.Once
	accepted chan accepted
	ended    chan struct{} // closed when there will be no more connections
	ctx      context.Context
	cancel   context.CancelFunc
}

// accepted is what Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

// Listener returns a listener of connections of l, after their handshakes with the clients, each of which
// may take as long as timeout. Connections whose handshakes fail are closed. The connections of l may be
// Handshakers.
func (t *Terminator) Listener(l net.Listener, timeout time.Duration) *Listener {
	s := &Listener{Listener: l, terminator: t, timeout: timeout, accepted: make(chan accepted), ended: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !t.started && !t.closed {
			t.started = true
			t.follow(t.current.Load())
		}
	}
	return s
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	if l.terminator == nil {
		return l.Listener.Accept()
	}
	l.start.Do(func() { go l.run() })
	select {
	case a := <-l.accepted:
		return a.conn, a.err
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

// run accepts connections until the listener below is closed, and then waits for their handshakes.
func (l *Listener) run() {
	defer close(l.ended)
	var handshakes sync.WaitGroup
	defer handshakes.Wait()
	for {
		conn, err := l.Listener.Accept()
		if err == nil {
			handshakes.Go(func() { l.handshake(conn) })
			continue
		}
		if errors.Is(err, net.ErrClosed) || !l.pass(accepted{err: err}) {
			return
		}
	}
}

// pass has Accept return a. It reports false after Close.
func (l *Listener) pass(a accepted) bool {
	select {
	case l.accepted <- a:
		return true
	case <-l.ctx.Done():
		return false
	}
}

// handshake has Accept return a connection after its handshake.
func (l *Listener) handshake(below net.Conn) {
	marked, isMarked := below.(Handshaker)
	if isMarked {
		marked.BeginHandshake()
	}
	conn := tls.Server(below, l.terminator.current.Load().config)
	_ = conn.SetDeadline(time.Now().Add(l.timeout))
	if err := conn.HandshakeContext(l.ctx); err != nil {
		l.terminator.refuse(below, err)
		return
	}
	_ = conn.SetDeadline(time.Time{})
	protocol := conn.ConnectionState().NegotiatedProtocol
	if isMarked {
		marked.EndHandshake(protocol)
	}
	// A challenge of ACME ends with the handshake (RFC 8737, section 3).
	if protocol == acme.ALPNProto || !l.pass(accepted{conn: conn}) {
		_ = conn.Close()
	}
}

// Stop closes the listener. Handshakes that have begun may end within wait, and their connections are
// still accepted before Accept fails.
func (l *Listener) Stop(wait time.Duration) {
	_ = l.Listener.Close()
	time.AfterFunc(wait, l.cancel)
}

// Close implements net.Listener. It ends the handshakes that have begun.
func (l *Listener) Close() error {
	l.cancel()
	return l.Listener.Close()
}

// plainHTTP is the response to a request without TLS.
const plainHTTP = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nthis address speaks HTTPS: begin the URL with https://\n"

// refuse closes a connection whose handshake has failed. Failed handshakes are normal at a public address, so
// they are only counted, and logged at the level debug.
func (t *Terminator) refuse(conn net.Conn, err error) {
	t.failed.Add(1)
	var record tls.RecordHeaderError
	if errors.As(err, &record) && looksLikeHTTP(record.RecordHeader) {
		err = errors.New("the client sent a request without TLS")
		_, _ = io.WriteString(conn, plainHTTP)
	}
	_ = conn.Close()
	t.log.Debug("a TLS handshake failed", "remote", conn.RemoteAddr().String(), "error", err)
}

// looksLikeHTTP reports whether the beginning of a connection is that of a request, as net/http decides it.
func looksLikeHTTP(header [5]byte) bool {
	switch string(header[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "PRI *":
		return true
	}
	return false
}

// FailedHandshakes returns the number of handshakes that have failed.
func (t *Terminator) FailedHandshakes() int64 {
	if t == nil {
		return 0
	}
	return t.failed.Load()
}

// Expiry returns when the certificates end, by the names of their settings: certificates[0], or that of the
// domain for ACME. It is nil for a nil Terminator.
func (t *Terminator) Expiry() map[string]time.Time {
	if t == nil {
		return nil
	}
	v := t.current.Load()
	ends := map[string]time.Time{}
	for i, c := range v.config.Certificates {
		ends[fmt.Sprintf("certificates[%d]", i)] = c.Leaf.NotAfter
	}
	if v.issuer != nil {
		v.issuer.expiry(ends)
	}
	return ends
}

// challenges returns a handler that answers challenges of ACME over plain HTTP, and has next serve all
// other requests.
func (t *Terminator) challenges(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if issuer := t.current.Load().issuer; issuer != nil {
			issuer.challenge(next).ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
