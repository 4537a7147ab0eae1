package binding

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
	"github.com/gatehouse-graphql/gatehouse/codegen/selection"
)

// Page describes how a service's pages become a Relay connection.
type Page struct {
	Type        string // OFFSET, PAGE_NUMBER or NEXT_CURSOR
	Items       *Extraction
	Total       *Extraction // nil if the service does not send it
	NextCursor  *Extraction
	HasMore     *Extraction
	MaxSize     int // the largest size of a page
	DefaultSize int
	FirstPage   int

	Connection *ast.Definition
	Edge       *ast.Definition      // nil if the connection has nodes alone
	Node       *ast.FieldDefinition // a single node: the field of an edge, or an element of nodes
	position   *ast.Position
}

// PageScope has the size of a page and where it begins; see ConnectPagination.
const PageScope Scope = "page"

// The default sizes of pages.
const (
	defaultMaxPage = 100
	defaultPage    = 20
)

// compilePagination compiles pagination: {type, items, ...}. It runs before the call is compiled,
// since $args.first and $args.after mean a page in the call of a connection.
func (b *bindingCompiler) compilePagination(d *ast.Directive) {
	v := argument(d, "pagination")
	if v == nil {
		return
	}
	if b.field.Batch != nil {
		b.faults.Add(PagedBatch, v.Position, "one call cannot request pages for many parents; remove batch, or remove pagination")
		return
	}
	if argumentText(d, "entity") == "true" {
		b.faults.Add(EntityRoot, v.Position, "entity: true is for one object, and pagination for pages of objects; remove one of the two")
		return
	}
	page := &Page{Type: memberValue(v, "type").Raw, FirstPage: 1, position: v.Position}
	if !b.checkConnection(page) {
		return
	}
	b.field.Page = page
	b.compilePageSizes(page, v)
	page.Items = b.compilePagePath(page, v, "items", ast.NonNullListType(page.Node.Type, page.Node.Position))
	page.Total = b.compilePagePath(page, v, "total", ast.NamedType("Int", v.Position))
	page.NextCursor = b.compilePagePath(page, v, "nextCursor", ast.NamedType("ID", v.Position))
	page.HasMore = b.compilePagePath(page, v, "hasMore", ast.NamedType("Boolean", v.Position))
	if page.NextCursor == nil && page.Type == "NEXT_CURSOR" {
		b.faults.Add(PageParameters, v.Position, "nothing names the member of the response that holds the next page's cursor; add nextCursor: \"next\"")
	}
	if c := page.Connection.Fields.ForName("totalCount"); c != nil && IsProperty(c) && (page.Total == nil || c.Type.NonNull) {
		b.faults.Add(InvalidConnection, c.Position, "%s.totalCount needs total: \"path\" in the pagination of %s, and has to be nullable, since the service may leave it out", page.Connection.Name, b.name())
	}
}

func (b *bindingCompiler) compilePageSizes(page *Page, v *ast.Value) {
	for _, size := range []struct {
		name string
		into *int
	}{{"maxSize", &page.MaxSize}, {"defaultSize", &page.DefaultSize}} {
		if given := memberValue(v, size.name); given != nil {
			if *size.into = intValue(given); *size.into < 1 {
				b.faults.Add(PageSize, given.Position, "%s is how many items a page has, 1 or more", size.name)
			}
		}
	}
	given := memberValue(v, "firstPage")
	if given == nil {
		return
	}
	page.FirstPage = intValue(given)
	if page.Type != "PAGE_NUMBER" || page.FirstPage < 0 {
		b.faults.Add(PageSize, given.Position, "firstPage is the number of the first page, 0 or more, for type: PAGE_NUMBER")
	}
}

// compilePagePath compiles a path into the response, nil if it is not given.
func (b *bindingCompiler) compilePagePath(page *Page, v *ast.Value, name string, t *ast.Type) *Extraction {
	text := memberValue(v, name)
	if text == nil && name != "items" {
		return nil
	}
	if text == nil {
		text = impliedText("$", page.position)
	}
	e, ok := b.parseExpression(text)
	if !ok {
		return nil
	}
	if len(e.Fields) == 1 && e.Fields[0].IsShorthand() && len(e.Steps) == 0 && e.Root == selection.Current {
		e = e.Fields[0].Expr
	}
	if e.HasBraces || e.Root != selection.Current {
		b.faults.addInText(InvalidExpression, text, e.Offset, "%s is a path such as $.data; selection sets what is read of each item", name)
		return nil
	}
	for _, step := range e.Steps {
		if name == "items" && step.Method != "" && !slices.Contains([]string{"first", "last", "map"}, step.Method) {
			b.faults.addInText(InvalidMethod, text, step.Offset, "items is a path to a list; selection sets what is read of each item")
			return nil
		}
	}
	return (&extractionCompiler{bindingCompiler: b, text: text}).compileExpression(e, t)
}

