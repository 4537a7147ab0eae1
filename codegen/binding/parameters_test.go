package binding

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// oneOperation returns a document with the operation "call", whose parameters and body are YAML.
func oneOperation(path, parameters, body string) string {
	if body != "" {
		body = "requestBody: {required: true, content: {application/json: {schema: " + body + "}}}, "
	}
	return "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {'" + path + "': {post: {operationId: call, parameters: [" + parameters + "], " +
		body + "responses: {'200': {description: d, content: {application/json: {}}}}}}}\n"
}

// compileWith compiles a schema whose source "s" has a document.
func compileWith(t testing.TB, dir, document, text string) (*Graph, error) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	return compile(t, filepath.Join(dir, "s.graphqls"), `extend schema @source(name: "s", openapi: "s.yaml")`+"\n"+text)
}

// callInWords returns what fills each parameter of a call, in short.
func callInWords(c *Call) string {
	var all []string
	for _, p := range c.Path {
		if p.Value != nil {
			all = append(all, "path."+p.Style.Name+"="+p.Value.String())
		}
	}
	for in, params := range map[string][]Param{"query": c.Query, "header": c.Headers, "cookie": c.Cookies} {
		for _, p := range params {
			all = append(all, in+"."+p.Name+"="+p.Parts[0].Value.String())
		}
	}
	slices.Sort(all)
	if c.Body != nil {
		all = append(all, "body="+inWords(c.Body))
	}
	return strings.Join(all, " ")
}

