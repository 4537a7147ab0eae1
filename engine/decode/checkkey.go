package decode

import (
	"fmt"
	"strings"
)

// CheckKey makes a decoder of the object that was asked for by key; field is the name of the
// field that holds an object's key, and keyOf gives it. An object of another key does not
// fit: the service answered for something else. Nothing is compared where key is nil, or
// where the object has no key or one that does not fit.
//
// Letters are compared whatever their case, since services write an identifier, above all a
// UUID, in their own way.
func CheckKey[T any](field string, key any, object func(*Decoder) *T, keyOf func(*T) *string) func(*Decoder) *T {
	return func(d *Decoder) *T {
		noted := len(d.faults)
		v := object(d)
		if v == nil || d.err != nil || key == nil || faultOfKey(d.faults[noted:], v, field) != nil {
			return v
		}
		asked, got := fmt.Sprint(key), keyOf(v)
		if got == nil || *got == "" || strings.EqualFold(asked, *got) {
			return v
		}
		d.fail(false, "the object's %s is %q, but %q was asked for", field, truncateKey(*got), truncateKey(asked))
		return nil
	}
}

// maxKeyText is how much of a key is shown in an error, in bytes.
const maxKeyText = 100

func truncateKey(key string) string { return key[:min(len(key), maxKeyText)] }
