package main

import (
	"fmt"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/gatehouse-graphql/gatehouse/bindingtest"
	"github.com/gatehouse-graphql/gatehouse/codegen"
)

func testCommand(project *codegen.Project) *cobra.Command {
	var run string
	cmd := &cobra.Command{
		Use:   "test [files...]",
		Short: "Run the tests of bindings in " + bindingtest.Pattern,
		Long: "Run the tests of bindings in " + bindingtest.Pattern + ", or in the files named, with the\n" +
			"generated code and the resolvers as they are. The services' answers come from the\n" +
			"tests, so nothing is called. docs/testing-bindings.md has the form of the files.",
		Example: "  gatehouse test\n" +
			"  gatehouse test --run 'page' schema/users.test.yaml",
		RunE: func(cmd *cobra.Command, files []string) error {
			if _, err := regexp.Compile(run); err != nil {
				return fmt.Errorf("--run: %w", err)
			}
			if len(files) == 0 {
				var err error
				if files, err = bindingtest.Files(bindingtest.Pattern); err != nil {
					return err
				}
			}
			passed, err := project.Test(cmd.Context(), cmd.OutOrStdout(), run, files)
			if err == nil && !passed {
				err = errReported
			}
			return err
		},
	}
	cmd.Flags().StringVar(&run, "run", "", "run the tests whose name this regular expression fits")
	return cmd
}
