// Package decode reads the JSON of services into Go values by the rules of result coercion
// (GraphQL specification, sections 3.5 and 6.4.4): a value that does not fit its type is an error,
// never another value. Generated decoders in graph/ are composed of its functions.
//
// Functions that read come in two forms. X(d, element) takes a Decoder and reads now; XOf(element)
// returns a reader, a func(*Decoder) T that reads later, so that readers nest:
// ListOf(PtrOf((*Decoder).Int)) reads [Int]. A function that takes no Decoder always returns a
// reader, also where it has no counterpart that reads at once, such as Member or First.
//
// # Failures
//
// A failure is hard or soft. It is hard when the text is not JSON: malformed, nested too deeply, or
// followed by more text. A hard failure fails the whole response. It is soft when the JSON is
// well-formed but has another type than the graph: a string for an Int, null for a non-null field,
// an unknown enum value, a string that is not UTF-8. A soft failure ends at the nearest place that may be
// null, which is an element of a list, a field, or a member of a batch. That place becomes nil, or
// Go's zero value, and the fault is recorded in Faults under the Go object that holds the field.
// An executor reports it, at the exact path in the response, to the clients that select the field.
//
// A failure sticks: until a place recovers from it, each read returns a zero value at once.
// Generated code therefore checks for errors only where it recovers.
//
// # Cost
//
// A response is read once, from the front to the back, without a tree in between. Three things
// make that cheap, and each has a file: members that the operation does not select are skipped
// (projection.go), the members of one object predict those of the next (membercache.go), and
// values share chunks of memory (arena.go). Reading text a second time, which some combinators
// need, is paid from a budget, so that the cost stays linear in the length of the response.
//
// A Decoder must not be used by two goroutines at the same time.
package decode

