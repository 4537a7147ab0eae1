package plugin

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// One operation makes equal calls once (decision 0045). Which bindings may make equal calls is
// known when generating: those of one source whose requests can be the same for some values.
// They form a group. At run time, the operations that select several fields of a group look each
// of its calls up before they make it, and all other operations do nothing.
//
// Bindings of one batch are no reason for a group, since they share a loader, which fetches each
// key once.

// callGroup is the group of a binding's calls. Its name is "" for a binding without a group.
type callGroup struct {
	name   string
	loader int  // the number of the binding's loader in the group, from 1; 0 without a loader
	each   bool // every parent makes calls of its own
}

// callGroups returns the groups of all bindings. It computes them once.
func (g *generator) callGroups() map[*binding.Field]callGroup {
	if g.groups != nil {
		return g.groups
	}
	g.groups = map[*binding.Field]callGroup{}
	names := map[string]bool{}
	for _, members := range g.equalCalls() {
		c := g.newCallGroup(members)
		if c == nil {
			continue
		}
		name := c[members[0]].name
		for n := 2; names[c[members[0]].name]; n++ { // of calls that differ in values alone
			for b, group := range c {
				group.name = fmt.Sprintf("%s #%d", name, n)
				c[b] = group
			}
		}
		names[c[members[0]].name] = true
		maps.Copy(g.groups, c)
	}
	return g.groups
}

// newCallGroup returns the group of bindings whose calls may be equal, nil if one loader makes
// all of them.
func (g *generator) newCallGroup(members []*binding.Field) map[*binding.Field]callGroup {
	group, loaders := map[*binding.Field]callGroup{}, map[string]int{}
	repeats := false
	for _, b := range members {
		c := callGroup{name: b.Source + " " + callPattern(&b.Call), each: b.Page != nil && !g.isQuery(b)}
		if g.usesLoader(b) {
			text := loaderText(b)
			if loaders[text] == 0 {
				loaders[text] = len(loaders) + 1
			}
			c.loader = loaders[text]
		}
		repeats = repeats || c.loader == 0
		group[b] = c
	}
	if !repeats && len(loaders) < 2 {
		return nil
	}
	for b, c := range group {
		c.name = group[members[0]].name
		group[b] = c
	}
	return group
}

// equalCalls returns the bindings of reading calls, grouped by whether their calls may be equal.
func (g *generator) equalCalls() [][]*binding.Field {
	var all [][]*binding.Field
	for _, b := range g.graph.Bindings() {
		if !g.isRead(b) {
			continue
		}
		joined := []*binding.Field{b}
		all = slices.DeleteFunc(all, func(members []*binding.Field) bool {
			equal := slices.ContainsFunc(members, func(other *binding.Field) bool { return g.mayBeEqual(b, other) })
			if equal {
				joined = append(slices.Clone(members), joined...)
			}
			return equal
		})
		all = append(all, joined)
	}
	return all
}

// isRead reports whether the calls of a binding only read: they are a GET, and not that of a field
// of Mutation, nor that of a subscription, which reads again for each event.
func (g *generator) isRead(b *binding.Field) bool {
	if b.Call.Method != http.MethodGet || b.Call.Body != nil {
		return false
	}
	if b.Definition.Name == "" {
		return g.isCompleted(b.Object.Name)
	}
	return g.isQuery(b) || !g.data.Config.IsRoot(b.Object)
}

func (g *generator) isQuery(b *binding.Field) bool {
	return b.Definition.Name != "" && b.Object.Name == g.data.Schema.Query.Name
}

// usesLoader reports whether a loader makes the calls of a binding, and whether it makes different
// calls for different arguments, so that loaders of one text never make equal calls. An argument
// that is changed on its way into the call, and a list, which may be empty or null, have equal
// requests for different values.
func (g *generator) usesLoader(b *binding.Field) bool {
	if b.Page != nil || b.ReportsSuccess || g.isQuery(b) {
		return false
	}
	isPlain := func(v *binding.Value) bool {
		return v.IsPlain() && (v.Scope != binding.Args || v.Type != nil && v.Type.Elem == nil && v.Type.NamedType != "JSON" && g.isLeaf(v.Type))
	}
	for _, v := range callValues(&b.Call) {
		hasArgument := slices.ContainsFunc(slices.Collect(v.Variables()), func(of *binding.Value) bool { return of.Scope == binding.Args })
		if hasArgument && !isPlain(v) {
			return false
		}
	}
	return !slices.ContainsFunc(b.SelectionVariables, func(v *binding.Value) bool { return v.Scope == binding.Args })
}

