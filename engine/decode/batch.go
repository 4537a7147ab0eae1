package decode

// KeyFaults says which keys of a batch have no value because what the service sent for
// them does not fit the graph. The values of all others are good.
type KeyFaults struct {
	// Keys are the faults of single keys.
	Keys map[string]*Fault
	// Rest is the fault of every key that has no value and no fault of its own: an item
	// could not be read so far that one knew whose it is. Nil when there was no such item.
	Rest *Fault
}

// Error tells one of the faults, for logs.
func (k *KeyFaults) Error() string { return k.anyFault().Error() }

// Unwrap gives one of the faults.
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

// Of is the error of a key that has no value, nil when it simply has none. It is nil for
// keys that are no strings, and k may be nil.
func (k *KeyFaults) Of(key any) error {
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

// Map reads an object whose members are the keys of a batch. A member that does not fit
// is left out, and Answer's error tells of it. Of a key that is there twice, the later
// one counts.
func Map[T any](d *Decoder, element func(*Decoder) T) map[string]T {
	values, bad := map[string]T{}, map[string]*Fault{}
	if !d.open('{', "an object") {
		return nil
	}
	outer := d.at
	for first := true; d.more('}', first); first = false {
		name := string(d.enterMember())
		d.at = place{pathLen: len(d.path)}
		delete(values, name)
		delete(bad, name)
		v, failed := tryRead(d, element)
		if failed != nil {
			bad[name] = failed
		} else if d.err == nil {
			values[name] = v
		}
		d.pop()
	}
	d.at, d.keyFaults = outer, nil
	if d.err != nil {
		return nil
	}
	if len(bad) > 0 {
		d.keyFaults = &KeyFaults{Keys: bad}
	}
	return values
}

// tryRead reads a value of a batch. A soft failure ends here.
func tryRead[T any](d *Decoder, read func(*Decoder) T) (T, *Fault) {
	m := d.mark()
	v := value(d, read)
	if p := d.recoverTo(m); p != nil {
		var none T
		return none, &Fault{Index: p.index, Null: true, Err: d.toFault(p)}
	}
	return v, nil
}

// MapOf makes of a decoder of elements one of maps.
func MapOf[T any](element func(*Decoder) T) func(*Decoder) map[string]T {
	return func(d *Decoder) map[string]T { return Map(d, element) }
}

// ByKey makes a decoder of a list of items that arranges them by their key; a later one of
// the same key wins. T is a pointer, as Object takes it, and field the name of the field
// that holds the key. An item that does not fit, or whose key does not, is left out, and
// Answer's error tells of it.
func ByKey[T any](field string, item func(*Decoder) T, key func(T) string) func(*Decoder) map[string]T {
	return func(d *Decoder) map[string]T {
		values := map[string]T{}
		readItems(d, field, item, func(v T) { values[key(v)] = v })
		return values
	}
}

// GroupByKey is ByKey for several items of one key; they keep their order.
func GroupByKey[T any](field string, item func(*Decoder) T, key func(T) string) func(*Decoder) map[string][]T {
	return func(d *Decoder) map[string][]T {
		groups := map[string][]T{}
		readItems(d, field, item, func(v T) { groups[key(v)] = append(groups[key(v)], v) })
		return groups
	}
}

// readItems reads a list and hands over the items whose key is known.
func readItems[T any](d *Decoder, field string, item func(*Decoder) T, known func(T)) {
	if !d.open('[', "a list") {
		return
	}
	var rest *Fault
	outer := d.at
	for i := 0; d.more(']', i == 0); i++ {
		d.push(step{index: i})
		d.at = place{pathLen: len(d.path)}
		noted := len(d.faults)
		v, failed := tryRead(d, item)
		if failed == nil && d.err == nil {
			failed = faultOfKey(d.faults[noted:], v, field)
		}
		if failed == nil && d.err == nil {
			known(v)
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

// faultOfKey is the fault of an item's key.
func faultOfKey[T any](noted []tableEntry, item T, field string) *Fault {
	for _, e := range noted {
		if e.key == (faultKey{address(item), field}) {
			return e.fault
		}
	}
	return nil
}
