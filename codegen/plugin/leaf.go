package plugin

import (
	"fmt"
	"go/types"
	"path/filepath"
	"strings"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
)

// leaf writes the statements that encode the leaf expr. A value of a type without a function in
// package plan, a NaN and a null of a non-null type are left to gqlgen's executor.
func (w *engineWriter) leaf(tr *config.TypeReference, expr string) string {
	if w.appendFormat(tr) == "" {
		return w.marshalLeaf(tr, expr)
	}
	value := expr
	if w.mayBeUnusual(tr) || config.IsNilable(tr.GO) {
		value = "v"
	}
	statements := strings.Replace(w.fastLeaf(tr, value), unusual, w.marshalLeaf(tr, value), 1)
	if condition, isIf := strings.CutPrefix(statements, "if "); isIf && expr != value {
		return fmt.Sprintf("if %s := %s; %s", value, expr, condition)
	}
	return statements
}

// marshalLeaf writes the statement by which gqlgen's executor encodes a leaf.
func (w *engineWriter) marshalLeaf(tr *config.TypeReference, expr string) string {
	return fmt.Sprintf("b, fieldOK = x.AppendLeaf(b, f, %t, func(ctx %sContext) %sMarshaler { return x.ec.%s(ctx, f.Selections, %s) })",
		tr.GQL.NonNull, w.view.Context, w.view.Graphql, tr.MarshalFunc(), expr)
}

// leaves writes how a list of leaves is encoded: by a loop where package plan has a function for
// the elements, else by gqlgen's executor. When the loop finds an element that it cannot encode,
// it starts over: gqlgen's executor encodes the whole list, so that errors have the element's
// path.
func (w *engineWriter) leaves(tr *config.TypeReference, v *planValue) {
	v.Leaves, v.Marshal = true, tr.MarshalFunc()
	element := tr.Elem()
	if element.GQL.Elem != nil || w.appendFormat(element) == "" {
		return
	}
	restart := fmt.Sprintf("return x.AppendLeaf(b[:start], f, %t, func(ctx %sContext) %sMarshaler { return x.ec.%s(ctx, f.Selections, list) })",
		tr.GQL.NonNull, w.view.Context, w.view.Graphql, v.Marshal)
	v.Rewinds = w.mayBeUnusual(element)
	v.Element = strings.Replace(w.fastLeaf(element, "v"), unusual, restart, 1)
}

// unusual stands in the statements of fastLeaf for those that handle a value which package plan
// cannot encode.
const unusual = "UNUSUAL"

// mayBeUnusual reports whether the statements of fastLeaf contain unusual.
func (w *engineWriter) mayBeUnusual(tr *config.TypeReference) bool {
	return strings.Contains(w.fastLeaf(tr, "v"), unusual)
}

// fastLeaf writes the statements that encode the leaf expr of a type for which package plan has
// a function. They are one assignment, or one if statement.
func (w *engineWriter) fastLeaf(tr *config.TypeReference, expr string) string {
	value := expr
	if config.IsNilable(tr.GO) && tr.IsPtr() {
		value = "*" + expr
	}
	write := "b = " + fmt.Sprintf(w.appendFormat(tr), w.view.Plan, value)
	finite := ""
	if strings.Contains(write, "AppendFloat") {
		finite = fmt.Sprintf("%sIsFinite(%s)", w.view.Plan, value)
	}
	switch {
	case !config.IsNilable(tr.GO) && finite == "":
		return write
	case !config.IsNilable(tr.GO):
		return fmt.Sprintf("if %s {\n%s\n} else {\n%s\n}", finite, write, unusual)
	case tr.GQL.NonNull && finite == "":
		return fmt.Sprintf("if %s == nil {\n%s\n} else {\n%s\n}", expr, unusual, write)
	case tr.GQL.NonNull:
		return fmt.Sprintf("if %s != nil && %s {\n%s\n} else {\n%s\n}", expr, finite, write, unusual)
	}
	null := fmt.Sprintf("if %s == nil {\nb = append(b, \"null\"...)\n}", expr)
	if finite == "" {
		return fmt.Sprintf("%s else {\n%s\n}", null, write)
	}
	return fmt.Sprintf("%s else if %s {\n%s\n} else {\n%s\n}", null, finite, write, unusual)
}

// appendFormats are the functions of package plan by the Go functions and types whose values they
// write: those of gqlgen, and those of our scalars, which are types or functions (see scalars.Scalar.Model).
var appendFormats = func() map[string]string {
	functions := map[string]string{
		graphqlPkg + ".MarshalString":       "AppendString",
		graphqlPkg + ".MarshalInt":          "AppendInt",
		graphqlPkg + ".MarshalBoolean":      "AppendBool",
		graphqlPkg + ".MarshalFloat":        "AppendFloat",
		graphqlPkg + ".MarshalFloatContext": "AppendFloat",
	}
	for _, s := range scalars.Table {
		if s.BuiltIn { // see modelOf
			functions[scalarPkg+".Marshal"+s.Name] = s.Append
		}
	}
	for _, s := range scalars.Table {
		if s.Model != "" {
			functions[s.Model], functions[s.MarshalFunc()] = s.Append, s.Append
		}
	}
	for name, function := range functions {
		functions[name] = "%s" + function + "(b, %s)"
	}
	return functions
}()

// appendFormat returns the format of the expression that appends a leaf to b: its values are the
// name of package plan and the leaf. It returns "" for a type without a function in package plan.
func (w *engineWriter) appendFormat(tr *config.TypeReference) string {
	goType := types.Unalias(tr.GO)
	if p, ok := goType.(*types.Pointer); ok {
		goType = types.Unalias(p.Elem())
	}
	switch {
	case tr.HasEnumValues():
		return ""
	case tr.Marshaler != nil:
		return appendFormats[tr.Marshaler.FullName()]
	case !tr.IsMarshaler || tr.IsContext:
		return ""
	case tr.Definition.Kind == ast.Enum && w.isGenerated(goType):
		return "%sAppendQuoted(b, %s)"
	}
	if named, ok := goType.(*types.Named); ok && named.Obj().Pkg() != nil {
		return appendFormats[named.Obj().Pkg().Path()+"."+named.Obj().Name()]
	}
	return ""
}

// isGenerated reports whether gqlgen has generated a type.
func (w *engineWriter) isGenerated(t types.Type) bool {
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != w.modelPkg() {
		return false
	}
	pkg := w.data.Config.Packages.Load(w.modelPkg())
	if pkg == nil || pkg.Fset == nil {
		return false
	}
	return filepath.Base(pkg.Fset.Position(named.Obj().Pos()).Filename) == filepath.Base(w.data.Config.Model.Filename)
}
