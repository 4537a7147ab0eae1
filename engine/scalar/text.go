package scalar

import (
	"io"
	"net/url"
	"regexp"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// Date is a day in the form of RFC 3339, such as 2026-01-31.
type Date string

// Valid reports whether d is a day that exists.
func (d Date) Valid() bool {
	_, err := time.Parse(time.DateOnly, string(d))
	return err == nil
}

// MarshalGQL writes the day.
func (d Date) MarshalGQL(w io.Writer) { writeString(w, string(d)) }

// UnmarshalGQL reads a day.
func (d *Date) UnmarshalGQL(v any) (err error) {
	*d, err = parseString(v, Date.Valid, "a Date such as 2026-01-31")
	return err
}

// UUID is a universally unique identifier (RFC 9562). Its letters keep their case.
type UUID string

var uuidPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Valid reports whether u has the form of a UUID.
func (u UUID) Valid() bool { return uuidPattern.MatchString(string(u)) }

// MarshalGQL writes the identifier.
func (u UUID) MarshalGQL(w io.Writer) { writeString(w, string(u)) }

// UnmarshalGQL reads an identifier.
func (u *UUID) UnmarshalGQL(v any) (err error) {
	*u, err = parseString(v, UUID.Valid, "a UUID such as 018f4b6e-7c3a-7000-8000-2f1e5d3c9a10")
	return err
}

// URL is a URL or a reference to one (RFC 3986), as it was written.
type URL string

// Valid reports whether u has the form of a URL or of a reference to one.
func (u URL) Valid() bool {
	_, err := url.Parse(string(u))
	return err == nil && u != ""
}

// MarshalGQL writes the URL.
func (u URL) MarshalGQL(w io.Writer) { writeString(w, string(u)) }

// UnmarshalGQL reads a URL.
func (u *URL) UnmarshalGQL(v any) (err error) {
	*u, err = parseString(v, URL.Valid, "a URL such as https://example.com/a")
	return err
}

// parseString reads a string for which valid reports true. what describes the type in messages.
func parseString[T ~string](v any, valid func(T) bool, what string) (T, error) {
	text, ok := v.(string)
	if !ok {
		return "", inputError("%s is not %s", Describe(v), what)
	}
	if !valid(T(text)) {
		return "", inputError("%s is not %s", Describe(v), what)
	}
	return T(text), nil
}

// writeString writes a JSON string.
func writeString(w io.Writer, text string) { graphql.MarshalString(text).MarshalGQL(w) }
