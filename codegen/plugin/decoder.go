package plugin

import (
	"fmt"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/escape"
)

// decoderView is a decoder of the selection of one binding. Its strings are Go text unless said.
type decoderView struct {
	Decode       string // the package's name with its dot
	Name, GoType string
	Shape        string // the variable with its fields
	Type         string // of the graph, for comments
	For          string // the binding, for comments
	Params       string // its parameters; "" when it has none
	Fields       []fieldView
}

// decoderWriter writes the decoders of one binding. A decoder is an expression of type
// func(*decode.Decoder) T; objects with selected fields get a function of their own.
//
// Some of its fields are for one place in the selection only, at which they are consumed:
// writeList at the list of a batch or a page, requestedKey at the first object. A method that
// descends into something else must clear them first, or an inner list would be taken for the
// outer one.
type decoderWriter struct {
	g             *generator
	f             *goFile
	binding       *binding.Field
	name          string                      // of the binding, in the names of decoders
	argument      func(*binding.Value) string // writes a variable outside of decoders
	inDecoder     bool                        // the code is in a decoder, where variables are parameters
	views         []decoderView
	params        names                                                       // of decoders
	writeList     func(item string, tr *config.TypeReference) (string, error) // writes the decoder of the list of a batch or a page; nil after that
	nullableItems bool                                                        // the list is that of a page, whose elements may be null
	asText        bool                                                        // scalars are decoded as texts
	requestedKey  *requestedKey                                               // of the next object; nil for none
}

// decoder writes the decoder of an extraction into a value of a type. The path names the place in
// the selection and is a part of the names of functions.
func (r *decoderWriter) decoder(read *binding.Extraction, tr *config.TypeReference, path string) (string, error) {
	dec := r.f.use(decodePkg)
	switch read.Op {
	case binding.ByName:
		return r.byName(tr)
	case binding.Object:
		return r.orNull(tr, func(*config.TypeReference) (string, error) { return r.object(read, tr, path) })
	case binding.Member:
		return r.wrap(read.Inner, tr, path, "%sMember(%q, %s)", dec, read.Name)
	case binding.First:
		return r.wrap(read.Inner, tr, path, "%sFirst(%s)", dec)
	case binding.Last:
		return r.wrap(read.Inner, tr, path, "%sLast(%s)", dec)
	case binding.Map:
		return r.list(read, tr, path)
	case binding.Entries:
		return r.orNull(tr, func(inner *config.TypeReference) (string, error) {
			return r.wrap(read.Inner, inner.Elem(), path, "%sEntriesOf(%s)", dec)
		})
	case binding.ByKey:
		return r.wrap(read.Inner, tr, path, "%sMapOf(%s)", dec)
	case binding.FromRequest:
		inner, err := r.byName(tr)
		m := &mapper{f: r.f, variable: r.value}
		return fmt.Sprintf("%sFromRequest(%s, %s)", dec, m.value(read.Variable), inner), err
	}
	return r.leaf(read, tr, path)
}

// leaf writes the decoder of an extraction that results in a scalar.
func (r *decoderWriter) leaf(read *binding.Extraction, tr *config.TypeReference, path string) (string, error) {
	dec := r.f.use(decodePkg)
	switch read.Op {
	case binding.Join:
		return r.orNull(tr, func(*config.TypeReference) (string, error) { return r.join(read, path) })
	case binding.Equal:
		equal := fmt.Sprintf("%sEqual(%s)", dec, goLiteral(read.Literal))
		if !tr.GQL.NonNull {
			equal = fmt.Sprintf("%sNonNilPtr(%s)", dec, equal) // a null is a value to compare, so it has no reader of its own
		}
		return equal, nil
	case binding.Literal:
		inner, err := r.byName(tr)
		return fmt.Sprintf("%sConstant(%s, %s)", dec, goLiteral(read.Literal), inner), err
	case binding.Match:
		inner, err := r.byName(tr)
		cases := ""
		for _, c := range read.Cases {
			cases += fmt.Sprintf(", %sCase{%s}", dec, caseFields(c))
		}
		return fmt.Sprintf("%sMatch(%s%s)", dec, inner, cases), err
	}
	return "", fmt.Errorf("no decoder for %s, which is a bug of gatehouse", read)
}

// caseFields writes the fields of a decode.Case without those that are empty.
func caseFields(c binding.MatchCase) string {
	var fields []string
	if c.When != "" {
		fields = append(fields, "When: "+goLiteral(c.When))
	}
	if c.Then != "" {
		fields = append(fields, "Then: "+goLiteral(c.Then))
	}
	return strings.Join(fields, ", ")
}

