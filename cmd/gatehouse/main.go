// Command gatehouse is the developer's tool: it generates a project's Go code from its schema. It
// is never linked into the gateway.
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
	"github.com/gatehouse-graphql/gatehouse/internal/buildinfo"
)

func main() {
	project := &codegen.Project{Warn: printWarning}
	ctx, cancel := context.WithCancel(context.Background())
	go handleSignals(project, cancel)
	err := rootCommand(project).ExecuteContext(ctx)
	if err != nil {
		printError(err)
		os.Exit(1)
	}
}

// handleSignals cancels the command at the first signal: a run then restores the files when its step has
// ended. At the second signal it restores them itself and ends the process.
func handleSignals(project *codegen.Project, cancel context.CancelFunc) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	<-signals
	cancel()
	<-signals
	if err := project.Abort(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		fmt.Fprintln(os.Stderr, "interrupted twice, so the command ends at once; the files are as they were before it")
	}
	os.Exit(exitInterrupted)
}

// exitInterrupted is the exit code of a process that ends at a second signal: 128 and SIGINT, as shells
// count.
const exitInterrupted = 130

// printError writes an error to standard error, unless the command has reported it.
func printError(err error) {
	if errors.Is(err, errReported) {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	if _, ok := errors.AsType[binding.Faults](err); ok {
		fmt.Fprintln(os.Stderr, "what the codes mean: docs/checks.md of Gatehouse")
	}
}

// printWarning writes a warning to standard error: something that is not a mistake in the schema,
// but keeps a part of it from being checked.
func printWarning(text string) { fmt.Fprintln(os.Stderr, "warning:", text) }

// printIgnored writes a finding that the schema ignores, with its reason, to standard error.
func printIgnored(text string) { fmt.Fprintln(os.Stderr, "ignored:", text) }

// rootCommand returns the tool's command, whose subcommands share the project.
func rootCommand(project *codegen.Project) *cobra.Command {
	cobra.EnableCommandSorting = false // the help lists the commands in the order of their use
	root := &cobra.Command{
		Use:   "gatehouse",
		Short: "Make a gateway's Go code from its schema",
		Long: "Make a gateway's Go code from its schema. Every command works on the project in this\n" +
			"folder, the one with schema/. It ends with 0 when all is well, and else with 1;\n" +
			"mistakes and warnings go to standard error.",
		Example:       "  gatehouse check && gatehouse generate && gatehouse test",
		Version:       buildinfo.Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.AddCommand(checkCommand(project), generateCommand(project), testCommand(project), explainCommand(project), documentsCommand(project), ejectCommand(project), versionCommand())
	return root
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, as --version does",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "gatehouse %s\n", buildinfo.Version())
			return err
		},
	}
}

func generateCommand(project *codegen.Project) *cobra.Command {
	return &cobra.Command{
		Use:   "generate",
		Short: "Write graph/ and resolvers/connect.gen.go from schema/",
		Long: "Write graph/ and resolvers/connect.gen.go from schema/, and resolvers/resolver.go when\n" +
			"there is none. Mistakes are reported with file, line and column, and leave every file\n" +
			"as it was. Fields that have neither a binding nor a method by hand are listed with the\n" +
			"methods to write. Nothing is printed when all is well. A second run waits for the first.",
		Example: "  gatehouse generate && go build ./...",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return project.Generate(cmd.Context()) },
	}
}

func checkCommand(project *codegen.Project) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Report the mistakes in schema/ without writing anything",
		Long: "Report the mistakes in schema/ without writing anything. With --json they are a list\n" +
			"on standard output, empty when all is well, for editors and CI. Warnings, of what could\n" +
			"not be checked, go to standard error and fail nothing, and so do the findings that the\n" +
			"schema ignores, with their reasons. docs/checks.md explains the codes.",
		Example: "  gatehouse check\n" +
			"  gatehouse check --json | jq -r '.[].code'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			project.Ignored = printIgnored
			err := project.Check(cmd.Context())
			if asJSON {
				return printFaults(cmd.OutOrStdout(), err)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the mistakes as JSON: file, line, column, code, message")
	return cmd
}

// errReported ends the program with a failure that the command has reported itself.
var errReported = errors.New("mistakes were reported")

// printFaults writes the mistakes in err as a JSON list, which is empty if err is nil, and returns
// errReported if there are any. It returns an error of another kind unchanged.
func printFaults(out io.Writer, err error) error {
	faults, ok := errors.AsType[binding.Faults](err)
	if err != nil && !ok {
		return err
	}
	if len(faults) == 0 {
		return encodeJSON(out, []binding.Fault{})
	}
	if err := encodeJSON(out, faults); err != nil {
		return err
	}
	return errReported
}

// encodeJSON writes a value as indented JSON.
func encodeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
