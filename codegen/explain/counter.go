package explain

import (
	"cmp"
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// group is a set of visits that share calls. They make the same call with keys from objects that
// the same response contains, so all their keys are known at the same time and go into the same
// batches.
type group struct {
	first     *visit
	keyCounts map[origin]map[string]Count // the number of keys by the field that holds them
}

// countCalls numbers the nodes, groups the visits and adds up the calls.
func countCalls(p *Plan, visits []*visit) {
	numberNodes(p, visits)
	c := counter{
		mutation: p.Operation == string(ast.Mutation), groups: map[groupKey]*group{}, groupOf: map[*visit]*group{},
		firstByCall: map[epochKey]*group{}, firstByRequest: map[string]*group{},
	}
	for _, v := range visits {
		if v.node.Call != nil {
			c.add(v)
		} else {
			c.groupOf[v] = &group{first: v}
			p.Handwritten++
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

// numberNodes orders visits and nodes by rounds and numbers them. A visit then stands behind the
// one that brings its parents, on which counter.add relies.
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

// counter groups visits. It mirrors how the engine identifies batches (engine.Identity): a
// difference between the two makes the counts wrong, which the test of testdata/explained notices.
type counter struct {
	mutation       bool
	groups         map[groupKey]*group
	order          []*group
	groupOf        map[*visit]*group
	firstByCall    map[epochKey]*group // the first group of each call
	firstByRequest map[string]*group   // the first group of each request that is known beforehand
}

// groupKey identifies a group: what is called, and the group whose response contains the parents.
type groupKey struct {
	epochKey
	after *group
}

// epochKey is a call in an epoch of the operation (engine.WithEpoch), which is the visit of a root
// field of a mutation, or nil.
type epochKey struct {
	callKey string
	epoch   *visit
}

// epochOf returns the root field that v is below, if it begins an epoch.
func (c *counter) epochOf(v *visit) *visit {
	if !c.mutation {
		return nil
	}
	for v.after != nil {
		v = v.after
	}
	return v
}

// add adds a visit to its group.
func (c *counter) add(v *visit) {
	if before := c.firstByRequest[v.demand.requestKey]; before != nil && (v.demand.callKey == "" || before.first.demand.callKey != v.demand.callKey) {
		v.node.Call.Keys, v.node.Call.SharesCallsOf = v.demand.keys, before.first.node.ID
		c.groupOf[v] = &group{first: v}
		return
	}
	key := groupKey{epochKey{v.demand.callKey, c.epochOf(v)}, c.groupOf[v.after]}
	if v.demand.keyless {
		key.after = nil // the response serves later visits too
	}
	g := c.groups[key]
	if shared := g != nil && v.demand.callKey != ""; shared {
		v.node.Call.SharesCallsOf = g.first.node.ID
	} else {
		g = &group{first: v, keyCounts: map[origin]map[string]Count{}}
		c.groups[key] = g
		c.order = append(c.order, g)
		c.noteRepeatedKeys(v, g)
		if v.demand.requestKey != "" {
			c.firstByRequest[v.demand.requestKey] = g
		}
	}
	g.add(v)
	c.groupOf[v] = g
	if v.demand.keyless {
		c.groupOf[v] = &group{first: v} // visits below it start when it has its values, not when the call is made
	}
}

// noteRepeatedKeys notes that the keys of v may have been fetched by an earlier group with the same
// call.
func (c *counter) noteRepeatedKeys(v *visit, g *group) {
	key := epochKey{v.demand.callKey, c.epochOf(v)}
	switch before := c.firstByCall[key]; {
	case v.demand.callKey == "":
	case before == nil:
		c.firstByCall[key] = g
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

// countCalls sets the number of keys and calls of the group's first node.
func (g *group) countCalls() {
	call := g.first.node.Call
	call.Keys = g.keys()
	call.Calls = call.Keys.dividedBy(g.first.demand.batchSize).multiply(max(1, g.first.demand.callsPerKey))
}

// keys returns the number of keys of the group. Each field that holds a key counts once for an
// object, however many visits read it. An object has one type only, so of the types at a place the
// one with most keys counts.
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
