package bindingtest

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
)

// Main is the main function of the program that gatehouse test generates for a project. Its arguments are
// files of tests. It exits with status 1 if a test fails, and does not return.
func Main(p Project) {
	pattern := flag.String("run", "", "run only the tests whose name matches this `pattern`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	run, err := regexp.Compile(*pattern)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ok := p.Print(ctx, os.Stdout, run, flag.Args()...)
	stop()
	if !ok {
		os.Exit(1)
	}
	os.Exit(0)
}

// Print runs the tests in files whose name matches run, all of them if run is nil, and prints each result
// as soon as the test has ended. It reports whether all tests passed; it returns false also if a file
// has a mistake or there was no test to run.
func (p Project) Print(ctx context.Context, out io.Writer, run *regexp.Regexp, files ...string) (ok bool) {
	c := &summary{out: out}
	for _, file := range files {
		if ctx.Err() != nil {
			break
		}
		p.printFile(ctx, c, run, file)
	}
	return c.print()
}

func (p Project) printFile(ctx context.Context, c *summary, run *regexp.Regexp, file string) {
	s, err := read(file)
	if err != nil {
		c.broken++
		fmt.Fprintf(c.out, "%s\n", err)
		return
	}
	heading := file + "\n"
	for _, t := range s.tests {
		if run == nil || run.MatchString(t.name) {
			fmt.Fprint(c.out, heading)
			heading = ""
			c.add(t, p.run(ctx, s, t))
		}
	}
}

// summary prints the results of tests and counts them.
type summary struct {
	out                    io.Writer
	passed, failed, broken int
}

func (c *summary) add(t *test, problems []string) {
	if len(problems) == 0 {
		c.passed++
		fmt.Fprintf(c.out, "  ok    %s\n", t.name)
		return
	}
	c.failed++
	fmt.Fprintf(c.out, "  FAIL  %s (%s.%s, line %d)\n", t.name, t.connector[0], t.connector[1], t.line)
	for _, problem := range problems {
		fmt.Fprintf(c.out, "        %s\n", strings.ReplaceAll(problem, "\n", "\n        "))
	}
}

func (c *summary) print() bool {
	fmt.Fprintf(c.out, "\n%d passed, %d failed", c.passed, c.failed)
	if c.broken > 0 {
		fmt.Fprintf(c.out, ", files with mistakes: %d", c.broken)
	}
	fmt.Fprintln(c.out)
	if c.passed+c.failed+c.broken == 0 {
		fmt.Fprintln(c.out, "no test was run; check --run")
		return false
	}
	return c.failed+c.broken == 0
}
