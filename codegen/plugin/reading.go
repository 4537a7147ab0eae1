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
	"github.com/gatehouse-graphql/gatehouse/codegen/plain"
)

// decoderView is a decoder of what one binding selects. Its strings are Go text.
type decoderView struct {
	Decode       string // the package's name with its dot
	Name, GoType string
	Shape        string // the variable with its fields
	Type         string // of the graph, for people
	For          string // what it reads, for people
	Given        string // its parameters; "" when it has none
	Fields       []fieldView
}

// reader writes the decoders of one binding.
type reader struct {
	g       *generator
	f       *goFile
	binding *binding.Field
	name    string                      // of the binding, in the names of its decoders
	given   func(*binding.Value) string // writes a value of the request in a method
	inside  bool                        // the code is in a decoder, not in a method
	views   []decoderView
	values  names                                                       // of the values of the request that decoders take
	list    func(item string, tr *config.TypeReference) (string, error) // reads the list of a batch or a page; nil: as a list
	items   bool                                                        // the list is a page's, whose elements may be null
	texts   bool                                                        // scalars are read as texts, which become one
	asked   *askedKey                                                   // of the object to be read; nil when it is not known
}

// decoder writes the decoder of a reading: an expression of type func(*decode.Decoder) T.
func (r *reader) decoder(read *binding.Extraction, tr *config.TypeReference, path string) (string, error) {
	dec := r.f.use(decodePkg)
	switch read.Op {
	case binding.ByName:
		return r.byName(tr)
	case binding.Object:
		return r.orNull(tr, func(*config.TypeReference) (string, error) { return r.object(read, tr, path) })
	case binding.Member:
		return r.around(read.Of, tr, path, "%sMember(%q, %s)", dec, read.Name)
	case binding.First:
		return r.around(read.Of, tr, path, "%sFirst(%s)", dec)
	case binding.Last:
		return r.around(read.Of, tr, path, "%sLast(%s)", dec)
	case binding.Each:
		return r.each(read, tr, path)
	case binding.Entries:
		return r.orNull(tr, func(inner *config.TypeReference) (string, error) {
			return r.around(read.Of, inner.Elem(), path, "%sEntriesOf(%s)", dec)
		})
	case binding.Keyed:
		return r.around(read.Of, tr, path, "%sMapOf(%s)", dec)
	case binding.Given:
		inner, err := r.byName(tr)
		m := &mapper{f: r.f, variable: r.value}
		return fmt.Sprintf("%sFromRequest(%s, %s)", dec, m.value(read.Given), inner), err
	}
	return r.leaf(read, tr, path)
}

// leaf writes what reads one scalar.
func (r *reader) leaf(read *binding.Extraction, tr *config.TypeReference, path string) (string, error) {
	dec := r.f.use(decodePkg)
	switch read.Op {
	case binding.Join:
		return r.orNull(tr, func(*config.TypeReference) (string, error) { return r.join(read, path) })
	case binding.Equal:
		equal := fmt.Sprintf("%sEqual(%s)", dec, quoted(read.Literal))
		if !tr.GQL.NonNull {
			equal = fmt.Sprintf("%sPointer(%s)", dec, equal) // of null, too
		}
		return equal, nil
	case binding.Literal:
		inner, err := r.byName(tr)
		return fmt.Sprintf("%sConstant(%s, %s)", dec, quoted(read.Literal), inner), err
	case binding.Match:
		inner, err := r.byName(tr)
		cases := ""
		for _, c := range read.Cases {
			cases += fmt.Sprintf(", %sCase{%s}", dec, caseFields(c))
		}
		return fmt.Sprintf("%sMatch(%s%s)", dec, inner, cases), err
	}
	return "", fmt.Errorf("nothing reads %s, which is a bug of gatehouse", read)
}

// caseFields writes what a case of ->match says; what is empty is left out.
func caseFields(c binding.Case) string {
	var fields []string
	if c.When != "" {
		fields = append(fields, "When: "+quoted(c.When))
	}
	if c.Then != "" {
		fields = append(fields, "Then: "+quoted(c.Then))
	}
	return strings.Join(fields, ", ")
}

