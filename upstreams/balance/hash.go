package balance

import (
	"math"
	"slices"
	"sync/atomic"
)

// HashKey returns the hash of a key, for Choice. It is the same in every process, so that all
// gateways send a key to the same endpoint.
func HashKey(key string) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	return mix(h)
}

// mix spreads the bits of h (the finalizer of MurmurHash3): FNV leaves similar texts similar.
func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// rendezvous chooses the candidate with the highest number for the key, of numbers that depend on the
// candidate and the key alone (highest random weight). When a candidate leaves, only its keys move, to
// all others by their weights. A choice costs more the more candidates there are.
type rendezvous struct{ base }

func (rendezvous) keyed() bool { return true }

func (rendezvous) choose(candidates []candidate, key uint64) *Endpoint {
	var chosen *Endpoint
	highest := math.Inf(-1)
	for i := range candidates {
		c := &candidates[i]
		// A number between 0 and 1, raised so that weights are kept.
		uniform := (float64(mix(c.id^key)>>11) + 0.5) / (1 << 53)
		if number := c.weight / -math.Log(uniform); number > highest {
			chosen, highest = c.Endpoint, number
		}
	}
	return chosen
}

// ringHash chooses the candidate that follows the key on a ring of hashes, on which each endpoint has
// many points by its weight (consistent hashing). When an endpoint leaves, only its keys move. A
// choice costs the same however many candidates there are.
type ringHash struct {
	base
	ring atomic.Pointer[ring]
}

// ring is the points of endpoints in order.
type ring struct {
	endpoints []*Endpoint // whose points they are, with their weights
	weights   []int
	points    []point
}

type point struct {
	hash     uint64
	endpoint *Endpoint
}

const (
	pointsPerEndpoint = 512     // on average. They keep the shares within about 5 % of the weights.
	maxPoints         = 1 << 16 // of all endpoints
)

func (*ringHash) keyed() bool { return true }

func (p *ringHash) setEndpoints(endpoints []*Endpoint) {
	weights := make([]int, len(endpoints))
	total := 0
	for i, e := range endpoints {
		weights[i] = e.weight
		total += e.weight
	}
	if old := p.ring.Load(); old != nil && slices.Equal(old.endpoints, endpoints) && slices.Equal(old.weights, weights) {
		return
	}
	r := &ring{endpoints: endpoints, weights: weights}
	perWeight := float64(min(pointsPerEndpoint*len(endpoints), maxPoints)) / float64(total)
	for i, e := range endpoints {
		for n := range max(int(math.Round(float64(weights[i])*perWeight)), 1) {
			r.points = append(r.points, point{mix(e.id + uint64(n)*0x9e3779b97f4a7c15), e})
		}
	}
	slices.SortFunc(r.points, func(a, b point) int {
		switch {
		case a.hash < b.hash:
			return -1
		case a.hash > b.hash:
			return 1
		}
		return 0
	})
	p.ring.Store(r)
}

func (p *ringHash) choose(candidates []candidate, key uint64) *Endpoint {
	points := p.ring.Load().points
	at, _ := slices.BinarySearchFunc(points, key, func(p point, key uint64) int {
		switch {
		case p.hash < key:
			return -1
		case p.hash > key:
			return 1
		}
		return 0
	})
	for range points {
		if at == len(points) {
			at = 0
		}
		e := points[at].endpoint
		for i := range candidates {
			if candidates[i].Endpoint == e {
				return e
			}
		}
		at++
	}
	return candidates[key%uint64(len(candidates))].Endpoint // the endpoints are just changing
}