// goLiteral writes a string literal of Go: in backquotes where that saves escapes and all
// characters are visible.
func goLiteral(text string) string {
	if strings.ContainsAny(text, "\"\\") && strconv.CanBackquote(text) && !strings.ContainsFunc(text, escape.IsInvisible) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}

// wrap writes a decoder around the decoder of an inner extraction, which is the last argument of
// the format.
func (r *decoderWriter) wrap(of *binding.Extraction, tr *config.TypeReference, path, format string, args ...any) (string, error) {
	inner, err := r.decoder(of, tr, path)
	return fmt.Sprintf(format, append(args, inner)...), err
}

// orNull writes a decoder that also reads null where the type allows it. A nullable value is a
// pointer in Go (PtrOf), except objects, slices and interfaces, whose nil stands for null
// (NullOf).
func (r *decoderWriter) orNull(tr *config.TypeReference, write func(*config.TypeReference) (string, error)) (string, error) {
	if tr.GQL.NonNull {
		return write(tr)
	}
	inner, err := write(nonNull(tr, tr.GO))
	maybe := "NullOf"
	if _, pointer := tr.GO.(*types.Pointer); pointer && !isObject(tr) {
		maybe = "PtrOf"
	}
	return fmt.Sprintf("%s%s(%s)", r.f.use(decodePkg), maybe, inner), err
}

// byName writes the decoder of a type without a selection: that of package graph.
func (r *decoderWriter) byName(tr *config.TypeReference) (string, error) {
	if r.asText {
		return fmt.Sprintf("%[1]sPtrOf((*%[1]sDecoder).ScalarText)", r.f.use(decodePkg)), nil
	}
	if r.writeList != nil && tr.GQL.Elem != nil {
		item, err := r.g.decoderOf(r.f, r.elementType(tr))
		if err != nil {
			return "", err
		}
		return r.writeList(item, tr)
	}
	asked := r.takeRequestedKey(tr)
	if asked == nil {
		return r.g.decoderOf(r.f, tr)
	}
	return r.orNull(tr, func(inner *config.TypeReference) (string, error) {
		read, err := r.g.nonNullDecoder(r.f, inner)
		return r.checkKey(asked, inner, read), err
	})
}

// elementType returns the type of the elements of the list of a page or a batch. An item of a
// batch is never null: a null has no key.
func (r *decoderWriter) elementType(tr *config.TypeReference) *config.TypeReference {
	elem := tr.Elem()
	if r.nullableItems {
		return elem
	}
	return nonNull(elem, elem.GO)
}

// list writes the decoder of a list.
func (r *decoderWriter) list(read *binding.Extraction, tr *config.TypeReference, path string) (string, error) {
	if list := r.writeList; list != nil {
		r.writeList = nil
		item, err := r.decoder(read.Inner, r.elementType(tr), path)
		if err != nil {
			return "", err
		}
		return list(item, tr)
	}
	return r.orNull(tr, func(inner *config.TypeReference) (string, error) {
		format := "%[1]sListOf(%[2]s)"
		if !inner.GQL.Elem.NonNull && slices.Contains([]binding.Op{binding.Member, binding.First, binding.Last}, read.Inner.Op) {
			format = "%[1]sListOf(%[1]sNullOf(%[2]s))" // a list of nullable elements also reads those without the member
			if read.Inner.ReadsNull() {
				format = "%[1]sListOf(%[1]sNullOnFault(%[2]s))" // except where the extraction reads null as a value
			}
		}
		return r.wrap(read.Inner, inner.Elem(), path, format, r.f.use(decodePkg))
	})
}

// join writes the decoder of a list of scalars whose texts become one string.
func (r *decoderWriter) join(read *binding.Extraction, path string) (string, error) {
	dec := r.f.use(decodePkg)
	if read.Inner.Op == binding.ByName {
		return fmt.Sprintf("%sJoinNotNull(%q)", dec, read.Name), nil
	}
	text := &config.TypeReference{
		GQL: read.Inner.Type, GO: types.NewPointer(types.Typ[types.String]), Definition: r.g.data.Config.Schema.Types["String"],
	}
	r.asText = true
	inner, err := r.decoder(read.Inner, text, path)
	r.asText = false
	return fmt.Sprintf("%sJoinNotNullOf(%q, %s)", dec, read.Name, inner), err
}

