// Package operations holds ready queries over the shop's graph, a file each. The
// playground opens with them, and tests run them.
package operations

import (
	"embed"
	"strings"
)

//go:embed *.graphql
var files embed.FS

// Operation is one ready query.
type Operation struct {
	// Name is the operation's name.
	Name string
	// Text is the whole document. It begins with a comment that says what it shows.
	Text string
	// Admin tells that it needs the scopes of the demo's admin.
	Admin bool
}

// All gives the operations in the order in which to show them.
func All() []Operation {
	return []Operation{
		load("Me", false),
		load("Browse", false),
		load("Orders", true),
		load("Buy", false),
	}
}

// load reads a file that is embedded, so that it cannot be missing where a test has passed.
func load(name string, admin bool) Operation {
	text, err := files.ReadFile(strings.ToLower(name) + ".graphql")
	if err != nil {
		panic(err)
	}
	return Operation{Name: name, Text: string(text), Admin: admin}
}
