package front

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/transport"
)

// transports returns the transports of the endpoint, one per protocol. The first that supports a
// request handles it.
func transports(o transport.Options) []graphql.Transport {
	return []graphql.Transport{
		transport.POST(o),
		transport.GET(o),
	}
}
