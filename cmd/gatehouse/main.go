// Command gatehouse is the developer's tool: it makes a project's Go code from its
// schema. It is never linked into the gateway.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/gatehouse-graphql/gatehouse/codegen"
)

func main() {
	if err := command().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "gatehouse",
		Short:         "Makes a gateway's Go code from its schema",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(generate(), check())
	return root
}

func generate() *cobra.Command {
	return &cobra.Command{
		Use:   "generate",
		Short: "Write graph/ and resolvers/connect.gen.go from schema/",
		Long: "Write graph/ and resolvers/connect.gen.go from schema/. Mistakes are reported with\n" +
			"file, line and column, and leave every file as it was.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return codegen.Generate() },
	}
}

func check() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Report the mistakes in schema/ without writing anything",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return codegen.Check() },
	}
}
