// Package decode reads a service's JSON into Go values by the rules with which
// GraphQL coerces results (specification, section 3.5): what does not fit is an
// error and never a wrong value. Generated decoders in graph/ are made of these
// parts. A Decoder belongs to one goroutine.
package decode

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Decoder reads one answer. Its errors stick: after the first one every read gives
// zero values, so that generated code need not look after each.
type Decoder struct {
	scanner
	path []string
	err  error
}

// Answer reads the value at root (names of members, outermost first) in a service's
// body. An empty body reads as null. The error is a *fault.Error which says that the
// service broke its promise; where and how is its cause, for the log.
func Answer[T any](service string, body []byte, root []string, read func(*Decoder) T) (T, error) {
	d := &Decoder{scanner: scanner{data: body}}
	value := at(d, root, read)
	if d.err == nil && !d.end() {
		d.fail("unexpected text after the value")
	}
	if d.err == nil {
		return value, nil
	}
	var none T
	broken := fault.New(fault.DownstreamService, "the service's answer does not fit the graph")
	broken.Service = service
	return none, broken.Because(d.err)
}

// at walks to root and reads there. A missing or null member on the way reads as null.
func at[T any](d *Decoder, root []string, read func(*Decoder) T) T {
	if d.end() {
		d.data, d.pos = []byte("null"), 0
	}
	if len(root) == 0 || d.peekNull() {
		return read(d)
	}
	var value T
	found := false
	d.members(func(name string) {
		if name != root[0] {
			d.Skip()
			return
		}
		found = true
		value = at(d, root[1:], read)
	})
	if !found && d.err == nil {
		missing := &Decoder{scanner: scanner{data: []byte("null")}, path: append(d.path, root...)}
		value = read(missing)
		d.err = missing.err
	}
	return value
}

// Object reads an object of the named type. For each member field is called, which
// reads the value and returns true, or returns false for a member it does not know.
// Each name in required must be there.
func (d *Decoder) Object(typeName string, required []string, field func(name string) bool) {
	var have [64]bool
	seen := have[:]
	if len(required) > len(seen) {
		seen = make([]bool, len(required))
	}
	d.members(func(name string) {
		for i, r := range required {
			if r == name {
				seen[i] = true
			}
		}
		if !field(name) {
			d.Skip()
		}
	})
	for i, r := range required {
		if !seen[i] && d.err == nil {
			d.fail("%s lacks %q, which the graph says is never null", typeName, r)
		}
	}
}

// members reads an object, calling member with the decoder before each value.
func (d *Decoder) members(member func(name string)) {
	if !d.open('{', "an object") {
		return
	}
	for first := true; d.more('}', first); first = false {
		name := d.memberName()
		if d.err != nil {
			return
		}
		d.path = append(d.path, "."+name)
		member(name)
		d.path = d.path[:len(d.path)-1]
	}
	d.depth--
}

// open begins an object or a list.
func (d *Decoder) open(bracket byte, what string) bool {
	if d.err != nil {
		return false
	}
	if d.next() != bracket {
		d.fail("%s where %s is expected", d.kind(), what)
		return false
	}
	d.pos++
	if d.depth++; d.depth > maxDepth {
		d.fail("nested deeper than %d", maxDepth)
		return false
	}
	return true
}

// more tells whether another element follows, and eats the comma or the bracket.
func (d *Decoder) more(bracket byte, first bool) bool {
	if d.err != nil {
		return false
	}
	c := d.next()
	if c == bracket {
		d.pos++
		return false
	}
	if first {
		return true
	}
	if c != ',' {
		d.fail("a comma or %q is missing", string(bracket))
		return false
	}
	d.pos++
	return true
}

func (d *Decoder) memberName() string {
	if d.next() != '"' {
		d.fail("the name of a member is missing")
		return ""
	}
	name := d.text()
	if d.err == nil && d.next() != ':' {
		d.fail("a colon is missing")
	}
	d.pos++
	return name
}

// List reads a list whose elements are read by element.
func List[T any](d *Decoder, element func(*Decoder) T) []T {
	if !d.open('[', "a list") {
		return nil
	}
	list := []T{}
	for d.more(']', len(list) == 0) {
		d.path = append(d.path, "["+strconv.Itoa(len(list))+"]")
		list = append(list, element(d))
		d.path = d.path[:len(d.path)-1]
	}
	d.depth--
	return list
}

// Map reads an object whose members are the keys of a batch.
func Map[T any](d *Decoder, element func(*Decoder) T) map[string]T {
	values := map[string]T{}
	d.members(func(name string) { values[name] = element(d) })
	return values
}

// Nullable reads null as nil, and anything else by element.
func Nullable[T any](d *Decoder, element func(*Decoder) T) *T {
	if d.null() {
		return nil
	}
	v := element(d)
	return &v
}

// OrNull reads null as T's zero value, for types whose zero value is null.
func OrNull[T any](d *Decoder, element func(*Decoder) T) T {
	if d.null() {
		var none T
		return none
	}
	return element(d)
}

// ListOf makes of a decoder of elements one of lists.
func ListOf[T any](element func(*Decoder) T) func(*Decoder) []T {
	return func(d *Decoder) []T { return List(d, element) }
}

// MapOf makes of a decoder of elements one of maps.
func MapOf[T any](element func(*Decoder) T) func(*Decoder) map[string]T {
	return func(d *Decoder) map[string]T { return Map(d, element) }
}

// Maybe makes of a decoder one that reads null as nil.
func Maybe[T any](element func(*Decoder) T) func(*Decoder) *T {
	return func(d *Decoder) *T { return Nullable(d, element) }
}

