package binding

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
	"github.com/gatehouse-graphql/gatehouse/codegen/selection"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// variableName is a variable that fills a parameter although the binding does not write it.
type variableName struct{ scope, name string }

// collectParameters collects the parameters outside of the body: those of the document, and those
// of the path that the document does not declare.
func (c *operationCompiler) collectParameters() {
	inPath := map[string]bool{}
	for _, m := range pathParameter.FindAllStringSubmatch(c.op.Path, -1) {
		if name := m[1]; !inPath[name] && c.op.Parameter("path", name) == nil {
			c.parameters = append(c.parameters, &openapi.Parameter{Place: c.op.Place, Name: name, In: "path", Style: "simple", Required: true, Schema: &openapi.Schema{}})
		}
		inPath[m[1]] = true
	}
	for _, p := range c.op.Parameters {
		if p.In == "header" && rest.ReservedHeader(p.Name) {
			continue // sent by the transport
		}
		if p.In != "path" || inPath[p.Name] {
			c.parameters = append(c.parameters, p)
		}
	}
}

// securityParameter returns the place of a security scheme's credentials as a parameter, nil if no scheme of
// the document has it. It has a value only if the binding's text gives it one: an argument that
// happens to be called like an API key is not the key.
func (c *operationCompiler) securityParameter(in, name string) *openapi.Parameter {
	for _, place := range []string{"query", "header", "cookie"} {
		if s := c.graph.Source(c.field.Source).Document.Scheme(place, name); s != nil && (in == "" || in == place) {
			style := "form"
			if place == "header" {
				style = "simple"
			}
			return &openapi.Parameter{Place: s.Place, Name: s.Name, In: place, Style: style, Schema: &openapi.Schema{}}
		}
	}
	return nil
}

// Fills reports whether every call to the source has a value for a parameter: by the source's headers or
// query, or because all services receive the id of the request.
func (s *Source) Fills(p *openapi.Parameter) bool {
	switch p.In {
	case "header":
		return strings.EqualFold(p.Name, upstreams.RequestIDHeader) || rest.ReservedHeader(p.Name) ||
			slices.ContainsFunc(s.Headers, func(h Param) bool { return strings.EqualFold(h.Name, p.Name) })
	case "query":
		return slices.ContainsFunc(s.Query, func(q Param) bool { return q.Name == p.Name })
	case "cookie":
		return slices.ContainsFunc(s.Headers, func(h Param) bool { return h.SetsCookie(p.Name) })
	}
	return false
}

// SetsCookie reports whether the parameter is a header Cookie with a cookie of this name.
func (p Param) SetsCookie(name string) bool {
	return strings.EqualFold(p.Name, cookie) && len(p.Parts) > 0 && strings.HasPrefix(p.Parts[0].Literal, name+"=")
}

// resolveArgument finds what an argument of the operation's text stands for: the body, or the one
// parameter of exactly that name.
func (c *operationCompiler) resolveArgument(a selection.Argument) {
	if a.In == "" && a.Name == bodyName && c.op.Body != nil {
		if c.bodyText != nil {
			c.reportRepeated(a)
		}
		c.bodyText = a.Expr
		return
	}
	named := c.parametersNamed(a.In, a.Name)
	if len(named) == 0 {
		if p := c.securityParameter(a.In, a.Name); p != nil {
			c.parameters, named = append(c.parameters, p), []*openapi.Parameter{p}
		}
	}
	switch {
	case len(named) == 0 && (a.In == "" || a.In == "header") && rest.ReservedHeader(a.Name) && c.op.Parameter("header", a.Name) != nil:
		c.faults.addInText(ReservedHeader, c.text, a.Offset, "%s belongs to the connection, not to a call; remove it", a.Name)
	case len(named) == 0:
		c.reportUnknownParameter(a)
	case len(named) > 1:
		c.faults.addInText(AmbiguousName, c.text, a.Offset, "%s has %s; write one of them with its place: %s", c.op.ID, quoteParameters(named), c.alternatives(named, valueText))
	case c.explicit[named[0]] != nil:
		c.reportRepeated(a)
	default:
		c.explicit[named[0]] = a.Expr
	}
}

