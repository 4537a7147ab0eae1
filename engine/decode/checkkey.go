package decode

import (
	"fmt"
	"strings"
)

// CheckKey returns a reader of the object that was requested by key. An object that carries
// another key does not fit, since the service responded with something else than it was asked for.
// field is the name of the field that holds an object's key, and keyOf returns it.
//
// Nothing is compared where key is nil, or where the object has no key or one that does not fit.
// Upper and lower case are the same, since services write identifiers, above all UUIDs, in their
// own way.
func CheckKey[T any](field string, key any, object func(*Decoder) *T, keyOf func(*T) *string) func(*Decoder) *T {
	return func(d *Decoder) *T {
		before := len(d.faults)
		v := object(d)
		if v == nil || d.err != nil || key == nil || faultOfKey(d.faults[before:], v, field) != nil {
			return v
		}
		want, got := fmt.Sprint(key), keyOf(v)
		if got == nil || *got == "" || strings.EqualFold(want, *got) {
			return v
		}
		d.fail(false, "the object's %s is %q, but %q was asked for", field, truncateKey(*got), truncateKey(want))
		return nil
	}
}

// maxKeyText bounds how much of a key an error repeats, in bytes.
const maxKeyText = 100

func truncateKey(key string) string { return key[:min(len(key), maxKeyText)] }
