package bindingtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine/input"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/internal/suggest"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// cursorSecret makes cursors that are the same in every run.
const cursorSecret = "the cursors of tests are no secret"

// run runs one test and tells what is wrong: nothing when it passes.
func (p Project) run(ctx context.Context, s *suite, t *test) []string {
	stand := newServices(t.calls)
	defer stand.server.Close()
	backends, err := upstreams.New(stand.options(p.Sources, s.sources), nil)
	if err != nil {
		return []string{err.Error()}
	}
	defer backends.Close()
	defer environment(t.env)()
	schema := p.Schema(backends)
	inputs, err := input.NewReader(schema.Schema(), input.Options{Scalar: input.ScalarsOf(schema), Suggestions: true})
	if err != nil {
		return []string{err.Error()}
	}
	operation, problem := t.operation(schema.Schema(), inputs)
	if problem != "" {
		return []string{problem}
	}
	var log bytes.Buffer
	served, err := front.New(front.Options{Introspection: true, Cursors: page.Options{Secret: cursorSecret}}, front.Deps{
		Schema: schema,
		Verify: func(context.Context, string) (*auth.Identity, error) { return t.caller, nil },
		Log:    slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: brief})),
	})
	if err != nil {
		return []string{err.Error()}
	}
	got, err := t.ask(ctx, served.Handler())
	if err != nil {
		return []string{err.Error()}
	}
	found := stand.report()
	if len(stand.stray) > 0 { // the answer is wrong for a reason that is told
		return found
	}
	if found = append(found, t.check(schema.Schema(), operation, got)...); len(found) > 0 {
		found = append(found, appendix(got, log.String())...)
	}
	return found
}

// environment sets variables for the time of a test; its result brings them back.
func environment(wanted map[string]*string) (restore func()) {
	before := map[string]*string{}
	for name := range wanted {
		if value, ok := os.LookupEnv(name); ok {
			before[name] = &value
		} else {
			before[name] = nil
		}
	}
	setAll(wanted)
	return func() { setAll(before) }
}

func setAll(variables map[string]*string) {
	for name, value := range variables {
		if value == nil {
			_ = os.Unsetenv(name) // a name that cannot be is not set either
			continue
		}
		_ = os.Setenv(name, *value)
	}
}

// brief leaves out of a log line what changes from run to run.
func brief(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case slog.TimeKey, slog.LevelKey, "request_id", "stack":
		return slog.Attr{}
	}
	return a
}

// appendix is what helps to understand a failure.
func appendix(got *response, log string) []string {
	lines := []string{"the gateway answered " + got.text}
	for line := range strings.Lines(log) {
		lines = append(lines, "its log: "+strings.TrimSpace(line))
	}
	return lines
}

// operation parses the test's query and looks for the connector in it.
func (t *test) operation(schema *ast.Schema, inputs *input.Reader) (*ast.OperationDefinition, string) {
	object := schema.Types[t.connector[0]]
	if object == nil {
		return nil, fmt.Sprintf("connector: there is no type %s%s", t.connector[0], suggest.DidYouMean(t.connector[0], objects(schema)))
	}
	if object.Fields.ForName(t.connector[1]) == nil {
		return nil, fmt.Sprintf("connector: %s has no field %q%s", object.Name, t.connector[1], suggest.DidYouMean(t.connector[1], names(object)))
	}
	known := rules.NewDefaultRules()
	known.ReplaceRule(rules.ValuesOfCorrectTypeRule.Name, inputs.Rule().RuleFunc)
	document, errs := gqlparser.LoadQueryWithRules(schema, t.query, known)
	if len(errs) > 0 {
		return nil, "query: " + strings.TrimSpace(errs.Error())
	}
	if len(document.Operations) != 1 {
		return nil, "query: it holds several operations; a test is of one"
	}
	f := t.finder(schema)
	if f.search(document.Operations[0].SelectionSet, nil, false); f.places == 0 {
		return nil, fmt.Sprintf("query: it does not ask for %s.%s, which the test is about", t.connector[0], t.connector[1])
	}
	return document.Operations[0], ""
}

// objects are the names of the types that have resolvers.
func objects(schema *ast.Schema) []string {
	var all []string
	for name, def := range schema.Types {
		if def.Kind == ast.Object && !def.BuiltIn {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

func names(object *ast.Definition) []string {
	var all []string
	for _, f := range object.Fields {
		if !strings.HasPrefix(f.Name, "__") {
			all = append(all, f.Name)
		}
	}
	return all
}

// ask sends the operation as a client does.
func (t *test) ask(ctx context.Context, gateway http.Handler) (*response, error) {
	body, err := json.Marshal(map[string]any{"query": t.query, "variables": t.variables})
	if err != nil {
		return nil, fmt.Errorf("variables: %w", err)
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(body))
	for name, values := range t.headers {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/graphql-response+json")
	w := httptest.NewRecorder()
	gateway.ServeHTTP(w, r)
	got := &response{text: strings.TrimSpace(w.Body.String())}
	d := json.NewDecoder(strings.NewReader(got.text))
	d.UseNumber()
	if err := d.Decode(got); err != nil {
		return nil, fmt.Errorf("the gateway's answer is no JSON: %w: %s", err, got.text)
	}
	return got, nil
}
