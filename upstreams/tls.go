package upstreams

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// TLS configures connections to https URLs. At least TLS 1.2 is spoken. The files are read again
// when they change, and new connections use them; a file that cannot be used changes nothing.
type TLS struct {
	// CAFile is a file with PEM certificates of authorities that are trusted in addition to
	// those of the system. Default none.
	CAFile string `yaml:"caFile"`
	// ServerName is the name that the service's certificate must have, and that the handshake
	// sends (SNI). Default the host of the URL.
	ServerName string `yaml:"serverName"`
	// CertFile is a file with the PEM certificate that the gateway shows to the service, followed
	// by those of intermediate authorities. Default none.
	CertFile string `yaml:"certFile"`
	// KeyFile is a file with the PEM private key of CertFile. Default none.
	KeyFile string `yaml:"keyFile"`
}

func (o TLS) validate() error {
	switch {
	case o.CertFile != "" && o.KeyFile == "":
		return errors.New("tls.keyFile is missing: tls.certFile needs the private key of its certificate")
	case o.KeyFile != "" && o.CertFile == "":
		return errors.New("tls.certFile is missing: tls.keyFile needs the certificate of its private key")
	}
	return nil
}

// files returns the files that are read again, with their settings.
func (o TLS) files() (files []tlsFile) {
	for _, f := range []tlsFile{{"tls.caFile", o.CAFile}, {"tls.certFile", o.CertFile}, {"tls.keyFile", o.KeyFile}} {
		if f.path != "" {
			files = append(files, f)
		}
	}
	return files
}

type tlsFile struct{ setting, path string }

// tlsContents are the contents of the files, by setting.
type tlsContents map[string][]byte

func (o TLS) read() (tlsContents, error) {
	contents := tlsContents{}
	for _, f := range o.files() {
		b, err := os.ReadFile(f.path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.setting, err)
		}
		contents[f.setting] = b
	}
	return contents, nil
}

// config returns the configuration for connections. It must be cloned before it is given to a
// transport, which changes it.
func (o TLS) config(contents tlsContents) (*tls.Config, error) {
	c := &tls.Config{
		MinVersion: tls.VersionTLS12,
		ServerName: o.ServerName,
		// Connections that are replaced because of their age resume their sessions.
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
	}
	if o.CAFile != "" {
		roots, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("tls.caFile: %w", err)
		}
		if !roots.AppendCertsFromPEM(contents["tls.caFile"]) {
			return nil, fmt.Errorf("tls.caFile: %s has no PEM certificate", o.CAFile)
		}
		c.RootCAs = roots
	}
	if o.CertFile != "" {
		certificate, err := tls.X509KeyPair(contents["tls.certFile"], contents["tls.keyFile"])
		if err != nil {
			return nil, fmt.Errorf("tls.certFile: %s and %s do not fit: %w", o.CertFile, o.KeyFile, err)
		}
		c.Certificates = []tls.Certificate{certificate}
	}
	return c, nil
}

// tlsCheckInterval is how often the files are read. They are small, and their contents alone say
// whether they have changed: the links of a mounted ConfigMap or Secret change, and times of
// modification may not. A test makes it shorter.
var tlsCheckInterval = 10 * time.Second

// tlsWatcher has the TLS configuration of a source and follows its files.
type tlsWatcher struct {
	options TLS
	log     *slog.Logger
	first   tlsContents
	current atomic.Pointer[tls.Config]

	stop    chan struct{}
	once    sync.Once
	running sync.WaitGroup
}

// newTLSWatcher reads the files. They are read again after start.
func newTLSWatcher(o TLS, log *slog.Logger) (*tlsWatcher, error) {
	contents, err := o.read()
	if err != nil {
		return nil, err
	}
	config, err := o.config(contents)
	if err != nil {
		return nil, err
	}
	w := &tlsWatcher{options: o, log: log, first: contents, stop: make(chan struct{})}
	w.current.Store(config)
	return w, nil
}

// start begins the watching. Without files nothing runs.
func (w *tlsWatcher) start() {
	if len(w.first) > 0 {
		w.running.Go(func() { w.follow(w.first) })
	}
}

// close ends the watching and waits for its end.
func (w *tlsWatcher) close() {
	w.once.Do(func() { close(w.stop) })
	w.running.Wait()
}

// follow replaces the configuration when the files have changed and can be used. Certificate and
// key are often written one after the other: files that cannot be used are reported only when they
// are the same at the next check, and once.
func (w *tlsWatcher) follow(used tlsContents) {
	ticker := time.NewTicker(tlsCheckInterval)
	defer ticker.Stop()
	var (
		failed   string // the last failure
		reported string // the failure that the log has
	)
	for {
		select {
		case <-ticker.C:
		case <-w.stop:
			return
		}
		contents, err := w.options.read()
		if err == nil && contents.equal(used) {
			failed, reported = "", ""
			continue
		}
		var config *tls.Config
		if err == nil {
			config, err = w.options.config(contents)
		}
		if err != nil {
			if text := err.Error(); text == failed && text != reported {
				w.log.Warn("backend TLS files cannot be used; the last good ones stay in use", slog.Any("error", err))
				reported = text
			}
			failed = err.Error()
			continue
		}
		used, failed, reported = contents, "", ""
		w.current.Store(config)
		w.log.Info("backend TLS files changed; new connections use them")
	}
}

func (c tlsContents) equal(other tlsContents) bool {
	return maps.EqualFunc(c, other, bytes.Equal)
}
