//go:build tools || generate

// Package tools imports the generator, which pins it in the go.mod of a project that requires this
// module, and says how it is run: `go generate ./...`, which `make generate` calls. The linters are
// pinned by tools.mod, so that their dependencies stay out of the gateway's
// (docs/decisions/0008-tools-in-their-own-module-file.md).
package tools

import _ "github.com/gatehouse-graphql/gatehouse/cmd/gatehouse"

//go:generate go run github.com/gatehouse-graphql/gatehouse/cmd/gatehouse generate