// MaybeNil makes of a decoder one that reads null as T's zero value.
func MaybeNil[T any](element func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T { return OrNull(d, element) }
}

// ByKey arranges a list by the key of its elements; a later one of the same key wins.
func ByKey[T any](list []T, key func(T) string) map[string]T {
	values := make(map[string]T, len(list))
	for _, v := range list {
		values[key(v)] = v
	}
	return values
}

// GroupByKey arranges a list by the key of its elements, keeping their order.
func GroupByKey[T any](list []T, key func(T) string) map[string][]T {
	groups := map[string][]T{}
	for _, v := range list {
		groups[key(v)] = append(groups[key(v)], v)
	}
	return groups
}

// String reads a String.
func (d *Decoder) String() string {
	if !d.expect('"', "a string") {
		return ""
	}
	return d.text()
}

// ID reads an ID: a string, or a whole number with all its digits.
func (d *Decoder) ID() string {
	if d.err == nil && d.next() != '"' {
		n := d.number("an ID")
		if strings.ContainsAny(n, ".eE") {
			d.fail("%s is no ID: an ID is a string or a whole number", n)
		}
		return n
	}
	return d.String()
}

// Boolean reads a Boolean.
func (d *Decoder) Boolean() bool {
	switch {
	case d.err != nil:
	case d.word("true"):
		return true
	case d.word("false"):
	default:
		d.fail("%s where a boolean is expected", d.kind())
	}
	return false
}

// Int reads an Int: a whole number of 32 bits; 3.0 and 3e0 are whole.
func (d *Decoder) Int() int {
	text := d.number("an Int")
	if d.err != nil {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err == nil {
		return int(n)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || f < math.MinInt32 || f > math.MaxInt32 {
		d.fail("%s is no Int: an Int is a whole number of 32 bits", text)
		return 0
	}
	return int(f)
}

// Int64 reads an Int64: a whole number of 64 bits, or a string of its digits.
func (d *Decoder) Int64() int64 {
	text := ""
	if d.err == nil && d.next() == '"' {
		text = d.text()
	} else {
		text = d.number("an Int64")
	}
	if d.err != nil {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		d.fail("%s is no Int64: an Int64 is a whole number of 64 bits", text)
	}
	return n
}

// Float reads a Float.
func (d *Decoder) Float() float64 {
	text := d.number("a number")
	if d.err != nil {
		return 0
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		d.fail("%s does not fit into a Float", text)
	}
	return f
}

// Decimal reads a Decimal, from a number or from a string that holds one.
func (d *Decoder) Decimal() scalar.Decimal {
	if d.err == nil && d.next() != '"' {
		return scalar.Decimal(d.number("a Decimal"))
	}
	v := scalar.Decimal(d.String())
	if d.err == nil && !v.Valid() {
		d.fail("%q is no decimal number", string(v))
	}
	return v
}

// DateTime reads a moment as RFC 3339 writes it.
func (d *Decoder) DateTime() time.Time {
	text := d.String()
	if d.err != nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		d.fail("%q is no RFC 3339 date-time", text)
	}
	return t
}

// Date reads a Date.
func (d *Decoder) Date() scalar.Date { return text(d, scalar.Date.Valid, "date") }

// UUID reads a UUID.
func (d *Decoder) UUID() scalar.UUID { return text(d, scalar.UUID.Valid, "UUID") }

// URL reads a URL.
func (d *Decoder) URL() scalar.URL { return text(d, scalar.URL.Valid, "URL") }

// text reads a string that must be valid.
func text[T ~string](d *Decoder, valid func(T) bool, what string) T {
	v := T(d.String())
	if d.err == nil && !valid(v) {
		d.fail("%q is no %s", string(v), what)
	}
	return v
}

// JSON keeps any value but null as it is, once it has proved to be well-formed.
func (d *Decoder) JSON() scalar.JSON {
	if d.null() {
		d.fail("null where a value is expected")
	}
	d.space()
	from := d.pos
	d.Skip()
	if d.err != nil {
		return nil
	}
	return scalar.JSON(append([]byte(nil), d.data[from:d.pos]...))
}

// Unknown says that text is no value of the named enum.
func (d *Decoder) Unknown(enum, text string) {
	if d.err == nil {
		d.fail("%q is no value of %s", text, enum)
	}
}

func (d *Decoder) number(what string) string {
	if d.err != nil {
		return ""
	}
	text := d.numberText()
	if text == "" {
		d.fail("%s where %s is expected", d.kind(), what)
	}
	return text
}

func (d *Decoder) expect(c byte, what string) bool {
	if d.err == nil && d.next() != c {
		d.fail("%s where %s is expected", d.kind(), what)
	}
	return d.err == nil
}

// null eats a null if one comes next.
func (d *Decoder) null() bool { return d.err == nil && d.word("null") }

func (d *Decoder) peekNull() bool {
	from := d.pos
	defer func() { d.pos = from }()
	return d.null()
}

func (d *Decoder) text() string {
	s, err := d.stringText()
	if err != nil {
		d.fail("%v", err)
	}
	return s
}

// Skip passes over one value.
func (d *Decoder) Skip() {
	if d.err != nil {
		return
	}
	if err := d.skip(); err != nil {
		d.fail("%v", err)
	}
}

func (d *Decoder) fail(format string, args ...any) {
	if d.err == nil {
		where := strings.Join(d.path, "")
		d.err = fmt.Errorf("at $%s: %s", where, fmt.Sprintf(format, args...))
	}
}