func (c *operationCompiler) reportRepeated(a selection.Argument) {
	c.faults.addInText(OperationArgument, c.text, a.Offset, "%q is given twice; keep one", a.Name)
}

func (c *operationCompiler) reportUnknownParameter(a selection.Argument) {
	known, place := []string{}, ""
	for _, p := range c.parameters {
		if a.In == "" || p.In == a.In {
			known = append(known, p.Name)
		}
	}
	if a.In != "" {
		place = " in its " + a.In
	} else if c.op.Body != nil {
		known = append(known, bodyName)
	}
	c.faults.addInText(OperationArgument, c.text, a.Offset, "%s has no parameter %q%s (%s)%s", c.op.ID, a.Name, place, c.op.Place, DidYouMean(a.Name, known))
}

// parametersNamed returns the parameters of exactly one name. The place in may be "" for any place.
func (c *operationCompiler) parametersNamed(in, name string) []*openapi.Parameter {
	var named []*openapi.Parameter
	for _, p := range c.parameters {
		if p.Name == name && (in == "" || p.In == in) {
			named = append(named, p)
		}
	}
	return named
}

// qualifiedName returns the name of a parameter as an operation's text writes it, with its place if
// the name alone is ambiguous.
func (c *operationCompiler) qualifiedName(p *openapi.Parameter) string {
	name := p.Name
	if !plainKey(name) {
		name = "'" + name + "'"
	}
	if len(c.parametersNamed("", p.Name)) > 1 || p.Name == bodyName && c.op.Body != nil {
		return p.In + "." + name
	}
	return name
}

// plainKey reports whether a name needs no quotes in an expression.
func plainKey(name string) bool {
	e, err := selection.Parse("$." + name)
	return err == nil && len(e.Steps) == 1 && e.Steps[0].Name == name
}

// valueText stands for any value in messages.
const valueText = "value"

// alternatives returns the calls that each give a value to one of several parameters, for messages.
func (c *operationCompiler) alternatives(parameters []*openapi.Parameter, value string) string {
	calls := make([]string, len(parameters))
	for i, p := range parameters {
		calls[i] = fmt.Sprintf("%s(%s: %s)", c.op.ID, c.qualifiedName(p), value)
	}
	return strings.Join(calls, " or ")
}

// quoteParameters returns a list of parameters with their places, for messages.
func quoteParameters(parameters []*openapi.Parameter) string {
	texts := make([]string, len(parameters))
	for i, p := range parameters {
		texts[i] = fmt.Sprintf("the %s parameter %s", p.In, p.Name)
	}
	return strings.Join(texts, " and ")
}

// isExplicit reports whether the binding's text uses one of the field's arguments, which then fills
// no other parameter by its name.
func (c *operationCompiler) isExplicit(arg string) bool {
	for _, e := range c.explicit {
		for name := range argumentsIn(e) {
			if name == arg {
				return true
			}
		}
	}
	return false
}

// argumentsIn yields the names of the field's arguments that an expression uses.
func argumentsIn(e *selection.Expr) iter.Seq[string] {
	return func(yield func(string) bool) { visitArguments(e, yield) }
}

func visitArguments(e *selection.Expr, yield func(string) bool) bool {
	if e.Root == selection.Variable && e.Name == string(Args) && len(e.Steps) > 0 && !yield(e.Steps[0].Name) {
		return false
	}
	inner := slices.Clone(e.Items)
	for _, s := range e.Steps {
		inner = append(inner, s.Args...)
	}
	for _, f := range e.Fields {
		inner = append(inner, f.Expr)
	}
	return !slices.ContainsFunc(inner, func(e *selection.Expr) bool { return !visitArguments(e, yield) })
}