import (
	"errors"
	"fmt"
	"strconv"
	"unsafe"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Decoder reads one response of a service.
type Decoder struct {
	scanner
	service string // for errors
	at      place
	path    []step   // from the response's root to the value that is read, for errors
	err     *failure // sticks until a place recovers from it

	// faults are the failures that a place has recovered from. They are handed to Faults only
	// when the whole response was read, since a later hard failure makes them meaningless.
	faults    []tableEntry
	keyFaults *KeyFaults // nil unless a member or an item of a batch failed

	failures     int // soft failures so far, including those whose value was dropped later
	rereadBudget int // in bytes: how much text may still be read again

	projection *Projection // nil for all fields
	strings    stringArena
	shapes     [maxShapes]shapeState
}

// place is the place in the graph at which the value that is read will lie. Faults are recorded
// relative to it. It starts anew in each object, and in each value of a batch.
type place struct {
	holder    unsafe.Pointer // the object whose field is read; nil in the root and in values of a batch
	shape     *Shape         // the object's; nil when there is none
	field     int            // index of the field in shape
	pathLen   int            // length of Decoder.path where the field's value begins
	listDepth int            // number of the graph's lists between the field and the value
}

// faultKey returns the key under which a fault at p is recorded: zero for a place that is in no
// object.
func (p *place) faultKey() faultKey {
	if p.shape == nil {
		return faultKey{}
	}
	return faultKey{p.holder, p.shape.fields[p.field].Name}
}

// step is one member or element on the way to a value.
type step struct {
	name    []byte // of the member, as bytes of the response; nil for an element
	index   int    // of the element
	inGraph bool   // whether the element is one in the graph; those under First and JoinNotNull are not
}

// failure is what went wrong with a value, before a place has recovered from it.
type failure struct {
	cause error
	index []int // path through the graph's lists, from the field to the value
	hard  bool
}

// Bounds on the work for one response, whatever the service sends.
const (
	maxFaults       = 10_000   // values that do not fit, in all responses of an operation
	maxRereads      = 100      // how often the whole response may be read, on average
	rereadAllowance = 16 << 20 // bytes that may be read again besides, so that short responses have enough
)

// errTooMany is the cause when one response, or all those of an operation, hold more than
// maxFaults faults.
var errTooMany = fmt.Errorf("more than %d values do not fit", maxFaults)

// Read is ReadProjection without a projection: it reads all fields.
func Read[T any](service string, body []byte, faults *Faults, read func(*Decoder) T) (T, error) {
	return ReadProjection(service, body, faults, nil, read)
}

// ReadProjection reads body with read and returns the value. Fields that projection does not hold
// are skipped; a nil projection holds all fields. An empty body reads as null. The value shares no
// memory with body.
//
// Values that do not fit are recorded in faults where a field, an element or a member of a batch
// can be null in their place. Without faults they could not be reported: then all fields are read,
// and the first value that does not fit fails the response.
//
// The error is a *fault.Error with the code DownstreamService. Its cause, which is meant for the
// log, says where the response does not fit and why. A failure inside the list that is the
// response itself comes as a *Fault around that error, with the list's index. A *KeyFaults comes
// together with a value and says which keys have none.
func ReadProjection[T any](service string, body []byte, faults *Faults, projection *Projection, read func(*Decoder) T) (T, error) {
	d := newDecoder(service, body, faults, projection)
	v := value(d, read)
	ok, err := d.finish(faults)
	if !ok {
		var none T
		return none, err
	}
	return v, err
}

var nullText = []byte("null")

func newDecoder(service string, body []byte, faults *Faults, projection *Projection) *Decoder {
	if faults == nil {
		projection = nil // a field that is not read could hide the fault that fails the response
	}
	d := &Decoder{scanner: scanner{data: body}, service: service, rereadBudget: maxRereads*len(body) + rereadAllowance, projection: projection}
	if d.atEnd() {
		d.data, d.pos = nullText, 0
	}
	return d
}

// finish checks that the text ends after the value and hands over the faults. It returns whether
// there is a value, possibly besides an error.
func (d *Decoder) finish(faults *Faults) (ok bool, err error) {
	switch err := d.commit(faults); {
	case err != nil:
		return false, err
	case d.keyFaults != nil:
		return true, d.keyFaults
	}
	return true, nil
}

// commit ends the read: a failure that no place has recovered from becomes the error, and all
// others go into faults.
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

// toFault returns the error that clients and operators see of a failure.
func (d *Decoder) toFault(p *failure) *fault.Error {
	f := &fault.Error{
		Code: fault.DownstreamService, Message: "the service's answer does not fit the graph",
		Service: d.service, Cause: p.cause,
	}
	if p.hard && p.cause != errTooMany {
		f.Message, f.Cause = "the service's answer cannot be read", &MalformedError{p.cause}
	}
	return f
}

// MalformedError is the cause of an error for a response that is not JSON, or exceeds a bound of
// this package.
type MalformedError struct{ Err error }

func (e *MalformedError) Error() string { return e.Err.Error() }
func (e *MalformedError) Unwrap() error { return e.Err }

// mark is a state of the decoder to which recoverTo returns.
type mark struct{ pos, depth, path, faults int }

func (d *Decoder) mark() mark {
	return mark{pos: d.pos, depth: d.depth, path: len(d.path), faults: len(d.faults)}
}

// recoverTo clears a soft failure and returns it, nil if there was none. The decoder continues
// after the value that began at m, as if it had been read: the value is skipped from its
// beginning, since the failed reader stopped somewhere inside it, and since its text must be JSON
// all the same. Faults that were recorded inside it are dropped, because the whole value is null
// now.
//
// A hard failure stays, and recoverTo returns nil for it.
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

// countFailures adds n soft failures and fails hard when there are more than maxFaults. Dropped
// ones count, too: each costs a second reading.
func (d *Decoder) countFailures(n int) bool {
	if d.failures += n; d.failures > maxFaults && d.err == nil {
		d.err = &failure{cause: errTooMany, hard: true}
	}
	return d.err == nil
}

// spendReread takes n bytes from the budget for text that is read again, and fails hard when the
// budget is spent. It reports whether reading may go on. Without a budget, a graph whose types
// each read their member twice would read a text 2^depth times.
func (d *Decoder) spendReread(n int) bool {
	if d.rereadBudget -= n; d.rereadBudget < 0 && d.err == nil {
		d.fail(true, "the graph reads this text too many times")
	}
	return d.err == nil
}

// addFault records a failure at the field that is read. null is whether the whole field is null,
// not only an element in its lists.
func (d *Decoder) addFault(p *failure, null bool) {
	d.faults = append(d.faults, tableEntry{
		key:   d.at.faultKey(),
		fault: &Fault{Index: p.index, Null: null, Err: d.toFault(p)},
	})
}

// push adds a step to the path, and pop removes the last one.
func (d *Decoder) push(s step) { d.path = append(d.path, s) }

func (d *Decoder) pop() {
	if n := len(d.path); n > 0 {
		d.path = d.path[:n-1]
	}
}

// mismatch fails softly: the value is JSON, but not of the type that the graph has.
func (d *Decoder) mismatch(format string, args ...any) { d.fail(false, format, args...) }

// malformed fails hard: the text is not JSON, or exceeds a bound.
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

// cause is the error for the log: where in the response something is wrong, and what.
type cause struct {
	where string
	err   error
}

func (c *cause) Error() string { return "at $" + c.where + ": " + c.err.Error() }

func (c *cause) Unwrap() error { return c.err }

// maxPath and maxText bound how much of the response a cause repeats, in bytes.
const (
	maxPath = 300
	maxText = 200
)

// pathText returns the path to the value as text, such as ".users[3].name". Of a path that is
// longer than maxPath it returns the end.
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

// listIndex returns the path through the graph's lists, from the field to the value.
func (d *Decoder) listIndex() []int {
	var index []int
	for _, s := range d.path[min(d.at.pathLen, len(d.path)):] {
		if s.inGraph {
			index = append(index, s.index)
		}
	}
	return index
}

// truncate returns at most the first maxText bytes of text.
func truncate(text string) string {
	if len(text) > maxText {
		return text[:maxText] + "…"
	}
	return text
}

// Skip skips one value. It fails hard if the value is not well-formed JSON.
func (d *Decoder) Skip() {
	if d.err != nil {
		return
	}
	if err := d.skip(); err != nil {
		d.malformed(err)
	}
}

// open consumes the bracket that begins an object or a list, and reports whether it is there. what
// names the expected type in errors. Each level of nesting counts against maxDepth.
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

// more reports whether another element follows. It consumes the comma before the element, or the
// closing bracket. first is whether no element was read so far.
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

// enterMember consumes a member's name and colon, and adds the member to the path. It returns the
// name.
func (d *Decoder) enterMember() []byte {
	name := d.memberName()
	d.colon()
	if d.err == nil {
		d.push(step{name: name})
	}
	return name
}

// memberName consumes a member's name and returns it without escapes.
func (d *Decoder) memberName() []byte {
	if d.peek() != '"' {
		d.malformed(errors.New("the name of a member is missing"))
		return nil
	}
	name, err := d.unescapedString()
	if err != nil && err != errUTF8 { // no field has such a name
		d.malformed(err)
		return nil
	}
	return name
}

// colon consumes the colon after a member's name.
func (d *Decoder) colon() {
	switch {
	case d.err != nil:
	case d.peek() != ':':
		d.malformed(errors.New("a colon is missing"))
	default:
		d.pos++
	}
}

// value reads one value with read, and skips it if read consumed nothing, as readers of constants
// and of request values do.
func value[T any](d *Decoder, read func(*Decoder) T) T {
	from := d.pos
	v := read(d)
	d.skipUnread(from)
	return v
}

// skipUnread skips the value that begins at from if nothing has consumed it.
func (d *Decoder) skipUnread(from int) {
	if d.err == nil && d.pos == from {
		d.Skip()
	}
}