// checkConnection checks that the field's type is a connection, and enters its types in page.
func (b *bindingCompiler) checkConnection(page *Page) bool {
	t := b.field.Definition.Type
	page.Connection = b.schema.Types[t.Name()]
	if isList(t) || page.Connection.Kind != ast.Object {
		b.faults.Add(InvalidConnection, t.Position, "%s is not a connection, which pagination needs: a type with edges { node cursor } and pageInfo", t)
		return false
	}
	ok := b.checkPageArgument("first", "Int", page) && b.checkPageArgument("after", "String", page)
	for _, f := range page.Connection.Fields {
		ok = b.checkConnectionField(page, f) && ok
	}
	if ok && page.Node == nil {
		b.faults.Add(InvalidConnection, page.Connection.Position, "%s has no edges; a connection has edges: [Edge!]! with node and cursor, and pageInfo: PageInfo!", page.Connection.Name)
		return false
	}
	return ok
}

func (b *bindingCompiler) checkPageArgument(name, named string, page *Page) bool {
	arg := b.field.Definition.Arguments.ForName(name)
	if arg == nil || arg.Type.NamedType != named || arg.Type.NonNull {
		b.faults.Add(InvalidConnection, page.position, "a connection has the arguments first: Int and after: String; give %s the argument %s: %s", b.name(), name, named)
		return false
	}
	return true
}

func (b *bindingCompiler) checkConnectionField(page *Page, f *ast.FieldDefinition) bool {
	switch {
	case !IsProperty(f):
		return true
	case f.Name == "edges" && isList(f.Type):
		return b.checkEdges(page, f)
	case f.Name == "nodes" && isList(f.Type):
		return b.checkNodes(page, f)
	case f.Name == "totalCount" && (f.Type.NamedType == "Int" || f.Type.NamedType == "Int64"):
		return true
	case f.Name == "pageInfo" && f.Type.Elem == nil:
		return b.checkPageInfo(f)
	}
	b.faults.Add(InvalidConnection, f.Position, "%s.%s is not a field of a connection, which has edges, nodes, pageInfo: PageInfo! and totalCount: Int or Int64", page.Connection.Name, f.Name)
	return false
}

func (b *bindingCompiler) checkEdges(page *Page, f *ast.FieldDefinition) bool {
	page.Edge = b.schema.Types[f.Type.Name()]
	node := page.Edge.Fields.ForName("node")
	if node == nil || isList(node.Type) {
		b.faults.Add(InvalidConnection, f.Type.Position, "%s has no node; an edge has node and cursor: String!, and a list of the items themselves belongs in nodes", page.Edge.Name)
		return false
	}
	ok := true
	for _, inner := range page.Edge.Fields {
		switch {
		case inner == node:
		case inner.Name == "cursor" && inner.Type.NamedType == "String", !IsProperty(inner):
		default:
			b.faults.Add(InvalidConnection, inner.Position, "%s.%s is not a field of an edge, which has node and cursor: String!", page.Edge.Name, inner.Name)
			ok = false
		}
	}
	return ok && b.setNode(page, node)
}

func (b *bindingCompiler) checkNodes(page *Page, f *ast.FieldDefinition) bool {
	return b.setNode(page, &ast.FieldDefinition{Name: f.Name, Type: f.Type.Elem, Position: f.Position})
}

// setNode sets the type of the nodes. It refuses a type that edges and nodes do not share.
func (b *bindingCompiler) setNode(page *Page, node *ast.FieldDefinition) bool {
	if page.Node != nil && page.Node.Type.String() != node.Type.String() {
		b.faults.Add(InvalidConnection, node.Position, "%s has %s here and %s in its edges; give both the same type", page.Connection.Name, node.Type, page.Node.Type)
		return false
	}
	page.Node = node
	return true
}

