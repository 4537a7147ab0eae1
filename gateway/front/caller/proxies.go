package caller

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/gateway/network"
)

// The values of Proxies.Header.
const (
	// XForwardedFor has the addresses that a request came from, the nearest one last.
	XForwardedFor = "X-Forwarded-For"
	// Forwarded is the standard's header for it (RFC 7239).
	Forwarded = "Forwarded"
)

// Proxies are the proxies whose word is believed about the address of a client. The zero value
// believes none: the client is the peer of the connection.
type Proxies struct {
	// Trusted are the addresses of the proxies before the gateway: networks, such as 10.0.0.0/8, or single
	// addresses. Each of them must append the address of its own peer to the header. Default none: the
	// client is the peer of the connection, and the header is ignored.
	Trusted []string `yaml:"trusted"`
	// Header is the header in which proxies write addresses, X-Forwarded-For or Forwarded. The other
	// one is ignored. Default X-Forwarded-For.
	Header string `yaml:"header"`
}

// Validate returns what is wrong with the settings. Each of the joined errors begins with the name of a
// setting.
func (p Proxies) Validate() error {
	_, err := p.compile()
	return err
}

// proxies are compiled Proxies.
type proxies struct {
	trusted network.Set
	header  string
	cutLast func(string) (before, last string, more bool) // of the elements of the header
	nodeOf  func(element string) (node string, ok bool)   // that an element is about
}

func (p Proxies) compile() (proxies, error) {
	trusted, err := network.ParseSet("trusted", p.Trusted)
	if err == nil && trusted.HasAll() {
		err = errors.New("trusted has every address, so that clients could choose their own; write the networks of your proxies")
	}
	switch {
	case p.Header == "", strings.EqualFold(p.Header, XForwardedFor):
		return proxies{trusted, XForwardedFor, cutLastElement, wholeElement}, err
	case strings.EqualFold(p.Header, Forwarded):
		return proxies{trusted, Forwarded, cutLastForwarded, forwardedFor}, err
	}
	return proxies{}, errors.Join(err, fmt.Errorf("header must be X-Forwarded-For or Forwarded, not %q", p.Header))
}

// address returns the address of the client that sends r, the zero Addr if the connection has none.
//
// It begins with the peer of the connection and goes through the header from its end, as long as the
// addresses are those of trusted proxies: each of them vouches for the element that it has written. The
// first other address is the client's. What stands before that, the client itself may have written.
// An element that has no address ends the search with the proxy that has written it.
func (p *proxies) address(r *http.Request) netip.Addr {
	ip := peer(r)
	if p.trusted.IsEmpty() || !p.trusted.Contains(ip) {
		return ip
	}
	lines := r.Header[p.header]
	elements := 0
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			var element string
			rest, element, more = p.cutLast(rest)
			if elements++; elements > maxElements {
				return ip
			}
			element = strings.Trim(element, " \t")
			if element == "" {
				continue // RFC 9110, section 5.6.1.2
			}
			node, ok := p.nodeOf(element)
			if !ok {
				return ip
			}
			before, ok := parseNode(node)
			if !ok {
				return ip
			}
			if ip = before; !p.trusted.Contains(ip) {
				return ip
			}
		}
	}
	return ip
}

// maxElements bounds how many elements of the header are read. There are never as many proxies.
const maxElements = 100

// peer returns the address of the other end of a connection, the zero Addr if it has none, as on a
// Unix socket.
func peer(r *http.Request) netip.Addr {
	p, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return network.Plain(p.Addr())
}

// cutLastElement returns the last element of a list with commas, what stands before it, and whether more
// elements do.
func cutLastElement(list string) (before, last string, more bool) {
	comma := strings.LastIndexByte(list, ',')
	if comma < 0 {
		return "", list, false
	}
	return list[:comma], list[comma+1:], true
}

func wholeElement(element string) (string, bool) { return element, true }

// maxNode is the length of the longest text that can be an address with a port, with room for a zone.
const maxNode = 100

// parseNode returns the address of a node (RFC 7239, section 6): an IPv4 address or an IPv6 address in
// brackets, either of which may have a port. It reports false for "unknown", for identifiers and for
// everything else. An IPv6 address without a port may lack the brackets, as in X-Forwarded-For.
func parseNode(node string) (netip.Addr, bool) {
	if len(node) > maxNode {
		return netip.Addr{}, false
	}
	if inner, ok := strings.CutPrefix(node, "["); ok {
		address, port, ok := strings.Cut(inner, "]")
		if !ok || port != "" && (port[0] != ':' || !isPort(port[1:])) {
			return netip.Addr{}, false
		}
		return parseAddress(address, netip.Addr.Is6)
	}
	if address, port, ok := strings.Cut(node, ":"); ok && !strings.Contains(port, ":") {
		if !isPort(port) {
			return netip.Addr{}, false
		}
		return parseAddress(address, netip.Addr.Is4)
	}
	return parseAddress(node, netip.Addr.IsValid)
}

func parseAddress(text string, isRight func(netip.Addr) bool) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(text)
	return network.Plain(ip), err == nil && isRight(ip)
}

// isPort reports whether text is a port, or an identifier in its place (RFC 7239, section 6).
func isPort(text string) bool {
	if name, ok := strings.CutPrefix(text, "_"); ok {
		return name != "" && !strings.ContainsFunc(name, func(c rune) bool { return !isLetterOrDigit(c) && !strings.ContainsRune("._-", c) })
	}
	return text != "" && len(text) <= 5 && !strings.ContainsFunc(text, func(c rune) bool { return c < '0' || c > '9' })
}

func isLetterOrDigit(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
