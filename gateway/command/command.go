// Package command owns the command line of a gateway: flags and subcommands, signals, the exit code
// and the logger. It does not know the graph; Program.Run serves it.
//
// It promises that an error is printed once, to standard error; that the exit code is 0 for
// success, 1 for a failure and 2 for wrong usage; and that the first SIGINT or SIGTERM cancels the
// context of Program.Run while the second one ends the process at once.
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
	// HasDemo is whether the program offers --demo. Run then has to serve Mode.Demo.
	HasDemo bool
	// Run serves until ctx ends, then stops and returns. Required.
	Run func(ctx context.Context, start Start) error
}

// Start is the argument of Program.Run.
type Start struct {
	// Config has been validated. Run owns it and may change it.
	Config *config.Config
	// Mode has the flags that are not settings.
	Mode Mode
	// Log has the level and format of the settings. It is also the default of slog.
	Log *slog.Logger
	// Out is for text to the user, such as the URLs of the demo.
	Out io.Writer
}

// Mode has the flags that are not settings. Both switch the playground, introspection and /metrics on
// in Start.Config.
type Mode struct {
	// Dev is --dev, for work on the graph.
	Dev bool
	// Demo is --demo, which only a program with HasDemo offers: Run replaces the sources and issuers of the settings, which may be
	// incomplete, by sample services inside the process and a development key. Start.Config.Listen
	// is then a loopback address, unless the settings have a host.
	Demo bool
}

// Main runs the command line of the process and returns its exit code:
//
//	func main() { os.Exit(command.Main(program)) }
func Main(p Program) int {
	TuneMemory()
	ctx, stop := notifyContext()
	defer stop()
	return run(ctx, p, environment{
		args: os.Args[1:], env: os.Environ(), out: os.Stdout, err: os.Stderr,
	})
}

// notifyContext returns a context that SIGINT or SIGTERM cancels. It restores the default behaviour of
// signals before it cancels, so that a second signal ends the process; signal.NotifyContext cancels
// first and would swallow a second signal that follows at once. stop ends the goroutine.
func notifyContext() (ctx context.Context, stop context.CancelFunc) {
	ctx, stop = context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
		case <-ctx.Done():
		}
		signal.Stop(signals)
		stop()
	}()
	return ctx, stop
}

// environment has the arguments, variables and streams of the process. Tests replace them.
type environment struct {
	args, env []string
	out, err  io.Writer
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
	fmt.Fprintf(s.err, "%s: %s\n", p.Name, redact.Text(err.Error()))
	if wrong, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintf(s.err, "\nRun \"%s --help\" to see how it is called.\n", wrong.command)
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
