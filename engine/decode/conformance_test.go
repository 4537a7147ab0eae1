// This file tests decoders against a reference: the same random JSON is read by a decoder of all
// combinators, and coerced from encoding/json's values in the plainest way that follows the
// specification. Values and faults must be the same.

package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
)

// sample is an object with every kind of field that generated decoders read.
type sample struct {
	ID        string          `graph:"id"`        // ID!
	S         *string         `graph:"s"`         // String
	N         *int            `graph:"n"`         // Int
	MustN     int             `graph:"mustN"`     // Int!
	F         *float64        `graph:"f"`         // Float
	B         *bool           `graph:"b"`         // Boolean
	Big       *int64          `graph:"big"`       // Int64
	D         *scalar.Decimal `graph:"d"`         // Decimal
	J         scalar.JSON     `graph:"j"`         // JSON
	At        *time.Time      `graph:"at"`        // DateTime
	Ints      []int           `graph:"ints"`      // [Int!]
	MaybeInts []*int          `graph:"maybeInts"` // [Int]!
	Lists     [][]int         `graph:"lists"`     // [[Int!]]
	MustLists [][]*int        `graph:"mustLists"` // [[Int]!]
	Child     *sample         `graph:"child"`     // Sample
	Kids      []*sample       `graph:"kids"`      // [Sample!]
	MaybeKids []*sample       `graph:"maybeKids"` // [Sample]
	Same      *string         `graph:"same"`      // String, from n too
	Inside    *int            `graph:"inside"`    // Int, from child.n
	FirstInt  *int            `graph:"firstInt"`  // Int, the first of ints
	LastInts  []int           `graph:"lastInts"`  // [Int!], the last of lists
	Group     *grouped        `graph:"group"`     // Grouped!, from the object itself
}

type grouped struct {
	S string `graph:"s"` // String!
	N *int   `graph:"n"` // Int
}

var (
	shapeSample = NewShape("Sample",
		Field{Name: "id", Required: true}, Field{Name: "s"}, Field{Name: "n"}, Field{Name: "mustN", Wire: "must-n", Required: true},
		Field{Name: "f"}, Field{Name: "b"}, Field{Name: "big"}, Field{Name: "d"}, Field{Name: "j"}, Field{Name: "at"},
		Field{Name: "ints"}, Field{Name: "maybeInts", Required: true}, Field{Name: "lists"}, Field{Name: "mustLists"},
		Field{Name: "child"}, Field{Name: "kids"}, Field{Name: "maybeKids"},
		Field{Name: "same", Wire: "n"}, Field{Name: "inside", Wire: "child"}, Field{Name: "firstInt", Wire: "ints"},
		Field{Name: "lastInts", Wire: "lists"}, Field{Name: "group", Self: true},
	)
	shapeGrouped = NewShape("Grouped", Field{Name: "s", Required: true}, Field{Name: "n"})
)

