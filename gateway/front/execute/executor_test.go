package execute

import (
	"log/slog"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/admission"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/presenter"
)

// schemaOnly is a schema that executes nothing.
type schemaOnly struct{ graphql.ExecutableSchema }

var parsed = gqlparser.MustLoadSchema(&ast.Source{Input: "type Query { n: Int }"})

func (schemaOnly) Schema() *ast.Schema { return parsed }

// A change of options forgets the documents only if it decides about them.
func TestWithKeepsDocuments(t *testing.T) {
	before := Options{Presenter: presenter.New(slog.New(slog.DiscardHandler))}
	e, err := New(schemaOnly{}, before)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Options)
		kept   bool
	}{
		"nothing":       {func(*Options) {}, true},
		"execution":     {func(o *Options) { o.Execution.MaxCalls = 3 }, true},
		"admission":     {func(o *Options) { o.Admission = admission.New(admission.Options{}, slog.New(slog.DiscardHandler)) }, true},
		"limits":        {func(o *Options) { o.Limits.Depth = 3 }, false},
		"cache":         {func(o *Options) { o.DocumentCache = 3 }, false},
		"introspection": {func(o *Options) { o.Introspection = true }, false}, // validation errors have suggestions then
	} {
		o := before
		c.change(&o)
		with, err := e.With(o)
		if err != nil {
			t.Fatal(err)
		}
		if kept := with.documents == e.documents; kept != c.kept {
			t.Errorf("%s: documents are kept: %t", name, kept)
		}
	}
}

// interceptor is an extension because of which gqlgen's executor executes all operations.
type interceptor struct{ graphql.FieldInterceptor }

func (interceptor) ExtensionName() string                          { return "interceptor" }
func (interceptor) Validate(schema graphql.ExecutableSchema) error { return nil }

// The engine follows the options, unless an extension decides about it, which all versions have.
func TestWithChoosesTheEngine(t *testing.T) {
	o := Options{Presenter: presenter.New(slog.New(slog.DiscardHandler))}
	e, err := New(schemaOnly{}, o)
	if err != nil {
		t.Fatal(err)
	}
	gqlgen := o
	gqlgen.Execution.Engine = engine.EngineGqlgen
	slow, _ := e.With(gqlgen)
	fast, _ := slow.With(o)
	if !e.UsesPlans() || slow.UsesPlans() || !fast.UsesPlans() {
		t.Errorf("plans: %t, with gqlgen %t, back %t", e.UsesPlans(), slow.UsesPlans(), fast.UsesPlans())
	}
	e.Use(interceptor{})
	if with, _ := e.With(o); with.UsesPlans() || !with.HasExtensions() || with.fallback != engine.FallbackInterceptors {
		t.Errorf("the extension is lost: %q", with.fallback)
	}
}
