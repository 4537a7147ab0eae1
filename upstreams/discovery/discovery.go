// Package discovery finds the addresses of a service and follows their changes. It knows
// names and addresses, and nothing of what is sent to them.
//
// It promises that
//   - a changed address is known within Options.MaxTTL, and at once when the old one can no
//     longer be connected to (Watcher.Refresh);
//   - a name server that fails changes nothing: the last good addresses stay, and the log
//     has one line when it begins and one when it ends;
//   - each list of targets is whole, sorted and without duplicates, so that an answer in
//     another order is not a change.
package discovery

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// The types of discovery.
const (
	Static = "static"
	DNS    = "dns"
	SRV    = "srv"
)

// The defaults of Options.
const (
	DefaultMinTTL = 5 * time.Second
	DefaultMaxTTL = 30 * time.Second
	DefaultDrain  = 30 * time.Second
)

// Options configure how the addresses of a service are found. The zero value follows names
// by DNS.
type Options struct {
	// Type is how the hosts of the URLs become addresses. "static": the addresses are those that
	// a host has when a connection is opened. "dns": the A and AAAA records of each host are
	// looked up again and again, and each address is a replica. "srv": each host is the name of
	// SRV records, such as _http._tcp.users.example.com, which have hosts, ports, weights and
	// priorities. Default "dns" for names other than localhost, and "static" for IP addresses,
	// localhost, sockets, and behind a proxy.
	Type string `yaml:"type"`
	// MinTTL is the shortest time between two lookups of a name, whatever the TTL of its records
	// says. Default 5s.
	MinTTL time.Duration `yaml:"minTTL"`
	// MaxTTL is the longest time between two lookups of a name, so that a changed address is
	// followed within it. Default 30s.
	MaxTTL time.Duration `yaml:"maxTTL"`
	// Drain is how long calls may continue to an address that has vanished. Then their
	// connections are closed. Default 30s.
	Drain time.Duration `yaml:"drain"`
	// Nameserver is the address of a DNS server, like "127.0.0.1:8600", which is asked in the
	// place of those of the system. The port may be left out. Default those of the system.
	Nameserver string `yaml:"nameserver"`
}

// WithDefaults returns o with the defaults of fields that are zero. Type stays empty: its
// default depends on the host.
func (o Options) WithDefaults() Options {
	if o.MinTTL == 0 {
		o.MinTTL = min(DefaultMinTTL, cmp.Or(o.MaxTTL, DefaultMinTTL))
	}
	if o.MaxTTL == 0 {
		o.MaxTTL = max(DefaultMaxTTL, o.MinTTL)
	}
	o.Drain = cmp.Or(o.Drain, DefaultDrain)
	return o
}

// Validate returns the mistakes in o. Each error begins with the name of a setting.
func (o Options) Validate() error {
	var errs []error
	switch o.Type {
	case "", Static, DNS, SRV:
	default:
		errs = append(errs, fmt.Errorf("type: unknown type %q: write %s, %s or %s", o.Type, Static, DNS, SRV))
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"minTTL", o.MinTTL}, {"maxTTL", o.MaxTTL}, {"drain", o.Drain}} {
		if d.value < 0 {
			errs = append(errs, fmt.Errorf("%s is negative: leave it out to get the default", d.name))
		}
	}
	if o.MinTTL > 0 && o.MaxTTL > 0 && o.MinTTL > o.MaxTTL {
		errs = append(errs, fmt.Errorf("minTTL is longer than maxTTL: write at most %s", o.MaxTTL))
	}
	if o.Nameserver != "" {
		if _, err := nameserverAddress(o.Nameserver); err != nil {
			errs = append(errs, fmt.Errorf("nameserver: %w", err))
		}
	}
	return errors.Join(errs...)
}

// nameserver returns the host:port of the name server, empty for those of the system.
func (o Options) nameserver() string {
	if o.Nameserver == "" {
		return ""
	}
	address, _ := nameserverAddress(o.Nameserver) // validated
	return address
}

// nameserverAddress returns the host:port of a name server, whose port may be left out. It
// must be an IP address: there is no server that could resolve its name.
func nameserverAddress(s string) (string, error) {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return netip.AddrPortFrom(addr, 53).String(), nil
	}
	addr, err := netip.ParseAddrPort(s)
	if err != nil {
		return "", fmt.Errorf(`%q is not an IP address with or without a port: write it like "10.0.0.53:53"`, s)
	}
	return addr.String(), nil
}

