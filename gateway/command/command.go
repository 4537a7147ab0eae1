// Package command owns the command line of a gateway: its flags and subcommands, the
// signals, the exit code and the first logger. It knows no service and no graph; the
// program hands in what to run.
//
// It promises that a failure is told once, in words, on standard error; that the exit
// code is 0 when all went well, 1 when the program failed and 2 when it was called
// wrongly; and that SIGINT and SIGTERM cancel the context of Program.Run, the second
// of them ending the process at once.
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

// Program is what a gateway's main gives to Main.
type Program struct {
	// Name is how the program is called. Default "gateway".
	Name string
	// Short says in a line what it serves. Default "A GraphQL gateway over REST services".
	Short string
	// Issuer and Audience are what tokens of the token command say unless told
	// otherwise: those of the program's demo.
	Issuer, Audience string
	// Run serves until ctx ends, then stops and returns. Required.
	Run func(ctx context.Context, start Start) error
}

// Start is what Program.Run begins with.
type Start struct {
	// Config has been checked. It belongs to Run, which may change it.
	Config *config.Config
	// Mode says how the program was asked to behave.
	Mode Mode
	// Log is as the settings ask; it is slog's default too.
	Log *slog.Logger
	// Out is for texts to people, such as the demo's URLs.
	Out io.Writer
}

// Mode is how the program was asked to behave. In both cases the playground and
// introspection are switched on in Start.Config.
type Mode struct {
	// Dev is --dev: for those who change the graph.
	Dev bool
	// Demo is --demo: sources and issuers of the settings are to be replaced by
	// sample services inside the process and a development key. They may be incomplete.
	// Start.Config.Listen is then for this machine alone, unless it names a host.
	Demo bool
}

// Main runs the command line of the process and gives its exit code:
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

// notifyContext gives a context that a signal ends. By then signals mean to the process what
// they mean to any other, so that a second one kills; signal.NotifyContext, which
// cancels first, would swallow one that comes at once. stop ends its goroutine.
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

// environment are what a process finds around it; tests bring their own.
type environment struct {
	args, env []string
	out, err  io.Writer
}

// lookup reads one variable, the last entry winning as in the environment itself.
func (s environment) lookup(name string) string {
	value := ""
	for _, entry := range s.env {
		if rest, ok := strings.CutPrefix(entry, name+"="); ok {
			value = rest
		}
	}
	return value
}

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

// usageError is a call that the program does not understand.
type usageError struct {
	command string // whose help shows the right way
	cause   error
}

func (e *usageError) Error() string { return e.cause.Error() }

func (e *usageError) Unwrap() error { return e.cause }
