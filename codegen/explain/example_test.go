package explain_test

import (
	"fmt"
	"os"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/explain"
)

func ExampleOperations() {
	schema, err := binding.Load(&ast.Source{Name: "schema.graphqls", Input: `
		extend schema @source(name: "books")
		type Query {
			books(first: Int): [Book!]
				@listSize(slicingArguments: ["first"])
				@connect(source: "books", http: { GET: "/books?limit={$args.first}" })
		}
		type Book {
			authorId: ID!
			author: Author
				@connect(source: "books", http: { GET: "/authors?ids={$batch.authorId}" }, batch: { key: "id", maxSize: 20 })
		}
		type Author { id: ID! name: String }
	`})
	if err != nil {
		fmt.Println(err)
		return
	}
	graph, err := binding.Compile(schema, binding.CompileOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	query := &ast.Source{Name: "query", Input: "query Shelf { books(first: 50) { author { name } } }"}
	plans, err := explain.Operations(schema, graph, query, explain.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = explain.Text(os.Stdout, plans)
	// Output:
	// query Shelf: at most 4 calls in 2 rounds
	//   round 1
	//     Query.books  GET books /books?limit={$args.first}      1 call                                           cache: may be shared
	//   round 2
	//     Book.author  GET books /authors?ids={$batch.authorId}  at most 3 calls for up to 50 keys, 20 at a time  cache: may be shared
	//   cost at most 101: 51 for fields, 101 for values
	//     books         Query.books  1 time    1 + 50
	//     books.author  Book.author  50 times  50 + 50
}
