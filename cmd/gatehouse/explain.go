package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen"
	plan "github.com/gatehouse-graphql/gatehouse/codegen/explain"
)

// explainFlags are the flags of the command explain.
type explainFlags struct {
	project   *codegen.Project
	file      string
	variables string
	listSize  int
	maxCalls  int
	asJSON    bool
}

// noLimit is the value of --max-calls if the flag is absent.
const noLimit = -1

func explainCommand(project *codegen.Project) *cobra.Command {
	e := explainFlags{project: project}
	cmd := &cobra.Command{
		Use:   "explain ['query { ... }']",
		Short: "Tell which calls an operation makes, before it runs",
		Long: "Tell which calls an operation makes: to which services, in how many rounds, and how\n" +
			"many of them at the worst. It is worked out from schema/ alone; nothing is called.\n" +
			"With --max-calls it fails when an operation may make more, for CI.",
		Example: "  gatehouse explain '{ me { orders(limit: 3) { lines { product { name } } } } }'\n" +
			"  gatehouse explain --file operations.graphql --max-calls 20\n" +
			"  gatehouse explain --file - --variables '{\"first\": 10}' < operation.graphql",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return e.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&e.file, "file", "", "read the operations from a file; - is standard input")
	flags.StringVar(&e.variables, "variables", "", "the operations' variables as JSON, or a file that holds it")
	flags.IntVar(&e.listSize, "list-size", plan.DefaultListSize, "how many elements a list has that nothing is known of")
	flags.IntVar(&e.maxCalls, "max-calls", noLimit, "fail when an operation may make more calls")
	flags.BoolVar(&e.asJSON, "json", false, "print the plans as JSON")
	return cmd
}

func (e *explainFlags) run(cmd *cobra.Command, args []string) error {
	if e.listSize < 1 {
		return errors.New("--list-size is a number of elements, 1 or more")
	}
	if cmd.Flags().Changed("max-calls") && e.maxCalls < 0 {
		return errors.New("--max-calls is a number of calls, 0 or more")
	}
	document, err := e.readDocument(cmd.InOrStdin(), args)
	if err != nil {
		return err
	}
	values, err := e.readVariables()
	if err != nil {
		return err
	}
	plans, err := e.project.Explain(cmd.Context(), document, plan.Options{ListSize: e.listSize, Variables: values})
	if err != nil {
		return err
	}
	if err := e.print(cmd.OutOrStdout(), plans); err != nil {
		return err
	}
	return e.checkMaxCalls(plans)
}

// readDocument returns the document to explain, from the command line, a file or standard input.
func (e *explainFlags) readDocument(in io.Reader, args []string) (*ast.Source, error) {
	switch {
	case (e.file == "") == (len(args) == 0):
		return nil, errors.New("give one of an operation, as in gatehouse explain '{ me { name } }', and --file")
	case e.file == "":
		return &ast.Source{Name: "operation", Input: args[0]}, nil
	case e.file == "-":
		text, err := io.ReadAll(in)
		return &ast.Source{Name: "stdin", Input: string(text)}, err
	}
	text, err := os.ReadFile(e.file)
	return &ast.Source{Name: e.file, Input: string(text)}, err
}

// readVariables returns the values of --variables, or nil if the flag is absent.
func (e *explainFlags) readVariables() (map[string]any, error) {
	text := e.variables
	if text == "" {
		return nil, nil
	}
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		content, err := os.ReadFile(text)
		if err != nil {
			return nil, fmt.Errorf("--variables is JSON that begins with {, or a file: %w", err)
		}
		text = string(content)
	}
	var values map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	err := decoder.Decode(&values)
	if err == nil && decoder.More() {
		err = errors.New("something follows the object")
	}
	if err != nil {
		return nil, fmt.Errorf("--variables: %w", err)
	}
	return values, nil
}

// print writes the plans as text or as JSON.
func (e *explainFlags) print(out io.Writer, plans []*plan.Plan) error {
	if !e.asJSON {
		return plan.Text(out, plans)
	}
	return encodeJSON(out, plans)
}

// checkMaxCalls returns an error for each operation that may make more calls than --max-calls.
func (e *explainFlags) checkMaxCalls(plans []*plan.Plan) error {
	if e.maxCalls == noLimit {
		return nil
	}
	var errs []error
	for _, p := range plans {
		if p.Calls > plan.Count(e.maxCalls) {
			errs = append(errs, fmt.Errorf("%s may make %s calls, more than --max-calls %d", p.Title(), p.Calls, e.maxCalls))
		}
	}
	return errors.Join(errs...)
}
