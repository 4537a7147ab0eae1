package plugin

import (
	"cmp"
	"fmt"
	"go/ast"
	"path/filepath"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// MissingResolvers is the error for fields that do not have exactly one resolver. The package of
// resolvers does not compile until all of them have.
type MissingResolvers struct {
	Missing    []Method    // fields that are not bound and have no method
	Duplicates []Duplicate // bound fields that have a handwritten resolver too
}

// Method is a handwritten resolver, or one that has to be written.
type Method struct {
	Field     string // Type.field
	Receiver  string // the name of its type
	Name      string
	Signature string // func (r userResolver) Name(ctx context.Context, …) (…, error)
	Position  string // file:line:column; "" if it is missing
}

// Duplicate is a handwritten resolver of a field that is bound too.
type Duplicate struct {
	Field string // Type.field
	Place string // file:line:column of the handwritten resolver
}

// Error names each field with the place, or with the method to write.
func (u *MissingResolvers) Error() string {
	var b strings.Builder
	for _, t := range u.Duplicates {
		fmt.Fprintf(&b, "%s: %s is bound in the schema and resolved here too; remove the method, or the field's @connect\n", t.Place, t.Field)
	}
	if len(u.Missing) > 0 {
		fmt.Fprintf(&b, "the code is generated, but these fields have neither a binding nor a method; write the methods, for example into %s, or bind the fields with @connect:\n",
			filepath.Join(ResolversDir, fileFor(u.Missing[0])))
	}
	for _, m := range u.Missing {
		fmt.Fprintf(&b, "\n\t// %s resolves %s.\n\t%s\n", m.Name, m.Field, m.Signature)
	}
	return strings.TrimSpace(b.String())
}

// fileFor proposes a file for a method: that of its type.
func fileFor(m Method) string {
	object, _, _ := strings.Cut(m.Field, ".")
	return fileName(object)
}

// findResolvers compares the resolvers that gqlgen's interfaces require with the handwritten ones,
// by name. It returns all that are handwritten or have to be. The error is nil when each field has
// exactly one resolver.
func (g *generator) findResolvers() ([]Method, *MissingResolvers, error) {
	byHand, err := handwrittenMethods("")
	if err != nil {
		return nil, nil, err
	}
	var all []Method
	u := &MissingResolvers{}
	for _, o := range slices.Concat(g.data.Objects, g.data.Inputs) {
		for _, f := range o.Fields {
			if !f.IsResolver || strings.HasPrefix(o.Name, "__") {
				continue
			}
			place := byHand[[2]string{receiver(o.Name), f.GoFieldName}]
			if g.isBound(o, f) {
				if place != "" {
					u.Duplicates = append(u.Duplicates, Duplicate{o.Name + "." + f.Name, place})
				}
				continue
			}
			m := Method{
				Field: o.Name + "." + f.Name, Receiver: receiver(o.Name), Name: f.GoFieldName, Signature: g.signature(g.newFile(ResolversDir, locals), o, f),
				Position: cmp.Or(place, byHand[[2]string{"Resolver", f.GoFieldName}]),
			}
			if all = append(all, m); m.Position == "" {
				u.Missing = append(u.Missing, m)
			}
		}
	}
	if len(u.Missing)+len(u.Duplicates) == 0 {
		u = nil
	}
	return all, u, nil
}

var stubsTemplate = newTemplate("stubs", "{{ range . }}\n{{ . }} { panic(0) }\n{{ end }}")

// stubs writes a file with a stub for each handwritten resolver, or for those that are missing.
// With the stubs, the types of generated code are checked before all resolvers are written.
func (g *generator) stubs(missing bool) ([]byte, error) {
	f := g.newFile(ResolversDir, locals)
	f.use("context")
	var signatures []string
	for _, o := range slices.Concat(g.data.Objects, g.data.Inputs) {
		for _, field := range o.Fields {
			stands := func(m Method) bool {
				return m.Receiver == receiver(o.Name) && m.Name == field.GoFieldName && (!missing || m.Position == "")
			}
			if field.IsResolver && slices.ContainsFunc(g.methods, stands) {
				signatures = append(signatures, g.signature(f, o, field))
			}
		}
	}
	return f.render(ResolversDir, stubsTemplate, signatures)
}

// isBound reports whether a resolver is generated for a field.
func (g *generator) isBound(o *codegen.Object, f *codegen.Field) bool {
	return g.graph.Completion(o.Name, f.Name) != nil || slices.ContainsFunc(g.graph.Fields, func(b *binding.Field) bool {
		return b.Object.Name == o.Name && b.Definition.Name == f.Name
	})
}

// signature writes the signature of a resolver as gqlgen's interfaces require it.
func (g *generator) signature(f *goFile, o *codegen.Object, field *codegen.Field) string {
	parent, result := "", f.typ(field.TypeReference.GO)
	switch {
	case o.Definition.IsInputType():
		return fmt.Sprintf("func (r %s) %s(ctx context.Context, obj *%s, data %s) error", receiver(o.Name), field.GoFieldName, f.typ(o.Type), result)
	case field.Stream:
		result = "<-chan " + result
	case !o.Root:
		parent, result = ", parents []*"+f.typ(o.Type), "[]"+result
	}
	return fmt.Sprintf("func (r %s) %s(ctx context.Context%s%s) (%s, error)", receiver(o.Name), field.GoFieldName, parent, params(f, field), result)
}

// handwrittenMethods returns the position of each handwritten method of the project in root, by
// receiver and name.
func handwrittenMethods(root string) (map[[2]string]string, error) {
	code, err := parseHandwritten(root)
	if err != nil {
		return nil, err
	}
	found := map[[2]string]string{}
	for _, file := range code.files {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv != nil {
				found[[2]string{receiverOf(f), f.Name.Name}] = code.set.Position(f.Name.Pos()).String()
			}
		}
	}
	return found, nil
}

// receiverOf returns the name of a method's type.
func receiverOf(f *ast.FuncDecl) string {
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}