func decodeSample(d *Decoder) *sample {
	o := d.Object(shapeSample)
	v := New[sample](&o)
	for o.Next() {
		switch o.Field() {
		case 0: // id
			v.ID = d.ID()
		case 1: // s
			v.S = Ptr(d, (*Decoder).String)
		case 2: // n
			v.N = Ptr(d, (*Decoder).Int)
		case 3: // mustN
			v.MustN = d.Int()
		case 4: // f
			v.F = Ptr(d, (*Decoder).Float)
		case 5: // b
			v.B = Ptr(d, (*Decoder).Boolean)
		case 6: // big
			v.Big = Ptr(d, (*Decoder).Int64)
		case 7: // d
			v.D = Ptr(d, (*Decoder).Decimal)
		case 8: // j
			v.J = Null(d, (*Decoder).JSON)
		case 9: // at
			v.At = Ptr(d, (*Decoder).DateTime)
		case 10: // ints
			v.Ints = Null(d, ListOf((*Decoder).Int))
		case 11: // maybeInts
			v.MaybeInts = List(d, PtrOf((*Decoder).Int))
		case 12: // lists
			v.Lists = Null(d, ListOf(NullOf(ListOf((*Decoder).Int))))
		case 13: // mustLists
			v.MustLists = Null(d, ListOf(ListOf(PtrOf((*Decoder).Int))))
		case 14: // child
			v.Child = Null(d, decodeSample)
		case 15: // kids
			v.Kids = Null(d, ListOf(decodeSample))
		case 16: // maybeKids
			v.MaybeKids = Null(d, ListOf(NullOf(decodeSample)))
		case 17: // same
			v.Same = Ptr(d, (*Decoder).String)
		case 18: // inside
			v.Inside = Member("n", PtrOf((*Decoder).Int))(d)
		case 19: // firstInt
			v.FirstInt = First(PtrOf((*Decoder).Int))(d)
		case 20: // lastInts
			v.LastInts = Last(NullOf(ListOf((*Decoder).Int)))(d)
		case 21: // group
			v.Group = decodeGrouped(d)
		}
	}
	if !o.OK() {
		return nil
	}
	return v
}

func decodeGrouped(d *Decoder) *grouped {
	o := d.Object(shapeGrouped)
	v := New[grouped](&o)
	for o.Next() {
		switch o.Field() {
		case 0: // s
			v.S = d.String()
		case 1: // n
			v.N = Ptr(d, (*Decoder).Int)
		}
	}
	if !o.OK() {
		return nil
	}
	return v
}

// decoded returns a decoded value as text, with faults as "!" and the path through the field's
// lists.
func decoded(faults *Faults, v reflect.Value) string {
	switch j, ok := v.Interface().(scalar.JSON); {
	case ok && j == nil:
		return "null"
	case ok:
		return generic(j)
	}
	switch at, ok := v.Interface().(time.Time); {
	case ok:
		return at.Format(time.RFC3339Nano)
	case v.Kind() == reflect.Pointer && v.IsNil(), v.Kind() == reflect.Slice && v.IsNil():
		return "null"
	case v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct && v.Type() != reflect.TypeFor[*time.Time]():
		return decodedObject(faults, v)
	case v.Kind() == reflect.Pointer:
		return decoded(faults, v.Elem())
	case v.Kind() == reflect.Slice:
		var texts []string
		for i := range v.Len() {
			texts = append(texts, decoded(faults, v.Index(i)))
		}
		return "[" + strings.Join(texts, ",") + "]"
	case v.Kind() == reflect.String:
		return strconv.Quote(v.String())
	}
	return fmt.Sprint(v.Interface())
}

func decodedObject(faults *Faults, object reflect.Value) string {
	var texts []string
	for i := range object.Elem().NumField() {
		name := object.Elem().Type().Field(i).Tag.Get("graph")
		value := object.Elem().Field(i)
		text := decoded(faults, value)
		for _, f := range faults.OfField(object.Interface(), name) {
			if f.Null {
				text = ""
				if !value.IsZero() {
					text = "no zero value: "
				}
			}
			text += "!" + fmt.Sprint(f.Index)
		}
		texts = append(texts, name+":"+text)
	}
	return "{" + strings.Join(texts, " ") + "}"
}

// generic formats any JSON in one form.
func generic(text []byte) string {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return "no JSON"
	}
	out, _ := json.Marshal(v)
	return string(out)
}

// typ is a type for the reference, which coerces the values of encoding/json.
type typ struct {
	name    string // of a scalar
	nonNull bool
	elem    *typ
	object  func() []member
	through func(v any) (any, bool) // what the field picks from its value; false if it cannot
}

type member struct {
	name, wire string
	typ        typ
	whole      bool
}

func one(name string) typ  { return typ{name: name} }
func must(t typ) typ       { t.nonNull = true; return t }
func listing(elem typ) typ { return typ{elem: &elem} }
func objectOf() typ        { return typ{object: sampleMembers} }
func groupMembers() []member {
	return []member{{name: "s", typ: must(one("String"))}, {name: "n", typ: one("Int")}}
}

