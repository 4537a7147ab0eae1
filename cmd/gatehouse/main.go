// Command gatehouse is the developer's tool: it makes a project's Go code from its
// schema. It is never linked into the gateway.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gatehouse-graphql/gatehouse/codegen"
)

func main() {
	// A run that is interrupted brings the files back before it ends.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command().ExecuteContext(ctx)
	stop()
	if err != nil {
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
			"file, line and column, and leave every file as it was. Fields that have neither a\n" +
			"binding nor a method by hand are listed with the methods to write.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return codegen.Generate(cmd.Context()) },
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
