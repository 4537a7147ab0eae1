// Package operations has sample operations over the shop's graph, one in each file, for the
// playground and for tests.
package operations

import (
	"embed"
	"strings"
)

//go:embed *.graphql
var files embed.FS

// Operation is a sample operation.
type Operation struct {
	// Name is the operation's name.
	Name string
	// Text is the whole document. It begins with a comment that describes the operation.
	Text string
	// Admin reports whether it needs the scopes of the demo's admin.
	Admin bool
}

// All returns the operations in the order of the playground.
func All() []Operation {
	return []Operation{
		load("Me", false),
		load("Browse", false),
		load("Orders", true),
		load("Buy", false),
	}
}

// load reads an embedded file. It panics if the file is missing, which a test rules out.
func load(name string, admin bool) Operation {
	text, err := files.ReadFile(strings.ToLower(name) + ".graphql")
	if err != nil {
		panic(err)
	}
	return Operation{Name: name, Text: string(text), Admin: admin}
}
