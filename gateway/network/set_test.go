package network

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "192.0.2.1": "192.0.2.1/32", "0.0.0.0/0": "0.0.0.0/0",
		"2001:db8::/32": "2001:db8::/32", "2001:DB8::1": "2001:db8::1/128", "::/0": "::/0",
		"::ffff:192.0.2.1": "192.0.2.1/32", "::ffff:10.0.0.0/104": "10.0.0.0/8", "::ffff:0.0.0.0/96": "0.0.0.0/0",
	} {
		if got, err := Parse(text); err != nil || got.String() != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"10.1.2.3/8":      "write the network, 10.0.0.0/8, or the address without /8",
		"2001:db8::1/64":  "write the network, 2001:db8::/64",
		"":                "is not a network",
		"10.0.0.0/33":     "is not a network",
		"10.0.0/8":        "is not a network",
		"010.0.0.0/8":     "is not a network",
		"10.0.0.0/08":     "is not a network",
		"10.0.0.0 /8":     "is not a network",
		"fe80::1%eth0":    "is not a network",
		"fe80::%eth0/64":  "is not a network",
		"example.com":     "is not a network; write one as 10.0.0.0/8",
		"10.0.0.1:80":     "is not a network",
		"[2001:db8::1]":   "is not a network",
		"10.0.0.0/8,::/0": "is not a network",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), fmt.Sprintf("%q", text)) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := Parse(strings.Repeat("x", 1<<16)); len(err.Error()) > 200 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func TestParseSet(t *testing.T) {
	_, err := ParseSet("trusted", []string{"10.0.0.0/8", "a", "10.0.0.1/8"})
	if err == nil || !strings.Contains(err.Error(), `trusted[1] "a" is not`) || !strings.Contains(err.Error(), `trusted[2] "10.0.0.1/8" is an`) {
		t.Error(err)
	}
}

func TestContains(t *testing.T) {
	set, err := ParseSet("", []string{"10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/25", "192.0.2.128/25", "203.0.113.7", "2001:db8::/64", "fe80::/10", "255.255.255.255"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"10.0.0.0": true, "10.255.255.255": true, "10.1.2.3": true, "10.2.0.0": true, "9.255.255.255": false, "11.0.0.0": false,
		"192.0.2.0": true, "192.0.2.127": true, "192.0.2.128": true, "192.0.2.255": true, "192.0.3.0": false,
		"203.0.113.7": true, "203.0.113.6": false, "203.0.113.8": false, "0.0.0.0": false, "255.255.255.255": true,
		"2001:db8::": true, "2001:db8::ffff:ffff:ffff:ffff": true, "2001:db8:0:1::": false, "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff": false,
		"::ffff:10.0.0.1": true, "::ffff:11.0.0.1": false, "fe80::1%eth0": true, "::": false, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": false,
	} {
		if got := set.Contains(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
	if set.Contains(netip.Addr{}) || (Set{}).Contains(netip.MustParseAddr("10.0.0.1")) || set.HasAll() || !(Set{}).IsEmpty() || set.IsEmpty() {
		t.Error("a set has what it does not have")
	}
	// 192.0.2.0/25 and 192.0.2.128/25 are one range, and 10.1.0.0/16 is within another one.
	if len(set.ranges) != 6 {
		t.Errorf("%v", set.ranges)
	}
	for _, all := range []string{"0.0.0.0/0", "::/0"} {
		if set, _ := ParseSet("", []string{all, "10.0.0.0/8"}); !set.HasAll() || len(set.ranges) > 2 {
			t.Errorf("%s is not all: %v", all, set.ranges)
		}
	}
	if halves, _ := ParseSet("", []string{"0.0.0.0/1", "128.0.0.0/1"}); !halves.HasAll() {
		t.Error("two halves are not all")
	}
}

// randomPrefix returns a prefix among few addresses, so that many of them overlap and adjoin.
func randomPrefix(r *rand.Rand) netip.Prefix {
	if r.IntN(2) == 0 {
		ip := netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(4)), byte(r.IntN(256))})
		return netip.PrefixFrom(ip, 20+r.IntN(13)).Masked()
	}
	ip := netip.AddrFrom16([16]byte{0x20, 1, 14: byte(r.IntN(4)), 15: byte(r.IntN(256))})
	return netip.PrefixFrom(ip, 116+r.IntN(13)).Masked()
}

// A set has the addresses that its prefixes have, however they overlap.
func TestSetHasWhatItsPrefixesHave(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		prefixes := make([]netip.Prefix, r.IntN(12))
		for i := range prefixes {
			prefixes[i] = randomPrefix(r)
		}
		set := NewSet(prefixes...)
		for range 500 {
			p := randomPrefix(r)
			ip, want := p.Addr(), false
			for _, q := range prefixes {
				want = want || q.Contains(ip)
			}
			if got := set.Contains(ip); got != want {
				t.Fatalf("%v has %s: %t", prefixes, ip, got)
			}
		}
		for i := 1; i < len(set.ranges); i++ {
			if !set.ranges[i-1].last.Less(set.ranges[i].first) {
				t.Fatalf("%v overlap", set.ranges)
			}
		}
	}
}

// manyPrefixes returns n networks without two that adjoin.
func manyPrefixes(n int) []netip.Prefix {
	prefixes := make([]netip.Prefix, n)
	for i := range prefixes {
		if i%2 == 0 {
			prefixes[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(10 + i>>15), byte(i >> 7), byte(i << 1), 0}), 24)
		} else {
			prefixes[i] = netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, byte(i >> 15), byte(i >> 7), byte(i << 1)}), 48)
		}
	}
	return prefixes
}

func BenchmarkContains(b *testing.B) {
	addresses := make([]netip.Addr, 1<<12)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range addresses {
		addresses[i] = netip.AddrFrom4([4]byte{byte(10 + r.IntN(4)), byte(r.IntN(256)), byte(r.IntN(256)), 9})
	}
	for _, n := range []int{3, 100_000} {
		set := NewSet(manyPrefixes(n)...)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				set.Contains(addresses[i&(len(addresses)-1)])
				i++
			}
		})
	}
}

func BenchmarkNewSet(b *testing.B) {
	prefixes := manyPrefixes(100_000)
	for b.Loop() {
		NewSet(prefixes...)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"10.0.0.0/8", "::ffff:10.0.0.0/104", "192.0.2.1", "fe80::1%a", "::ffff:0:0/90", "::/0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		set := NewSet(p)
		if again, err := Parse(p.String()); err != nil || again != p {
			t.Errorf("%q is %s, and that is %s, %v", text, p, again, err)
		}
		if !set.Contains(p.Addr()) || !p.Contains(set.ranges[0].last) {
			t.Errorf("%q is %v", text, set.ranges)
		}
		if next := set.ranges[0].last.Next(); next.IsValid() && set.Contains(next) {
			t.Errorf("%q has %s", text, next)
		}
	})
}
