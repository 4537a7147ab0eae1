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
	keyCounts map[origin]map[string]Count // keys by the fields that hold them
}

// countCalls numbers the nodes, finds those that share calls, and adds the calls up.
func countCalls(p *Plan, visits []*visit) {
	numberNodes(p, visits)
	c := counter{groups: map[groupKey]*group{}, groupOf: map[*visit]*group{}, firstByCall: map[string]*group{}}
	for _, v := range visits {
		if v.node.Call != nil {
			c.add(v)
		} else {
			c.groupOf[v] = &group{first: v}
			p.ByHand++
		}
	}
	for _, g := range c.order {
		g.countCalls()
		p.Calls = p.Calls.add(g.first.node.Call.Calls)
	}
	for _, n := range p.Nodes {
		if n.Call == nil || n.Call.Calls > 0 {
			p.Rounds = max(p.Rounds, n.Round)
		}
	}
}

// numberNodes puts visits and nodes in the order of their rounds: what brings parents is before
// what needs them.
func numberNodes(p *Plan, visits []*visit) {
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
	groupOf     map[*visit]*group
	firstByCall  map[string]*group // the first of those that can share
}

type groupKey struct {
	callKey string
	after  *group
}

// add finds the group of a visit.
func (c *counter) add(v *visit) {
	key := groupKey{v.demand.callKey, c.groupOf[v.after]}
	if v.demand.keyless {
		key.after = nil // the answer serves whoever comes later, too
	}
	g := c.groups[key]
	if shared := g != nil && v.demand.callKey != ""; shared {
		v.node.Call.SharesCallsOf = g.first.node.ID
	} else {
		g = &group{first: v, keyCounts: map[origin]map[string]Count{}}
		c.groups[key] = g
		c.order = append(c.order, g)
		c.noteRepeatedKeys(v, g)
	}
	g.add(v)
	c.groupOf[v] = g
	if v.demand.keyless {
		c.groupOf[v] = &group{first: v} // it has its values at a moment of its own
	}
}

// noteRepeatedKeys notes that keys of v may have been fetched for another group.
func (c *counter) noteRepeatedKeys(v *visit, g *group) {
	switch before := c.firstByCall[v.demand.callKey]; {
	case v.demand.callKey == "":
	case before == nil:
		c.firstByCall[v.demand.callKey] = g
	default:
		v.node.Call.SparesKeysOf = before.first.node.ID
	}
}

func (g *group) add(v *visit) {
	a := v.demand
	v.node.Call.Keys = a.keys
	if g.keyCounts[a.origin] == nil {
		g.keyCounts[a.origin] = map[string]Count{}
	}
	g.keyCounts[a.origin][a.field] = max(g.keyCounts[a.origin][a.field], a.keys)
}

// countCalls says how many calls carry the keys of the group.
func (g *group) countCalls() {
	call := g.first.node.Call
	call.Keys = g.keys()
	call.Calls = call.Keys.dividedBy(g.first.demand.batchSize).multiply(max(1, g.first.demand.callsPerKey))
}

// keys adds up what the group wants: a field of an object is one key, however often it is
// asked for, and an object is of one type only, so that the type with most keys tells.
func (g *group) keys() Count {
	most := map[string]Count{}
	for from, fields := range g.keyCounts {
		var sum Count
		for n := range maps.Values(fields) {
			sum = sum.add(n)
		}
		most[from.place] = max(most[from.place], sum)
	}
	var all Count
	for n := range maps.Values(most) {
		all = all.add(n)
	}
	return all
}