// matchArguments finds the parameters that the field's arguments fill by their names.
func (c *operationCompiler) matchArguments() {
	var args []string
	for _, arg := range c.field.Definition.Arguments {
		if !c.isPageArgument(arg.Name) && !c.isExplicit(arg.Name) {
			args = append(args, arg.Name)
		}
	}
	c.matchScope(Args, args, func(*openapi.Parameter) bool { return true })
}

// matchKeys finds the parameters that the fields of the type itself fill by their names. It does so
// for the binding of a type alone, which fetches that very object. The call of a field has to write
// what it takes of its parent, since the id of a parent is not the id of another object.
func (c *operationCompiler) matchKeys() {
	if c.isRootField || c.field.Definition.Name != "" {
		return
	}
	scope := This
	if c.field.Batch != nil {
		scope = Keys
	}
	c.matchScope(scope, propertyNames(c.field.Object), func(p *openapi.Parameter) bool { return p.Required })
}

// matchScope matches the variables of a scope with parameters by their names.
func (c *operationCompiler) matchScope(scope Scope, names []string, takes func(*openapi.Parameter) bool) {
	var open []*openapi.Parameter
	var theirs []string
	for _, p := range c.parameters {
		if c.explicit[p] == nil && takes(p) {
			open, theirs = append(open, p), append(theirs, p.Name)
		}
	}
	filled, doubts := matchNames(names, theirs)
	for i, name := range filled {
		c.byName[open[i]] = variableName{string(scope), name}
	}
	for _, d := range doubts {
		var candidates []*openapi.Parameter
		for _, i := range d.targets {
			candidates = append(candidates, open[i])
		}
		c.reportAmbiguous(scope, d.names, candidates)
	}
}

// reportAmbiguous reports that several variables or parameters have a name, and what to write.
func (c *operationCompiler) reportAmbiguous(scope Scope, names []string, candidates []*openapi.Parameter) {
	for _, p := range candidates {
		c.ambiguous[p] = true
	}
	what := fmt.Sprintf("$%s.%s", scope, strings.Join(names, fmt.Sprintf(" and $%s.", scope)))
	c.faults.Add(AmbiguousName, c.text.Position, "%s could fill %s of %s (%s), and the name alone does not tell which; write %s",
		what, quoteParameters(candidates), c.op.ID, candidates[0].Place, c.alternatives(candidates, fmt.Sprintf("$%s.%s", scope, names[0])))
}

// ambiguity is a set of variables and parameters whose names match each other.
type ambiguity struct {
	names   []string // of variables
	targets []int    // indices of parameters
}

// matchNames determines which of names fills which of targets. A name fills the target of exactly
// its name. Otherwise it fills the target whose name differs in spelling alone (userId, user_id),
// unless another name or another target has that spelling too. The result maps indices of targets
// to names.
func matchNames(names, theirs []string) (filled map[int]string, doubts []ambiguity) {
	m := &nameMatcher{names: names, targets: theirs, filled: map[int]string{}, matched: map[string]bool{}, taken: map[int]bool{}}
	m.round(func(a, b string) bool { return a == b })
	m.round(sameName)
	return m.filled, m.ambiguities
}

// nameMatcher matches names in rounds. Each round sees only the names and targets that the rounds
// before have left, so that an exact match is never ambiguous with one in another spelling.
type nameMatcher struct {
	names, targets []string
	filled         map[int]string // names by the index of their target
	ambiguities    []ambiguity
	matched        map[string]bool // names that an earlier round has matched
	taken          map[int]bool    // indices of targets that an earlier round has matched
}

// round matches the names and targets that are the same by a rule.
func (m *nameMatcher) round(same func(a, b string) bool) {
	for _, name := range m.names {
		if m.matched[name] {
			continue
		}
		d := m.candidates(name, same)
		switch {
		case len(d.targets) == 0:
			continue
		case len(d.names) == 1 && len(d.targets) == 1:
			m.filled[d.targets[0]] = name
		default:
			m.ambiguities = append(m.ambiguities, d)
		}
		for _, name := range d.names {
			m.matched[name] = true
		}
		for _, i := range d.targets {
			m.taken[i] = true
		}
	}
}

