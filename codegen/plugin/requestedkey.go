package plugin

import (
	"fmt"
	"go/types"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// requestedKey is the key by which a call requests one object. The object in the response must
// have it: a service that returns another one is broken, and the other object may be private.
type requestedKey struct {
	value *binding.Value
	field string // of the object, which contains its key
}

// requestedKey returns the key by which a binding's call requests one object. It returns nil if
// there is none, or if it is not certain to be the object's own key. It is certain for
//
//   - the call that completes objects of a type by one of their fields, and
//   - a GET, PUT, PATCH or DELETE whose path ends with an identifier that has the name and type
//     of a field of the result: the argument id of user(id: ID!): User, or userId, also of a
//     parent, or customerId for a field customer.
//
// A String may be a slug or an alias, and is not compared.
func (g *generator) requestedKey(b *binding.Field) *requestedKey {
	of := b.Definition.Type
	if b.Batch != nil || b.Page != nil || b.ReportsSuccess || of.Elem != nil {
		return nil
	}
	object := g.objectNamed(of.NamedType)
	if object == nil {
		return nil
	}
	if b.Definition.Name == "" {
		return g.entityKey(b, object)
	}
	last := lastSegment(&b.Call)
	if last == nil || last.Type == nil || !g.identifies(last.Type) || len(last.Path) != 1 || len(last.Transforms) > 0 {
		return nil
	}
	for _, field := range object.Fields {
		if field.TypeReference.GQL.NamedType == last.Type.NamedType && isKey(field) && namesKey(b, last, field.Name) {
			return &requestedKey{last, field.Name}
		}
	}
	return nil
}

// identifies reports whether values of a type identify objects.
func (g *generator) identifies(t *ast.Type) bool {
	s := g.graph.Scalar(t.NamedType)
	return s != nil && s.Identity
}

// entityKey returns the key of the binding of a type, nil unless it is one field.
func (g *generator) entityKey(b *binding.Field, object *codegen.Object) *requestedKey {
	own := parentFields(b)
	if len(own) != 1 || len(own[0].Path) != 1 || len(own[0].Transforms) > 0 {
		return nil
	}
	if field := g.field(object.Name, own[0].Path[0]); !isKey(field) {
		return nil
	}
	return &requestedKey{own[0], own[0].Path[0]}
}

// lastSegment returns the value that is the last segment of a path, nil if the path ends
// otherwise. It returns nil for a POST, whose result need not be the object at its path.
func lastSegment(c *binding.Call) *binding.Value {
	n := len(c.Path)
	if c.Method == http.MethodPost || n < 2 || c.Path[n-1].Value == nil || !strings.HasSuffix(c.Path[n-2].Literal, "/") {
		return nil
	}
	if style := c.Path[n-1].Style; style != nil && (style.Style == "label" || style.Style == "matrix") {
		return nil
	}
	return c.Path[n-1].Value
}

// namesKey reports whether the name of a value says that it is the key of a binding's result.
func namesKey(b *binding.Field, v *binding.Value, key string) bool {
	name, upper := v.Path[0], templates.UcFirst(key)
	switch v.Scope {
	case binding.Args:
		if name == key {
			return true
		}
	case binding.This: // the parent's key is not the key of the object it refers to
	default:
		return false
	}
	return name == b.Definition.Name+upper || name == templates.LcFirst(b.Definition.Type.NamedType)+upper
}

// isKey reports whether a field can hold a key: a string or an integer, which may be null.
func isKey(f *codegen.Field) bool {
	goType := f.TypeReference.GO
	if p, ok := goType.(*types.Pointer); ok {
		goType = p.Elem()
	}
	basic, ok := goType.Underlying().(*types.Basic)
	return ok && !f.IsResolver && basic.Info()&(types.IsString|types.IsInteger) != 0
}

// checkKey writes a decoder that compares the key of an object with the requested key.
func (r *decoderWriter) checkKey(a *requestedKey, tr *config.TypeReference, read string) string {
	field := r.g.field(tr.Definition.Name, a.field)
	object := r.f.typ(r.g.objectNamed(tr.Definition.Name).Type)
	key := r.g.keyPointer(r.f, "object", field)
	return fmt.Sprintf("%sCheckKey(%q, %s, %s, func(object *%s) *string { return %s })",
		r.f.use(decodePkg), a.field, r.argument(a.value), read, object, key)
}

// takeRequestedKey returns the key to compare, at the first object of the selection; nil
// elsewhere.
func (r *decoderWriter) takeRequestedKey(tr *config.TypeReference) *requestedKey {
	a := r.requestedKey
	r.requestedKey = nil
	if a == nil || tr.GQL.Elem != nil || tr.Definition.Kind != ast.Object {
		return nil
	}
	return a
}

// selectsKey reports whether a selection reads the key as the service sends it.
func selectsKey(read *binding.Extraction, key string) bool {
	for _, f := range read.Fields {
		if f.Field.Name == key {
			of := f.Extraction
			for of.Op == binding.Member {
				of = of.Inner
			}
			return of.Op == binding.ByName
		}
	}
	return false
}
