package resolvers

import "github.com/gatehouse-graphql/gatehouse/upstreams"

type Resolver struct{ Services *upstreams.Services }
