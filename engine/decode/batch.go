package decode

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
	if f := k.Keys[text]; f != nil {
		return f
	}
	if k.Rest != nil {
		return k.Rest
	}
	return nil
}

// Map reads an object whose members are the keys of a batch. A member that does not fit has no
// value in the map; Read reports it in a *KeyFaults. Of two members with the same name the later
// one counts.
func Map[T any](d *Decoder, element func(*Decoder) T) map[string]T {
	values, faults := map[string]T{}, map[string]*Fault{}
	if !d.open('{', "an object") {
		return nil
	}
	outer := d.at
	for first := true; d.more('}', first); first = false {
		name := string(d.enterMember())
		d.at = place{pathLen: len(d.path)}
		delete(values, name)
		delete(faults, name)
		v, failed := tryRead(d, element)
		if failed != nil {
			faults[name] = failed
		} else if d.err == nil {
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

// ByKey returns a reader of a list of items, which it arranges by their keys. Of two items with
// the same key the later one counts. T is a pointer to the struct that the item is decoded into,
// field is the graph's name of the field that holds the key, and key returns it.
//
// An item that does not fit, or whose key does not, is left out. Read reports it in
// KeyFaults.Rest, since the item may belong to any key that has no value.
func ByKey[T any](field string, item func(*Decoder) T, key func(T) string) func(*Decoder) map[string]T {
	return func(d *Decoder) map[string]T {
		values := map[string]T{}
		readItems(d, field, item, func(v T) { values[key(v)] = v })
		return values
	}
}

// GroupByKey is ByKey for services that send several items for one key. Items of one key keep
// their order.
func GroupByKey[T any](field string, item func(*Decoder) T, key func(T) string) func(*Decoder) map[string][]T {
	return func(d *Decoder) map[string][]T {
		groups := map[string][]T{}
		readItems(d, field, item, func(v T) { groups[key(v)] = append(groups[key(v)], v) })
		return groups
	}
}

// readItems reads a list and calls add with each item whose key is good.
func readItems[T any](d *Decoder, field string, item func(*Decoder) T, add func(T)) {
	if !d.open('[', "a list") {
		return
	}
	var rest *Fault
	outer := d.at
	for i := 0; d.more(']', i == 0); i++ {
		d.push(step{index: i})
		d.at = place{pathLen: len(d.path)}
		before := len(d.faults)
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
