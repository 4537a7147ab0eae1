package codegen

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/eject"
	"github.com/gatehouse-graphql/gatehouse/codegen/plugin"
)

// Eject makes a bound field, named Type.field, one that is answered by hand: its method
// moves into a file of the resolvers, its @connect leaves the schema, and the project is
// generated anew. It gives the method's file. After an error, or when ctx has ended, all
// files are as before. Eject is not safe for concurrent use.
func Eject(ctx context.Context, warn func(string), name string) (home string, err error) {
	cfg, err := project()
	if err != nil {
		return "", err
	}
	graph, field, root, err := boundField(cfg, name)
	if err != nil {
		return "", err
	}
	if home, err = plugin.Home(field.Object.Name); err != nil {
		return "", err
	}
	files, err := remember(append(plugin.Files(cfg), field.Position.Src.Name, home))
	if err != nil {
		return "", err
	}
	if err := move(ctx, warn, graph, field, root, home); err != nil {
		return "", errors.Join(err, files.restore())
	}
	return filepath.ToSlash(home), nil
}

// move does it, and leaves the files as they are when it fails.
func move(ctx context.Context, warn func(string), graph *binding.Graph, field *binding.Field, root bool, home string) error {
	// What is cut must be what the schema says now.
	if err := unchanged(Generate(ctx, warn), "the resolvers"); err != nil {
		return err
	}
	if err := errors.Join(take(field, home), unbind(field, root)); err != nil {
		return err
	}
	if err := stillCompleted(graph, field); err != nil {
		return err
	}
	err := unchanged(Generate(ctx, func(string) {}), "with "+nameOf(field)+" by hand the resolvers") // it has warned
	if _, ok := errors.AsType[*plugin.Unanswered](err); ok {
		return fmt.Errorf("%s cannot be answered by hand: %w", nameOf(field), err)
	}
	return err
}

// unchanged words the error of a run that the caller undoes where code by hand does not
// compile.
func unchanged(err error, what string) error {
	if broken, ok := errors.AsType[*BrokenByHand](err); ok {
		return fmt.Errorf("%s do not compile, so nothing was changed:\n%s", what, strings.Join(broken.Problems, "\n"))
	}
	return err
}

// stillCompleted fails when the schema, now without a field's binding, no longer completes
// objects that it completed: they would lack fields, and nobody would be told.
func stillCompleted(before *binding.Graph, field *binding.Field) error {
	cfg, err := project()
	if err != nil {
		return err
	}
	_, now, err := compile(cfg)
	if now == nil {
		return err
	}
	for _, c := range before.Completions {
		for _, t := range c.Types {
			if err := stillSent(c, t, now, field); err != nil {
				return err
			}
		}
	}
	return nil
}

// stillSent fails when objects of a type would lack fields at a place without a binding.
func stillSent(c *binding.Completion, t *binding.Completed, now *binding.Graph, field *binding.Field) error {
	place, of := c.Object.Name+"."+c.Definition.Name, t.Entity.Object.Name
	left := now.Completion(c.Object.Name, c.Definition.Name).Of(of)
	switch {
	case left != nil && len(left.Sent) <= len(t.Sent):
		return nil
	case now.Entities[of] == nil:
		return fmt.Errorf("%s also completes %s (entity: true), which %s needs; bind the type first, as type %s @connect(...), then eject the field", nameOf(field), of, place, of)
	}
	return fmt.Errorf("the service of %s sends only %s of %s, and without the binding nobody would complete it; let its selection give all fields of %s, then eject the field", nameOf(field), strings.Join(t.Sent, ", "), place, of)
}

func nameOf(f *binding.Field) string { return f.Object.Name + "." + f.Definition.Name }

// take copies the field's method into a file by hand. Generate will leave it out of the
// generated one.
func take(field *binding.Field, home string) error {
	source, err := os.ReadFile(plugin.ConnectFile())
	if err != nil {
		return err
	}
	piece, err := eject.Cut(plugin.ConnectFile(), source, plugin.Receiver(field.Object.Name), nameOf(field))
	if err != nil {
		return err
	}
	text, err := os.ReadFile(home)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	pasted, err := piece.Paste(home, text, plugin.ResolversDir)
	if err != nil {
		return err
	}
	return rewrite(home, pasted)
}

// unbind takes the field's binding out of its schema file.
func unbind(field *binding.Field, root bool) error {
	file := field.Position.Src.Name
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	changed, err := eject.Unbind(string(text), field.Definition, root)
	if err != nil {
		return err
	}
	return rewrite(file, []byte(changed))
}

// rewrite writes a file and leaves its mode.
func rewrite(file string, text []byte) error { return os.WriteFile(file, text, 0o644) }

// boundField finds a field that has a binding, and whether it is one of the root. Its
// errors say which there are.
func boundField(cfg *config.Config, name string) (graph *binding.Graph, field *binding.Field, root bool, err error) {
	schema, graph, err := compile(cfg)
	if err != nil {
		return nil, nil, false, err
	}
	byName := map[string]*binding.Field{}
	for _, f := range graph.Fields {
		byName[nameOf(f)] = f
	}
	if f := byName[name]; f != nil {
		return graph, f, f.Object == schema.Query || f.Object == schema.Mutation, nil
	}
	if err := completedOnly(graph, name); err != nil {
		return nil, nil, false, err
	}
	return nil, nil, false, notBound(schema, name, slices.Sorted(maps.Keys(byName)))
}

// completedOnly explains that a type's binding has no field of its own; nil for other names.
func completedOnly(graph *binding.Graph, name string) error {
	typeName, fieldName, _ := strings.Cut(name, ".")
	entity := graph.Entities[name]
	if c := graph.Completion(typeName, fieldName); c != nil {
		entity = c.Types[0].Entity
	}
	if entity == nil {
		return nil
	}
	return fmt.Errorf("%s is answered by the binding of the type %s (%s:%d), which completes its objects wherever they are reached, so no one method could be moved; eject the fields that give %s, or write to its service in a resolver of your own",
		name, entity.Object.Name, entity.Position.Src.Name, entity.Position.Line, entity.Object.Name)
}

// notBound explains why a name is not that of a bound field.
func notBound(schema *ast.Schema, name string, bound []string) error {
	typeName, fieldName, _ := strings.Cut(name, ".")
	object := schema.Types[typeName]
	ofType := slices.DeleteFunc(slices.Clone(bound), func(b string) bool { return !strings.HasPrefix(b, typeName+".") })
	switch {
	case fieldName == "":
		return fmt.Errorf("%q is no field; write it as Type.field, for example %s", name, cmp.Or(slices.Concat(ofType, bound)...))
	case object == nil:
		return fmt.Errorf("the schema has no type %s%s", typeName, binding.DidYouMean(typeName, typesOf(bound)))
	case object.Fields.ForName(fieldName) == nil:
		return fmt.Errorf("%s has no field %q%s", typeName, fieldName, binding.DidYouMean(name, ofType))
	}
	place, err := plugin.ByHand(typeName, fieldName)
	switch {
	case err != nil:
		return err
	case place != "":
		return fmt.Errorf("%s is answered by hand already, at %s", name, place)
	}
	return fmt.Errorf("%s has no @connect that could be taken over%s", name, binding.DidYouMean(name, ofType))
}

// typesOf are the types of fields, each once.
func typesOf(fields []string) []string {
	var types []string
	for _, f := range fields {
		name, _, _ := strings.Cut(f, ".")
		types = append(types, name)
	}
	return slices.Compact(types)
}
