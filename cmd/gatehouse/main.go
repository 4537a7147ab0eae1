// Command gatehouse is the developer's tool: it makes a project's Go code from its
// schema. It is never linked into the gateway.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gatehouse-graphql/gatehouse/codegen"
	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

func main() {
	// A run that is interrupted brings the files back before it ends.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command().ExecuteContext(ctx)
	stop()
	if err != nil {
		tell(err)
		os.Exit(1)
	}
}

// tell says why the program fails, unless that has been told.
func tell(err error) {
	if errors.Is(err, errReported) {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	if _, ok := errors.AsType[binding.Faults](err); ok {
		fmt.Fprintln(os.Stderr, "what the codes mean: docs/checks.md of Gatehouse")
	}
}

// warn tells what is no mistake of the schema's, but keeps it from being checked.
func warn(text string) { fmt.Fprintln(os.Stderr, "warning:", text) }

func command() *cobra.Command {
	cobra.EnableCommandSorting = false // they are listed in the order in which people need them
	root := &cobra.Command{
		Use:   "gatehouse",
		Short: "Make a gateway's Go code from its schema",
		Long: "Make a gateway's Go code from its schema. Every command works on the project in this\n" +
			"folder, the one with gqlgen.yml. It ends with 0 when all is well, and else with 1;\n" +
			"mistakes and warnings go to standard error.",
		Example:       "  gatehouse check && gatehouse generate && gatehouse test",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(check(), generate(), test(), explain(), eject())
	return root
}

func generate() *cobra.Command {
	return &cobra.Command{
		Use:   "generate",
		Short: "Write graph/ and resolvers/connect.gen.go from schema/",
		Long: "Write graph/ and resolvers/connect.gen.go from schema/. Mistakes are reported with\n" +
			"file, line and column, and leave every file as it was. Fields that have neither a\n" +
			"binding nor a method by hand are listed with the methods to write. Nothing is printed\n" +
			"when all is well.",
		Example: "  gatehouse generate && go build ./...",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return codegen.Generate(cmd.Context(), warn) },
	}
}

func check() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Report the mistakes in schema/ without writing anything",
		Long: "Report the mistakes in schema/ without writing anything. With --json they are a list\n" +
			"on standard output, empty when all is well, for editors and CI. Warnings, of what could\n" +
			"not be checked, go to standard error and fail nothing. docs/checks.md explains the codes.",
		Example: "  gatehouse check\n" +
			"  gatehouse check --json | jq -r '.[].code'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := codegen.Check(warn)
			if asJSON {
				return printJSON(cmd.OutOrStdout(), err)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the mistakes as JSON: file, line, column, code, message")
	return cmd
}

// errReported ends the program with a failure that has been told.
var errReported = errors.New("mistakes were reported")

// printJSON prints the mistakes that err holds. Another error is given back.
func printJSON(out io.Writer, err error) error {
	faults, ok := errors.AsType[binding.Faults](err)
	if err != nil && !ok {
		return err
	}
	list := json.NewEncoder(out)
	list.SetEscapeHTML(false)
	list.SetIndent("", "  ")
	if len(faults) == 0 {
		return list.Encode([]binding.Fault{})
	}
	if err := list.Encode(faults); err != nil {
		return err
	}
	return errReported
}
