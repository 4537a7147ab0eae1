package listen

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
	"golang.org/x/net/idna"
)

// ACME obtains certificates from an authority and renews them (RFC 8555). The authority must reach the
// gateway by each of the domains: on port 443 for the challenge TLS-ALPN-01, or on port 80, at
// tls.redirect, for HTTP-01.
type ACME struct {
	// Domains are the names that certificates are obtained for. Clients that ask for other names get one
	// of tls.certificates, and without those their handshakes fail. Names with wildcards cannot be
	// obtained by these challenges. Default none, which switches ACME off.
	Domains []string `yaml:"domains"`
	// AcceptTerms says that you accept the terms of service of the authority. Required.
	AcceptTerms bool `yaml:"acceptTerms"`
	// CacheDir is a folder for the account's key, the certificates and their keys, which only the gateway
	// may read. Replicas must share it, since authorities bound how many certificates they issue. It is
	// made if it is missing. Required.
	CacheDir string `yaml:"cacheDir"`
	// Email is an address that the authority may write to about problems. Default none.
	Email string `yaml:"email"`
	// Directory is the URL of the authority's directory. Default that of Let's Encrypt.
	Directory string `yaml:"directory"`
	// CAFile is a file with PEM certificates of authorities that are trusted for connections to
	// directory, instead of those of the system, such as that of a private authority. Default none.
	CAFile string `yaml:"caFile"`
}

func (o ACME) equal(other ACME) bool {
	return slices.Equal(o.Domains, other.Domains) && o.AcceptTerms == other.AcceptTerms && o.CacheDir == other.CacheDir &&
		o.Email == other.Email && o.Directory == other.Directory && o.CAFile == other.CAFile
}

// validate returns what is wrong with the settings. Each error begins with the setting that it is about.
func (o ACME) validate() error {
	if len(o.Domains) == 0 {
		if !o.equal(ACME{}) {
			return errors.New("acme.domains: are missing; list the names to obtain certificates for, or leave acme out")
		}
		return nil
	}
	var errs []error
	for i, domain := range o.Domains {
		if wrong := wrongDomain(domain); wrong != "" {
			errs = append(errs, fmt.Errorf("acme.domains[%d]: %q %s", i, domain, wrong))
		}
	}
	if !o.AcceptTerms {
		errs = append(errs, errors.New("acme.acceptTerms: must be true; it says that you accept the terms of service of the authority"))
	}
	if o.CacheDir == "" {
		errs = append(errs, errors.New("acme.cacheDir: is missing; name a folder that survives restarts, since authorities bound how many certificates they issue"))
	} else if info, err := os.Stat(o.CacheDir); err == nil && !info.IsDir() {
		errs = append(errs, fmt.Errorf("acme.cacheDir: %s is not a folder", o.CacheDir))
	}
	if u, err := url.Parse(o.Directory); o.Directory != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		errs = append(errs, errors.New("acme.directory: must be a URL with https, as https://acme-v02.api.letsencrypt.org/directory"))
	}
	if o.CAFile != "" {
		if _, err := poolOf(o.CAFile); err != nil {
			errs = append(errs, fmt.Errorf("acme.caFile: %w", err))
		}
	}
	return errors.Join(errs...)
}

// wrongDomain returns why no certificate can be obtained for a name, "" if one can.
func wrongDomain(name string) string {
	switch {
	case strings.Contains(name, "*"):
		return "has a wildcard, for which a certificate cannot be obtained by these challenges; list the names"
	case net.ParseIP(name) != nil:
		return "is an address; write the name of a host"
	case !strings.Contains(strings.Trim(name, "."), "."):
		return "is not the name of a public host; write it with its domain, as api.example.com"
	}
	if _, err := idna.Lookup.ToASCII(name); err != nil {
		return "is not the name of a host"
	}
	return ""
}

// issuer obtains the certificates of some domains.
type issuer struct {
	options ACME
	domains []string // in ASCII
	manager *autocert.Manager
	log     *slog.Logger
	// handler answers challenges over plain HTTP, and passes other requests to the handler in their
	// context. Nil if there is no listener for them.
	handler http.Handler

	mu    sync.Mutex
	ready map[string]bool // the domains that have a certificate; guarded by mu
}