// candidates returns all names and targets that match a name, the name itself among them.
func (m *nameMatcher) candidates(name string, same func(a, b string) bool) ambiguity {
	var d ambiguity
	for _, other := range m.names {
		if !m.matched[other] && same(other, name) {
			d.names = append(d.names, other)
		}
	}
	for i, their := range m.targets {
		if !m.taken[i] && same(name, their) {
			d.targets = append(d.targets, i)
		}
	}
	return d
}

// reportMissing reports that a required parameter has no value, and what to write.
func (c *operationCompiler) reportMissing(p *openapi.Parameter) {
	if c.isRootField || c.field.Definition.Name == "" {
		c.faults.Add(MissingParameter, c.text.Position, "%s requires the %s parameter %s (%s), which has no value; give the field an argument of that name, or write %s(%s: value)",
			c.op.ID, p.In, p.Name, p.Place, c.op.ID, c.qualifiedName(p))
		return
	}
	scope, field := This, "field"
	if c.field.Batch != nil && p.In != "path" {
		scope = Keys
	}
	if likely := c.likelyKeys(p); len(likely) > 0 {
		field = strings.Join(likely, fmt.Sprintf(") or %s(%s: $%s.", c.op.ID, c.qualifiedName(p), scope))
	}
	c.faults.Add(MissingParameter, c.text.Position, "%s requires the %s parameter %s (%s), which has no value: a field of %s is used only if the binding writes it; write %s(%s: $%s.%s)",
		c.op.ID, p.In, p.Name, p.Place, c.field.Object.Name, c.op.ID, c.qualifiedName(p), scope, field)
}

// likelyKeys returns the fields of the parent that may be meant for a parameter: their names join
// the name of the field or of its type with the parameter's, or equal the parameter's if that has
// more than one word. They are suggested in messages and never used.
func (c *operationCompiler) likelyKeys(p *openapi.Parameter) []string {
	def := c.field.Definition
	var likely []string
	for _, of := range []string{def.Name, def.Type.Name(), ""} {
		want := plainName(of + p.Name)
		for _, name := range propertyNames(c.field.Object) {
			if plainName(name) == want && !(of == "" && len(splitWords(name)) == 1) {
				likely = append(likely, name)
			}
		}
	}
	slices.Sort(likely)
	return slices.Compact(likely)
}

// splitWords splits a name where its spelling begins a new word: userId, user_id, USER-ID.
func splitWords(name string) []string {
	var all []string
	begins := true
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			begins = true
			continue
		case begins || unicode.IsUpper(r) && !endsUpper(all):
			all = append(all, "")
		}
		all[len(all)-1] += string(r)
		begins = false
	}
	return all
}

func endsUpper(words []string) bool {
	last := []rune(words[len(words)-1])
	return unicode.IsUpper(last[len(last)-1])
}

// sameName compares names without their spelling: userId, user_id and user-id are the same.
func sameName(a, b string) bool { return plainName(a) == plainName(b) }

func plainName(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_[]. ", r) {
			return -1
		}
		return r
	}, name))
}

// isPageArgument reports whether an argument requests a page of a connection.
func (c *operationCompiler) isPageArgument(arg string) bool {
	return c.field.Page != nil && (arg == "first" || arg == "after")
}

// pageNames are common names of parameters for pages, as plainName spells them. Names in an earlier
// list are clearer than those in a later one.
var pageNames = map[string][][]string{
	"size":        {{"limit"}, {"pagesize", "perpage", "pagelimit", "maxresults"}, {"size", "first", "count", "take", "top", "$top"}},
	"OFFSET":      {{"offset"}, {"skip", "$skip", "startindex", "pageoffset"}, {"start", "from"}},
	"PAGE_NUMBER": {{"page"}, {"pagenumber", "pageno", "pageindex"}},
	"NEXT_CURSOR": {{"cursor"}, {"after", "nextcursor", "pagecursor", "pageafter", "pagetoken", "nexttoken", "nextpagetoken", "startingafter", "continuationtoken", "continuation"}, {"next"}},
}

