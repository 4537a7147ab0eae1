package upstreams

import "testing"

// net/http reads the environment once in a process, so it is no use to ask a proxy.
func TestProxyOnlyWhenAsked(t *testing.T) {
	for _, asked := range []bool{false, true} {
		pool, err := newPool(Source{ProxyFromEnvironment: asked}.withDefaults())
		if err != nil || (pool.Proxy != nil) != asked {
			t.Errorf("asked %t: proxy set is %t (%v)", asked, pool.Proxy != nil, err)
		}
	}
}