// newIssuer returns an issuer. overHTTP says that there is a listener for challenges over plain HTTP.
func newIssuer(o ACME, overHTTP bool, log *slog.Logger) (*issuer, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("tls.%w", err)
	}
	s := &issuer{options: o, log: log, ready: map[string]bool{}}
	for _, domain := range o.Domains {
		name, _ := idna.Lookup.ToASCII(strings.TrimSuffix(domain, ".")) // validated
		s.domains = append(s.domains, name)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if o.CAFile != "" {
		pool, err := poolOf(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tls.acme.caFile: %w", err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	// The authority is asked once in months.
	transport.DisableKeepAlives = true
	s.manager = &autocert.Manager{
		Prompt:     func(string) bool { return o.AcceptTerms },
		Cache:      autocert.DirCache(o.CacheDir),
		HostPolicy: s.policy,
		Email:      o.Email,
		Client:     &acme.Client{DirectoryURL: cmp.Or(o.Directory, autocert.DefaultACMEDirectory), HTTPClient: &http.Client{Transport: transport, Timeout: requestTimeout}, UserAgent: "gatehouse"},
	}
	if overHTTP {
		s.handler = s.manager.HTTPHandler(http.HandlerFunc(passOn))
	}
	return s, nil
}

// requestTimeout bounds a request to the authority.
const requestTimeout = time.Minute

// policy refuses names that are not those of the settings, with or without a port.
func (s *issuer) policy(_ context.Context, host string) error {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !slices.Contains(s.domains, strings.ToLower(host)) {
		return fmt.Errorf("%q is not in tls.acme.domains", host)
	}
	return nil
}

// certificate returns the certificate for a handshake. A handshake does not wait for the authority: it
// fails until there is a certificate. A client that names no host gets that of the first domain, and so
// do those that name another one; if there are others, both get one of those, for which certificate
// returns nil.
func (s *issuer) certificate(hello *tls.ClientHelloInfo, others bool) (*tls.Certificate, error) {
	if slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) {
		return s.manager.GetCertificate(hello)
	}
	name, err := idna.Lookup.ToASCII(strings.TrimSuffix(hello.ServerName, "."))
	if known := err == nil && slices.Contains(s.domains, name); !known {
		switch {
		case others:
			return nil, nil
		case hello.ServerName != "":
			return nil, fmt.Errorf("%q is not in tls.acme.domains", hello.ServerName)
		}
		name = s.domains[0]
	}
	s.mu.Lock()
	isReady := s.ready[name]
	s.mu.Unlock()
	if !isReady {
		return nil, fmt.Errorf("there is no certificate for %q yet", name)
	}
	return s.manager.GetCertificate(helloFor(name))
}

// helloFor returns a handshake for which autocert returns the certificate of a name, with an ECDSA key: for
// clients that know RSA alone, which are older than TLS 1.2 mostly, it would order another one.
func helloFor(name string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{ServerName: name, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
}

// The waits between attempts to obtain a certificate. Let's Encrypt allows five failures an hour.
const (
	firstRetry = 2 * time.Minute
	lastRetry  = time.Hour
)

// obtain obtains certificates for all domains, or reads those that are kept, until all have one or ctx
// ends. autocert renews them.
func (s *issuer) obtain(ctx context.Context) {
	var obtaining sync.WaitGroup
	defer obtaining.Wait()
	for _, domain := range s.domains {
		obtaining.Go(func() {
			for wait := firstRetry; !s.obtainOne(ctx, domain); wait = min(2*wait, lastRetry) {
				select {
				case <-ctx.Done():
					return
				case <-time.After(wait):
				}
			}
		})
	}
}

// obtainOne obtains the certificate of a domain. It reports whether there is no more to do.
func (s *issuer) obtainOne(ctx context.Context, domain string) bool {
	obtained := make(chan error, 1)
	// autocert takes no context: if ctx ends, the order goes on for up to five minutes, and what it obtains
	// is kept in the folder.
	go func() {
		_, err := s.manager.GetCertificate(helloFor(domain))
		obtained <- err
	}()
	select {
	case <-ctx.Done():
		return true
	case err := <-obtained:
		if err != nil {
			s.log.Error("no certificate was obtained by ACME; another attempt follows", "domain", domain, "error", err)
			return false
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ready[domain] {
		s.log.Info("there is a certificate of ACME", "domain", domain)
	}
	s.ready[domain] = true
	return true
}

// expiry adds when the certificates end, by their domains.
func (s *issuer) expiry(ends map[string]time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for domain := range s.ready {
		if c, err := s.manager.GetCertificate(helloFor(domain)); err == nil && c.Leaf != nil {
			ends[domain] = c.Leaf.NotAfter
		}
	}
}

// nextKey is the key of the handler to which passOn passes a request.
type nextKey struct{}

// challenge returns a handler that answers challenges, and has next serve all other requests.
func (s *issuer) challenge(next http.Handler) http.Handler {
	if s.handler == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), nextKey{}, next)))
	})
}

// passOn has the handler in the context serve a request.
func passOn(w http.ResponseWriter, r *http.Request) {
	r.Context().Value(nextKey{}).(http.Handler).ServeHTTP(w, r)
}