func sampleMembers() []member {
	inside, first, last := one("Int"), one("Int"), listing(must(one("Int")))
	inside.through = func(v any) (any, bool) {
		o, ok := v.(map[string]any)
		return o["n"], ok
	}
	first.through = func(v any) (any, bool) {
		list, ok := v.([]any)
		if len(list) == 0 {
			return nil, ok
		}
		return list[0], true
	}
	last.through = func(v any) (any, bool) {
		list, ok := v.([]any)
		if len(list) == 0 {
			return nil, ok
		}
		return list[len(list)-1], true
	}
	return []member{
		{name: "id", typ: must(one("ID"))},
		{name: "s", typ: one("String")},
		{name: "n", typ: one("Int")},
		{name: "mustN", wire: "must-n", typ: must(one("Int"))},
		{name: "f", typ: one("Float")},
		{name: "b", typ: one("Boolean")},
		{name: "big", typ: one("Int64")},
		{name: "d", typ: one("Decimal")},
		{name: "j", typ: one("JSON")},
		{name: "at", typ: one("DateTime")},
		{name: "ints", typ: listing(must(one("Int")))},
		{name: "maybeInts", typ: must(listing(one("Int")))},
		{name: "lists", typ: listing(listing(must(one("Int"))))},
		{name: "mustLists", typ: listing(must(listing(one("Int"))))},
		{name: "child", typ: objectOf()},
		{name: "kids", typ: listing(must(objectOf()))},
		{name: "maybeKids", typ: listing(objectOf())},
		{name: "same", wire: "n", typ: one("String")},
		{name: "inside", wire: "child", typ: inside},
		{name: "firstInt", wire: "ints", typ: first},
		{name: "lastInts", wire: "lists", typ: last},
		{name: "group", whole: true, typ: must(typ{object: groupMembers})},
	}
}

// fieldError is a field error at a place in the field's lists.
type fieldError struct{ index []int }

// complete coerces v and returns its text. Failures that an element of a list recovers from are
// added to noted.
func complete(v any, t typ, index []int, inList bool, noted *[]fieldError) (string, *fieldError) {
	if t.through != nil && v != nil {
		picked, ok := t.through(v)
		if !ok {
			return "", &fieldError{index}
		}
		v = picked
	}
	if v == nil {
		if t.nonNull {
			return "", &fieldError{index}
		}
		return "null", nil
	}
	before := len(*noted)
	text, failed := completeValue(v, t, index, noted)
	if failed == nil {
		return text, nil
	}
	*noted = (*noted)[:before]
	if t.nonNull || !inList {
		return "", failed
	}
	*noted = append(*noted, *failed)
	return "null", nil
}

func completeValue(v any, t typ, index []int, noted *[]fieldError) (string, *fieldError) {
	switch {
	case t.elem != nil:
		list, ok := v.([]any)
		if !ok {
			return "", &fieldError{index}
		}
		var texts []string
		for i, e := range list {
			text, failed := complete(e, *t.elem, append(slices.Clone(index), i), true, noted)
			if failed != nil {
				return "", failed
			}
			texts = append(texts, text)
		}
		return "[" + strings.Join(texts, ",") + "]", nil
	case t.object != nil:
		o, ok := v.(map[string]any)
		if !ok {
			return "", &fieldError{index}
		}
		return completeObject(o, t.object()), nil
	}
	text, ok := coerce(v, t.name)
	if !ok {
		return "", &fieldError{index}
	}
	return text, nil
}

func completeObject(o map[string]any, members []member) string {
	var texts []string
	for _, m := range members {
		var v any = o
		if !m.whole {
			v = o[m.name]
			if m.wire != "" {
				v = o[m.wire]
			}
		}
		var noted []fieldError
		text, failed := complete(v, m.typ, nil, false, &noted)
		if failed != nil {
			text, noted = "", []fieldError{*failed}
		}
		for _, f := range noted {
			text += "!" + fmt.Sprint(f.index)
		}
		texts = append(texts, m.name+":"+text)
	}
	return "{" + strings.Join(texts, " ") + "}"
}

