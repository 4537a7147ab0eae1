// Package caller describes who sends a request, as far as limits ask.
package caller

import (
	"net/http"
	"net/netip"

	"github.com/gatehouse-graphql/gatehouse/auth"
)

// The classes of callers that need no settings.
const (
	// Anonymous is the class of callers without a token.
	Anonymous = "anonymous"
	// Authenticated is the class of callers with a token that was accepted.
	Authenticated = "authenticated"
)

// Caller is who sends a request. It is not changed once it is made, and safe for concurrent use.
type Caller struct {
	// IP is the client's address, the zero Addr if the connection has none.
	IP netip.Addr
	// Identity is that of the accepted token; nil for an anonymous caller.
	Identity *auth.Identity
	// Client and ClientVersion are the name and the version that the client states for itself, which
	// proves nothing; "" if it states none.
	Client, ClientVersion string
	// Class is the name of the class of callers to which it belongs, never "".
	Class string
}

// The headers in which clients state what they are: the one of most clients, and Apollo's.
var (
	clientHeaders  = [...]string{"Graphql-Client-Name", "Apollographql-Client-Name"}
	versionHeaders = [...]string{"Graphql-Client-Version", "Apollographql-Client-Version"}
)

// Of returns the caller who sends r and whose token has an identity, nil for none.
func Of(r *http.Request, identity *auth.Identity) Caller {
	c := Caller{Identity: identity, Client: first(r.Header, clientHeaders[:]), ClientVersion: first(r.Header, versionHeaders[:]), Class: Anonymous}
	if identity != nil {
		c.Class = Authenticated
	}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.IP = peer.Addr().Unmap().WithZone("")
	}
	return c
}

// first returns the value of the first of some headers that is there, "" without one.
func first(h http.Header, names []string) string {
	for _, name := range names {
		if values := h[name]; len(values) > 0 {
			return values[0]
		}
	}
	return ""
}
