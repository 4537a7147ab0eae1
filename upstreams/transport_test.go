package upstreams

import (
	"testing"

	"github.com/gatehouse-graphql/gatehouse/upstreams/http1"
)

// net/http reads the environment once in a process, so that no proxy can be started here.
func TestProxyFromEnvironment(t *testing.T) {
	for _, asked := range []bool{false, true} {
		pool, err := newTransport(Source{ProxyFromEnvironment: asked}.withDefaults())
		if err != nil || (pool.standard.Proxy != nil) != asked || (pool.plain != nil) != (http1.CanCheckIdle && !asked) {
			t.Errorf("asked %t: proxy set is %t, http1 is used %t (%v)", asked, pool.standard.Proxy != nil, pool.plain != nil, err)
		}
	}
}
