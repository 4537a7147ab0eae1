package decode

import (
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Fault is a value in a service's response that does not fit the graph. It must not be changed
// once it is recorded.
type Fault struct {
	// Index is the path through the field's lists, from the field to the value.
	Index []int
	// Null is whether the field itself is null. Otherwise the element at Index is.
	Null bool
	// Err is the error for clients; its cause is for the log.
	Err *fault.Error
}

// Error returns the text of f.Err.
func (f *Fault) Error() string {
	if f.Err == nil {
		return "no fault"
	}
	return f.Err.Error()
}

// Unwrap returns f.Err.
func (f *Fault) Unwrap() error {
	if f.Err == nil {
		return nil
	}
	return f.Err
}

// Faults holds the faults of one operation, by the Go value that holds the field that does not
// fit: the address of the object that the field was decoded into, or of the list when that is in
// no object. A fault therefore appears wherever the response shows that object, and is lost when a
// resolver copies the object.
//
// The zero value is an empty table. A nil *Faults is empty as well and takes no faults. A Faults
// may be used by several goroutines at the same time.
type Faults struct {
	notEmpty atomic.Bool // so that encoding a response without faults takes no lock

	mu    sync.RWMutex
	table map[faultKey][]*Fault // guarded by mu
	count int                   // guarded by mu
}

// faultKey is where a fault is recorded. A list that is in no object has a holder, the list's
// first element, and no field.
type faultKey struct {
	holder unsafe.Pointer
	field  string
}

// tableEntry is a fault with its key.
type tableEntry struct {
	key   faultKey
	fault *Fault
}

// Empty reports whether there are no faults. It costs one atomic load.
func (f *Faults) Empty() bool { return f == nil || !f.notEmpty.Load() }

// OfField returns the faults of a field. holder is the object that holds it: a pointer to the struct, a
// pointer to that pointer, or an interface that holds one of these.
func (f *Faults) OfField(holder any, field string) []*Fault {
	if f.Empty() {
		return nil
	}
	return f.get(faultKey{address(holder), field})
}

// OfElements returns the faults of the elements of a list that is in no object.
func (f *Faults) OfElements(list any) []*Fault {
	if f.Empty() {
		return nil
	}
	v := reflect.ValueOf(list)
	if v.Kind() != reflect.Slice || v.Len() == 0 {
		return nil
	}
	return f.get(faultKey{holder: v.UnsafePointer()})
}

// FieldFault returns a fault if one of the fields of an object, or an element in their lists, does not
// fit. It returns nil if all fit. Callers that need the fields as a whole, such as keys of a join,
// use it.
func (f *Faults) FieldFault(holder any, fields ...string) error {
	if f.Empty() {
		return nil
	}
	for _, field := range fields {
		if found := f.OfField(holder, field); len(found) > 0 {
			return &Fault{Null: true, Err: found[0].Err}
		}
	}
	return nil
}

// AddElements records which elements of a list do not fit; they must be nil in the list. It reports
// whether the table had room, which a nil table has not.
func (f *Faults) AddElements(list any, faults ...*Fault) bool {
	if len(faults) == 0 {
		return true
	}
	entries := make([]tableEntry, len(faults))
	for i, bad := range faults {
		entries[i] = tableEntry{faultKey{holder: reflect.ValueOf(list).UnsafePointer()}, bad}
	}
	return f != nil && f.add(entries)
}

// AddField records what does not fit in a field of an object. It reports whether the table had room, as
// Add does.
func (f *Faults) AddField(holder any, field string, faults ...*Fault) bool {
	if len(faults) == 0 {
		return true
	}
	entries := make([]tableEntry, len(faults))
	for i, bad := range faults {
		entries[i] = tableEntry{faultKey{address(holder), field}, bad}
	}
	return f != nil && f.add(entries)
}

func (f *Faults) get(k faultKey) []*Fault {
	if k.holder == nil {
		return nil
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.table[k]
}

// add records all entries, or none when they would exceed maxFaults. It reports whether it
// recorded them.
func (f *Faults) add(entries []tableEntry) bool {
	if len(entries) == 0 {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count+len(entries) > maxFaults {
		return false
	}
	if f.table == nil {
		f.table = make(map[faultKey][]*Fault, len(entries))
	}
	for _, e := range entries {
		f.table[e.key] = append(f.table[e.key], e.fault)
	}
	f.count += len(entries)
	f.notEmpty.Store(true)
	return true
}

// address returns the address of the object that v leads to through pointers and interfaces, nil
// when v leads to something else.
func address(v any) unsafe.Pointer {
	to := reflect.ValueOf(v)
	for to.Kind() == reflect.Interface || to.Kind() == reflect.Pointer {
		inner := to.Elem()
		if to.Kind() == reflect.Pointer && inner.Kind() != reflect.Pointer && inner.Kind() != reflect.Interface {
			return to.UnsafePointer()
		}
		to = inner
	}
	return nil
}
