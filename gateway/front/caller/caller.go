// Package caller says who sends a request, as far as limits ask: from which address, with which token,
// by which client program, and of which class of callers that makes it.
//
// It promises that a client cannot choose its address: of what a request says about it, only what a
// trusted proxy has written counts. It allocates nothing for a request.
package caller

import (
	"net/netip"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/gateway/network"
)

// The classes of callers that need no settings.
const (
	// Anonymous is the class of callers without a token.
	Anonymous = "anonymous"
	// Authenticated is the class of callers with a token that was accepted.
	Authenticated = "authenticated"
	// Other is not a class: settings name by it the callers of all classes that they do not name.
	Other = "other"
)

// Caller is who sends a request. It is not changed once it is made, and safe for concurrent use.
type Caller struct {
	// IP is the client's address, without a zone and unmapped; the zero Addr if it is not known.
	IP netip.Addr
	// Identity is that of the accepted token; nil for an anonymous caller.
	Identity *auth.Identity
	// Client and ClientVersion are the name and the version that the client states for itself, which
	// proves nothing; "" if it states none.
	Client, ClientVersion string
	// Class is the name of the class of callers to which it belongs, never "".
	Class string
}

// nat64 has the IPv4 addresses of clients in its last 32 bits (RFC 6052, section 2.1).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// networkBits is the length of the prefixes by which IPv6 addresses are counted: a site has at least one
// such network, and each of its hosts can use any address in it (RFC 4291, section 2.5.1; RFC 8981).
const networkBits = 64

// NetworkKey returns the network by which limits count c: an IPv4 address alone, as 192.0.2.1/32, and an
// IPv6 address with all of its /64, as 2001:db8::/64. It is the zero Prefix if the address is not known.
func (c *Caller) NetworkKey() netip.Prefix {
	ip := network.Plain(c.IP)
	bits := ip.BitLen()
	if ip.Is6() && !nat64.Contains(ip) {
		bits = networkBits
	}
	key, err := ip.Prefix(bits)
	if err != nil { // of the zero Addr
		return netip.Prefix{}
	}
	return key
}