// quoted writes a text as Go, in backquotes where these show all of it and save escapes.
func quoted(text string) string {
	if strings.ContainsAny(text, "\"\\") && strconv.CanBackquote(text) && !strings.ContainsFunc(text, plain.Invisible) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}

// around writes a decoder around that of an inner reading, which is the format's last value.
func (r *reader) around(of *binding.Extraction, tr *config.TypeReference, path, format string, args ...any) (string, error) {
	inner, err := r.decoder(of, tr, path)
	return fmt.Sprintf(format, append(args, inner)...), err
}

// orNull writes a decoder that reads null as nil where the type allows it.
func (r *reader) orNull(tr *config.TypeReference, write func(*config.TypeReference) (string, error)) (string, error) {
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

// byName writes the decoder of a type.
func (r *reader) byName(tr *config.TypeReference) (string, error) {
	if r.texts {
		return fmt.Sprintf("%[1]sPtrOf((*%[1]sDecoder).ScalarText)", r.f.use(decodePkg)), nil
	}
	if r.list != nil && tr.GQL.Elem != nil {
		item, err := r.g.decoderOf(r.f, r.element(tr))
		if err != nil {
			return "", err
		}
		return r.list(item, tr)
	}
	asked := r.takeAsked(tr)
	if asked == nil {
		return r.g.decoderOf(r.f, tr)
	}
	return r.orNull(tr, func(inner *config.TypeReference) (string, error) {
		read, err := r.g.nonNullDecoder(r.f, inner)
		return r.checked(asked, inner, read), err
	})
}

// element is that of the list of a page or a batch; a batch's are never null.
func (r *reader) element(tr *config.TypeReference) *config.TypeReference {
	elem := tr.Elem()
	if r.items {
		return elem
	}
	return nonNull(elem, elem.GO)
}

// each writes the decoder of a list.
func (r *reader) each(read *binding.Extraction, tr *config.TypeReference, path string) (string, error) {
	if list := r.list; list != nil {
		r.list = nil
		item, err := r.decoder(read.Of, r.element(tr), path)
		if err != nil {
			return "", err
		}
		return list(item, tr)
	}
	return r.orNull(tr, func(inner *config.TypeReference) (string, error) {
		format := "%[1]sListOf(%[2]s)"
		if !inner.GQL.Elem.NonNull && slices.Contains([]binding.Op{binding.Member, binding.First, binding.Last}, read.Of.Op) {
			format = "%[1]sListOf(%[1]sNullOf(%[2]s))" // also where the way to it is not
			if read.Of.ReadsNull() {
				format = "%[1]sListOf(%[1]sExcused(%[2]s))" // but null is a value there
			}
		}
		return r.around(read.Of, inner.Elem(), path, format, r.f.use(decodePkg))
	})
}

// join writes the decoder of texts that become one.
func (r *reader) join(read *binding.Extraction, path string) (string, error) {
	dec := r.f.use(decodePkg)
	if read.Of.Op == binding.ByName {
		return fmt.Sprintf("%sJoinNotNull(%q)", dec, read.Name), nil
	}
	text := &config.TypeReference{
		GQL: read.Of.Type, GO: types.NewPointer(types.Typ[types.String]), Definition: r.g.data.Config.Schema.Types["String"],
	}
	r.texts = true
	inner, err := r.decoder(read.Of, text, path)
	r.texts = false
	return fmt.Sprintf("%sTexts(%q, %s)", dec, read.Name, inner), err
}

// object adds a decoder of the selected fields, and writes its name.
func (r *reader) object(read *binding.Extraction, tr *config.TypeReference, path string) (string, error) {
	r.list = nil
	asked := r.takeAsked(tr)
	o := r.g.objectNamed(tr.Definition.Name)
	view := decoderView{
		Decode: r.f.use(decodePkg),
		Name:   r.declare("decode", path), Shape: r.declare("shape", path),
		GoType: r.f.typ(o.Type), Type: tr.Definition.Name, For: r.binding.Name(), Given: r.paramsOf(taken(read)),
	}
	outside := r.inside
	r.inside = true
	for _, selected := range read.Fields {
		field, err := r.field(tr.Definition.Name, selected, path)
		if err != nil {
			return "", err
		}
		view.Fields = append(view.Fields, field)
	}
	r.inside = outside
	r.views = append(r.views, view)
	decoder := view.Name
	if view.Given != "" {
		decoder = fmt.Sprintf("%s(%s)", view.Name, r.passed(taken(read)))
	}
	if asked != nil && selectsKey(read, asked.field) {
		decoder = r.checked(asked, tr, decoder)
	}
	return decoder, nil
}

// declare names what the binding declares in the resolvers.
func (r *reader) declare(kind, path string) string {
	return r.f.declare(kind+r.name+strings.ReplaceAll(path, pathSeparator, ""), strings.Join([]string{kind, r.binding.Name(), path}, pathSeparator))
}

// pathSeparator separates the names of a path. No name contains it.
const pathSeparator = "."

// field writes what reads one selected field.
func (r *reader) field(object string, selected binding.ReadField, path string) (fieldView, error) {
	field, of := r.g.field(object, selected.Field.Name), selected.Of
	view := fieldView{Name: field.Name, Go: field.GoFieldName, Wire: of.Wire()}
	if view.Whole = view.Wire == ""; !view.Whole {
		view.Required = field.TypeReference.GQL.NonNull && always(of.Of)
		of = of.Of
	}
	decoder, err := r.decoder(of, field.TypeReference, path+pathSeparator+field.GoFieldName)
	view.Read = r.g.read(r.f, decoder)
	return view, err
}

// always tells whether a reading needs its member to be there.
func always(read *binding.Extraction) bool {
	return read.Op != binding.Literal && read.Op != binding.Given
}

// taken are the values of the request that a reading takes, each once.
func taken(read *binding.Extraction) []*binding.Value {
	if read == nil {
		return nil
	}
	var values []*binding.Value
	if read.Given != nil {
		values = slices.AppendSeq(values, read.Given.Variables())
	}
	values = append(values, taken(read.Of)...)
	for _, f := range read.Fields {
		values = append(values, taken(f.Of)...)
	}
	return distinct(values)
}

// paramsOf are the parameters of a decoder that takes values of the request.
func (r *reader) paramsOf(values []*binding.Value) string {
	if len(values) == 0 {
		return ""
	}
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = r.givenName(v)
	}
	return strings.Join(names, ", ") + " any"
}

