// Package network has sets of IP addresses as settings write them, and the rules that say by which
// addresses a path may be requested.
//
// It promises that an address is found in a list of a hundred thousand networks within a microsecond and
// without an allocation, and that the forms of one address are the same address: an IPv4 address that is
// mapped into IPv6 is the IPv4 address, and zones do not count.
package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Set is a set of IP addresses. The zero value is empty. It does not change, and is safe for concurrent
// use.
type Set struct {
	ranges []addressRange // in their order, without overlaps
}

// addressRange has the addresses from first to last, both included, of one version of IP.
type addressRange struct{ first, last netip.Addr }

// NewSet returns the set of the addresses in prefixes.
func NewSet(prefixes ...netip.Prefix) Set {
	ranges := make([]addressRange, 0, len(prefixes))
	for _, p := range prefixes {
		ranges = append(ranges, rangeOf(p))
	}
	slices.SortFunc(ranges, func(a, b addressRange) int { return a.first.Compare(b.first) })
	merged := ranges[:0]
	for _, r := range ranges {
		n := len(merged)
		switch {
		case n > 0 && !merged[n-1].last.Less(r.first): // they overlap: of two networks, one has the other
			if merged[n-1].last.Less(r.last) {
				merged[n-1].last = r.last
			}
		case n > 0 && merged[n-1].last.Next() == r.first:
			merged[n-1].last = r.last
		default:
			merged = append(merged, r)
		}
	}
	return Set{slices.Clip(merged)}
}

// rangeOf returns the addresses in p.
func rangeOf(p netip.Prefix) addressRange {
	first := p.Masked().Addr()
	bytes := first.AsSlice()
	for bit := p.Bits(); bit < first.BitLen(); bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return addressRange{first, last}
}

// IsEmpty reports whether s has no address.
func (s Set) IsEmpty() bool { return len(s.ranges) == 0 }

// Contains reports whether ip is in s. The zero Addr is in no set.
func (s Set) Contains(ip netip.Addr) bool {
	if len(s.ranges) == 0 || !ip.IsValid() {
		return false
	}
	ip = Plain(ip)
	// The first range that begins behind ip; the one before it is the only one that may have ip.
	low, high := 0, len(s.ranges)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if s.ranges[middle].first.Compare(ip) <= 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low > 0 && ip.Compare(s.ranges[low-1].last) <= 0
}

// HasAll reports whether s has every address of one version of IP.
func (s Set) HasAll() bool {
	return slices.ContainsFunc(s.ranges, func(r addressRange) bool {
		return r == rangeOf(netip.PrefixFrom(r.first, 0))
	})
}

// Plain returns the form of an address by which it is compared: without a zone, and as an IPv4 address
// if it is one that is mapped into IPv6 (RFC 4291, section 2.5.5.2).
func Plain(ip netip.Addr) netip.Addr { return ip.Unmap().WithZone("") }

// Parse returns the network that a text has: a prefix, such as 10.0.0.0/8 or 2001:db8::/32, or one
// address, such as 192.0.2.1. The error says what to write instead; it begins with the text, quoted.
func Parse(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Zone() != "" {
			return netip.Prefix{}, notANetwork(text)
		}
		ip = Plain(ip)
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, notANetwork(text)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q is an address within a network; write the network, %s, or the address without /%d", text, p.Masked(), p.Bits())
	}
	if mapped := p.Addr(); mapped.Is4In6() {
		const before = 96 // the bits of an IPv6 address before the mapped one
		if p.Bits() < before {
			return netip.Prefix{}, fmt.Errorf("%q has IPv4 and IPv6 addresses; write two networks", text)
		}
		p = netip.PrefixFrom(mapped.Unmap(), p.Bits()-before)
	}
	return p, nil
}

const maxShown = 60 // of a text in an error, in bytes

func notANetwork(text string) error {
	return fmt.Errorf("%q is not a network; write one as 10.0.0.0/8 or 2001:db8::/32, or an address as 192.0.2.1", text[:min(len(text), maxShown)])
}

// ParseSet returns the set of the networks in a list. It returns all errors, joined; each begins with the
// name of the list and the index of the text.
func ParseSet(name string, texts []string) (Set, error) {
	var prefixes []netip.Prefix
	var errs []error
	for i, text := range texts {
		p, err := Parse(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s[%d] %w", name, i, err))
			continue
		}
		prefixes = append(prefixes, p)
	}
	if errs != nil {
		return Set{}, errors.Join(errs...)
	}
	return NewSet(prefixes...), nil
}
