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
	err     *problem
	noted   []entry    // faults that have found their place
	keys    *KeyFaults // nil unless a member or an item of a batch failed
	count   int        // soft failures so far, found and forgotten
	spare   int        // bytes that may still be read another time
	wanted  *Projection
	texts   texts
	sighted [manyShapes]sighting
}

// place is where values come to lie in the graph.
type place struct {
	holder unsafe.Pointer // the object whose field is read; nil at the top and in the values of a batch
	shape  *Shape         // the object's
	field  int            // of the shape
	base   int            // how long the path is where the field's value begins
	lists  int            // how many of the graph's lists there are between the field and here
}

// key is where faults are told.
func (p *place) key() key {
	if p.shape == nil {
		return key{}
	}
	return key{p.holder, p.shape.fields[p.field].Name}
}

// step is one member or element on the way to a value. The bytes are the answer's.
type step struct {
	name  []byte // nil for an element
	index int
	shown bool // the element is one in the graph too
}

// problem is a failure that has found no place yet.
type problem struct {
	cause error
	index []int // from the field on, in the graph's lists
	hard  bool
}

// What reading one answer may cost, however hostile the service.
const (
	maxFaults = 10_000   // values that do not fit, in one operation
	rereads   = 100      // how often all of an answer may be read, on average
	freely    = 16 << 20 // and besides that, in bytes
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
	d := &Decoder{scanner: scanner{data: body}, service: service, spare: rereads*len(body) + freely, wanted: wanted}
	if d.end() {
		d.data, d.pos = nullText, 0
	}
	return d
}

// finish ends the reading. It tells whether there is a value, perhaps besides an error.
func (d *Decoder) finish(faults *Faults) (ok bool, err error) {
	switch err := d.settle(faults); {
	case err != nil:
		return false, err
	case d.keys != nil:
		return true, d.keys
	}
	return true, nil
}

// settle looks at what is left of the text and hands over the faults.
func (d *Decoder) settle(faults *Faults) error {
	soft := d.pass(mark{})
	if d.err == nil && !d.end() {
		d.fail(true, "unexpected text after the value")
	}
	switch {
	case d.err != nil:
		return d.fault(d.err)
	case soft != nil && len(soft.index) > 0:
		return &Fault{Index: soft.index, Null: true, Err: d.fault(soft)}
	case soft != nil:
		return d.fault(soft)
	case len(d.noted) > 0 && faults == nil:
		return d.noted[0].fault.Err
	case !faults.add(d.noted):
		return d.fault(&problem{cause: errTooMany})
	}
	return nil
}

// fault is what clients and operators see of a problem.
func (d *Decoder) fault(p *problem) *fault.Error {
	return &fault.Error{
		Code: fault.DownstreamService, Message: "the service's answer does not fit the graph",
		Service: d.service, Cause: p.cause,
	}
}

// mark is a state to which one can go back.
type mark struct{ pos, depth, path, noted int }

func (d *Decoder) mark() mark {
	return mark{pos: d.pos, depth: d.depth, path: len(d.path), noted: len(d.noted)}
}

// pass takes a soft failure off, goes back to where its value begins and passes over it,
// since it must be JSON at least. It gives nil when there was none, or a hard one.
func (d *Decoder) pass(m mark) *problem {
	p := d.err
	if p == nil || p.hard {
		return nil
	}
	d.err = nil
	d.path, d.noted = d.path[:m.path], d.noted[:m.noted]
	end := d.pos
	d.pos, d.depth = m.pos, m.depth
	if d.tally(1) && d.reread(end-m.pos) {
		d.Skip()
	}
	if d.err != nil {
		return nil
	}
	return p
}

// tally counts soft failures and fails hard beyond the limit.
func (d *Decoder) tally(n int) bool {
	if d.count += n; d.count > maxFaults && d.err == nil {
		d.err = &problem{cause: errTooMany, hard: true}
	}
	return d.err == nil
}

