package command

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/cobra"

	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/redact"
	"github.com/gatehouse-graphql/gatehouse/internal/buildinfo"
	"github.com/gatehouse-graphql/gatehouse/internal/suggest"
)

// flags are the flags of the gateway. Its config commands share --config and --demo.
type flags struct {
	config, listen, engine, logLevel, logFormat string
	dev, demo, chaos                            bool
	hasDemo, hasChaos                           bool // the program offers --demo, --chaos
}

func newRoot(p Program, s environment) *cobra.Command {
	f := &flags{hasDemo: p.HasDemo, hasChaos: p.HasChaos}
	root := &cobra.Command{
		Use:           p.Name,
		Short:         p.Short,
		Long:          p.Short + ".\n\n" + settingsHelp,
		Version:       buildinfo.Version(),
		Args:          noArguments,
		SilenceErrors: true, // run prints them, once
		SilenceUsage:  true,
		RunE:          func(c *cobra.Command, _ []string) error { return runProgram(c, p, s, f) },
	}
	root.SetArgs(s.args)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return &usageError{c.CommandPath(), err} })
	f.define(root)
	root.AddCommand(newConfig(p, s, f), newReload(p, s, f), newToken(p, s), newVersion(p, s))
	if p.Graph != nil {
		root.AddCommand(newSchema(p, s))
	}
	return root
}

func newVersion(p Program, s environment) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, as --version does",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(s.out, "%s %s\n", p.Name, buildinfo.Version())
			return err
		},
	}
}

const settingsHelp = `Flags have precedence over the environment, and the environment over the settings file. In
the environment limits.rootFields is GATEWAY_LIMITS_ROOT_FIELDS, and so on for each setting;
PORT, LOG_LEVEL, LOG_FORMAT and NO_COLOR have their usual meaning.`

func (f *flags) define(root *cobra.Command) {
	shared := root.PersistentFlags()
	shared.StringVarP(&f.config, "config", "c", "", "the settings `file` (default GATEWAY_CONFIG, then "+config.DefaultPath+")")
	if f.hasDemo {
		shared.BoolVar(&f.demo, "demo", false, "serve sample services from inside the process, with a development key")
	}
	own := root.Flags()
	own.StringVar(&f.listen, "listen", "", "the `address` to serve on (default \":8080\")")
	own.BoolVar(&f.dev, "dev", false, "switch the playground, introspection, /services and /metrics on")
	if f.hasChaos {
		own.BoolVar(&f.chaos, "chaos", false, "with --demo: spoil a replica of the sample services in turn, under load, to see it ejected and come back")
	}
	own.StringVar(&f.engine, "engine", "", "plan or gqlgen; gqlgen runs every operation on gqlgen's own executor, which is slower (default plan)")
	own.StringVar(&f.logLevel, "log-level", "", "debug, info, warn or error (default info)")
	own.StringVar(&f.logFormat, "log-format", "", "json, text or auto, which is text on a terminal and json elsewhere (default auto)")
	registerCompletion(root, "config", nil, cobra.ShellCompDirectiveDefault)
	registerCompletion(root, "engine", []string{"plan", "gqlgen"}, cobra.ShellCompDirectiveNoFileComp)
	registerCompletion(root, "log-level", []string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp)
	registerCompletion(root, "log-format", []string{"auto", "json", "text"}, cobra.ShellCompDirectiveNoFileComp)
}

// registerCompletion registers the words that the shell completes after a flag. It panics for a flag
// that is not defined, which is a mistake in this file.
func registerCompletion(c *cobra.Command, flag string, words []string, directive cobra.ShellCompDirective) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, directive)); err != nil {
		panic(err)
	}
}

// noArguments refuses words after the flags, of which a misspelt subcommand is one.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !c.HasSubCommands() {
		return &usageError{c.CommandPath(), fmt.Errorf("%q is too much; %s takes flags only", args[0], c.CommandPath())}
	}
	var known []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			known = append(known, sub.Name())
		}
	}
	return &usageError{c.CommandPath(), fmt.Errorf("%q is not a command%s", args[0], suggest.DidYouMean(args[0], known))}
}

// runProgram loads the settings and calls Program.Run.
func runProgram(c *cobra.Command, p Program, s environment, f *flags) error {
	if f.chaos && !f.demo {
		return &usageError{c.CommandPath(), errors.New("--chaos spoils the sample services: write --demo --chaos")}
	}
	options := f.loadOptions(c, s)
	settings, err := f.load(options)
	if err != nil {
		return err
	}
	level := &slog.LevelVar{}
	level.Set(settings.Log.Level)
	plain, out := newAsyncLogger(s.out, settings.Log.Format, level, s.lookup("NO_COLOR") != "")
	defer out.Close(flushTimeout)
	secrets := redact.NewSecrets(settings.Secrets())
	log := redact.Logger(plain, secrets, nil)
	slog.SetDefault(log)
	for _, warning := range settings.Warnings {
		log.Warn(warning)
	}
	file := configFile(options)
	options.Explicit = file != "" // a file that was there must not be missing later
	return p.Run(c.Context(), Start{
		Config: settings, Log: log, LostLogLines: out.Lost, Out: out, SetLogLevel: level.Set,
		Load: func() (*config.Config, error) {
			again, err := f.load(options)
			if err == nil {
				secrets.Add(again.Secrets())
			}
			return again, err
		},
		Hangups: s.hangups,
		Version: buildinfo.Version(), ConfigFile: file,
		Mode: Mode{Dev: f.dev, Demo: f.demo, Chaos: f.chaos},
	})
}

// load loads the settings for Program.Run.
func (f *flags) load(o config.LoadOptions) (*config.Config, error) {
	settings, err := config.Load(o)
	if err == nil && f.demo {
		settings.Listen = loopbackAddress(settings.Listen)
	}
	return settings, err
}

// configFile returns the path of the settings file, "" if there is none.
func configFile(o config.LoadOptions) string {
	path := cmp.Or(o.Path, config.DefaultPath)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// loopbackAddress returns an address with localhost as its host, or address if that has a host: the
// demo prints tokens and must not be open to the network by default.
func loopbackAddress(address string) string {
	if host, port, err := net.SplitHostPort(address); err == nil && host == "" {
		return net.JoinHostPort("localhost", port)
	}
	return address
}

// loadOptions returns the sources of the settings.
func (f *flags) loadOptions(c *cobra.Command, s environment) config.LoadOptions {
	path := f.config
	if path == "" {
		path = s.lookup("GATEWAY_CONFIG")
	}
	return config.LoadOptions{
		Path: path, Explicit: path != "", Env: s.env, Demo: f.demo, HasDemo: f.hasDemo,
		Overrides: f.overrides(c),
	}
}

// overrides returns the settings that flags have.
func (f *flags) overrides(c *cobra.Command) []config.Override {
	var over []config.Override
	for flag, setting := range map[string]string{
		"listen": "listen", "engine": "execution.engine", "log-level": "log.level", "log-format": "log.format",
	} {
		if f := c.Flags().Lookup(flag); f != nil && f.Changed {
			over = append(over, config.Override{Setting: setting, Value: f.Value.String(), Flag: "--" + flag})
		}
	}
	for flag, on := range map[string]bool{"--dev": f.dev, "--demo": f.demo} {
		for _, setting := range []string{"playground", "introspection", "metrics.public"} {
			if on {
				over = append(over, config.Override{Setting: setting, Value: "true", Flag: flag})
			}
		}
	}
	return over
}
