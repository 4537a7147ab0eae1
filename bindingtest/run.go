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

// cursorSecret encrypts the cursors of tests, which are the same in every run.
const cursorSecret = "the cursors of tests are no secret"

// run runs a test and returns what is wrong, which is nothing if it passes. It changes the environment of
// the process while it runs, so that tests cannot run concurrently.
func (p Project) run(ctx context.Context, s *suite, t *test) []string {
	mocks := newMockServices(t.calls)
	defer mocks.server.Close()
	backends, err := upstreams.New(mocks.sourceOptions(p.Requirements.Sources, s.sources), nil)
	if err != nil {
		return []string{err.Error()}
	}
	defer backends.Close()
	defer setEnvironment(t.env)()
	required := p.Requirements
	required.Config = nil // asked for below, when it is known which sources the test calls
	if err := backends.CheckRequirements(required); err != nil {
		return wouldNotStart(err)
	}
	schema := p.Schema(backends)
	inputs, err := input.NewCoercer(schema.Schema(), input.Options{Scalar: input.ScalarsOf(schema), Suggestions: true})
	if err != nil {
		return []string{err.Error()}
	}
	operation, problem := t.parseOperation(schema.Schema(), inputs)
	if problem != "" {
		return []string{problem}
	}
	var log bytes.Buffer
	served, err := front.New(front.Options{Introspection: true, Cursors: page.Options{Secret: cursorSecret}}, front.Deps{
		Schema: schema,
		Verify: func(context.Context, string) (*auth.Identity, error) { return t.caller, nil },
		Log:    slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: dropVolatileAttrs})),
	})
	if err != nil {
		return []string{err.Error()}
	}
	got, err := t.send(ctx, served.Handler())
	if err != nil {
		return []string{err.Error()}
	}
	// The config of other sources is not asked for, else each file of tests would repeat all of it.
	if err := backends.CheckRequirements(upstreams.Requirements{Config: mocks.calledConfig(p.Requirements.Config)}); err != nil {
		return wouldNotStart(err)
	}
	found := mocks.failures()
	if len(mocks.unexpected) > 0 { // an unexpected call explains all differences of the response
		return found
	}
	if found = append(found, t.compare(schema.Schema(), operation, got)...); len(found) > 0 {
		found = append(found, diagnostics(got, log.String())...)
	}
	return found
}

// wouldNotStart says that a test has settings with which the gateway refuses to start.
func wouldNotStart(err error) []string {
	return append([]string{"the gateway would not start with the config and the env of this test:"}, strings.Split(err.Error(), "\n")...)
}

// setEnvironment sets variables for the time of a test. restore gives them their former values.
func setEnvironment(wanted map[string]*string) (restore func()) {
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
			_ = os.Unsetenv(name) // an invalid name is not set anyway
			continue
		}
		_ = os.Setenv(name, *value)
	}
}

// dropVolatileAttrs drops the attributes of a log record that change from run to run.
func dropVolatileAttrs(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case slog.TimeKey, slog.LevelKey, "request_id", "stack":
		return slog.Attr{}
	}
	return a
}

// diagnostics returns the response and the log, which help to understand a failure.
func diagnostics(got *response, log string) []string {
	lines := []string{"the gateway responded " + got.body}
	for line := range strings.Lines(log) {
		lines = append(lines, "its log: "+strings.TrimSpace(line))
	}
	return lines
}

// parseOperation parses the query of the test, which must have one operation that selects the field of
// the connector. Its second result is what is wrong, or "".
func (t *test) parseOperation(schema *ast.Schema, inputs *input.Coercer) (*ast.OperationDefinition, string) {
	object := schema.Types[t.connector[0]]
	if object == nil {
		return nil, fmt.Sprintf("connector: there is no type %s%s", t.connector[0], suggest.DidYouMean(t.connector[0], objectTypeNames(schema)))
	}
	if object.Fields.ForName(t.connector[1]) == nil {
		return nil, fmt.Sprintf("connector: %s has no field %q%s", object.Name, t.connector[1], suggest.DidYouMean(t.connector[1], fieldNames(object)))
	}
	known := rules.NewDefaultRules()
	known.ReplaceRule(rules.ValuesOfCorrectTypeRule.Name, inputs.Rule().RuleFunc)
	document, errs := gqlparser.LoadQueryWithRules(schema, t.query, known)
	if len(errs) > 0 {
		return nil, "query: " + strings.TrimSpace(errs.Error())
	}
	if len(document.Operations) != 1 {
		return nil, fmt.Sprintf("query: it has %d operations; a test has one", len(document.Operations))
	}
	f := t.finder(schema)
	if f.search(document.Operations[0].SelectionSet, nil, false); f.places == 0 {
		return nil, fmt.Sprintf("query: it does not select %s.%s, which the test is about", t.connector[0], t.connector[1])
	}
	return document.Operations[0], ""
}

// objectTypeNames returns the sorted names of the object types.
func objectTypeNames(schema *ast.Schema) []string {
	var all []string
	for name, def := range schema.Types {
		if def.Kind == ast.Object && !def.BuiltIn {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// fieldNames returns the fields of a type, without those of introspection.
func fieldNames(object *ast.Definition) []string {
	var all []string
	for _, f := range object.Fields {
		if !strings.HasPrefix(f.Name, "__") {
			all = append(all, f.Name)
		}
	}
	return all
}

// send sends the operation to the gateway as a client does, and decodes the response.
func (t *test) send(ctx context.Context, gateway http.Handler) (*response, error) {
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
	got := &response{body: strings.TrimSpace(w.Body.String())}
	d := json.NewDecoder(strings.NewReader(got.body))
	d.UseNumber()
	if err := d.Decode(got); err != nil {
		return nil, fmt.Errorf("the gateway's response is not JSON: %w: %s", err, got.body)
	}
	return got, nil
}
