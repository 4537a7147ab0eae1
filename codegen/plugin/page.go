package plugin

import (
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// pageView is the part of a resolver that converts a page of a service to a Relay connection. Its
// strings are Go text unless said. The strings that name a field of a struct are "" where the
// struct does not have it.
type pageView struct {
	Package      string // of engine/page, with its dot
	Field        string // Type.field, not Go
	Type         string
	Parent       string // the values that cursors are bound to, with commas between them; "" for none
	Default      int
	Max          int
	FirstPage    int // the number of the first page; 1 by default
	ReportsEnd   bool
	Total        bool // the connection has a totalCount
	Node         string
	Item         string // the type of a node with its fault
	NonNullNodes bool   // nodes are non-null
	Decoder      string
	Connection   string
	Edge         string // "" when there are no edges
	EdgeNode     string // the struct's fields
	EdgeCursor   string
	Edges        string
	Nodes        string
	PageInfo     string
	Info         []infoView
	InfoType     string
	TotalCount   string
	TotalFits    bool // totalCount holds any total: it is an Int64
}

// infoView is a field of PageInfo.
type infoView struct{ Go, Value string }

// pageTypes are the types of pagination in package page, by their names in the vocabulary.
var pageTypes = map[string]string{"OFFSET": "Offset", "PAGE_NUMBER": "PageNumber", "NEXT_CURSOR": "NextCursor"}

// page fills in the pageView of a binding. Below the root, each parent has pages of its own, which
// are fetched by engine.ResolveEach: pages of different parents cannot be one call.
func (g *generator) page(f *goFile, b *binding.Field, field *codegen.Field, m *methodView) error {
	p := b.Page
	m.Engine = f.use(enginePkg)
	v := &pageView{
		Package: f.use(pagePkg), Field: b.Name(), Default: p.DefaultSize, Max: p.MaxSize, FirstPage: p.FirstPage,
		ReportsEnd: p.Total != nil || p.HasMore != nil, Connection: f.typ(g.objectNamed(p.Connection.Name).Type),
	}
	v.Type = v.Package + pageTypes[p.Type]
	m.Page = v
	node := g.nodeType(p)
	v.Node, v.NonNullNodes = f.typ(node.GO), node.GQL.NonNull
	v.Item = f.use(decodePkg) + "Item[" + v.Node + "]"
	g.pageFields(f, p, v)
	if err := g.pageDecoder(f, b, node, m); err != nil {
		return err
	}
	m.Fetch = g.fetch(f, b, "call", v.Decoder, m.Rules)
	v.Parent = g.pageParent(b, field.Object.Root, m.reader.argument)
	if field.Object.Root {
		return nil
	}
	m.Join = &joinView{Parent: f.typ(field.Object.Type)}
	m.Batching = "It makes one call or two for each parent."
	return g.parentKey(f, b, parentFields(b), m.Join)
}

// pageParent writes the values that cursors are bound to, besides the field: the key of the
// parent, and the caller's claims in the call or in the headers of its source. With a cursor of
// someone else, a caller could otherwise continue the other one's pages. It returns "" when all
// callers have the same pages.
func (g *generator) pageParent(b *binding.Field, root bool, variable func(*binding.Value) string) string {
	var parts []string
	if !root {
		parts = append(parts, "key")
	}
	call := g.graph.FullCall(b)
	for _, v := range distinct(call.Variables()) {
		if v.Scope == binding.Claims {
			parts = append(parts, variable(v))
		}
	}
	return strings.Join(parts, ", ")
}

// nodeType returns the type of a connection's nodes.
func (g *generator) nodeType(p *binding.Page) *config.TypeReference {
	if p.Edge != nil {
		return g.field(p.Edge.Name, "node").TypeReference
	}
	return g.field(p.Connection.Name, "nodes").TypeReference.Elem()
}

// pageFields fills in the names of the fields of the connection's structs.
func (g *generator) pageFields(f *goFile, p *binding.Page, v *pageView) {
	name := func(object, field string) string {
		if found := g.field(object, field); found != nil && g.isSent(object, found) {
			return found.GoFieldName
		}
		return "" // which the struct does not have
	}
	v.Edges, v.Nodes = name(p.Connection.Name, "edges"), name(p.Connection.Name, "nodes")
	v.PageInfo, v.TotalCount = name(p.Connection.Name, "pageInfo"), name(p.Connection.Name, "totalCount")
	if v.Total = v.TotalCount != ""; v.Total {
		v.TotalFits = g.field(p.Connection.Name, "totalCount").TypeReference.Definition.Name == "Int64"
	}
	if p.Edge != nil {
		v.Edge = f.typ(g.objectNamed(p.Edge.Name).Type)
		v.EdgeNode, v.EdgeCursor = name(p.Edge.Name, "node"), name(p.Edge.Name, "cursor")
	}
	if v.PageInfo == "" {
		return
	}
	info := g.field(p.Connection.Name, "pageInfo").TypeReference.Definition
	v.InfoType = f.typ(g.objectNamed(info.Name).Type)
	for field, value := range map[string]string{"hasNextPage": "HasNext", "hasPreviousPage": "HasPrevious", "startCursor": "Start", "endCursor": "End"} {
		if goName := name(info.Name, field); goName != "" {
			expr := "found." + value
			if tr := g.field(info.Name, field).TypeReference; !tr.GQL.NonNull && tr.Definition.Name == "Boolean" {
				expr = "&" + expr
			}
			v.Info = append(v.Info, infoView{goName, expr})
		}
	}
	slices.SortFunc(v.Info, func(a, b infoView) int { return strings.Compare(a.Go, b.Go) })
}

// pageDecoder adds the function that decodes a page. The totals and cursors are read first, by
// looking ahead, since decoding the items consumes the response.
func (g *generator) pageDecoder(f *goFile, b *binding.Field, node *config.TypeReference, m *methodView) error {
	p, r := b.Page, m.reader
	dec := f.use(decodePkg)
	view := decoderView{Name: r.declare("page", ""), GoType: m.Page.Package + "Response[" + m.Page.Item + "]", For: b.Name(), Params: r.paramList(requestValues(p.Items))}
	r.inDecoder = true
	for _, part := range []struct {
		field, scalar string
		read          *binding.Extraction
	}{{"Total", "Int64", p.Total}, {"NextCursor", "ID", p.NextCursor}, {"HasMore", "Boolean", p.HasMore}} {
		if part.read == nil {
			continue
		}
		read, err := r.decoder(part.read, g.nullable(part.scalar), "")
		if err != nil {
			return err
		}
		view.Fields = append(view.Fields, fieldView{Go: part.field, Read: fmt.Sprintf("%sLookahead(d, %s)", dec, read)})
	}
	r.nullableItems = true
	r.writeList = func(item string, _ *config.TypeReference) (string, error) {
		return fmt.Sprintf("%sItemsOf(%s)", dec, item), nil
	}
	read, err := r.decoder(p.Items, g.listOf(node), "")
	if err != nil {
		return err
	}
	r.inDecoder = false
	view.Fields = append(view.Fields, fieldView{Go: "Items", Read: g.read(f, read)})
	r.views = append(r.views, view)
	m.Page.Decoder = view.Name
	if view.Params != "" {
		m.Page.Decoder += "(" + r.argumentList(requestValues(p.Items)) + ")"
	}
	return nil
}

// nullable returns the type of a nullable scalar.
func (g *generator) nullable(scalar string) *config.TypeReference {
	goType := map[string]types.BasicKind{"Int64": types.Int64, "ID": types.String, "Boolean": types.Bool}[scalar]
	return &config.TypeReference{
		GQL: ast.NamedType(scalar, nil), GO: pointerTo(goType),
		Definition: &ast.Definition{Kind: ast.Scalar, Name: scalar}, // the schema may lack Int64
	}
}

// pointerTo returns the type of a pointer to a basic type.
func pointerTo(basic types.BasicKind) types.Type { return types.NewPointer(types.Typ[basic]) }
