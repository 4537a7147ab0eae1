package decode

import "strings"

// KeyFaults says which keys of a batch have no value because what the service sent for them does
// not fit the graph. The values of all other keys are good.
type KeyFaults struct {
	// Keys are the faults of single keys.
	Keys map[string]*Fault
	// Rest is the fault of every key that has neither a value nor a fault of its own. It is set
	// when the key of an item could not be read: the item may belong to any of them.
	Rest *Fault
}

// Error returns the text of one of the faults, for logs.
func (k *KeyFaults) Error() string { return k.anyFault().Error() }

// Unwrap returns one of the faults.
func (k *KeyFaults) Unwrap() error { return k.anyFault() }

func (k *KeyFaults) anyFault() *Fault {
	if k.Rest != nil {
		return k.Rest
	}
	for _, f := range k.Keys {
		return f
	}
	return &Fault{}
}

// OfKey returns the error of a key that has no value. It is nil if the service sent nothing for the
// key although all of its items were readable, and for keys that are not strings. k may be nil.
func (k *KeyFaults) OfKey(key any) error {
	if k == nil {
		return nil
	}
	text, ok := key.(string)
	if !ok {
		return nil
	}
	if f := k.Keys[CanonicalKey(text)]; f != nil {
		return f
	}
	if k.Rest != nil {
		return k.Rest
	}
	return nil
}

// CanonicalKey returns the form in which the keys of a batch are compared: that of a UUID is in
// lower case, since its digits may be written in either (RFC 9562, 4), and services store and send
// them in their own way. All other keys are compared exactly: "007" may be another thing than "7",
// and "a" than "A".
func CanonicalKey(key string) string {
	const form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	if len(key) != len(form) {
		return key
	}
	for i := range len(form) {
		c := key[i]
		if isHex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'; (c == '-') != (form[i] == '-') || c != '-' && !isHex {
			return key
		}
	}
	return strings.ToLower(key)
}

// Map reads an object whose members are the keys of a batch, in the form of CanonicalKey. A member
// that does not fit has no value in the map; Read reports it in a *KeyFaults. One that is null, where
// element reads no null, has none either: the service has nothing for the key. Of two members with
// the same name the later one counts.
func Map[T any](d *Decoder, element func(*Decoder) T) map[string]T {
	values, faults := map[string]T{}, map[string]*Fault{}
	if !d.open('{', "an object") {
		return nil
	}
	outer := d.at
	for first := true; d.more('}', first); first = false {
		name := CanonicalKey(string(d.enterMember()))
		d.at = place{pathLen: len(d.path)}
		delete(values, name)
		delete(faults, name)
		isNull := d.err == nil && d.peekNull()
		v, failed := tryRead(d, element)
		switch {
		case failed != nil && isNull: // the service has nothing for the key
		case failed != nil:
			faults[name] = failed
		case d.err == nil:
			values[name] = v
		}
		d.pop()
	}
	d.at, d.keyFaults = outer, nil
	if d.err != nil {
		return nil
	}
	if len(faults) > 0 {
		d.keyFaults = &KeyFaults{Keys: faults}
	}
	return values
}

// tryRead reads one value of a batch and recovers from a soft failure, which it returns: each
// value stands for itself.
func tryRead[T any](d *Decoder, read func(*Decoder) T) (T, *Fault) {
	m := d.mark()
	v := value(d, read)
	if p := d.recoverTo(m); p != nil {
		var none T
		return none, &Fault{Index: p.index, Null: true, Err: d.toFault(p)}
	}
	return v, nil
}

// MapOf returns a reader of objects whose members are the keys of a batch; see Map.
func MapOf[T any](element func(*Decoder) T) func(*Decoder) map[string]T {
	return func(d *Decoder) map[string]T { return Map(d, element) }
}

// ByKey returns a reader of a list of items, which it arranges by their keys in the form of
// CanonicalKey. Of two items with the same key the later one counts. A null among the items is
// none: the service has nothing for one of the keys. T is a pointer to the struct that the item is decoded into,
// field is the graph's name of the field that holds the key, and key returns it.
//
// An item that does not fit, or whose key does not, is left out. Read reports it in
// KeyFaults.Rest, since the item may belong to any key that has no value.
func ByKey[T any](field string, item func(*Decoder) T, key func(T) string) func(*Decoder) map[string]T {
	return func(d *Decoder) map[string]T {
		values := map[string]T{}
		readItems(d, field, item, func(v T) { values[CanonicalKey(key(v))] = v })
		return values
	}
}

// GroupByKey is ByKey for services that send several items for one key. Items of one key keep
// their order.
func GroupByKey[T any](field string, item func(*Decoder) T, key func(T) string) func(*Decoder) map[string][]T {
	return func(d *Decoder) map[string][]T {
		groups := map[string][]T{}
		readItems(d, field, item, func(v T) {
			k := CanonicalKey(key(v))
			groups[k] = append(groups[k], v)
		})
		return groups
	}
}

// readItems reads a list and calls add with each item whose key is good. null is an empty list, and
// nulls in it are left out.
func readItems[T any](d *Decoder, field string, item func(*Decoder) T, add func(T)) {
	if d.err == nil && d.acceptNull() {
		return
	}
	if !d.open('[', "a list") {
		return
	}
	var rest *Fault
	outer := d.at
	for i := 0; d.more(']', i == 0); i++ {
		d.push(step{index: i})
		d.at = place{pathLen: len(d.path)}
		before := len(d.faults)
		if d.err == nil && d.acceptNull() {
			d.pop()
			continue
		}
		v, failed := tryRead(d, item)
		if failed == nil && d.err == nil {
			failed = faultOfKey(d.faults[before:], v, field)
		}
		if failed == nil && d.err == nil {
			add(v)
		}
		if rest == nil && failed != nil {
			rest = &Fault{Null: true, Err: failed.Err}
		}
		d.pop()
	}
	d.at, d.keyFaults = outer, nil
	if d.err == nil && rest != nil {
		d.keyFaults = &KeyFaults{Rest: rest}
	}
}

// faultOfKey returns the fault of an item's key among the faults that were recorded for the item,
// nil if the key is good.
func faultOfKey[T any](faults []tableEntry, item T, field string) *Fault {
	for _, e := range faults {
		if e.key == (faultKey{address(item), field}) {
			return e.fault
		}
	}
	return nil
}
