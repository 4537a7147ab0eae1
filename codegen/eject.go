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

// Eject turns a bound field, named Type.field, into one that is resolved by handwritten code: it
// moves the field's method into a file of the resolvers, removes the field's @connect from the
// schema, and generates the project anew. It returns the method's file. After an error, or when ctx
// has ended, all files are as before.
func (p *Project) Eject(ctx context.Context, name string) (file string, err error) {
	err = p.run(ctx, func(r *run) error {
		file, err = r.eject(ctx, name)
		return err
	})
	return file, err
}

func (r *run) eject(ctx context.Context, name string) (file string, err error) {
	unlock, err := r.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	cfg, err := r.readConfig()
	if err != nil {
		return "", err
	}
	e, err := r.newEjection(cfg, name)
	if err != nil {
		return "", err
	}
	files, err := r.takeSnapshot(append(plugin.GeneratedFiles(cfg), e.field.Position.Src.Name, e.file))
	if err != nil {
		return "", err
	}
	defer r.begin(files)()
	if err := e.apply(ctx); err != nil {
		return "", errors.Join(err, files.restore())
	}
	return filepath.ToSlash(e.file), nil
}

// ejection is one field that is being ejected.
type ejection struct {
	*run
	graph  *binding.Graph // with the field's binding
	field  *binding.Field
	isRoot bool   // the field belongs to Query or Mutation
	file   string // the handwritten file that receives the method
}

// apply ejects the field. After an error it leaves files half changed, for the caller to restore.
func (e *ejection) apply(ctx context.Context) error {
	// The method that is moved has to be what the schema says now.
	if err := abandon(e.generate(ctx), "the resolvers"); err != nil {
		return err
	}
	if err := errors.Join(e.moveMethod(), e.removeBinding()); err != nil {
		return err
	}
	if err := e.checkCompletions(); err != nil {
		return err
	}
	e.quiet = true // the first generate has warned
	err := abandon(e.generate(ctx), "with "+e.field.Name()+" by hand the resolvers")
	if _, ok := errors.AsType[*plugin.MissingResolvers](err); ok {
		return fmt.Errorf("%s cannot be answered by hand: %w", e.field.Name(), err)
	}
	return err
}

// abandon rewords the error of a generate whose files are restored: a HandwrittenCodeError says
// that the generated files stay.
func abandon(err error, subject string) error {
	if e, ok := errors.AsType[*HandwrittenCodeError](err); ok {
		return fmt.Errorf("%s do not compile, so nothing was changed:\n%s", subject, strings.Join(e.Problems, "\n"))
	}
	return err
}

// checkCompletions returns an error if objects that the graph completed from their key are no longer
// completed now that the schema lacks the field's binding. Such objects would lack fields at run
// time, and no other check reports that: without the binding, nothing says that they are partial.
func (e *ejection) checkCompletions() error {
	cfg, err := e.readConfig()
	if err != nil {
		return err
	}
	_, now, err := e.compile(cfg)
	if now == nil {
		return err
	}
	for _, c := range e.graph.Completions {
		for _, t := range c.Types {
			if err := e.checkCompletion(c, t, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkCompletion checks the objects of one type at one place. They are complete if the graph still
// completes them there, and did not come to take further fields for granted.
func (e *ejection) checkCompletion(c *binding.Completion, t *binding.CompletedType, now *binding.Graph) error {
	place, object := c.Object.Name+"."+c.Definition.Name, t.Entity.Object.Name
	left := now.Completion(c.Object.Name, c.Definition.Name).Type(object)
	switch {
	case left != nil && len(left.Sent) <= len(t.Sent):
		return nil
	case now.Entities[object] == nil:
		return fmt.Errorf("%s also completes %s (entity: true), which %s needs; bind the type first, as type %s @connect(...), then eject the field", e.field.Name(), object, place, object)
	}
	return fmt.Errorf("the service of %s sends only %s of %s, and without the binding nothing would complete it; let its selection give all fields of %s, then eject the field", e.field.Name(), strings.Join(t.Sent, ", "), place, object)
}

// moveMethod copies the field's method into the handwritten file. The generated file loses it when
// it is generated anew.
func (e *ejection) moveMethod() error {
	connect := plugin.ConnectFile()
	source, err := os.ReadFile(e.path(connect))
	if err != nil {
		return err
	}
	snippet, err := eject.Extract(connect, source, plugin.ResolverType(e.field.Object.Name), e.field.Name())
	if err != nil {
		return err
	}
	text, err := os.ReadFile(e.path(e.file))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	changed, err := snippet.AppendTo(e.file, text, plugin.ResolversDir)
	if err != nil {
		return err
	}
	return os.WriteFile(e.path(e.file), changed, 0o644)
}

// removeBinding removes the field's @connect from its schema file.
func (e *ejection) removeBinding() error {
	file := e.path(e.field.Position.Src.Name)
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	changed, err := eject.Unbind(string(text), e.field.Definition, e.isRoot)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(changed), 0o644)
}

// newEjection finds the field and the file that its method goes to.
func (r *run) newEjection(cfg *config.Config, name string) (*ejection, error) {
	schema, graph, err := r.compile(cfg)
	if err != nil {
		return nil, err
	}
	field, err := r.boundField(schema, graph, name)
	if err != nil {
		return nil, err
	}
	file, err := plugin.ResolverFile(r.root, field.Object.Name)
	if err != nil {
		return nil, err
	}
	return &ejection{run: r, graph: graph, field: field, isRoot: field.Object == schema.Query || field.Object == schema.Mutation, file: file}, nil
}

// boundField finds the field with a name that has a binding of its own. Its errors say why the name
// is not one, and suggest others.
func (r *run) boundField(schema *ast.Schema, graph *binding.Graph, name string) (*binding.Field, error) {
	byName := map[string]*binding.Field{}
	for _, f := range graph.Fields {
		byName[f.Name()] = f
	}
	if f := byName[name]; f != nil {
		return f, nil
	}
	if err := entityBoundError(graph, name); err != nil {
		return nil, err
	}
	return nil, r.notBoundError(schema, name, slices.Sorted(maps.Keys(byName)))
}

// entityBoundError explains that a field is resolved by the binding of its type, which has no
// method that could be moved. It returns nil for other names.
func entityBoundError(graph *binding.Graph, name string) error {
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

// notBoundError explains why a name is not that of a bound field. bound lists those that are, in
// order.
func (r *run) notBoundError(schema *ast.Schema, name string, bound []string) error {
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
	place, err := plugin.FindHandwritten(r.root, typeName, fieldName)
	switch {
	case err != nil:
		return err
	case place != "":
		return fmt.Errorf("%s is answered by hand already, at %s", name, place)
	}
	return fmt.Errorf("%s has no @connect that could be taken over%s", name, binding.DidYouMean(name, ofType))
}

// typesOf returns the types of fields in order, each once.
func typesOf(fields []string) []string {
	var types []string
	for _, f := range fields {
		name, _, _ := strings.Cut(f, ".")
		types = append(types, name)
	}
	return slices.Compact(types)
}