// coerce coerces a scalar and returns its text, and reports whether it fits.
func coerce(v any, scalarName string) (string, bool) {
	number, isNumber := v.(json.Number)
	text, isText := v.(string)
	switch scalarName {
	case "String":
		return strconv.Quote(text), isText
	case "ID":
		if isNumber && !strings.ContainsAny(string(number), ".eE") {
			return strconv.Quote(string(number)), true
		}
		return strconv.Quote(text), isText
	case "Boolean":
		b, ok := v.(bool)
		return fmt.Sprint(b), ok
	case "Float":
		f, err := strconv.ParseFloat(string(number), 64)
		return fmt.Sprint(f), isNumber && err == nil
	case "Int":
		n, ok := wholeNumber(string(number))
		return fmt.Sprint(n), isNumber && ok && n.IsInt64() && n.Int64() == int64(int32(n.Int64()))
	case "Int64":
		if isText {
			n, err := strconv.ParseInt(text, 10, 64)
			return fmt.Sprint(n), err == nil
		}
		n, ok := wholeNumber(string(number))
		return fmt.Sprint(n), isNumber && ok && n.IsInt64()
	case "Decimal":
		if isNumber {
			return strconv.Quote(string(number)), true
		}
		return strconv.Quote(text), isText && scalar.Decimal(text).Valid()
	case "DateTime":
		at, err := time.Parse(time.RFC3339Nano, text)
		return at.Format(time.RFC3339Nano), isText && err == nil
	}
	out, err := json.Marshal(v)
	return string(out), err == nil
}

// wholeNumber parses a number exactly and reports whether it is whole. Exponents beyond 1000 are
// left out, since no scalar has such values.
func wholeNumber(text string) (*big.Int, bool) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	m, ok := new(big.Rat).SetString(mantissa)
	if !ok {
		return new(big.Int), false
	}
	if m.Sign() == 0 {
		return new(big.Int), true
	}
	e, err := strconv.Atoi(strings.TrimPrefix(exponent, "+"))
	if exponent != "" && (err != nil || e > 1000 || e < -1000) {
		return new(big.Int), false
	}
	shift := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(e, -e))), nil))
	if e < 0 {
		shift.Inv(shift)
	}
	m.Mul(m, shift)
	return m.Num(), m.IsInt()
}

// compare reads a body in both ways and fails if the outcomes differ.
func compare(t interface{ Fatalf(string, ...any) }, body []byte) {
	var faults Faults
	answer := bytes.Clone(body)
	list, err := Read("s", answer, &faults, NullOf(ListOf(NullOf(decodeSample))))
	for i := range answer { // what was read must not lie in the answer's memory
		answer[i] = 'x'
	}
	got := decoded(&faults, reflect.ValueOf(list))
	for _, f := range faults.OfElements(list) {
		got += "!" + fmt.Sprint(f.Index)
	}
	if err != nil {
		got = "!"
		if f, ok := errors.AsType[*Fault](err); ok {
			got += fmt.Sprint(f.Index)
		}
	}
	if !utf8.Valid(body) && json.Valid(body) {
		return // whose strings fail one by one, which encoding/json does not tell
	}
	if want := referenceOf(body); got != want {
		t.Fatalf("%s\n got %s\nwant %s\nerror %v", body, got, want, err)
	}
}

func referenceOf(body []byte) string {
	if len(bytes.Trim(body, " \t\r\n")) == 0 {
		return "null"
	}
	if !json.Valid(body) || depthOf(body) > maxDepth {
		return "!"
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return "!"
	}
	var noted []fieldError
	text, failed := complete(v, listing(objectOf()), nil, false, &noted)
	if failed != nil {
		return "!"
	}
	for _, f := range noted {
		text += "!" + fmt.Sprint(f.index)
	}
	return text
}

