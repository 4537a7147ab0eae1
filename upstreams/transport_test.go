package upstreams

import "testing"

// net/http reads the environment once in a process, so it is no use to ask a proxy.
func TestProxyOnlyWhenAsked(t *testing.T) {
	for _, asked := range []bool{false, true} {
		pool, err := newTransport(Source{ProxyFromEnvironment: asked}.withDefaults())
		if err != nil || (pool.standard.Proxy != nil) != asked || asked && pool.plain != nil {
			t.Errorf("asked %t: proxy set is %t, http1 is used %t (%v)", asked, pool.standard.Proxy != nil, pool.plain != nil, err)
		}
	}
}
