package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen"
	plan "github.com/gatehouse-graphql/gatehouse/codegen/explain"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
)

func documentsCommand(project *codegen.Project) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "documents",
		Short: "Work with the manifests of trusted documents",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(documentsCheckCommand(project))
	return cmd
}

// documentsCheckFlags are the flags of the command documents check.
type documentsCheckFlags struct {
	project  *codegen.Project
	settings string
	listSize int
	maxCalls int
	asJSON   bool
}

func documentsCheckCommand(project *codegen.Project) *cobra.Command {
	d := documentsCheckFlags{project: project}
	cmd := &cobra.Command{
		Use:   "check [manifests...]",
		Short: "Check that the documents of clients can still be executed",
		Long: "Check that the documents of clients can still be executed: each document of the manifests is\n" +
			"valid for schema/ and within the limits of the settings. Without manifests those of the\n" +
			"settings are checked. The calls of each are shown, at the worst, as gatehouse explain counts\n" +
			"them. It fails when a document cannot be executed, or may make more calls than --max-calls,\n" +
			"so that a CI finds a breaking change before a client does. Nothing is called.",
		Example: "  gatehouse documents check web/persisted-documents.json 'ios/*.json'\n" +
			"  gatehouse documents check --max-calls 50 --json",
		RunE: func(cmd *cobra.Command, names []string) error { return d.run(cmd, names) },
	}
	flags := cmd.Flags()
	flags.StringVar(&d.settings, "config", "", "the settings file with limits and manifests (default "+config.DefaultPath+" if it is there)")
	flags.IntVar(&d.listSize, "list-size", plan.DefaultListSize, "how many elements a list has that nothing is known of")
	flags.IntVar(&d.maxCalls, "max-calls", noLimit, "fail when a document may make more calls")
	flags.BoolVar(&d.asJSON, "json", false, "print the documents as JSON: file, line, id, name, errors, plans")
	return cmd
}

// checkedDocument is a document and what is wrong with it. Its JSON is the output of --json.
type checkedDocument struct {
	File   string       `json:"file"`
	Line   int          `json:"line"`
	Column int          `json:"column"`
	ID     string       `json:"id"`
	Name   string       `json:"name,omitempty"`
	Errors []string     `json:"errors"`
	Plans  []*plan.Plan `json:"plans"`

	text string
}

func (d *documentsCheckFlags) run(cmd *cobra.Command, names []string) error {
	if d.listSize < 1 {
		return errors.New("--list-size is a number of elements, 1 or more")
	}
	if cmd.Flags().Changed("max-calls") && d.maxCalls < 0 {
		return errors.New("--max-calls is a number of calls, 0 or more")
	}
	settings, err := config.Load(config.LoadOptions{Path: d.settings, Explicit: d.settings != "", Env: os.Environ(), Demo: true})
	if err != nil {
		return err
	}
	if len(names) == 0 {
		for _, m := range settings.Documents.Manifests {
			names = append(names, m.Files...)
		}
	}
	if len(names) == 0 {
		return errors.New("name the manifests to check, or write documents.manifests in the settings")
	}
	all, err := readManifests(names)
	if err != nil {
		return err
	}
	sources := make([]*ast.Source, len(all))
	for i, c := range all {
		c.checkLimits(settings)
		sources[i] = &ast.Source{Name: "document", Input: c.text}
	}
	explained, err := d.project.ExplainAll(cmd.Context(), sources, plan.Options{ListSize: d.listSize})
	if err != nil {
		return err
	}
	wrong := 0
	for i, c := range all {
		c.add(explained[i], d.maxCalls)
		if len(c.Errors) > 0 {
			wrong++
		}
	}
	if err := d.print(cmd.OutOrStdout(), all); err != nil {
		return err
	}
	return report(cmd.ErrOrStderr(), all, wrong)
}

