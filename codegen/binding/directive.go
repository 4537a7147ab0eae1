package binding

import (
	"embed"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Directive is one directive of the vocabulary, with everything that depends on its name. All code
// that treats directives alike loops over Directives: the declarations, the order of compilation,
// guards, the facts in generated tables, the published schema, and the documentation.
type Directive struct {
	Name string
	Kind DirectiveKind
	// Docs is the heading in docs/bindings.md under which the directive is explained.
	Docs string
	// Codes are the checks that hold for uses of this directive alone.
	Codes []Code

	// compile compiles and checks all uses of the directive in a schema. It is nil where the
	// declaration says all that there is to check, or where another directive's compile reads it.
	compile func(*compiler)
	// facts returns what a use of the directive on a field says of the field at run time. Nil means
	// nothing.
	facts func(use *ast.Directive) []Fact
	// states returns what the uses of the directive at one part of the schema state of it: members of
	// facts.Facts. Go expressions may use package facts by this name. Nil means nothing.
	states func(uses ast.DirectiveList) []Fact
	// check returns a guard's check as a call of package auth, or of package engine for a guard that
	// inEngine: Check(ctx, arguments). It is set for guards alone.
	check    func(use *ast.Directive) string
	inEngine bool
	// implies names the guards whose condition holds wherever this guard's does.
	implies []string
}

// DirectiveKind is where a directive is known besides the generator.
type DirectiveKind int

const (
	// Private directives are for the generator alone. They are removed from the schema that gqlgen
	// generates code from, and from the schema that clients can read.
	Private DirectiveKind = iota
	// Guard directives decide at run time whether the caller may see a field. They stay in gqlgen's
	// schema, since both executors call their code, and are removed from the schema that clients
	// can read.
	Guard
	// Published directives stay in the schema that clients can read, with their declarations. No
	// code runs for them.
	Published
)

// Fact is something that generated code knows of a part of the schema at run time: a member of
// plan.FieldInfo or of facts.Facts.
type Fact struct {
	Name  string // the member
	Value string // a Go expression
}

// Directives is the vocabulary. It is in the order of compilation: @sameAs comes before all others, which need
// the meaning of scalars, @discriminator comes before @connect, which reads abstract types, and @source comes
// before both.
//
// A new directive needs an entry here, its declaration in directives/NAME.graphqls, and a section
// with an example in docs/bindings.md.
var Directives = []*Directive{
	{
		Name: "sameAs", Docs: "Scalars", compile: (*compiler).compileAliases,
		Codes: []Code{UnknownScalar},
	},
	{
		Name: "source", Docs: "Sources", compile: (*compiler).compileSources,
		Codes: []Code{RepeatedSource, UnusedSource, SourceName, UnreadableDocument},
	},
	{
		Name: "discriminator", Docs: "Interfaces and unions", compile: (*compiler).compileDiscriminators,
		Codes: []Code{InvalidMapping, UnmappedType, MissingDiscriminator, UnmappedValue},
	},
	{
		Name: "connect", Docs: "Bindings", compile: (*compiler).compileBindings,
		Codes: []Code{UnknownSource, BoundInterface, BoundSubscription, BoundAndHandwritten, RepeatedID, InvalidIgnore, UnusedIgnore},
	},
	{
		Name: "authenticated", Kind: Guard, Docs: "Other directives", facts: guarded,
		check: func(*ast.Directive) string { return "CheckAuthenticated(ctx)" },
		Codes: []Code{MissingGuard},
	},
	{
		Name: "requiresScopes", Kind: Guard, Docs: "Other directives", facts: guarded, check: checkScopes,
		compile: (*compiler).checkScopeLists,
		implies: []string{"authenticated"},
		Codes:   []Code{MissingGuard, EmptyScopes},
	},
	{
		// After the other guards: whom they refuse is told so whatever is left of a limit.
		Name: "rateLimit", Kind: Guard, Docs: "Rate limits", compile: (*compiler).checkRateLimits, states: statesRateLimits,
		facts:    func(*ast.Directive) []Fact { return []Fact{{"Limited", "true"}} },
		check:    func(*ast.Directive) string { return "CheckRateLimit(ctx)" },
		inEngine: true,
		Codes:    []Code{MissingGuard, InvalidRateLimit, UnknownRateLimitKey, RepeatedRateLimit},
	},
	{
		Name: "json", Docs: "Other directives", compile: (*compiler).compileWireNames,
		Codes: []Code{RepeatedWireName},
	},
	{
		Name: "listSize", Docs: "Other directives", compile: (*compiler).checkListSizes, states: statesListSize,
		Codes: []Code{MissingListSize, NegativeListSize, ListSizeWithoutList, UnknownSlicingArgument, SlicingArgumentType, UnknownSizedField},
	},
	{
		Name: "cost", Docs: "Other directives", compile: (*compiler).checkWeights, states: statesWeight,
		Codes: []Code{InvalidWeight, CostOfInterface},
	},
	{Name: "goField", Docs: "Other directives"},
}

// declarations holds the SDL of each directive, with the types that only its arguments use.
//
//go:embed directives/*.graphqls
var declarations embed.FS

// declarationDir is the folder of the declarations among a schema's sources.
const declarationDir = "gatehouse/directives"

// File returns the name of the directive's declaration among a schema's sources.
func (d *Directive) File() string { return path.Join(declarationDir, d.Name+".graphqls") }

// SDL returns the directive's declaration, with the types that its arguments use.
func (d *Directive) SDL() string {
	text, err := declarations.ReadFile("directives/" + d.Name + ".graphqls")
	if err != nil {
		panic(err) // the files are compiled in, and a test reads each
	}
	return string(text)
}

// DirectiveSources returns the declarations of all directives. They belong to every schema.
func DirectiveSources() []*ast.Source {
	sources := make([]*ast.Source, len(Directives))
	for i, d := range Directives {
		sources[i] = &ast.Source{Name: d.File(), Input: d.SDL()}
	}
	return sources
}

// DirectiveByName returns the directive of the vocabulary with a name, nil if there is none.
func DirectiveByName(name string) *Directive {
	return findDirective(func(d *Directive) bool { return d.Name == name })
}

// DeclaredBy returns the directive whose declaration holds a position, nil if the position is
// elsewhere: in the schema of a project, or in none.
func DeclaredBy(pos *ast.Position) *Directive {
	if pos == nil || pos.Src == nil {
		return nil
	}
	return findDirective(func(d *Directive) bool { return pos.Src.Name == d.File() })
}

// DeclaredIn returns the directive that a file declares, nil if it is another file. The path may
// begin in any folder, as gqlgen's do.
func DeclaredIn(file string) *Directive {
	return findDirective(func(d *Directive) bool { return strings.HasSuffix(file, d.File()) })
}

func findDirective(is func(*Directive) bool) *Directive {
	if i := slices.IndexFunc(Directives, is); i >= 0 {
		return Directives[i]
	}
	return nil
}

// DirectivesOf returns the names of the directives of a kind.
func DirectivesOf(kind DirectiveKind) []string {
	var names []string
	for _, d := range Directives {
		if d.Kind == kind {
			names = append(names, d.Name)
		}
	}
	return names
}

// factsOf returns what the directives of a field say of it at run time, each fact once.
func factsOf(field *ast.FieldDefinition) []Fact {
	var facts []Fact
	for _, use := range field.Directives {
		d := DirectiveByName(use.Name)
		if d == nil || d.facts == nil {
			continue
		}
		for _, fact := range d.facts(use) {
			if !slices.Contains(facts, fact) {
				facts = append(facts, fact)
			}
		}
	}
	return facts
}

// Statement is what the directives at one part of a schema state of it.
type Statement struct {
	// Coordinate is the schema coordinate of the part, such as Query.products or Query.products(first:).
	Coordinate string
	// Facts are members of facts.Facts, never none.
	Facts []Fact
}

// collectStatements collects what directives state of the schema's own types, fields, arguments and
// fields of input objects, in the order of the types' names, and of the arguments of its directives.
// Fields that make pages have the sizes of these as if a @listSize said so.
func (c *compiler) collectStatements() {
	pages := c.graph.pages()
	c.eachPart(func(coordinate string, field *ast.FieldDefinition, directives ast.DirectiveList) {
		var facts []Fact
		for _, d := range Directives {
			uses := directives.ForNames(d.Name)
			switch {
			case d.states == nil || len(uses) > 0 && c.invalid[uses[0]]:
			case d.Name == "listSize" && pages[field] != nil:
				facts = append(facts, listSizeFact(pages[field].listSize()))
			case len(uses) > 0:
				facts = append(facts, d.states(uses)...)
			}
		}
		if len(facts) > 0 {
			c.graph.Statements = append(c.graph.Statements, Statement{coordinate, facts})
		}
	})
}

// eachPart calls visit for each part of the schema that directives may state something of, with its
// schema coordinate. field is nil for parts that are not fields of objects or interfaces.
func (c *compiler) eachPart(visit func(coordinate string, field *ast.FieldDefinition, directives ast.DirectiveList)) {
	for _, def := range c.typesOf(ast.Object, ast.Interface, ast.Union, ast.Enum, ast.Scalar, ast.InputObject) {
		visit(def.Name, nil, def.Directives)
		for _, field := range def.Fields {
			at := def.Name + "." + field.Name
			visit(at, field, field.Directives)
			for _, a := range field.Arguments {
				visit(at+"("+a.Name+":)", nil, a.Directives)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.schema.Directives)) {
		for _, a := range c.schema.Directives[name].Arguments {
			visit("@"+name+"("+a.Name+":)", nil, a.Directives)
		}
	}
}
