package binding

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// spreadGuards adds the guards of types to fields, since both executors run guards on fields alone:
// to the fields that return the type, so that nothing is fetched for a refused caller, and to the
// fields of the type itself, so that no interface or union avoids them.
// Then it checks interfaces. The executors run the guards of the concrete type alone, so a type
// must repeat the guards of its interfaces (the class of GHSA-mx7m-j9xf-62hw).
func (c *compiler) spreadGuards() {
	types := c.objectTypes()
	spread := c.newTypeGuards()
	for _, def := range types {
		for _, field := range def.Fields {
			addGuards(field, spread.get(def))
			if returned := c.schema.Types[field.Type.Name()]; returned != nil && returned.IsCompositeType() {
				addGuards(field, spread.get(returned))
			}
		}
	}
	for _, def := range types {
		for _, name := range def.Interfaces {
			c.checkInterfaceGuards(def, c.schema.Types[name])
		}
	}
}

// typeGuards finds the guards of types. A connection and its edges have the guards of their nodes
// too: whether nodes exist, and how many, is as secret as the nodes are. An interface or a union
// does not have the guards of its possible types, since the other types may be open.
type typeGuards struct {
	schema *ast.Schema
	nodes  map[*ast.Definition]*ast.Definition // the node type by connection or edge
	known  map[*ast.Definition]ast.DirectiveList
}

func (c *compiler) newTypeGuards() *typeGuards {
	s := &typeGuards{schema: c.schema, nodes: map[*ast.Definition]*ast.Definition{}, known: map[*ast.Definition]ast.DirectiveList{}}
	for _, def := range c.typesOf(ast.Object, ast.Interface) {
		if node := s.nodeType(def); node != nil {
			s.nodes[def] = node
		}
	}
	for _, f := range c.graph.Fields {
		if f.Page != nil {
			node := c.schema.Types[f.Page.Node.Type.Name()]
			s.nodes[f.Page.Connection] = node
			if f.Page.Edge != nil {
				s.nodes[f.Page.Edge] = node
			}
		}
	}
	return s
}

// nodeType returns the type of the nodes of a connection, or of an edge, as Relay's specification
// describes their shapes. It returns nil for other types.
func (s *typeGuards) nodeType(def *ast.Definition) *ast.Definition {
	node, nodes, edges := def.Fields.ForName("node"), def.Fields.ForName("nodes"), def.Fields.ForName("edges")
	isConnection := def.Fields.ForName("pageInfo") != nil || strings.HasSuffix(def.Name, "Connection")
	switch {
	case node != nil && def.Fields.ForName("cursor") != nil:
		return s.schema.Types[node.Type.Name()]
	case isConnection && nodes != nil && isList(nodes.Type):
		return s.schema.Types[nodes.Type.Name()]
	case isConnection && edges != nil && isList(edges.Type):
		if node := s.schema.Types[edges.Type.Name()].Fields.ForName("node"); node != nil {
			return s.schema.Types[node.Type.Name()]
		}
	}
	return nil
}

// get returns the guards of a type.
func (s *typeGuards) get(def *ast.Definition) ast.DirectiveList {
	if guards, known := s.known[def]; known {
		return guards
	}
	s.known[def] = nil // ends the recursion of a connection whose nodes are connections of its own type
	guards := guardsOf(def.Directives)
	if node := s.nodes[def]; node != nil {
		guards = append(guards, s.get(node)...)
	}
	s.known[def] = guards
	return guards
}

// addGuards adds those guards among directives to a field that it does not have yet.
func addGuards(field *ast.FieldDefinition, directives ast.DirectiveList) {
	if strings.HasPrefix(field.Name, "__") {
		return
	}
	for _, guard := range directives {
		if !hasGuard(field.Directives, guard) {
			field.Directives = append(field.Directives, guard)
		}
	}
}

func (c *compiler) checkInterfaceGuards(def, abstract *ast.Definition) {
	if abstract == nil {
		return
	}
	for _, promised := range abstract.Fields {
		field := def.Fields.ForName(promised.Name)
		if field == nil {
			continue
		}
		for _, guard := range guardsOf(promised.Directives) {
			if !hasGuard(field.Directives, guard) {
				c.faults.Add(MissingGuard, field.Position, "%s.%s lacks the guard %s of %s.%s, and would be a way around it; repeat it here",
					def.Name, field.Name, directiveText(guard), abstract.Name, promised.Name)
			}
		}
	}
}

