package decode

import (
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Fault is a value in a service's answer that does not fit the graph. It is not changed
// once it has been made.
type Fault struct {
	// Index leads from the field to the value, through the field's lists.
	Index []int
	// Null tells that the field is null as a whole; otherwise some element on the way is.
	Null bool
	// Err is what clients and operators see.
	Err *fault.Error
}

// Error gives the text of f.Err.
func (f *Fault) Error() string {
	if f.Err == nil {
		return "no fault"
	}
	return f.Err.Error()
}

// Unwrap gives f.Err.
func (f *Fault) Unwrap() error {
	if f.Err == nil {
		return nil
	}
	return f.Err
}

// Faults are those of one operation: by the Go value that holds the field, which is the
// object it was decoded into, or the list when that is in no object. So they follow a
// value wherever it is shown, and are lost to a copy. The zero value is ready for use, and
// nil is an empty table that takes nothing. It is safe for concurrent use.
type Faults struct {
	notEmpty atomic.Bool

	mu    sync.RWMutex
	table map[faultKey][]*Fault // guarded by mu
	count int              // guarded by mu
}

// faultKey is where a fault is told. A list's own elements have no field.
type faultKey struct {
	holder unsafe.Pointer
	field  string
}

// tableEntry is a fault with its place in the table.
type tableEntry struct {
	key   faultKey
	fault *Fault
}

// Empty tells that there is no fault. It costs next to nothing.
func (f *Faults) Empty() bool { return f == nil || !f.notEmpty.Load() }

// Of gives the faults of a field of an object; holder is the object's pointer, or one to
// that, or an interface that holds it.
func (f *Faults) Of(holder any, field string) []*Fault {
	if f.Empty() {
		return nil
	}
	return f.get(faultKey{address(holder), field})
}

// In gives the faults of the elements of a list that is in no object.
func (f *Faults) In(list any) []*Fault {
	if f.Empty() {
		return nil
	}
	v := reflect.ValueOf(list)
	if v.Kind() != reflect.Slice || v.Len() == 0 {
		return nil
	}
	return f.get(faultKey{holder: v.UnsafePointer()})
}

// Err is an error if one of the fields of an object, or anything in its lists, does not
// fit. The error is a *Fault of the whole.
func (f *Faults) Err(holder any, fields ...string) error {
	if f.Empty() {
		return nil
	}
	for _, field := range fields {
		if found := f.Of(holder, field); len(found) > 0 {
			return &Fault{Null: true, Err: found[0].Err}
		}
	}
	return nil
}

// Add notes which elements of a list do not fit; they must be nil there. It tells whether
// there was room for that, which a nil table has not.
func (f *Faults) Add(list any, faults ...*Fault) bool {
	if len(faults) == 0 {
		return true
	}
	entries := make([]tableEntry, len(faults))
	for i, bad := range faults {
		entries[i] = tableEntry{faultKey{holder: reflect.ValueOf(list).UnsafePointer()}, bad}
	}
	return f != nil && f.add(entries)
}

// At notes what does not fit in a field of an object, as Add does.
func (f *Faults) At(holder any, field string, faults ...*Fault) bool {
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

// add takes all entries, or none when they are too many. A nil table takes none.
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

// address is the address of the object that v leads to, nil when v is something else.
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
