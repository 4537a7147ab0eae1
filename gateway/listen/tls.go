package listen

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// TLS configures HTTPS on the address of clients. It is on if there are certificates, or domains for ACME.
// The files are read again when they change, and new connections use them; files that cannot be used
// change nothing.
type TLS struct {
	// Certificates are shown by the name that a client asks for (SNI): of those that have the name, the first
	// one that the client can verify; if there is none, the first of all.
	Certificates []Certificate `yaml:"certificates"`
	// MinVersion is the lowest version of TLS that clients may speak: 1.2 or 1.3. Default 1.2.
	MinVersion string `yaml:"minVersion"`
	// ClientCA is a file with PEM certificates of the authorities whose client certificates are accepted.
	// Default none: clients are not asked for certificates.
	ClientCA string `yaml:"clientCA"`
	// ClientAuth says which clients need a certificate of clientCA: require, all of them; optional,
	// those that show one. Default require.
	ClientAuth string `yaml:"clientAuth"`
	// ACME obtains certificates from an authority, such as Let's Encrypt.
	ACME ACME `yaml:"acme"`
	// Redirect is an address, host:port, at which plain HTTP is redirected to HTTPS. It also answers
	// /healthz and /readyz, for checks that have no client certificate. Default none.
	Redirect string `yaml:"redirect"`
}

// Certificate is a certificate with its private key.
type Certificate struct {
	// CertFile is a file with the PEM certificate, followed by those of intermediate authorities. Required.
	CertFile string `yaml:"certFile"`
	// KeyFile is a file with the PEM private key of certFile. Required.
	KeyFile string `yaml:"keyFile"`
}

// The values of TLS.MinVersion and TLS.ClientAuth.
const (
	Version12  = "1.2"
	Version13  = "1.3"
	Require    = "require"
	IfProvided = "optional"
)

// cipherSuites are those of TLS 1.2: with forward secrecy and authenticated encryption, as RFC 9325 (section
// 4.2) recommends. Those of Go's defaults that use CBC are left out. The suites of TLS 1.3 all have both, and
// cannot be configured.
var cipherSuites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// Enabled reports whether HTTPS is on.
func (o TLS) Enabled() bool { return len(o.Certificates) > 0 || len(o.ACME.Domains) > 0 }

// Validate returns what is wrong with the settings, and with the files of all but the certificates, which
// Certificate.Validate validates. Each error begins with the setting that it is about.
func (o TLS) Validate() error {
	_, err := o.clientCAs()
	errs := []error{err, o.ACME.validate()}
	if !slices.Contains([]string{"", Version12, Version13}, o.MinVersion) {
		errs = append(errs, fmt.Errorf("minVersion: must be %q or %q, not %q", Version12, Version13, o.MinVersion))
	}
	switch {
	case !slices.Contains([]string{"", Require, IfProvided}, o.ClientAuth):
		errs = append(errs, fmt.Errorf("clientAuth: must be %s or %s, not %q", Require, IfProvided, o.ClientAuth))
	case o.ClientAuth != "" && o.ClientCA == "":
		errs = append(errs, errors.New("clientAuth: needs clientCA, the authorities of the certificates"))
	}
	without := errors.New("has no effect without HTTPS; add certificates, or acme.domains")
	if o.MinVersion != "" && !o.Enabled() {
		errs = append(errs, fmt.Errorf("minVersion: %w", without))
	}
	if o.ClientCA != "" && !o.Enabled() {
		errs = append(errs, fmt.Errorf("clientCA: %w", without))
	}
	if o.Redirect != "" && !o.Enabled() {
		errs = append(errs, fmt.Errorf("redirect: %w", without))
	}
	return errors.Join(errs...)
}

// Validate returns what is wrong with the files. The error begins with the setting that it is about.
func (c Certificate) Validate() error {
	_, err := c.load()
	return err
}

// load reads the files.
func (c Certificate) load() (tls.Certificate, error) {
	if c.CertFile == "" {
		return tls.Certificate{}, errors.New("certFile: is missing; name the file with the certificate")
	}
	if c.KeyFile == "" {
		return tls.Certificate{}, errors.New("keyFile: is missing; name the file with the private key of certFile")
	}
	certificate, err := os.ReadFile(c.CertFile)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certFile: cannot be read: %w", err)
	}
	key, err := os.ReadFile(c.KeyFile)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("keyFile: cannot be read: %w", err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		text := strings.TrimPrefix(err.Error(), "tls: ")
		return tls.Certificate{}, fmt.Errorf("certFile: %s and %s do not make a pair: %s", c.CertFile, c.KeyFile, text)
	}
	return pair, nil
}

// files returns the paths of the files that are followed.
func (o TLS) files() (paths []string) {
	for _, c := range o.Certificates {
		paths = append(paths, c.CertFile, c.KeyFile)
	}
	if o.ClientCA != "" {
		paths = append(paths, o.ClientCA)
	}
	return paths
}

// clientCAs returns the authorities of client certificates, nil for none.
func (o TLS) clientCAs() (*x509.CertPool, error) {
	if o.ClientCA == "" {
		return nil, nil
	}
	pool, err := poolOf(o.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("clientCA: %w", err)
	}
	return pool, nil
}

// poolOf returns the certificates of a file.
func poolOf(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no PEM certificate", file)
	}
	return pool, nil
}

// config returns the configuration for connections. get finds the certificates of ACME, nil for none.
func (o TLS) config(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) (*tls.Config, error) {
	c := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		CipherSuites:   cipherSuites,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: get,
	}
	if o.MinVersion == Version13 {
		c.MinVersion = tls.VersionTLS13
	}
	for i, pair := range o.Certificates {
		certificate, err := pair.load()
		if err != nil {
			return nil, fmt.Errorf("tls.certificates[%d].%w", i, err)
		}
		c.Certificates = append(c.Certificates, certificate)
	}
	pool, err := o.clientCAs()
	if err != nil {
		return nil, fmt.Errorf("tls.%w", err)
	}
	if pool != nil {
		c.ClientCAs, c.ClientAuth = pool, tls.RequireAndVerifyClientCert
		if o.ClientAuth == IfProvided {
			c.ClientAuth = tls.VerifyClientCertIfGiven
		}
	}
	return c, nil
}

// expiresSoon is how long before its end a certificate is warned of.
const expiresSoon = 7 * 24 * time.Hour

// expiry returns what is wrong with the dates of a certificate at a time, "" if nothing is.
func expiry(c *x509.Certificate, now time.Time) string {
	switch {
	case now.After(c.NotAfter):
		return "has expired"
	case now.Before(c.NotBefore):
		return "is not valid yet"
	case now.Add(expiresSoon).After(c.NotAfter):
		return "expires soon"
	}
	return ""
}