// object adds a function that decodes the selected fields of an object, and returns its name.
func (r *decoderWriter) object(read *binding.Extraction, tr *config.TypeReference, path string) (string, error) {
	r.writeList = nil
	asked := r.takeRequestedKey(tr)
	o := r.g.objectNamed(tr.Definition.Name)
	view := decoderView{
		Decode: r.f.use(decodePkg),
		Name:   r.declare("decode", path), Shape: r.declare("shape", path),
		GoType: r.f.typ(o.Type), Type: tr.Definition.Name, For: r.binding.Name(), Params: r.paramList(requestValues(read)),
	}
	outside := r.inDecoder
	r.inDecoder = true
	for _, selected := range read.Fields {
		field, err := r.field(tr.Definition.Name, selected, path)
		if err != nil {
			return "", err
		}
		view.Fields = append(view.Fields, field)
	}
	r.inDecoder = outside
	r.views = append(r.views, view)
	decoder := view.Name
	if view.Params != "" {
		decoder = fmt.Sprintf("%s(%s)", view.Name, r.argumentList(requestValues(read)))
	}
	if asked != nil && selectsKey(read, asked.field) {
		decoder = r.checkKey(asked, tr, decoder)
	}
	return decoder, nil
}

// declare returns the name of a declaration in the file of resolvers.
func (r *decoderWriter) declare(kind, path string) string {
	return r.f.declare(kind+r.name+strings.ReplaceAll(path, pathSeparator, ""), strings.Join([]string{kind, r.binding.Name(), path}, pathSeparator))
}

// pathSeparator separates the names of a path. No name of GraphQL contains it.
const pathSeparator = "."

// field returns the view of one selected field. A field that is read from one member of the object
// has the member's name; the shape of the object then finds the member without a comparison of
// names for each field.
func (r *decoderWriter) field(object string, selected binding.SelectedField, path string) (fieldView, error) {
	field, of := r.g.field(object, selected.Field.Name), selected.Extraction
	view := fieldView{Name: field.Name, Go: field.GoFieldName, Wire: of.Wire()}
	if view.WholeObject = view.Wire == ""; !view.WholeObject {
		view.Required = field.TypeReference.GQL.NonNull && needsMember(of.Inner)
		of = of.Inner
	}
	decoder, err := r.decoder(of, field.TypeReference, path+pathSeparator+field.GoFieldName)
	view.Read = r.g.read(r.f, decoder)
	return view, err
}

// needsMember reports whether an extraction fails if its member is missing.
func needsMember(read *binding.Extraction) bool {
	return read.Op != binding.Literal && read.Op != binding.FromRequest
}

// requestValues returns the variables of the request that an extraction uses, each once.
func requestValues(read *binding.Extraction) []*binding.Value {
	if read == nil {
		return nil
	}
	var values []*binding.Value
	if read.Variable != nil {
		values = slices.AppendSeq(values, read.Variable.Variables())
	}
	values = append(values, requestValues(read.Inner)...)
	for _, f := range read.Fields {
		values = append(values, requestValues(f.Extraction)...)
	}
	return distinct(values)
}

// paramList writes the parameters of a decoder that uses variables of the request.
func (r *decoderWriter) paramList(values []*binding.Value) string {
	if len(values) == 0 {
		return ""
	}
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = r.paramName(v)
	}
	return strings.Join(names, ", ") + " any"
}

// argumentList writes the arguments for the parameters of paramList.
func (r *decoderWriter) argumentList(values []*binding.Value) string {
	passed := make([]string, len(values))
	for i, v := range values {
		passed[i] = r.value(v)
	}
	return strings.Join(passed, ", ")
}

// arguments returns the field's arguments that the response is read by, as expressions. They are a
// part of the identity of a batch. Other variables are equal in a whole operation, or a part of
// the keys.
func (r *decoderWriter) arguments() []string {
	var values []string
	for _, v := range requestValues(r.binding.Extraction) {
		if v.Scope == binding.Args {
			values = append(values, r.argument(v))
		}
	}
	return values
}

// value writes a variable of the request: a parameter in a decoder, an expression in a method.
func (r *decoderWriter) value(v *binding.Value) string {
	if r.inDecoder {
		return r.paramName(v)
	}
	return r.argument(v)
}

// paramName returns the name of a parameter for a variable of the request.
func (r *decoderWriter) paramName(v *binding.Value) string {
	if r.params == nil {
		r.params = names{}
	}
	want := templates.ToGoPrivate(strings.Join(append([]string{string(v.Scope)}, v.Path...), "_"))
	return r.params.name(want, v.String(), func(name string) bool {
		return codecLocals[name] || importNames[name] || types.Universe.Lookup(name) != nil
	})
}

// distinct returns the variables of a list, each once.
func distinct(list []*binding.Value) []*binding.Value {
	var once []*binding.Value
	for _, v := range list {
		if !slices.ContainsFunc(once, func(o *binding.Value) bool { return o.String() == v.String() }) {
			once = append(once, v)
		}
	}
	return once
}

// bindingName returns the name of a binding in identifiers.
func bindingName(b *binding.Field, field *codegen.Field) string {
	if field == nil {
		return templates.ToGo(b.Object.Name)
	}
	return templates.ToGo(b.Object.Name) + field.GoFieldName
}