// readManifests returns the documents of manifests. Its error joins the mistakes in all of them.
func readManifests(names []string) (all []*checkedDocument, err error) {
	paths, err := documents.Expand(names)
	if err != nil {
		return nil, err
	}
	var wrong []error
	for _, path := range paths {
		text, err := documents.ReadFile(path)
		if err != nil {
			return nil, err
		}
		found, err := documents.Parse(path, text)
		if err == nil {
			_, err = documents.New(found)
		}
		wrong = append(wrong, err)
		for _, f := range found {
			all = append(all, &checkedDocument{File: f.File, Line: f.Line, Column: f.Column, ID: f.ID, Name: f.Name, text: f.Text, Errors: []string{}, Plans: []*plan.Plan{}})
		}
	}
	return all, errors.Join(wrong...)
}

// checkLimits adds the limits that the document exceeds, and its name.
func (c *checkedDocument) checkLimits(settings *config.Config) {
	doc, err := limit.Parse(c.text, settings.Limits.Options)
	if err != nil {
		c.Errors = append(c.Errors, strings.TrimPrefix(err.Error(), "input:")) // gqlparser's name of the text
		return
	}
	for _, op := range doc.AST.Operations {
		c.Name = cmp.Or(c.Name, op.Name)
		if err := doc.Check(op); err != nil {
			c.Errors = append(c.Errors, err.Error())
		}
		if doc.Introspects(op) && !settings.Introspection {
			c.Errors = append(c.Errors, "the operation asks for the schema, but introspection is off in the settings")
		}
	}
}

// add adds what explain says of the document.
func (c *checkedDocument) add(e codegen.Explained, maxCalls int) {
	if e.Err != nil && len(c.Errors) == 0 { // a document that cannot be parsed has the same error twice
		c.Errors = append(c.Errors, strings.Split(strings.ReplaceAll(e.Err.Error(), "document:", ""), "\n")...)
	}
	if e.Plans != nil {
		c.Plans = e.Plans
	}
	for _, p := range e.Plans {
		if maxCalls != noLimit && p.Calls > plan.Count(maxCalls) {
			c.Errors = append(c.Errors, fmt.Sprintf("it may make %s calls, more than --max-calls %d", p.Calls, maxCalls))
		}
	}
}

// print writes the documents as a table or as JSON.
func (d *documentsCheckFlags) print(out io.Writer, all []*checkedDocument) error {
	if d.asJSON {
		return encodeJSON(out, all)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, c := range all {
		if i == 0 || all[i-1].File != c.File {
			if i > 0 {
				fmt.Fprintln(table)
			}
			fmt.Fprintf(table, "%s\n  document\tkind\tcalls\trounds\tid\n", c.File)
		}
		for _, p := range c.Plans {
			calls := p.Calls.String()
			if p.Handwritten > 0 {
				calls += " and more" // by handwritten fields, whose calls are unknown
			}
			fmt.Fprintf(table, "  %s\t%s\t%s\t%d\t%s\n", cmp.Or(p.Name, c.Name, "-"), p.Operation, calls, p.Rounds, shortID(c.ID))
		}
		if len(c.Plans) == 0 {
			fmt.Fprintf(table, "  %s\twrong\t-\t-\t%s\n", cmp.Or(c.Name, "-"), shortID(c.ID))
		}
	}
	return table.Flush()
}

// shortID returns the beginning of an id that is a hash.
func shortID(id string) string {
	if len(id) > 20 {
		return id[:12] + "..."
	}
	return id
}

// report writes what is wrong with the documents, a line for each error, and returns errReported if there
// is something.
func report(out io.Writer, all []*checkedDocument, wrong int) error {
	if wrong == 0 {
		return nil
	}
	for _, c := range all {
		for _, text := range c.Errors {
			fmt.Fprintf(out, "%s:%d:%d: %s: %s\n", c.File, c.Line, c.Column, cmp.Or(c.Name, shortID(c.ID)), text)
		}
	}
	fmt.Fprintf(out, "%d of %d documents cannot be executed as they are\n", wrong, len(all))
	return errReported
}