// GuardsOf returns the guards of a field, which Compile must have spread. Guards that another one
// repeats or implies are left out.
func GuardsOf(field *ast.FieldDefinition) ast.DirectiveList {
	guards := guardsOf(field.Directives)
	var distinct ast.DirectiveList
	for i, guard := range guards {
		implied := func(other *ast.Directive) bool {
			return slices.Contains(DirectiveByName(other.Name).implies, guard.Name)
		}
		equal := func(other *ast.Directive) bool { return GuardCheck(other) == GuardCheck(guard) }
		if !slices.ContainsFunc(guards, implied) && !slices.ContainsFunc(guards[:i], equal) {
			distinct = append(distinct, guard)
		}
	}
	return distinct
}

// GuardTexts returns the guards of a field as the schema writes them. Compile has to have spread them.
func GuardTexts(field *ast.FieldDefinition) []string {
	var guards []string
	for _, guard := range guardsOf(field.Directives) {
		guards = append(guards, directiveText(guard))
	}
	return guards
}

func guardsOf(directives ast.DirectiveList) ast.DirectiveList {
	var guards ast.DirectiveList
	for _, name := range DirectivesOf(Guard) {
		guards = append(guards, directives.ForNames(name)...)
	}
	return guards
}

// hasGuard reports whether guard is among directives, or another guard that implies it.
func hasGuard(directives ast.DirectiveList, guard *ast.Directive) bool {
	for _, d := range guardsOf(directives) {
		if d.Name == guard.Name && directiveText(d) == directiveText(guard) || slices.Contains(DirectiveByName(d.Name).implies, guard.Name) {
			return true
		}
	}
	return false
}

// GuardCheck returns the check of a guard as a Go expression: a call of a function of package auth, or
// of package engine if IsEngineGuard, whose result is an error.
func GuardCheck(guard *ast.Directive) string { return DirectiveByName(guard.Name).check(guard) }

// IsEngineGuard reports whether the code of a guard is in package engine, and not in package auth. Such a
// guard refuses a field at a place of the operation; it does not decide which callers may see the field.
func IsEngineGuard(name string) bool { return DirectiveByName(name).inEngine }

// guarded returns the fact that every guard states of its field.
func guarded(*ast.Directive) []Fact { return []Fact{{"Guarded", "true"}} }

// checkScopeLists refuses every @requiresScopes that no token satisfies, or that requires nothing. The
// gateway refuses every caller there, although Apollo's reading of an empty inner list is that any
// token will do: the schema has to say which of the two is meant.
func (c *compiler) checkScopeLists() {
	for _, def := range c.typesOf(ast.Object, ast.Interface) {
		c.checkScopeListsOf(def.Directives)
		for _, f := range def.Fields {
			c.checkScopeListsOf(f.Directives)
		}
	}
}

func (c *compiler) checkScopeListsOf(directives ast.DirectiveList) {
	for _, guard := range directives.ForNames("requiresScopes") {
		if c.invalid[guard] {
			continue
		}
		scopes := argument(guard, "scopes")
		lists := listElements(scopes)
		if len(lists) == 0 {
			c.faults.Add(EmptyScopes, scopes.Position, `no list of scopes is here, so no caller could see this; write the scopes, as in [["orders:read"]], or remove what nobody may see`)
		}
		for _, list := range lists {
			names := listElements(list)
			if len(names) == 0 {
				c.faults.Add(EmptyScopes, list.Position, `a list without scopes requires nothing; write @authenticated if any caller with a token may see this, or the scopes, as in [["orders:read"]]`)
			}
			for _, scope := range names {
				if !isScope(scope.Raw) {
					c.faults.Add(EmptyScopes, scope.Position, "no token has the scope %q: a scope is visible ASCII characters without spaces, quotes and backslashes (RFC 6749, section 3.3); write several scopes as [\"a\", \"b\"]", scope.Raw)
				}
			}
		}
	}
}

// isScope reports whether a text is a scope-token of RFC 6749, section 3.3.
func isScope(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

// checkScopes returns the check of a @requiresScopes.
func checkScopes(guard *ast.Directive) string {
	var alternatives []string
	for _, all := range listElements(argument(guard, "scopes")) {
		var scopes []string
		for _, scope := range listElements(all) {
			scopes = append(scopes, strconv.Quote(scope.Raw))
		}
		alternatives = append(alternatives, "{"+strings.Join(scopes, ", ")+"}")
	}
	return "CheckScopes(ctx, [][]string{" + strings.Join(alternatives, ", ") + "})"
}

// directiveText returns a directive as the schema writes it.
func directiveText(d *ast.Directive) string {
	if len(d.Arguments) == 0 {
		return "@" + d.Name
	}
	args := make([]string, len(d.Arguments))
	for i, a := range d.Arguments {
		args[i] = a.Name + ": " + a.Value.String()
	}
	return "@" + d.Name + "(" + strings.Join(args, ", ") + ")"
}