// passed are the values for these parameters.
func (r *reader) passed(values []*binding.Value) string {
	passed := make([]string, len(values))
	for i, v := range values {
		passed[i] = r.value(v)
	}
	return strings.Join(passed, ", ")
}

// arguments are those by which the answer is read. What else it is read by is the same in a
// whole operation, or part of the keys.
func (r *reader) arguments() string {
	var values []string
	for _, v := range taken(r.binding.Reading) {
		if v.Scope == binding.Args {
			values = append(values, r.given(v))
		}
	}
	return strings.Join(values, ", ")
}

// value writes a value of the request: in a decoder it is a parameter.
func (r *reader) value(v *binding.Value) string {
	if r.inside {
		return r.givenName(v)
	}
	return r.given(v)
}

// givenName is the name of a value of the request in a decoder.
func (r *reader) givenName(v *binding.Value) string {
	if r.values == nil {
		r.values = names{}
	}
	want := templates.ToGoPrivate(strings.Join(append([]string{string(v.Scope)}, v.Path...), "_"))
	return r.values.name(want, v.String(), func(name string) bool {
		return wireLocals[name] || packages[name] || types.Universe.Lookup(name) != nil
	})
}

// distinct are variables, each once.
func distinct(list []*binding.Value) []*binding.Value {
	var once []*binding.Value
	for _, v := range list {
		if !slices.ContainsFunc(once, func(o *binding.Value) bool { return o.String() == v.String() }) {
			once = append(once, v)
		}
	}
	return once
}

// bindingName is a binding's name in Go.
func bindingName(b *binding.Field, field *codegen.Field) string {
	if field == nil {
		return templates.ToGo(b.Object.Name)
	}
	return templates.ToGo(b.Object.Name) + field.GoFieldName
}
