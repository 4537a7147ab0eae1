package explain

import (
	"cmp"
	"maps"
	"slices"
)

// group is visits that the same calls answer: they want the same of objects that one
// answer has brought, so that all their keys are known at one moment.
type group struct {
	first  *visit
	wanted map[origin]map[string]Count // keys by the fields that hold them
}

// count numbers the nodes, finds those that share calls, and adds the calls up.
func count(p *Plan, visits []*visit) {
	number(p, visits)
	c := counter{groups: map[groupKey]*group{}, of: map[*visit]*group{}, asked: map[string]*group{}}
	for _, v := range visits {
		if v.node.Call != nil {
			c.put(v)
		} else {
			c.of[v] = &group{first: v}
			p.ByHand++
		}
	}
	for _, g := range c.order {
		g.count()
		p.Calls = p.Calls.plus(g.first.node.Call.Calls)
	}
	for _, n := range p.Nodes {
		if n.Call == nil || n.Call.Calls > 0 {
			p.Rounds = max(p.Rounds, n.Round)
		}
	}
}

// number puts visits and nodes in the order of their rounds: what brings parents is before
// what needs them.
func number(p *Plan, visits []*visit) {
	slices.SortStableFunc(visits, func(a, b *visit) int { return cmp.Compare(a.node.Round, b.node.Round) })
	p.Nodes = make([]*Node, len(visits))
	for i, v := range visits {
		p.Nodes[i], v.node.ID = v.node, i+1
		if v.after != nil {
			v.node.After = v.after.node.ID
		}
	}
}

type counter struct {
	groups map[groupKey]*group
	order  []*group
	of     map[*visit]*group
	asked  map[string]*group // the first of those that can share
}

type groupKey struct {
	shares string
	after  *group
}

// put finds the group of a visit.
func (c *counter) put(v *visit) {
	key := groupKey{v.asks.shares, c.of[v.after]}
	if v.asks.whole {
		key.after = nil // the answer serves whoever comes later, too
	}
	g := c.groups[key]
	if shared := g != nil && v.asks.shares != ""; shared {
		v.node.Call.SharesCallsOf = g.first.node.ID
	} else {
		g = &group{first: v, wanted: map[origin]map[string]Count{}}
		c.groups[key] = g
		c.order = append(c.order, g)
		c.spares(v, g)
	}
	g.add(v)
	c.of[v] = g
	if v.asks.whole {
		c.of[v] = &group{first: v} // it has its values at a moment of its own
	}
}

// spares notes that keys of v may have been fetched for another group.
func (c *counter) spares(v *visit, g *group) {
	switch before := c.asked[v.asks.shares]; {
	case v.asks.shares == "":
	case before == nil:
		c.asked[v.asks.shares] = g
	default:
		v.node.Call.SparesKeysOf = before.first.node.ID
	}
}

func (g *group) add(v *visit) {
	a := v.asks
	v.node.Call.Keys = a.keys
	if g.wanted[a.origin] == nil {
		g.wanted[a.origin] = map[string]Count{}
	}
	g.wanted[a.origin][a.field] = max(g.wanted[a.origin][a.field], a.keys)
}

// count says how many calls carry the keys of the group.
func (g *group) count() {
	call := g.first.node.Call
	call.Keys = g.keys()
	call.Calls = call.Keys.over(g.first.asks.one).times(max(1, g.first.asks.pages))
}

// keys adds up what the group wants: a field of an object is one key, however often it is
// asked for, and an object is of one type only, so that the type with most keys tells.
func (g *group) keys() Count {
	most := map[string]Count{}
	for from, fields := range g.wanted {
		var sum Count
		for n := range maps.Values(fields) {
			sum = sum.plus(n)
		}
		most[from.place] = max(most[from.place], sum)
	}
	var all Count
	for n := range maps.Values(most) {
		all = all.plus(n)
	}
	return all
}
