package checks

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// answer checks that what an operation answers is what a field promises.
func (c *checker) answer(f *binding.Field, op *openapi.Operation) {
	if f.Done {
		return
	}
	success := op.Success()
	if success == nil {
		if len(op.Responses) > 0 {
			c.faults.Add(binding.NoAnswer, f.Position, "%s %s answers no JSON (%s), so %s cannot be read from it", op.Method, op.Path, op.Place, nameOf(f))
		}
		return
	}
	s, nullable, ok := c.root(f, success.JSON().Schema)
	if !ok {
		return
	}
	t := f.Definition.Type
	if f.Batch != nil {
		if s, t, ok = c.batched(f, s); !ok {
			return
		}
	} else if nullable != nil && t.NonNull {
		c.faults.Add(binding.NullableAnswer, t.Position, "%s is %s, but %s says that it may be missing or null; write %s", nameOf(f), t, nullable, strings.TrimSuffix(t.String(), "!"))
		return
	}
	c.holds(nameOf(f), t, s)
}

// root follows a selection's path into an answer. The second result is where the document
// says that a part of the path may be missing or null; ok is false when there is nothing
// to check against.
func (c *checker) root(f *binding.Field, s *openapi.Schema) (_ *openapi.Schema, nullable *openapi.Place, ok bool) {
	for _, name := range f.Root {
		if s.Any() {
			return nil, nil, false
		}
		p := s.Property(name)
		if p == nil {
			if s.Additional == nil {
				c.faults.Add(binding.UnknownAnswerMember, f.Position, "the answer has no member %q: %s%s", name, place(s), binding.DidYouMean(name, s.PropertyNames()))
			}
			return nil, nil, false
		}
		if nullable == nil && (!p.Required || p.Schema.Nullable) {
			nullable = &p.Place
		}
		s = p.Schema
	}
	return s, nullable, !s.Any()
}

// batched gives what one key stands for: the schema, and the type to hold against it.
func (c *checker) batched(f *binding.Field, s *openapi.Schema) (*openapi.Schema, *ast.Type, bool) {
	t := *f.Definition.Type
	t.NonNull = false // a key that is missing is no matter of the document
	if f.Batch.Parent.Type.Elem != nil {
		t = *t.Elem
	}
	if f.Batch.Item == "" {
		values := s.Map()
		if values == nil {
			c.faults.Add(binding.BatchAnswer, f.Position, "%s is batched without a key, so its answer is an object with a member for each key, but %s is %s; name the item's field by batch: {key: \"id\"}", nameOf(f), place(s), s)
		}
		return values, &t, values != nil && !values.Any()
	}
	if !s.Is("array") || s.Items == nil {
		c.faults.Add(binding.BatchAnswer, f.Position, "%s is matched by %q, so its answer is a list, but %s is %s; point selection at the list", nameOf(f), f.Batch.Item, place(s), s)
		return nil, nil, false
	}
	if t.Elem != nil {
		t = *t.Elem
	}
	t.NonNull = true
	return s.Items, &t, !s.Items.Any()
}

// holds checks that a field's type can hold what the service sends, and its objects'
// fields too.
func (c *checker) holds(name string, t *ast.Type, s *openapi.Schema) {
	if why := c.typeOf(t).Holds(s); why != "" {
		c.faults.Add(unfit(c.typeOf(nullable(t)).Holds(s)), t.Position, "%s is %s, but %s", name, t, why)
		return
	}
	c.inside(t, s)
}

// unfit is the check that an answer fails, given what is still wrong when null may stand
// everywhere.
func unfit(besides string) binding.Code {
	if besides == "" {
		return binding.NullableAnswer
	}
	return binding.AnswerType
}

// nullable is a type, lists and their elements included, without promises.
func nullable(t *ast.Type) *ast.Type {
	loose := &ast.Type{NamedType: t.NamedType}
	if t.Elem != nil {
		loose.Elem = nullable(t.Elem)
	}
	return loose
}

// inside goes on into objects and lists of them.
func (c *checker) inside(t *ast.Type, s *openapi.Schema) {
	for ; t.Elem != nil && s.Items != nil; t = t.Elem {
		s = s.Items
	}
	if def := c.schema.Types[t.Name()]; t.Elem == nil && def.Kind == ast.Object {
		c.members(def, s)
	}
}

// members checks the fields of a type that come with its object.
func (c *checker) members(def *ast.Definition, s *openapi.Schema) {
	at := visit{def.Name, s}
	if c.seen[at] || s.Any() {
		return
	}
	c.seen[at] = true
	for _, f := range def.Fields {
		if !binding.Sent(f) {
			continue
		}
		wire := c.graph.WireName(def.Name, f.Name)
		p := s.Property(wire)
		if p == nil {
			if s.Additional == nil {
				c.faults.Add(binding.UnknownAnswerField, f.Position, "%s.%s: %s has no property %q%s", def.Name, f.Name, place(s), wire, binding.DidYouMean(wire, s.PropertyNames()))
			}
			continue
		}
		if why := c.typeOf(f.Type).HoldsProperty(p); why != "" {
			c.faults.Add(unfit(c.typeOf(nullable(f.Type)).HoldsProperty(p)), f.Type.Position, "%s.%s is %s, but %s", def.Name, f.Name, f.Type, why)
			continue
		}
		c.inside(f.Type, p.Schema)
	}
}
