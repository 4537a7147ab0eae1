// Package decode reads a service's JSON into Go values by the rules with which
// GraphQL coerces results (specification, sections 3.5 and 6.4.4): what does not fit is
// an error and never a wrong value. Generated decoders in graph/ are made of these
// parts.
//
// A failure is hard or soft. Text that is no JSON (or is not UTF-8, nests too deep, goes
// on after the value) fails the whole answer. A value of the wrong shape fails the
// nearest place that may be null: an element of a list, a field, the member of a batch.
// It becomes nil there, or Go's zero value, and the fault goes into the operation's
// table, from where it is told to the clients that ask for the field.
//
// A Decoder belongs to one goroutine.
package decode

import (
	"errors"
	"fmt"
	"strconv"
	"unsafe"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Decoder reads one answer. A failure sticks until a place is found for it: meanwhile
// every read gives zero values, so that generated code need not look after each.
type Decoder struct {
	scanner
	service string
	at      place
	path    []step
	err     *failure
	faults   []tableEntry    // faults that have found their place
	keyFaults    *KeyFaults // nil unless a member or an item of a batch failed
	failures   int        // soft failures so far, found and forgotten
	rereadBudget   int        // bytes that may still be read another time
	projection  *Projection
	strings   stringArena
	shapes [maxShapes]shapeState
}

// place is where values come to lie in the graph.
type place struct {
	holder unsafe.Pointer // the object whose field is read; nil at the top and in the values of a batch
	shape  *Shape         // the object's
	field  int            // of the shape
	pathLen   int            // how long the path is where the field's value begins
	listDepth  int            // how many of the graph's lists there are between the field and here
}

// faultKey is where faults are told.
func (p *place) faultKey() faultKey {
	if p.shape == nil {
		return faultKey{}
	}
	return faultKey{p.holder, p.shape.fields[p.field].Name}
}

// step is one member or element on the way to a value. The bytes are the answer's.
type step struct {
	name  []byte // nil for an element
	index int
	inGraph bool // the element is one in the graph too
}

// failure is a failure that has found no place yet.
type failure struct {
	cause error
	index []int // from the field on, in the graph's lists
	hard  bool
}

// What reading one answer may cost, however hostile the service.
const (
	maxFaults = 10_000   // values that do not fit, in one operation
	maxRereads   = 100      // how often all of an answer may be read, on average
	rereadAllowance    = 16 << 20 // and besides that, in bytes
)

// errTooMany is the cause when an answer, or all those of an operation, hold too many faults.
var errTooMany = fmt.Errorf("more than %d values do not fit", maxFaults)

// Read is Selected for who wants everything.
func Read[T any](service string, body []byte, faults *Faults, read func(*Decoder) T) (T, error) {
	return ReadProjection(service, body, faults, nil, read)
}

// ReadProjection reads what is wanted of a service's body; an empty one reads as null. Values that do not fit are
// noted in faults where something else than the whole answer can be null; without faults
// everything is wanted, and the first of them fails the answer. Nothing that it gives shares body's memory.
//
// The error is a *fault.Error which says that the service broke its promise, or a *Fault
// around it when that happened inside the list that the answer is; where and how is its
// cause, for the log. It is a *KeyFaults when only parts of a batch are bad: then the
// other values are there.
func ReadProjection[T any](service string, body []byte, faults *Faults, wanted *Projection, read func(*Decoder) T) (T, error) {
	d := newDecoder(service, body, faults, wanted)
	v := value(d, read)
	ok, err := d.finish(faults)
	if !ok {
		var none T
		return none, err
	}
	return v, err
}

var nullText = []byte("null")

func newDecoder(service string, body []byte, faults *Faults, wanted *Projection) *Decoder {
	if faults == nil {
		wanted = nil // who can tell of no fault gets all as the graph says, or nothing
	}
	d := &Decoder{scanner: scanner{data: body}, service: service, rereadBudget: maxRereads*len(body) + rereadAllowance, projection: wanted}
	if d.atEnd() {
		d.data, d.pos = nullText, 0
	}
	return d
}

// finish ends the reading. It tells whether there is a value, perhaps besides an error.
func (d *Decoder) finish(faults *Faults) (ok bool, err error) {
	switch err := d.commit(faults); {
	case err != nil:
		return false, err
	case d.keyFaults != nil:
		return true, d.keyFaults
	}
	return true, nil
}

// commit looks at what is left of the text and hands over the faults.
func (d *Decoder) commit(faults *Faults) error {
	soft := d.recoverTo(mark{})
	if d.err == nil && !d.atEnd() {
		d.fail(true, "unexpected text after the value")
	}
	switch {
	case d.err != nil:
		return d.toFault(d.err)
	case soft != nil && len(soft.index) > 0:
		return &Fault{Index: soft.index, Null: true, Err: d.toFault(soft)}
	case soft != nil:
		return d.toFault(soft)
	case len(d.faults) > 0 && faults == nil:
		return d.faults[0].fault.Err
	case !faults.add(d.faults):
		return d.toFault(&failure{cause: errTooMany})
	}
	return nil
}

// toFault is what clients and operators see of a problem.
func (d *Decoder) toFault(p *failure) *fault.Error {
	return &fault.Error{
		Code: fault.DownstreamService, Message: "the service's answer does not fit the graph",
		Service: d.service, Cause: p.cause,
	}
}

// mark is a state to which one can go back.
type mark struct{ pos, depth, path, faults int }

func (d *Decoder) mark() mark {
	return mark{pos: d.pos, depth: d.depth, path: len(d.path), faults: len(d.faults)}
}

// recoverTo takes a soft failure off, goes back to where its value begins and passes over it,
// since it must be JSON at least. It gives nil when there was none, or a hard one.
func (d *Decoder) recoverTo(m mark) *failure {
	p := d.err
	if p == nil || p.hard {
		return nil
	}
	d.err = nil
	d.path, d.faults = d.path[:m.path], d.faults[:m.faults]
	end := d.pos
	d.pos, d.depth = m.pos, m.depth
	if d.countFailures(1) && d.spendReread(end-m.pos) {
		d.Skip()
	}
	if d.err != nil {
		return nil
	}
	return p
}

// countFailures counts soft failures and fails hard beyond the limit.
func (d *Decoder) countFailures(n int) bool {
	if d.failures += n; d.failures > maxFaults && d.err == nil {
		d.err = &failure{cause: errTooMany, hard: true}
	}
	return d.err == nil
}

// spendReread takes n bytes that are read once more from what one may. The types of a graph
// can ask for the same text many times, each level of it twice.
func (d *Decoder) spendReread(n int) bool {
	if d.rereadBudget -= n; d.rereadBudget < 0 && d.err == nil {
		d.fail(true, "the graph reads this text too many times")
	}
	return d.err == nil
}

// addFault records a fault at the field that is read.
func (d *Decoder) addFault(p *failure, null bool) {
	d.faults = append(d.faults, tableEntry{
		key:   d.at.faultKey(),
		fault: &Fault{Index: p.index, Null: null, Err: d.toFault(p)},
	})
}

func (d *Decoder) push(s step) { d.path = append(d.path, s) }

func (d *Decoder) pop() {
	if n := len(d.path); n > 0 {
		d.path = d.path[:n-1]
	}
}

// mismatch fails softly: the value has a shape that the graph does not.
func (d *Decoder) mismatch(format string, args ...any) { d.fail(false, format, args...) }

// malformed fails hard.
func (d *Decoder) malformed(err error) { d.fail(true, "%w", err) }

func (d *Decoder) fail(hard bool, format string, args ...any) {
	if d.err != nil {
		return
	}
	d.err = &failure{
		cause: &cause{where: d.pathText(), err: fmt.Errorf(format, args...)},
		index: d.listIndex(),
		hard:  hard,
	}
}

// cause says where in the answer something is wrong, and what.
type cause struct {
	where string
	err   error
}

func (c *cause) Error() string { return "at $" + c.where + ": " + c.err.Error() }

func (c *cause) Unwrap() error { return c.err }

// maxWhere and maxText bound what a cause repeats of the answer, in bytes.
const (
	maxPath = 300
	maxText  = 200
)

// pathText writes the path, of a very long one its end.
func (d *Decoder) pathText() string {
	text := ""
	for i := len(d.path) - 1; i >= 0; i-- {
		if len(text) > maxPath {
			return "…" + text
		}
		if s := d.path[i]; s.name == nil {
			text = "[" + strconv.Itoa(s.index) + "]" + text
		} else {
			text = "." + truncate(string(s.name[:min(len(s.name), maxText+1)])) + text
		}
	}
	return text
}

// listIndex is the place inside the field's lists.
func (d *Decoder) listIndex() []int {
	var index []int
	for _, s := range d.path[min(d.at.pathLen, len(d.path)):] {
		if s.inGraph {
			index = append(index, s.index)
		}
	}
	return index
}

func truncate(text string) string {
	if len(text) > maxText {
		return text[:maxText] + "…"
	}
	return text
}

// Skip passes over one value.
func (d *Decoder) Skip() {
	if d.err != nil {
		return
	}
	if err := d.skip(); err != nil {
		d.malformed(err)
	}
}

// open begins an object or a list.
func (d *Decoder) open(bracket byte, what string) bool {
	if d.err != nil {
		return false
	}
	if d.peek() != bracket {
		d.mismatch("%s where %s is expected", d.kind(), what)
		return false
	}
	d.pos++
	if d.depth++; d.depth > maxDepth {
		d.malformed(errTooDeep)
		return false
	}
	return true
}

// more tells whether another element follows, and eats the comma or the bracket.
func (d *Decoder) more(bracket byte, first bool) bool {
	if d.err != nil {
		return false
	}
	c := d.peek()
	switch {
	case c == bracket:
		d.pos++
		d.depth--
		return false
	case first:
		return true
	case c != ',':
		d.malformed(errors.New("a comma or " + strconv.Quote(string(bracket)) + " is missing"))
		return false
	}
	d.pos++
	return true
}

// enterMember eats a member's name with its colon and steps into the member.
func (d *Decoder) enterMember() []byte {
	name := d.memberName()
	d.colon()
	if d.err == nil {
		d.push(step{name: name})
	}
	return name
}

// memberName eats a member's name.
func (d *Decoder) memberName() []byte {
	if d.peek() != '"' {
		d.malformed(errors.New("the name of a member is missing"))
		return nil
	}
	name, err := d.unescapedString()
	if err != nil {
		d.malformed(err)
		return nil
	}
	return name
}

// colon eats what is behind a member's name.
func (d *Decoder) colon() {
	switch {
	case d.err != nil:
	case d.peek() != ':':
		d.malformed(errors.New("a colon is missing"))
	default:
		d.pos++
	}
}

// value reads one value, and passes over it when read had no use for it.
func value[T any](d *Decoder, read func(*Decoder) T) T {
	from := d.pos
	v := read(d)
	d.skipUnread(from)
	return v
}

// skipUnread passes over a value that begins at from if nobody has read it.
func (d *Decoder) skipUnread(from int) {
	if d.err == nil && d.pos == from {
		d.Skip()
	}
}
