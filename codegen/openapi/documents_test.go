package openapi

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const shop = "../../schema/openapi/"

// documents are real documents, with the numbers of their parts counted by hand or by another tool.
var documents = []struct {
	file, version string
	operations    int
}{
	{shop + "users.yaml", "3.1.0", 5},
	{shop + "orders.yaml", "3.1.0", 6},
	{shop + "products.yaml", "3.0.3", 5},
	{"testdata/modern-petstore-like-3.1.yaml", "3.1.0", 19},
	{"testdata/redocly-museum-3.1.yaml", "3.1.0", 8},
	{"testdata/swagger-petstore-3.0.yaml", "3.0.4", 19},
	{"testdata/swagger-petstore-2.0.json", "2.0", 20},
}

func mustRead(t testing.TB, path string) *Document {
	t.Helper()
	d, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// allOperations returns the operations of a document with everything that it says of them.
func allOperations(d *Document) []*Operation {
	for _, o := range d.Operations {
		d.Load(o)
	}
	return d.Operations
}

// warnings returns what cannot be read in the whole of a document.
func warnings(d *Document) []string {
	allOperations(d)
	return d.Warnings()
}

// mustParse parses a document with the given text of paths and components.
func mustParse(t testing.TB, version, text string) *Document {
	t.Helper()
	d, err := Parse("api.yaml", []byte("openapi: "+version+"\ninfo: {title: t, version: '1'}\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDocuments(t *testing.T) {
	for _, want := range documents {
		t.Run(want.file, func(t *testing.T) {
			d := mustRead(t, want.file)
			if d.Version != want.version || len(d.Operations) != want.operations || d.File != want.file {
				t.Errorf("%s: version %s, %d operations", d.File, d.Version, len(d.Operations))
			}
			if len(warnings(d)) > 0 {
				t.Errorf("warnings: %q", warnings(d))
			}
			if !slices.IsSortedFunc(d.Operations, func(a, b *Operation) int { return comparePlaces(a.Place, b.Place) }) {
				t.Error("the operations are not in the document's order")
			}
		})
	}
}

// Everything with a name stands at its place in the text, in YAML and JSON, in OpenAPI and in
// Swagger 2.0.
func TestPlaces(t *testing.T) {
	for _, doc := range documents {
		t.Run(doc.file, func(t *testing.T) {
			text, err := os.ReadFile(doc.file)
			if err != nil {
				t.Fatal(err)
			}
			c := checker{T: t, lines: bytes.Split(text, []byte("\n")), seen: map[*Schema]bool{}}
			for _, o := range allOperations(mustRead(t, doc.file)) {
				c.operation(o)
			}
			if len(c.seen) < 10 {
				t.Errorf("only %d schemas were reached", len(c.seen))
			}
		})
	}
}

type checker struct {
	*testing.T
	lines [][]byte
	seen  map[*Schema]bool
}

// at checks that a word, perhaps in quotes, starts at a place.
func (c *checker) at(p Place, word string) {
	c.Helper()
	if p.Line < 1 || p.Line > len(c.lines) || p.Column < 1 || p.Column > len(c.lines[p.Line-1]) {
		c.Errorf("%s:%d for %q is outside of the text", p, p.Column, word)
		return
	}
	rest := strings.TrimLeft(string(c.lines[p.Line-1][p.Column-1:]), `"'`)
	if !strings.HasPrefix(rest, word) {
		c.Errorf("%s:%d: there is %.20q instead of %q", p, p.Column, rest, word)
	}
}

func (c *checker) operation(o *Operation) {
	c.at(o.Place, strings.ToLower(o.Method))
	for _, p := range o.Parameters {
		c.schema(p.Schema)
	}
	for _, r := range o.Responses {
		c.at(r.Place, r.Status)
		for _, m := range r.Media {
			c.schema(m.Schema)
		}
		for _, h := range r.Headers {
			c.at(h.Place, h.Name)
		}
	}
	if o.Body != nil {
		for _, m := range o.Body.Media {
			c.schema(m.Schema)
		}
	}
}

func (c *checker) schema(s *Schema) {
	if s == nil || c.seen[s] {
		return
	}
	c.seen[s] = true
	for _, p := range s.Properties {
		if !c.form(p.Place) {
			c.at(p.Place, p.Name)
		}
		c.schema(p.Schema)
	}
	for _, v := range s.Enum {
		c.at(v.Place, v.Text)
	}
	for _, branch := range s.OneOf {
		c.schema(branch)
	}
	c.schema(s.Items)
	c.schema(s.Additional)
}

// form reports whether the place is that of a form parameter of Swagger 2.0.
func (c *checker) form(p Place) bool {
	lines := bytes.Join(c.lines[p.Line-1:min(p.Line+2, len(c.lines))], nil)
	return bytes.Contains(lines, []byte(`"in": "formData"`))
}

func TestShopUsers(t *testing.T) {
	d := mustRead(t, shop+"users.yaml")
	user := d.Operation("getUser").Success().JSON().Schema
	got := map[string]string{}
	for _, name := range user.PropertyNames() {
		p := user.Property(name)
		got[name] = strings.TrimPrefix(describe(p), shop)
	}
	want := map[string]string{
		"id":         "users.yaml:66 required string readOnly",
		"email":      "users.yaml:67 required string (email)",
		"name":       "users.yaml:68 required string",
		"role":       "users.yaml:69 required string Role[customer support admin]",
		"phone":      "users.yaml:70 string null",
		"address":    "users.yaml:71 object Address null",
		"created-by": "users.yaml:72 string",
		"createdAt":  "users.yaml:73 required string (date-time) readOnly",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if user.Name != "User" || user.Line != 63 {
		t.Errorf("User is %q at %s", user.Name, user.Place)
	}
	address := user.Property("address").Schema
	if address.NullAt.Line != 71 || address.Property("street") == nil {
		t.Errorf("address: %s, null at %s", address, address.NullAt)
	}
}

// describe returns a property in one line.
func describe(p *Property) string {
	words := []string{p.Place.String()}
	add := func(ok bool, word string) {
		if ok {
			words = append(words, word)
		}
	}
	s := p.Schema
	add(p.Required, "required")
	add(true, s.String())
	enum := ""
	if len(s.Enum) > 0 {
		enum = "[" + strings.ReplaceAll(s.enumText(), ",", "") + "]"
	}
	add(s.Name+enum != "", s.Name+enum)
	add(s.Nullable, "null")
	add(s.ReadOnly, "readOnly")
	add(s.WriteOnly, "writeOnly")
	return strings.Join(words, " ")
}

func TestShopOrders(t *testing.T) {
	d := mustRead(t, shop+"orders.yaml")
	order := d.Operation("getOrder").Success().JSON().Schema
	if replaces := order.Property("replaces").Schema; !replaces.Nullable || replaces.Name != "Order" || replaces.Property("replaces").Schema != replaces {
		t.Errorf("replaces does not lead back to Order: %+v", replaces)
	}
	payment := order.Property("payment").Schema
	choices := map[string]string{}
	for _, c := range payment.Discriminator.Choices {
		choices[c.Value] = c.Schema.Name
	}
	if diff := cmp.Diff(map[string]string{"card": "CardPayment", "transfer": "TransferPayment"}, choices); diff != "" || payment.Discriminator.Property != "method" {
		t.Error(diff)
	}
	if p := payment.Property("method"); p == nil || !p.Required {
		t.Error("method is required in every branch")
	}
	if p := payment.Property("iban"); p == nil || p.Required {
		t.Error("iban is in one branch, so it is not required")
	}
	history := d.Operation("orderHistory").Success().JSON().Schema
	if values := history.MemberSchema(); values == nil || !values.AllowsType("array") || values.Items != order {
		t.Error("orderHistory answers with a map of lists of orders")
	}
	if metadata := order.Property("metadata").Schema.MemberSchema(); metadata == nil || !metadata.AllowsAny() {
		t.Error("metadata is a map of anything")
	}
	if d.Operation("orderEvents").Success() != nil || d.Operation("orderEvents").Responses[0].Media[0].Type != "text/event-stream" {
		t.Error("orderEvents sends no JSON")
	}
	if d.Operation("orderStatusChanged") != nil {
		t.Error("a webhook is no operation")
	}
	if body := d.Operation("cancelOrder").Body; body.Required || body.JSON() != nil || body.Media[0].Type != "application/x-www-form-urlencoded" {
		t.Error("cancelOrder takes a form")
	}
	ids := d.Operation("orderHistory").Parameter("query", "userIds")
	if *ids.Schema.MaxItems != 100 || ids.Explode || ids.Style != "form" || !ids.Required {
		t.Errorf("userIds: %+v", ids)
	}
	if id := d.Operation("getOrder").Parameter("path", "orderId"); id.Line != 83 || !id.Required || id.Style != "simple" {
		t.Errorf("orderId is a referred parameter: %+v", id)
	}
}

func TestShopProducts(t *testing.T) {
	d := mustRead(t, shop+"products.yaml")
	list := d.Operation("listProducts")
	if p := list.Parameter("query", "filter"); p.Style != "deepObject" || !p.Explode || p.Schema.Property("maxPrice") == nil {
		t.Errorf("filter: %+v", p)
	}
	if h := list.Responses[0].Headers; len(h) != 2 || h[1].Name != "X-Replica" {
		t.Errorf("headers: %+v", h)
	}
	product := list.Success().JSON().Schema.Property("data").Schema.Items
	for name, nullable := range map[string]bool{"description": true, "rating": true, "name": false, "category": false} {
		if product.Property(name).Schema.Nullable != nullable {
			t.Errorf("%s: nullable is %v", name, !nullable)
		}
	}
	category := product.Property("category").Schema
	if parent := category.Property("parent").Schema; !parent.Nullable || parent.Name != "Category" || parent.Property("parent") == nil {
		t.Errorf("parent is a Category or null: %+v", parent)
	}
	details := product.Property("details").Schema
	if c := details.Discriminator.Choices; len(c) != 2 || c[0].Value != "BookDetails" || c[1].Schema != details.OneOf[1] {
		t.Errorf("choices without a mapping have their definitions' names: %+v", c)
	}
	if d.Operation("uploadProductImage").Success() != nil {
		t.Error("204 sends nothing")
	}
}

func TestSwagger(t *testing.T) {
	d := mustRead(t, "testdata/swagger-petstore-2.0.json")
	pet := d.Operation("getPetById").Success().JSON().Schema
	if diff := cmp.Diff([]string{"id", "category", "name", "photoUrls", "tags", "status"}, pet.PropertyNames()); diff != "" || pet.Name != "Pet" {
		t.Error(diff)
	}
	status := d.Operation("findPetsByStatus").Parameter("query", "status")
	if status.Style != "form" || !status.Explode || status.Line != 116 || status.Schema.Items.Enum[2].Text != "sold" {
		t.Errorf("collectionFormat multi: %+v", status)
	}
	form := d.Operation("updatePetWithForm").Body.Media[0]
	if form.Type != "application/x-www-form-urlencoded" || form.Schema.Property("status") == nil {
		t.Errorf("form: %+v", form)
	}
	if order := d.Operation("placeOrder").Body; order.JSON().Schema.Name != "Order" || !order.Required {
		t.Errorf("body: %+v", order)
	}
	if m := d.Operation("getInventory").Success().JSON().Schema.MemberSchema(); m == nil || !m.AllowsType("integer") {
		t.Error("the inventory is a map of numbers")
	}
}

func TestSwaggerNullAndSubtypes(t *testing.T) {
	d, err := Parse("old.yaml", []byte(`swagger: "2.0"
info: {title: t, version: "1"}
paths:
  /b:
    get:
      operationId: b
      produces: [application/json]
      parameters:
        - {name: ids, in: query, type: array, items: {type: string}}
        - {name: tags, in: query, type: array, collectionFormat: pipes, items: {type: string}}
        - {$ref: '#/parameters/Limit'}
      responses: {200: {description: ok, schema: {$ref: '#/definitions/Animal'}}}
  /a:
    get: {operationId: a, responses: {204: {description: none}}}
parameters:
  Limit: {name: limit, in: query, type: integer, maximum: 5}
definitions:
  Animal:
    type: object
    discriminator: kind
    required: [kind]
    properties:
      kind: {type: string}
      age: {type: integer, x-nullable: true}
  Dog:
    allOf:
      - $ref: '#/definitions/Animal'
      - {type: object, properties: {barks: {type: boolean}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"b", "a"}, operationIDs(d)); diff != "" {
		t.Error(diff)
	}
	o := d.Operation("b")
	got := []string{}
	for _, p := range o.Parameters {
		got = append(got, strings.Join([]string{p.Name, p.Style, p.Place.String()}, " "))
	}
	if diff := cmp.Diff([]string{"ids form old.yaml:9", "tags pipeDelimited old.yaml:10", "limit form old.yaml:16"}, got); diff != "" {
		t.Error(diff)
	}
	if o.Parameters[0].Explode {
		t.Error("a list of Swagger 2.0 is joined by commas")
	}
	animal := o.Success().JSON().Schema
	if age := animal.Property("age"); !age.Schema.Nullable || age.Line != 24 || animal.Line != 19 {
		t.Errorf("x-nullable: %+v; Animal at %s", age, animal.Place)
	}
	dog := animal.Discriminator.Choices
	if len(dog) != 1 || dog[0].Value != "Dog" || dog[0].Schema.Property("kind") == nil || dog[0].Schema.Property("barks").Line != 28 {
		t.Errorf("subtypes: %+v", dog)
	}
}
