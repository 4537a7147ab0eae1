package faulty

import (
	"context"
	"net"
	"net/netip"
	"testing"
)

// Names are resolved by Go's resolver, and follow what they are pointed at.
func TestNames(t *testing.T) {
	names, err := StartNames(netip.MustParseAddr("127.0.0.2"))
	if err != nil {
		t.Fatal(err)
	}
	defer names.Close()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", names.Address())
	}}
	for _, want := range []string{"127.0.0.2", "127.0.0.3"} {
		names.Point(netip.MustParseAddr(want))
		if got, err := resolver.LookupHost(t.Context(), "service.faults.test."); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("the name has the addresses %v, %v; want %s", got, err, want)
		}
	}
	for _, wrong := range []string{"", "\x00\x01", "\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03abc", "\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03abc\x00\x00"} {
		if r := answer([]byte(wrong), netip.MustParseAddr("127.0.0.2")); r != nil {
			t.Errorf("%q is answered", wrong)
		}
	}
}
