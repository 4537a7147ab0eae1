package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/netutil"
)

// The bounds of the listener for redirects. Its connections serve one request.
const (
	redirectTimeout     = 5 * time.Second
	redirectHeaderBytes = 16 << 10
	redirectConns       = 1000
)

// Redirect serves plain HTTP beside a listener for HTTPS.
type Redirect struct {
	// Listener is where it is served.
	Listener net.Listener
	// HTTPS is the address of the listener for HTTPS.
	HTTPS net.Addr
	// Health serves /healthz and /readyz.
	Health http.Handler
}

// ServeRedirect serves r until stop is called. It redirects all requests to HTTPS, except for checks of the
// gateway's health and for challenges of ACME. stop waits up to five seconds for requests in progress.
func (t *Terminator) ServeRedirect(r Redirect, log *slog.Logger) (stop func()) {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", r.Health)
	mux.Handle("GET /readyz", r.Health)
	mux.HandleFunc("/", r.redirect)
	server := &http.Server{
		Handler:        t.challenges(mux),
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ReadTimeout:    redirectTimeout,
		WriteTimeout:   redirectTimeout,
		MaxHeaderBytes: redirectHeaderBytes,
	}
	server.SetKeepAlivesEnabled(false)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(netutil.LimitListener(r.Listener, redirectConns)); !errors.Is(err, http.ErrServerClosed) {
			log.Error("plain HTTP is no longer redirected", "error", err)
		}
	}()
	log.Info("redirecting plain HTTP", "address", r.Listener.Addr().String())
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), redirectTimeout)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		<-ended
	}
}

// redirect redirects a request to the same URL with https, by the status 308 so that its method stays. The
// body, and the credentials in the header, have been sent in plain text by then: a client that is redirected
// should be corrected.
func (r Redirect) redirect(w http.ResponseWriter, req *http.Request) {
	host, ok := r.hostOf(req.Host)
	if !ok {
		http.Error(w, "the request names no host; use HTTPS", http.StatusBadRequest)
		return
	}
	target := req.URL.RequestURI()
	if !strings.HasPrefix(target, "/") { // OPTIONS *
		target = "/"
	}
	w.Header().Set("Location", "https://"+host+target)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusPermanentRedirect)
	fmt.Fprintln(w, "use HTTPS")
}

// hostOf returns the host and port of the redirected URL. A port of its own in the request's Host says that
// the client reaches the gateway's ports as they are. Otherwise it came by port 80, before which a load
// balancer or a container may have another one, and so HTTPS has its default port, unless 80 is the port
// of this listener itself.
func (r Redirect) hostOf(requested string) (host string, ok bool) {
	name, port, err := net.SplitHostPort(requested)
	if err != nil {
		name, port = strings.Trim(requested, "[]"), ""
	}
	if !isHost(name) {
		return "", false
	}
	_, own, _ := net.SplitHostPort(r.Listener.Addr().String())
	_, https, _ := net.SplitHostPort(r.HTTPS.String())
	isDirect := port != "" || own == "80"
	if isDirect && https != "443" {
		return net.JoinHostPort(name, https), true
	}
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	return name, true
}

// isHost reports whether a name can be that of a host: nothing that would begin another part of the URL.
func isHost(name string) bool {
	if net.ParseIP(name) != nil {
		return true
	}
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return !(c == '.' || c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z')
	})
}