func (g *generator) isLeaf(t *ast.Type) bool {
	def := g.data.Schema.Types[t.Name()]
	return def != nil && def.IsLeafType()
}

// callValues returns the values of a call, in the order in which it is written.
func callValues(c *binding.Call) (all []*binding.Value) {
	parts := slices.Clone(c.Path)
	for _, p := range slices.Concat(c.Query, c.Headers, c.Cookies) {
		parts = append(parts, p.Parts...)
	}
	for _, p := range parts {
		if p.Value != nil {
			all = append(all, p.Value)
		}
	}
	return all
}

// loaderText returns a text that is equal for two bindings only if they have loaders of equal
// identities for equal arguments.
func loaderText(b *binding.Field) string {
	own := b.ParentFields()
	var t strings.Builder
	value := func(v *binding.Value) {
		switch {
		case v == nil:
		case v.IsPlain() && v.Scope == binding.Keys:
			t.WriteString("{keys}")
		case v.IsPlain() && v.Scope == binding.This:
			fmt.Fprintf(&t, "{own %d %s}", slices.Index(own, v.Path[0]), v.Type.Name())
		case v.IsPlain() || v.Text == nil:
			fmt.Fprintf(&t, "{%s %s}", v, v.Literal)
		default:
			fmt.Fprintf(&t, "{%s}", v.Text.Raw[v.Offset:])
		}
	}
	parts := func(kind, name string, all []binding.Part) {
		fmt.Fprintf(&t, "%s%q", kind, name)
		for _, p := range all {
			fmt.Fprintf(&t, "%q%p", p.Literal, p.Style)
			value(p.Value)
		}
	}
	parts("path", "", b.Call.Path)
	for i, params := range [][]binding.Param{b.Call.Query, b.Call.Headers, b.Call.Cookies} {
		for _, p := range params {
			parts(fmt.Sprintf(" %d %t %p ", i, p.Explode, p.Style), p.Name, p.Parts)
		}
	}
	fmt.Fprintf(&t, " %s %s as %s, stale for %s", b.Call.Timeout, b.Extraction, loadedType(b), b.OnError.MaxAge)
	for _, v := range slices.Concat([]*binding.Value{b.Rules.Success, b.Rules.Message, b.Rules.Extensions}, b.SelectionVariables) {
		t.WriteString(";")
		value(v)
	}
	return t.String()
}

// loadedType returns a text for the type of what a loader returns for one key, and for how it is
// matched with the key.
func loadedType(b *binding.Field) string {
	t := b.Definition.Type
	if b.Batch == nil {
		return t.String()
	}
	if b.Batch.ParentKey.Type.Elem != nil { // a list of keys, each with a value
		t = t.Elem
	}
	if b.Batch.ItemKey == "" {
		return fmt.Sprintf("{%s} %d", t, b.Batch.MaxSize)
	}
	return fmt.Sprintf("%t %s by %s %d", t.Elem != nil, t.Name(), b.Batch.ItemKey, b.Batch.MaxSize)
}

// callPattern returns method and path of a call, with {} for each value, and the names of its
// parameters.
func callPattern(c *binding.Call) string {
	text := c.Method + " " + pathPattern(c)
	for i, p := range c.Query {
		if i == 0 {
			text += "?"
		} else {
			text += "&"
		}
		text += p.Name
	}
	return text
}

// pathPattern returns the path of a call with {} for each value.
func pathPattern(c *binding.Call) string {
	var b strings.Builder
	for _, p := range c.Path {
		if p.Value != nil {
			b.WriteString("{}")
			continue
		}
		b.WriteString(pathEscaper.Replace(p.Literal))
	}
	return b.String()
}

