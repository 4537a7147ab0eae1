package main

import (
	"bytes"
	"errors"
)

// row has the members of an object that were asked for, in order, as JSON. They share the
// scanned text.
type row [4][]byte

var errJSON = errors.New("the service's response is neither an object nor a list of objects")

// scan scans a list of objects, or one object, and keeps the members that have these names.
func scan(b []byte, names []string) ([]row, error) {
	i := space(b, 0)
	if i < len(b) && b[i] == '[' {
		i++
	}
	var rows []row
	for i = space(b, i); i < len(b) && b[i] == '{'; i = space(b, i) {
		rows = append(rows, row{})
		if i = object(b, i, names, &rows[len(rows)-1]); i < 0 {
			return nil, errJSON
		}
	}
	if i < len(b) && b[i] != ']' {
		return nil, errJSON
	}
	return rows, nil
}

// object scans an object from its opening brace and returns the offset behind it, or -1.
func object(b []byte, i int, names []string, r *row) int {
	for i = space(b, i+1); i < len(b) && b[i] == '"'; i = space(b, i) {
		end := skip(b, i)
		if end < 0 {
			return -1
		}
		name := b[i+1 : end-1]
		if i = space(b, end); i >= len(b) || b[i] != ':' {
			return -1
		}
		i = space(b, i+1)
		if end = skip(b, i); end < 0 {
			return -1
		}
		for n, wanted := range names {
			if string(name) == wanted {
				r[n] = b[i:end]
			}
		}
		i = end
	}
	if i >= len(b) || b[i] != '}' {
		return -1
	}
	return i + 1
}

// space skips the white space between values.
func space(b []byte, i int) int {
	for i < len(b) && (b[i] <= ' ' || b[i] == ',') {
		i++
	}
	return i
}

// skip returns the offset behind a value, or -1.
func skip(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return text(b, i+1)
	case '{', '[':
		return nested(b, i)
	}
	for i < len(b) && b[i] > ' ' && b[i] != ',' && b[i] != '}' && b[i] != ']' {
		i++
	}
	return i
}

// text returns the offset behind the closing quote.
func text(b []byte, i int) int {
	for from := i; ; i++ {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		slashes := 0
		for i-1-slashes >= from && b[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i + 1
		}
	}
}

// nested returns the offset behind an object or a list.
func nested(b []byte, i int) int {
	for depth := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			if i = text(b, i+1) - 1; i < 0 {
				return -1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
