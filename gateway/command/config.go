package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

func newConfig(p Program, s environment, f *flags) *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Check the settings file, or describe it to an editor",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newValidate(p, s, f), newSettingsSchema(s))
	return c
}

func newValidate(p Program, s environment, f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "validate",
		Short: "Report everything that is wrong in the settings",
		Long: `Reads the settings as the gateway does, from the file and the environment, and reports
everything that is wrong in them, and everything for which the gateway would not start with
them or would warn: sources, config values and variables that the graph needs, and sources
that no binding uses. It uses no network, so that it does not know whether addresses can be
listened on or reached.` + demoHelp(f.hasDemo, " With --demo it does not check what the demo replaces."),
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return validateSettings(p, f.loadOptions(c, s), s)
		},
	}
}

// validateSettings validates the settings. Unlike a start it requires the settings file.
func validateSettings(p Program, r config.LoadOptions, s environment) error {
	if r.Path == "" {
		r.Path = config.DefaultPath
	}
	r.Explicit = true
	settings, err := config.Load(r)
	if err != nil {
		return err
	}
	warnings := settings.Warnings
	if p.Graph != nil && !r.Demo {
		var more []string
		more, err = p.Graph.Check(settings)
		warnings = append(warnings, more...)
	}
	for _, warning := range warnings {
		fmt.Fprintf(s.err, "warning: %s\n", warning)
	}
	if err != nil {
		return fmt.Errorf("the gateway would not start with %s:\n%w", r.Path, err)
	}
	_, err = fmt.Fprintf(s.out, "%s is valid\n", r.Path)
	return err
}

func newSettingsSchema(s environment) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the settings file",
		Long: `Prints the JSON Schema (draft 2020-12) of the settings file. Keep it beside the file and name
it in the first line, so that the editor completes and checks the settings:

  # yaml-language-server: $schema=gateway.schema.json`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := s.out.Write(config.Schema())
			return err
		},
	}
}