// mayBeEqual reports whether the calls of two bindings can be the same request. It may be wrong
// only by returning true.
func (g *generator) mayBeEqual(a, b *binding.Field) bool {
	return a.Source == b.Source && a.Call.Timeout == b.Call.Timeout && pathsMayBeEqual(pathPattern(&a.Call), pathPattern(&b.Call)) &&
		g.queryFits(&a.Call, &b.Call) && g.queryFits(&b.Call, &a.Call)
}

// pathsMayBeEqual compares two patterns segment by segment. A value never has a slash: it is
// escaped.
func pathsMayBeEqual(a, b string) bool {
	first, second := strings.Split(a, "/"), strings.Split(b, "/")
	if len(first) != len(second) {
		return false
	}
	for i := range first {
		if first[i] != second[i] && !strings.Contains(first[i]+second[i], "{}") {
			return false
		}
	}
	return true
}

// queryFits reports whether every parameter that call always sends may be sent by other.
func (g *generator) queryFits(call, other *binding.Call) bool {
	if slices.ContainsFunc(other.Query, g.hasAnyName) {
		return true
	}
	for _, p := range call.Query {
		literal, isLiteral := literalOf(p)
		same := slices.ContainsFunc(other.Query, func(o binding.Param) bool {
			text, fixed := literalOf(o)
			return o.Name == p.Name && (!isLiteral || !fixed || text == literal)
		})
		if !same && (isLiteral || g.isAlwaysSent(p)) {
			return false
		}
	}
	return true
}

// literalOf returns the text of a parameter without values.
func literalOf(p binding.Param) (text string, ok bool) {
	for _, part := range p.Parts {
		if part.Value != nil {
			return "", false
		}
		text += part.Literal
	}
	return text, true
}

// isAlwaysSent reports whether a parameter is in every request of its call.
func (g *generator) isAlwaysSent(p binding.Param) bool {
	if len(p.Parts) != 1 {
		return len(p.Parts) > 1 // as one text, with the values that are there
	}
	switch v := p.Parts[0].Value; {
	case !v.IsPlain() || g.hasAnyName(p):
		return false
	case v.Scope == binding.Keys:
		return true
	case v.Scope == binding.PageScope:
		return v.Path[0] != "cursor"
	default:
		return v.Type != nil && v.Type.NonNull && v.Type.Elem == nil && g.isLeaf(v.Type)
	}
}

// hasAnyName reports whether a parameter may send others, of any name: the members of an object.
func (g *generator) hasAnyName(p binding.Param) bool {
	if p.Style != nil && (p.Style.Style == "deepObject" || p.Style.In == "querystring") {
		return p.Style.In == "querystring"
	}
	if !p.Explode && (p.Style == nil || !p.Style.Explode) {
		return false
	}
	return slices.ContainsFunc(p.Parts, func(part binding.Part) bool {
		v := part.Value
		return v != nil && (!v.IsPlain() || v.Scope != binding.Keys && v.Scope != binding.PageScope && (v.Type == nil || v.Type.Elem == nil && !g.isLeaf(v.Type)))
	})
}

// callInfos writes the value of plan.FieldInfo.Calls for a field: the groups of the calls that
// resolve it and complete its objects. It returns "" if there are none.
func (w *engineWriter) callInfos(o *codegen.Object, f *codegen.Field) string {
	var infos []string
	for _, b := range w.bindingsOf(o, f) {
		c := w.callGroups()[b]
		if c.name == "" {
			continue
		}
		info := fmt.Sprintf("{Group: %q", c.name)
		if c.loader > 0 {
			info += fmt.Sprintf(", Loader: %d", c.loader)
		}
		if c.each {
			info += ", Each: true"
		}
		if info += "}"; !slices.Contains(infos, info) {
			infos = append(infos, info)
		}
	}
	if len(infos) == 0 {
		return ""
	}
	return "[]" + w.view.Plan + "CallInfo{" + strings.Join(infos, ", ") + "}"
}