// depthOf returns how deep the brackets of a valid text nest.
func depthOf(body []byte) (deepest int) {
	depth, d := 0, json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	for token, err := d.Token(); err == nil; token, err = d.Token() {
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			deepest = max(deepest, depth)
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return deepest
}

// Whatever a service sends, values and faults are those of the specification.
func TestConformance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		compare(t, []byte(someValue(t, listing(objectOf()), 3)))
	})
}

var junk = []string{
	"null", `""`, `"x"`, `"1"`, `"1.50"`, `"2026-01-31T12:00:00Z"`, "0", "-0", "1", "1.0", "-3e0", "1.5", "2147483647", "2147483648", "-2147483649.0", "1e2", "20e-1",
	"9223372036854775807", "9223372036854775808", "1e400", "1e99999999999999999999", "0e99999999999999999999", "2147483647.0000000000000001", "true", "false",
	"[]", "[null]", "[1]", `[[1,"x"],null]`, "{}", `{"n":1}`, `{"n":{}}`, `[{"id":1}]`,
}

// someValue draws the text of a value of a type, or of something else.
func someValue(t *rapid.T, as typ, deep int) string {
	space := rapid.SampledFrom([]string{"", "", "", " ", "\n\t"}).Draw(t, "space")
	if rapid.IntRange(0, 9).Draw(t, "fits") == 0 {
		return space + rapid.SampledFrom(junk).Draw(t, "junk") + space
	}
	switch {
	case as.elem != nil:
		var elements []string
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			elements = append(elements, someValue(t, *as.elem, deep-1))
		}
		return "[" + space + strings.Join(elements, ",") + "]"
	case as.object != nil && deep > 0:
		return someObject(t, as.object(), deep)
	}
	return space + rapid.SampledFrom(fitting[as.name]).Draw(t, "value")
}

var fitting = map[string][]string{
	"": {"null", "{}"}, "ID": {`"a"`, "1", "123456789012345678901234567890"}, "String": {`"a"`, `"\u00e9\n"`, `"é\""`}, "Int": {"1", "2.0", "-3e1"},
	"Float": {"1", "1.5e3"}, "Boolean": {"true", "false"}, "Int64": {"1", `"-9223372036854775808"`}, "Decimal": {"1.10", `"12"`, "1e400"},
	"JSON": {`{"b":1.50,"a":[null]}`, "1", `"<"`}, "DateTime": {`"2026-01-31T12:00:00.5+01:00"`},
}

func someObject(t *rapid.T, members []member, deep int) string {
	var texts []string
	for _, m := range members {
		times := rapid.SampledFrom([]int{0, 1, 1, 1, 1, 1, 1, 2}).Draw(t, "times")
		if m.whole || m.typ.through != nil {
			times = 0 // another member's
		}
		name := m.name
		if m.wire != "" {
			name = m.wire
		}
		for range times {
			texts = append(texts, strconv.Quote(name)+":"+someValue(t, m.typ, deep-1))
		}
	}
	if rapid.Bool().Draw(t, "unknown") {
		texts = append(texts, `"unknown" : [{"n":1}]`, `"\u006e":`+rapid.SampledFrom(junk).Draw(t, "escaped"))
	}
	return "{" + strings.Join(rapid.Permutation(texts).Draw(t, "order"), ", ") + "}"
}

// FuzzConformance is TestConformance for any text.
func FuzzConformance(f *testing.F) {
	for _, seed := range junk {
		f.Add([]byte(seed))
		f.Add([]byte(`[{"id":1,"must-n":` + seed + `,"maybeInts":[1,` + seed + `],"n":` + seed + `,"n":2,"kids":[{"s":` + seed + `}],"lists":[[` + seed + `]]}]`))
	}
	f.Add([]byte(`[{"id":"\ud800","s":"` + "\xff" + `"}]`))
	f.Fuzz(func(t *testing.T, body []byte) { compare(t, body) })
}
