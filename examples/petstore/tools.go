//go:build tools || generate

// Package tools pins the generator in go.mod and says how it is run: `go generate ./...`.
package tools

import _ "github.com/gatehouse-graphql/gatehouse/cmd/gatehouse"

//go:generate go run github.com/gatehouse-graphql/gatehouse/cmd/gatehouse generate