// reread takes n bytes that are read once more from what one may. The types of a graph
// can ask for the same text many times, each level of it twice.
func (d *Decoder) reread(n int) bool {
	if d.spare -= n; d.spare < 0 && d.err == nil {
		d.fail(true, "the graph reads this text too many times")
	}
	return d.err == nil
}

// note records a fault at the field that is read.
func (d *Decoder) note(p *problem, null bool) {
	d.noted = append(d.noted, entry{
		key:   d.at.key(),
		fault: &Fault{Index: p.index, Null: null, Err: d.fault(p)},
	})
}

func (d *Decoder) enter(s step) { d.path = append(d.path, s) }

func (d *Decoder) leave() {
	if n := len(d.path); n > 0 {
		d.path = d.path[:n-1]
	}
}

// wrong fails softly: the value has a shape that the graph does not.
func (d *Decoder) wrong(format string, args ...any) { d.fail(false, format, args...) }

// broken fails hard.
func (d *Decoder) broken(err error) { d.fail(true, "%w", err) }

func (d *Decoder) fail(hard bool, format string, args ...any) {
	if d.err != nil {
		return
	}
	d.err = &problem{
		cause: &cause{where: d.where(), err: fmt.Errorf(format, args...)},
		index: d.index(),
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
	maxWhere = 300
	maxText  = 200
)

// where writes the path, of a very long one its end.
func (d *Decoder) where() string {
	text := ""
	for i := len(d.path) - 1; i >= 0; i-- {
		if len(text) > maxWhere {
			return "…" + text
		}
		if s := d.path[i]; s.name == nil {
			text = "[" + strconv.Itoa(s.index) + "]" + text
		} else {
			text = "." + cut(string(s.name[:min(len(s.name), maxText+1)])) + text
		}
	}
	return text
}

// index is the place inside the field's lists.
func (d *Decoder) index() []int {
	var index []int
	for _, s := range d.path[min(d.at.base, len(d.path)):] {
		if s.shown {
			index = append(index, s.index)
		}
	}
	return index
}

func cut(text string) string {
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
		d.broken(err)
	}
}

// open begins an object or a list.
func (d *Decoder) open(bracket byte, what string) bool {
	if d.err != nil {
		return false
	}
	if d.next() != bracket {
		d.wrong("%s where %s is expected", d.kind(), what)
		return false
	}
	d.pos++
	if d.depth++; d.depth > maxDepth {
		d.broken(errDeep)
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
	switch {
	case c == bracket:
		d.pos++
		d.depth--
		return false
	case first:
		return true
	case c != ',':
		d.broken(errors.New("a comma or " + strconv.Quote(string(bracket)) + " is missing"))
		return false
	}
	d.pos++
	return true
}

// member eats a member's name with its colon and steps into the member.
func (d *Decoder) member() []byte {
	name := d.quoted()
	d.colon()
	if d.err == nil {
		d.enter(step{name: name})
	}
	return name
}

// quoted eats a member's name.
func (d *Decoder) quoted() []byte {
	if d.next() != '"' {
		d.broken(errors.New("the name of a member is missing"))
		return nil
	}
	name, err := d.stringBytes()
	if err != nil {
		d.broken(err)
		return nil
	}
	return name
}

// colon eats what is behind a member's name.
func (d *Decoder) colon() {
	switch {
	case d.err != nil:
	case d.next() != ':':
		d.broken(errors.New("a colon is missing"))
	default:
		d.pos++
	}
}

// value reads one value, and passes over it when read had no use for it.
func value[T any](d *Decoder, read func(*Decoder) T) T {
	from := d.pos
	v := read(d)
	d.unread(from)
	return v
}

// unread passes over a value that begins at from if nobody has read it.
func (d *Decoder) unread(from int) {
	if d.err == nil && d.pos == from {
		d.Skip()
	}
}