// checkPageInfo checks that PageInfo has the fields of Relay's specification and no others.
func (b *bindingCompiler) checkPageInfo(f *ast.FieldDefinition) bool {
	want := map[string]string{"hasNextPage": "Boolean", "hasPreviousPage": "Boolean", "startCursor": "String", "endCursor": "String"}
	ok := true
	info := b.schema.Types[f.Type.Name()]
	for _, inner := range info.Fields {
		named := want[inner.Name]
		if IsProperty(inner) && (inner.Type.NamedType != named || named == "String" && inner.Type.NonNull) {
			b.faults.Add(InvalidConnection, inner.Position, "%s.%s is not a field of PageInfo, which has hasNextPage: Boolean!, hasPreviousPage: Boolean!, startCursor: String and endCursor: String", info.Name, inner.Name)
			ok = false
		}
	}
	return ok
}

// compilePageArgument returns the value of $args.first and $args.after in the call of a page, nil
// for other arguments.
func (p *variableCompiler) compilePageArgument(arg *ast.ArgumentDefinition) *Value {
	if p.field.Page == nil || len(p.path) > 1 {
		return nil
	}
	whole := ast.NonNullNamedType("Int", arg.Position)
	switch {
	case arg.Name == "first":
		return &Value{Scope: PageScope, Path: []string{"size"}, Type: whole}
	case arg.Name == "after" && p.field.Page.Type == "OFFSET":
		return &Value{Scope: PageScope, Path: []string{"offset"}, Type: whole}
	case arg.Name == "after" && p.field.Page.Type == "PAGE_NUMBER":
		return &Value{Scope: PageScope, Path: []string{"page"}, Type: whole}
	case arg.Name == "after":
		return &Value{Scope: PageScope, Path: []string{"cursor"}, Type: ast.NamedType("String", arg.Position)}
	}
	return nil
}

// settlePage determines the sizes of pages once the call is compiled, and checks that the call
// carries both the size of a page and its beginning.
func (b *bindingCompiler) settlePage() {
	page := b.field.Page
	if page == nil || b.field.Call.Method == "" {
		return
	}
	for _, arg := range []string{"first", "after"} {
		if !b.usedArguments[arg] {
			b.faults.Add(PageParameters, page.position, "the call does not carry %s; %s", map[string]string{"first": "the size of the page", "after": "the beginning of the page"}[arg], b.howToSend("$args."+arg))
		}
	}
	b.settlePageSize(page)
	if page.DefaultSize == 0 {
		if first := b.field.Definition.Arguments.ForName("first"); first.DefaultValue != nil {
			page.DefaultSize = intValue(first.DefaultValue)
		}
	}
	if page.DefaultSize == 0 {
		page.DefaultSize = min(defaultPage, page.MaxSize)
	}
	if page.DefaultSize > page.MaxSize {
		b.faults.Add(PageSize, page.position, "the default size of %d items is more than the %d that a page may have; lower defaultSize, or raise maxSize", page.DefaultSize, page.MaxSize)
	}
}

// settlePageSize determines the largest size of a page, which is no more than the document allows.
func (b *bindingCompiler) settlePageSize(page *Page) {
	documented := b.documentedPageSize()
	switch {
	case page.MaxSize == 0 && documented == nil:
		page.MaxSize = defaultMaxPage
	case page.MaxSize == 0:
		page.MaxSize = int(*documented.Schema.Maximum)
	case documented != nil && page.MaxSize > int(*documented.Schema.Maximum):
		b.faults.Add(PageSize, page.position, "a page may have %d items, but %s allows %v; lower maxSize", page.MaxSize, documented.Place, *documented.Schema.Maximum)
	}
}

// documentedPageSize returns the parameter with which the service's document bounds the size of a
// page, nil if it does not.
func (b *bindingCompiler) documentedPageSize() *openapi.Parameter {
	op := b.graph.Operation(b.field)
	if op == nil {
		return nil
	}
	for _, q := range b.field.Call.Query {
		if len(q.Parts) != 1 || q.Parts[0].Value == nil || q.Parts[0].Value.Scope != PageScope || q.Parts[0].Value.Path[0] != "size" {
			continue
		}
		if p := op.Parameter("query", q.Name); p != nil && p.Schema.Maximum != nil {
			return p
		}
	}
	return nil
}

// setItemExtraction puts the extraction of a node at the end of the extraction of a page's items,
// where the items are read by name.
func setItemExtraction(items, node *Extraction) {
	for items.Op != ByName && items.Op != Map {
		items = items.Inner
	}
	if items.Op == ByName {
		items.Op, items.Inner = Map, node
		return
	}
	for items.Inner.Inner != nil {
		items = items.Inner
	}
	if items.Inner.Op == ByName {
		items.Inner = node
	}
}