// rangeEnds are the names of a range's end by the names of its beginning. A parameter whose
// operation has both is a range, not the beginning of a page.
var rangeEnds = map[string][]string{
	"from":  {"to", "until", "till"},
	"start": {"end", "until", "stop"},
}

// matchPages finds the parameters that carry the size and the beginning of a page, by names and
// types.
func (c *operationCompiler) matchPages() {
	if page := c.field.Page; page != nil {
		c.matchPage("first", "size", pageNames["size"])
		c.matchPage("after", "beginning", pageNames[page.Type])
	}
}

// matchPage lets first or after fill the parameter whose name and type match most clearly. None is
// filled if the binding's text already uses the argument, or if the clearest parameter already has
// a value.
func (c *operationCompiler) matchPage(arg, what string, names [][]string) {
	if c.isExplicit(arg) || c.bodyText != nil && slices.Contains(slices.Collect(argumentsIn(c.bodyText)), arg) {
		return
	}
	fits := c.bestMatches(names, func(p *openapi.Parameter) bool { return c.canTakePage(p, arg) })
	switch {
	case len(fits) == 1:
		if _, filled := c.byName[fits[0]]; !filled && c.explicit[fits[0]] == nil {
			c.byName[fits[0]] = variableName{string(Args), arg}
		}
	case len(fits) > 1:
		c.faults.Add(PageParameters, c.field.Page.position, "the %s of a page could be %s of %s (%s), and names and types do not tell which; write %s",
			what, quoteParameters(fits), c.op.ID, fits[0].Place, c.alternatives(fits, "$args."+arg))
	}
}

// bestMatches returns the query parameters that match the first list of names that has any match.
// Parameters whose type the document declares come before others.
func (c *operationCompiler) bestMatches(names [][]string, fits func(*openapi.Parameter) bool) []*openapi.Parameter {
	for _, list := range names {
		var typed, untyped []*openapi.Parameter
		for _, p := range c.parameters {
			switch {
			case p.In != "query" || !slices.Contains(list, plainName(p.Name)) || !fits(p):
			case p.Schema.AllowsAny():
				untyped = append(untyped, p)
			default:
				typed = append(typed, p)
			}
		}
		if len(typed)+len(untyped) > 0 {
			return firstNonEmpty(typed, untyped)
		}
	}
	return nil
}

func firstNonEmpty(a, b []*openapi.Parameter) []*openapi.Parameter {
	if len(a) > 0 {
		return a
	}
	return b
}

// timeFormats are the formats of times and durations, none of which can be a position in a list.
var timeFormats = []string{"date", "date-time", "time", "timestamp", "unix-time", "unixtime", "epoch", "duration"}

// canTakePage reports whether a parameter's type can hold the value of first or after.
func (c *operationCompiler) canTakePage(p *openapi.Parameter, arg string) bool {
	isText := arg == "after" && c.field.Page.Type == "NEXT_CURSOR"
	ends := func(o *openapi.Parameter) bool {
		return o.In == "query" && slices.Contains(rangeEnds[plainName(p.Name)], plainName(o.Name))
	}
	return !slices.ContainsFunc(c.parameters, ends) && slices.ContainsFunc(p.Schema.Leaves(), func(s *openapi.Schema) bool {
		switch {
		case s.AllowsAny():
			return true
		case slices.Contains(timeFormats, s.Format):
			return false
		case isText:
			return s.AllowsType("string") && len(s.Enum) == 0
		}
		return s.AllowsType("integer") || s.AllowsType("number")
	})
}
