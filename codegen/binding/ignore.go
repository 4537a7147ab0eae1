package binding

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Ignore silences the findings of one check against a service's document, for a reason that the
// author gives: documents are not always right.
type Ignore struct {
	Code     Code
	Reason   string
	Field    *ast.FieldDefinition // whose findings are silenced; nil for those of all fields
	Position *ast.Position
}

// documentChecks are the checks against documents, which can be ignored: generated code does not
// depend on them.
var documentChecks = []Code{
	UnknownCall, UnknownParameter, UnknownMember, ListStyle, ParameterType, MissingParameter, BatchTooLarge, MissingBody, UnwantedBody, BodyMedia, BodyType, UnknownInputField, MissingInputField,
	NoResponse, UnknownResponseMember, NullableResponse, BatchResponse, ResponseType, UnknownResponseField,
	MissingDiscriminator, UnmappedValue,
}

// compileIgnores compiles the argument ignore of @connect and @source.
func (c *compiler) compileIgnores(d *ast.Directive) []*Ignore {
	v := argument(d, "ignore")
	if v == nil {
		return nil
	}
	var all []*Ignore
	for _, element := range listElements(v) {
		ignore := c.compileIgnore(element)
		if ignore == nil {
			continue
		}
		if slices.ContainsFunc(all, func(o *Ignore) bool { return o.Code == ignore.Code && (o.Field == nil || o.Field == ignore.Field) }) {
			c.faults.Add(InvalidIgnore, element.Position, "%s is ignored already; keep one", ignore.Code)
			continue
		}
		all = append(all, ignore)
	}
	return all
}

func (c *compiler) compileIgnore(element *ast.Value) *Ignore {
	code, because := memberValue(element, "code"), memberValue(element, "because")
	if code == nil || because == nil {
		return nil // already reported as WrongLiteral
	}
	ignore := &Ignore{Code: Code(code.Raw), Reason: strings.TrimSpace(because.Raw), Position: element.Position}
	switch {
	case !slices.Contains(documentChecks, ignore.Code):
		c.faults.Add(InvalidIgnore, code.Position, "%q is not the code of a check against a service's document, and no other can be ignored; correct what the check reports", code.Raw)
		return nil
	case ignore.Reason == "":
		c.faults.Add(InvalidIgnore, because.Position, "the reason is empty; write why the document is not right here")
		return nil
	}
	at := memberValue(element, "at")
	if at == nil {
		return ignore
	}
	object, name, _ := strings.Cut(at.Raw, ".")
	if def := c.schema.Types[object]; def != nil {
		ignore.Field = def.Fields.ForName(name)
	}
	if ignore.Field == nil {
		c.faults.Add(InvalidIgnore, at.Position, "there is no field %q; write it as Type.field, or leave out at for all fields", at.Raw)
		return nil
	}
	return ignore
}

// Silences reports whether a fault that a check against a document has found is ignored.
func (i *Ignore) Silences(f Fault) bool {
	if f.Code != i.Code {
		return false
	}
	return i.Field == nil || f.File == i.Field.Position.Src.Name && f.Line >= i.Field.Position.Line && f.Line <= i.Field.Type.Position.Line
}

// IsIncomplete reports whether the graph lacks bindings, since they have mistakes.
func (g *Graph) IsIncomplete() bool { return g.isIncomplete }