// Either it is certain what fills the parameters of an operation, or the schema is refused with
// advice.
func TestParametersByName(t *testing.T) {
	const id = "{name: id, in: path, required: true}"
	for name, c := range map[string]struct{ path, parameters, body, field, operation, want string }{
		"exactly":                             {"/a/{id}", id, "", "f(id: ID!): ID", "call", "path.id=$args.id"},
		"in another spelling":                 {"/a/{user_id}", "{name: user_id, in: path, required: true}", "", "f(userId: ID!): ID", "call", "path.user_id=$args.userId"},
		"undeclared in the document":          {"/a/{id}", "", "", "f(id: ID!): ID", "call", "path.id=$args.id"},
		"undeclared and named":                {"/a/{id}", "", "", "f(of: ID!): ID", "call(id: $args.of)", "path.id=$args.of"},
		"exactly before another spelling":     {"/a/{id}", id + ", {name: ID, in: query}", "", "f(id: ID!): ID", "call", "path.id=$args.id"},
		"each spelling its own":               {"/a/{id}", id + ", {name: ID, in: query}", "", "f(id: ID!, ID: ID): ID", "call", "path.id=$args.id query.ID=$args.ID"},
		"the rest of two spellings":           {"/a/{id}", id + ", {name: ID, in: query}", "", "f(id: ID!, Id: ID): ID", "call", "path.id=$args.id query.ID=$args.Id"},
		"required in another spelling":        {"/a/{id}", id + ", {name: ID, in: query, required: true}", "", "f(id: ID!): ID", "call", `! call requires the query parameter ID`},
		"two places":                          {"/a/{id}", id + ", {name: id, in: header}", "", "f(id: ID!): ID", "call", "! write call(path.id: $args.id) or call(header.id: $args.id)"},
		"two places, one written":             {"/a/{id}", id + ", {name: id, in: header}", "", "f(id: ID!): ID", "call(path.id: $args.id)", "path.id=$args.id"},
		"two places, both written":            {"/a/{id}", id + ", {name: id, in: cookie}", "", "f(id: ID!): ID", "call(path.id: $args.id, cookie.id: $args.id)", "cookie.id=$args.id path.id=$args.id"},
		"two places, one by another argument": {"/a/{id}", id + ", {name: id, in: query}", "", "f(id: ID!, q: ID): ID", "call(query.id: $args.q)", "path.id=$args.id query.id=$args.q"},
		"two places, no place written":        {"/a/{id}", id + ", {name: id, in: query}", "", "f(id: ID!): ID", "call(id: $args.id)", "! write one of them with its place: call(path.id: value) or call(query.id: value)"},
		"a place that has none":               {"/a/{id}", id, "", "f(id: ID!): ID", "call(query.id: $args.id)", `! call has no parameter "id" in its query`},
		"two spellings of none":               {"/a", "{name: user-id, in: query}, {name: user_id, in: header}", "", "f(userId: ID): ID", "call", "! write call(user-id: $args.userId) or call(user_id: $args.userId)"},
		"two arguments for one":               {"/a", "{name: user-id, in: query}", "", "f(userId: ID, user_id: ID): ID", "call", "! $args.userId and $args.user_id could fill the query parameter user-id"},
		"two arguments, one written":          {"/a", "{name: user-id, in: query}", "", "f(userId: ID, user_id: ID): ID", "call(user-id: $args.userId)", `! does not use its argument "user_id"`},
		"a quoted name":                       {"/a", "{name: 'filter[user.id]', in: query}, {name: filter_user_id, in: query}", "", "f(filterUserId: ID): ID", "call", "! call('filter[user.id]': $args.filterUserId)"},
		"given to another":                    {"/a/{id}", id + ", {name: other, in: query}", "", "f(id: ID!): ID", "call(other: $args.id)", "! requires the path parameter id"},
		"given to the body, too":              {"/a/{id}", id, "{type: object, properties: {id: {type: string}}}", "f(id: ID!): ID", "call(body: { id: $args.id })", "path.id=$args.id body={id: $args.id}"},
		"twice":                               {"/a/{id}", id, "", "f(id: ID!): ID", "call(id: $args.id, path.id: $args.id)", "! given twice"},
		"the body twice":                      {"/a", "", "{}", "f(id: ID!): ID", "call(body: $args.id, body: $args.id)", "! given twice"},

		"a path's name in the body, too":     {"/a/{id}", id, "{type: object, properties: {id: {type: string}, name: {type: string}}}", "f(id: ID!, name: String): ID", "call", "path.id=$args.id body={name: $args.name}"},
		"a query's name in the body, too":    {"/a", "{name: id, in: query}", "{type: object, properties: {id: {type: string}}}", "f(id: ID!): ID", "call", "! write call(body: { id: $args.id })"},
		"a query's name, written":            {"/a", "{name: id, in: query}", "{type: object, properties: {id: {type: string}, x: {type: string}}}", "f(id: ID!, x: String): ID", "call(id: $args.id)", "query.id=$args.id body={x: $args.x}"},
		"a query's name beside a whole body": {"/a", "{name: id, in: query}", "{type: object, properties: {id: {type: string}}}", "f(id: ID!, input: In): ID", "call", "query.id=$args.id body=$args.input"},
		"two spellings in the body":          {"/a", "", "{type: object, properties: {userId: {}, user_id: {}}}", "f(UserId: ID!): ID", "call", "! could be the member userId of the body"},
		"each spelling in the body":          {"/a", "", "{type: object, properties: {userId: {}, user_id: {}}}", "f(user_id: ID!): ID", "call", "body={user_id: $args.user_id}"},
		"a parameter called body":            {"/a", "{name: body, in: query}", "{type: object}", "f(q: String, input: In): ID", "call(query.body: $args.q)", "query.body=$args.q body=$args.input"},
		"body is the body":                   {"/a", "{name: body, in: query}", "{type: object}", "f(in: In): ID", "call(body: $args.in)", "body=$args.in"},
		"a member called body":               {"/a", "", "{type: object, properties: {body: {type: string}}}", "f(body: String!): ID", "call", "body={body: $args.body}"},
		"a member called input":              {"/a", "", "{type: object, properties: {input: {type: object}}}", "f(input: In!): ID", "call", "! write call(body: $args.input) or call(body: { input: $args.input })"},
		"a text called input":                {"/a", "", "{type: object, properties: {input: {type: string}}}", "f(input: In!): ID", "call", "body=$args.input"},
		"body and input":                     {"/a", "", "{type: object}", "f(input: In!, body: In!): ID", "call", "! could both be the body"},

		"the parent's own id":             {"/customers/{id}", id, "", "customer: ID", "call", "! write call(id: $this.customerId)"},
		"the parent's of the name":        {"/customers/{customerId}", "{name: customerId, in: path, required: true}", "", "buyer: ID", "call", "! write call(customerId: $this.customerId)"},
		"the parent's by the type":        {"/a/{id}", id, "", "boss: Person", "call", "! write call(id: $this.person_id)"},
		"nothing of the parent":           {"/a/{id}", id, "", "boss: ID", "call", "! write call(id: $this.field)"},
		"the parent's, written":           {"/customers/{id}", id, "", "customer: ID", "call(id: $this.customerId)", "path.id=$this.customerId"},
		"an argument below the root":      {"/a/{id}", id, "", "boss(id: ID!): ID", "call", "path.id=$args.id"},
		"optional from the parent":        {"/a", "{name: status, in: query}, {name: id, in: query}", "", "boss: ID", "call", ""},
		"the parent's in a batch":         {"/a", "{name: id, in: query, required: true}", "", "customer: ID", `call", batch: {key: "customerId"}, id: "x`, "! write call(id: $batch.customerId)"},
		"the parent's in a batch's path":  {"/a/{id}", id, "", "customer: ID", `call", batch: {key: "customerId"}, id: "x`, "! write call(id: $this.customerId)"},
		"a type by its own key":           {"/a/{id}", id, "", "", "call", "path.id=$this.id"},
		"a type by two of its own fields": {"/a/{customer_id}/{id}", "", "", "", "call", "path.customer_id=$this.customerId path.id=$this.id"},
	} {
		t.Run(name, func(t *testing.T) {
			text := "type Query { order: Order @goField(forceResolver: true) person: Person @goField(forceResolver: true) other(in: In): ID @goField(forceResolver: true) %s }\n" +
				"type Order %s { id: ID! status: String customerId: ID person_id: ID %s }\ntype Person { id: ID! }\ninput In { n: String }\n"
			bound := c.field + ` @connect(source: "s", operation: "` + c.operation + `")`
			switch {
			case c.field == "":
				text = fmt.Sprintf(text, "", bound, "")
			case strings.HasPrefix(c.field, "f("):
				text = fmt.Sprintf(text, bound, "", "")
			default:
				text = fmt.Sprintf(text, "", "", bound)
			}
			g, err := compileWith(t, t.TempDir(), oneOperation(c.path, c.parameters, c.body), text)
			if want, isFault := strings.CutPrefix(c.want, "! "); isFault {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := callInWords(&g.Bindings()[0].Call); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// collision is a random operation and field whose names collide.
type collision struct {
	parameters []string // place.name
	arguments  []string
	stated     map[string]string // the values in the binding's text by parameter
	below      bool              // the field has a parent, which has all of the names
}

var (
	collidingNames = []string{"id", "Id", "ID", "userId", "user_id", "userid", "UserID", "limit", "Limit"}
	places         = []string{"path", "query", "header", "cookie"}
)

func someCollision(r *rand.Rand) collision {
	c := collision{stated: map[string]string{}, below: r.IntN(2) == 0}
	some := func() string { return collidingNames[r.IntN(len(collidingNames))] }
	for range r.IntN(5) {
		if p := places[r.IntN(len(places))] + "." + some(); !slices.Contains(c.parameters, p) {
			c.parameters = append(c.parameters, p)
		}
	}
	for range r.IntN(4) {
		if a := some(); !slices.Contains(c.arguments, a) {
			c.arguments = append(c.arguments, a)
		}
	}
	for _, p := range c.parameters {
		switch r.IntN(6) {
		case 0:
			c.stated[p] = "$args." + some()
		case 1:
			c.stated[p] = "$this." + some()
		}
	}
	return c
}

func (c collision) document() string {
	path, parameters := "/a", ""
	for _, p := range c.parameters {
		in, name, _ := strings.Cut(p, ".")
		if in == "path" {
			path += "/{" + name + "}"
		}
		parameters += fmt.Sprintf("{name: %s, in: %s, required: %t}, ", name, in, in == "path")
	}
	return oneOperation(path, parameters, "")
}

func (c collision) schema() string {
	args, given := "", ""
	for _, a := range c.arguments {
		args += a + ": ID! "
	}
	for _, p := range c.parameters {
		if v := c.stated[p]; v != "" {
			given += p + ": " + v + ", "
		}
	}
	if args != "" {
		args = "(" + args + ")"
	}
	field := fmt.Sprintf(`f%s: ID @connect(source: "s", operation: "call(%s)")`, args, strings.TrimSuffix(given, ", "))
	if !c.below {
		return "type Query { " + field + " }"
	}
	fields := ""
	for i, name := range collidingNames { // some of them have the same Go name
		fields += fmt.Sprintf(`%s: ID! @goField(name: "N%d") `, name, i)
	}
	return "type Query { p: P @goField(forceResolver: true) }\ntype P { " + fields + field + " }"
}

// wants returns what the rules give to each parameter; ok is false if that is ambiguous.
func (c collision) wants() (want []string, ok bool) {
	used := map[string]bool{}
	for p, v := range c.stated {
		want = append(want, p+"="+v)
		name, isArg := strings.CutPrefix(v, "$args.")
		if isArg && !slices.Contains(c.arguments, name) || !isArg && !c.below {
			return nil, false
		}
		if isArg {
			used[name] = true
		}
	}
	var open, free []string
	for _, p := range c.parameters {
		if c.stated[p] == "" {
			open = append(open, p)
		}
	}
	for _, a := range c.arguments {
		if !used[a] {
			free = append(free, a)
		}
	}
	name := func(p string) string { _, n, _ := strings.Cut(p, "."); return n }
	plain := func(n string) string { return strings.ToLower(strings.ReplaceAll(n, "_", "")) }
	filled := map[string]string{}
	for _, p := range open {
		var exact, alike []string // the arguments that could fill p
		for _, a := range free {
			switch {
			case a == name(p):
				exact = append(exact, a)
			case plain(a) == plain(name(p)) && !slices.ContainsFunc(open, func(o string) bool { return name(o) == a }):
				alike = append(alike, a)
			}
		}
		if len(exact) == 0 {
			exact = alike
		}
		if len(exact) > 1 {
			return nil, false
		}
		if len(exact) == 1 {
			if filled[exact[0]] != "" {
				return nil, false
			}
			filled[exact[0]] = p
			want = append(want, p+"="+"$args."+exact[0])
		} else if strings.HasPrefix(p, "path.") {
			return nil, false
		}
	}
	slices.Sort(want)
	return want, len(filled) == len(free) // an unused argument is a mistake
}

// Whatever the names, a call takes each value from where the rules say, or is refused. The parent's
// field of its name fills no parameter, and neither does an argument that could be meant for
// another one.
func TestCollidingNames(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 1_000
	}
	r, dir, made := rand.New(rand.NewPCG(1, 2)), t.TempDir(), 0
	for range n {
		c := someCollision(r)
		want, certain := c.wants()
		g, err := compileWith(t, dir, c.document(), c.schema())
		if (err == nil) != certain {
			t.Fatalf("certain: %t, but got %v\n%s\n%s", certain, err, c.document(), c.schema())
		}
		if err != nil {
			continue
		}
		made++
		if got := callInWords(&g.Fields[0].Call); got != strings.Join(want, " ") {
			t.Fatalf("got %s, want %s\n%s\n%s", got, want, c.document(), c.schema())
		}
	}
	if made < n/10 {
		t.Errorf("only %d of %d are without doubt", made, n)
	}
}
