// Package facts has what the directives of a schema state about its parts, for the code that decides
// about operations before they are executed. Generated schemas have a Table of them, so that nothing
// reads directives at run time.
package facts

import "time"

// Table holds what is stated about the parts of a schema, by schema coordinate (GraphQL
// specification, section 3.14, Schema Coordinates): "User" for a type, "Query.products" for a field,
// "Query.products(first:)" for an argument, "NewUser.name" for a field of an input object. Parts about
// which nothing is stated are not in it. It is not changed once it is made.
type Table map[string]Facts

// Facts are what is stated about one part of a schema.
type Facts struct {
	// Weight is that of a type, field, argument or field of an input object with @cost; nil for others.
	Weight *float64
	// ListSize is that of a field with @listSize, or of one whose pages a binding makes; nil for others.
	ListSize *ListSize
	// RateLimits are those of a field with @rateLimit, in the order of the schema.
	RateLimits []RateLimit
}

// RateLimit says how often a field may be selected.
type RateLimit struct {
	// Limit is how many places with the field pass in each Period, and Burst how many of them at once.
	Limit, Burst int64
	// Period is the time for Limit.
	Period time.Duration
	// By is what is counted apart, such as "caller" or "$args.email".
	By string
}

// ListSize says how many elements a field's list has at the worst.
type ListSize struct {
	// Assumed is the size where no slicing argument sets another; nil if none is stated.
	Assumed *int
	// Max is the size that no argument exceeds; nil if none is stated.
	Max *int
	// Arguments are the slicing arguments. A dot leads into an input object.
	Arguments []string
	// Fields are the lists of this size among the fields of the returned type; empty for the field's
	// own list.
	Fields []string
	// RequireOne is set if an operation shall give exactly one of Arguments.
	RequireOne bool
}

// Schema is a schema that has facts. Generated schemas implement it.
type Schema interface {
	// Facts returns the facts. They must not be changed.
	Facts() Table
}

// Of returns the facts of a schema, none if it has no Table.
func Of(schema any) Table {
	if s, ok := schema.(Schema); ok {
		return s.Facts()
	}
	return nil
}

// OfField returns what is stated about a field of a type.
func (t Table) OfField(object, field string) Facts { return t[object+"."+field] }
