//go:build ignore

// go run generate.go generates graph/ from schema.graphqls.
package main

import (
	"log"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
)

func main() {
	c, err := config.LoadConfig("gqlgen.yml")
	if err == nil {
		err = api.Generate(c)
	}
	if err != nil {
		log.Fatal(err)
	}
}
