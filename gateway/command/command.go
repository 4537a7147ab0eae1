// Package command owns the command line of a gateway: flags and subcommands, signals, the exit code
// and the logger. It knows of the graph what Program.Graph
// tells; Program.Run serves it.
//
// It promises that an error is printed once, to standard error; that the exit code is 0 for
// success, 1 for a failure and 2 for wrong usage; that the first SIGINT or SIGTERM cancels the
// context of Program.Run while the second one ends the process at once; that SIGHUP asks for a reload
// of the settings instead of ending it; and that neither requests nor the end of the process wait for a log that is not read.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/gatehouse-graphql/gatehouse/gateway/asynclog"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/redact"
)

// Program describes a gateway to Main.
type Program struct {
	// Name is the name of the program. Default "gateway".
	Name string
	// Short describes the program in one line. Default "A GraphQL gateway over REST services".
	Short string
	// Issuer and Audience are the defaults of the token command: those of the program's demo.
	Issuer, Audience string
	// Graph is the graph that Run serves, usually a gateway.Graph. Default none: then there is no
	// schema command, and config validate checks the settings alone.
	Graph Graph
	// HasDemo is whether the program offers --demo. Run then has to serve Mode.Demo.
	HasDemo bool
	// HasChaos is whether the demo offers --chaos. Run then has to serve Mode.Chaos.
	HasChaos bool
	// Run serves until ctx ends, then stops and returns. Required.
	Run func(ctx context.Context, start Start) error
}

// Graph is what the commands need to know of a graph. Its methods use no network.
type Graph interface {
	// SDL returns the schema that clients see.
	SDL() string
	// Check returns everything for which a start with the settings would fail, joined, and what it
	// would warn of.
	Check(c *config.Config) (warnings []string, err error)
}

// Start is the argument of Program.Run.
type Start struct {
	// Config has been validated. Run owns it and may change it.
	Config *config.Config
	// Mode has the flags that are not settings.
	Mode Mode
	// Log has the level and format of the settings. It is also the default of slog.
	Log *slog.Logger
	// SetLogLevel changes the level of Log. Nil if it cannot change.
	SetLogLevel func(slog.Level)
	// Load loads the settings again, from the same file, environment and flags. Nil if they cannot be
	// loaded again.
	Load func() (*config.Config, error)
	// Hangups receives a value for each SIGHUP, by which operators have a program reload its settings.
	// Nil receives none.
	Hangups <-chan struct{}
	// LostLogLines returns how many lines of the log were lost since its reader did not read.
	// Nil if that is not known.
	LostLogLines func() int64
	// Out is for text to the user, such as the URLs of the demo. Like Log it does not wait for a
	// reader.
	Out io.Writer
	// Version is that of the program, and ConfigFile the path of its settings file, "" without
	// one. They are logged.
	Version, ConfigFile string
}

// ChangeSettings calls change with the settings: now, and before they are used whenever they are loaded
// again.
func (s *Start) ChangeSettings(change func(*config.Config)) {
	if load := s.Load; load != nil {
		s.Load = func() (*config.Config, error) {
			c, err := load()
			if err == nil {
				change(c)
			}
			return c, err
		}
	}
	change(s.Config)
}

// Mode has the flags that are not settings. Dev and Demo switch the playground, introspection, the page
// of services and /metrics on: those that are settings in Start.Config.
type Mode struct {
	// Dev is --dev, for work on the graph.
	Dev bool
	// Demo is --demo, which only a program with HasDemo offers: Run replaces the sources and issuers of the settings, which may be
	// incomplete, by sample services inside the process and a development key. Start.Config.Listen
	// is then a loopback address, unless the settings have a host.
	Demo bool
	// Chaos is --chaos, which only a program with HasChaos offers, with --demo: the sample services
	// fail in turn.
	Chaos bool
}

// Main runs the command line of the process and returns its exit code:
//
//	func main() { os.Exit(command.Main(program)) }
func Main(p Program) int {
	TuneMemory()
	ctx, hangups, stop := notifyContext()
	defer stop()
	return run(ctx, p, environment{
		args: os.Args[1:], env: os.Environ(), out: os.Stdout, err: os.Stderr, hangups: hangups,
	})
}

// notifyContext returns a context that SIGINT or SIGTERM cancels. It restores the default behaviour of
// signals before it cancels, so that a second signal ends the process; signal.NotifyContext cancels
// first and would swallow a second signal that follows at once. stop ends the goroutine.
//
// hangups receives a value for SIGHUP, unless that means that the terminal is gone; several that are not
// received yet are one. SIGPIPE is ignored: a log whose reader has ended must not end the gateway.
func notifyContext() (ctx context.Context, hangups <-chan struct{}, stop context.CancelFunc) {
	ctx, stop = context.WithCancel(context.Background())
	signals, terminal, received := make(chan os.Signal, 1), make(chan os.Signal, 1), make(chan struct{}, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	signal.Notify(terminal, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE)
	hadTerminal := isTerminal(os.Stdout)
	go func() {
		defer stop()
		defer signal.Stop(signals)
		defer signal.Stop(terminal)
		for {
			select {
			case <-signals:
				return
			case <-ctx.Done():
				return
			case <-terminal:
				if hadTerminal && !isTerminal(os.Stdout) {
					return
				}
				select {
				case received <- struct{}{}:
				default: // the reload that is due will read what this signal is about
				}
			}
		}
	}()
	return ctx, received, stop
}

// environment has the arguments, variables and streams of the process. Tests replace them.
type environment struct {
	args, env []string
	out, err  io.Writer
	hangups   <-chan struct{}
}

// lookup returns the value of a variable, "" if it is not set. The last entry of a name wins.
func (s environment) lookup(name string) string {
	value := ""
	for _, entry := range s.env {
		if rest, ok := strings.CutPrefix(entry, name+"="); ok {
			value = rest
		}
	}
	return value
}

// run runs the command line and returns the exit code.
func run(ctx context.Context, p Program, s environment) int {
	p = p.withDefaults()
	root := newRoot(p, s)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	errs := asynclog.New(s.err, asynclog.Options{})
	defer errs.Close(flushTimeout)
	fmt.Fprintf(errs, "%s: %s\n", p.Name, redact.Text(err.Error()))
	if wrong, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintf(errs, "\nRun \"%s --help\" to see how it is called.\n", wrong.command)
		return 2
	}
	return 1
}

func (p Program) withDefaults() Program {
	if p.Name == "" {
		p.Name = "gateway"
	}
	if p.Short == "" {
		p.Short = "A GraphQL gateway over REST services"
	}
	return p
}

// usageError is an error in the arguments.
type usageError struct {
	command string // the command whose help the message refers to
	cause   error
}

func (e *usageError) Error() string { return e.cause.Error() }

func (e *usageError) Unwrap() error { return e.cause }