// Origin is one configured URL of a service.
type Origin struct {
	// URL has the scheme, host and path. Requests to a socket have the host of URL in their
	// Host header.
	URL *url.URL
	// Socket is the path of a Unix socket; empty for a host.
	Socket string
	// Weight is that of each target of the origin, at least 1; the weights of SRV records take
	// its place.
	Weight int
	// Zone is that of each target of the origin; empty without zones.
	Zone string
}

// hasSameName reports whether both origins have the same addresses.
func (o Origin) hasSameName(other Origin) bool {
	return *o.URL == *other.URL && o.Socket == other.Socket
}

// Target is one address of a service. Targets are comparable by Key.
type Target struct {
	// URL has the scheme and path of requests. Its host is that of the Host header, and the name
	// that a certificate must have.
	URL *url.URL
	// Address is where to connect to: an IP address with a port, or the path of a Unix socket.
	// Empty means that Name is resolved for each new connection.
	Address string
	// Name is a host with a port, or the name of SRV records. Empty with an Address.
	Name string
	// Fallback is an address of the other family (IPv4 or IPv6) of the same name, to be connected
	// to if Address does not respond. Empty means none.
	Fallback string
	// Weight is at least 1.
	Weight int
	// Priority is 0 except for SRV records. Targets with a higher number are used only if no
	// target with a lower one is available.
	Priority int
	// Zone is empty without zones.
	Zone string
}

// Key identifies the target: targets with equal keys are the same replica, whatever their
// weights are.
func (t Target) Key() string {
	return t.URL.Scheme + "://" + t.URL.Host + strings.TrimRight(t.URL.EscapedPath(), "/") + " " + t.Address + t.Name
}

// IsSocket reports whether Address is the path of a Unix socket.
func (t Target) IsSocket() bool { return strings.HasPrefix(t.Address, "/") }

// typeOf returns how the addresses of an origin are found.
func (o Options) typeOf(origin Origin) string {
	switch host := origin.URL.Hostname(); {
	case origin.Socket != "" || isFixed(host):
		return Static
	case o.Type != "":
		return o.Type
	}
	return DNS
}

// isFixed reports whether the addresses of a host do not change: it is an IP address or
// localhost (RFC 6761, 6.3). Of localhost often only one of 127.0.0.1 and ::1 is listened
// at, which the dialer finds out. A name that is not ASCII stays with the dialer as well,
// which converts it.
func isFixed(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	return strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 })
}

// unresolved returns the target of an origin whose name is resolved for each connection.
func (o Options) unresolved(origin Origin) Target {
	t := Target{URL: origin.URL, Weight: max(origin.Weight, 1), Zone: origin.Zone}
	switch host := origin.URL.Hostname(); {
	case origin.Socket != "":
		t.Address = origin.Socket
	case o.typeOf(origin) == SRV:
		t.Name, t.URL = host, withHost(origin.URL, serviceHost(host))
	default:
		t.Name = net.JoinHostPort(host, port(origin.URL))
	}
	return t
}

func withHost(u *url.URL, host string) *url.URL {
	out := *u
	out.Host = host
	return &out
}

// port returns the port of the URL, or that of its scheme.
func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// ValidateOrigin returns the mistake of an origin under a type of discovery, nil without
// one. Its error is to be read after the name of the URL: "urls[0] has a port".
func (o Options) ValidateOrigin(origin Origin) error {
	if o.Type != SRV {
		return nil
	}
	u := origin.URL
	switch {
	case origin.Socket != "" || isFixed(u.Hostname()):
		return errors.New(`is not the name of SRV records: write it like "http://_http._tcp.users.example.com", or leave out discovery.type`)
	case u.Port() != "":
		return errors.New("has a port, but SRV records have their own: remove it")
	case serviceHost(u.Hostname()) == "":
		return errors.New("has no host behind the service's name")
	}
	return nil
}

// serviceHost returns the name of SRV records without the labels of service and protocol
// (RFC 2782): "_http._tcp.users.example.com" is for "users.example.com". That is the host
// that certificates are for, because the targets of records could be anyone's (RFC 6125,
// 6.2.1).
func serviceHost(name string) string {
	for strings.HasPrefix(name, "_") {
		_, name, _ = strings.Cut(name, ".")
	}
	return strings.TrimSuffix(name, ".")
}

// joinPort returns host:port.
func joinPort(addr netip.Addr, port string) string { return net.JoinHostPort(addr.String(), port) }
