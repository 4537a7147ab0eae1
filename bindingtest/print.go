package bindingtest

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Print runs the tests of files whose name a pattern fits, nil being any, and prints
// what becomes of each as soon as it is known. It is false when one fails, when a file
// has a mistake, and when there was no test to run.
func (p Project) Print(ctx context.Context, out io.Writer, run *regexp.Regexp, files ...string) (ok bool) {
	c := &count{out: out}
	for _, file := range files {
		if ctx.Err() != nil {
			break
		}
		p.printFile(ctx, c, run, file)
	}
	return c.sum()
}

func (p Project) printFile(ctx context.Context, c *count, run *regexp.Regexp, file string) {
	s, err := read(file)
	if err != nil {
		c.broken++
		fmt.Fprintf(c.out, "%s\n", err)
		return
	}
	fmt.Fprintln(c.out, file)
	for _, t := range s.tests {
		if run == nil || run.MatchString(t.name) {
			c.one(t, p.run(ctx, s, t))
		}
	}
}

// count keeps how the tests ended.
type count struct {
	out                    io.Writer
	passed, failed, broken int
}

func (c *count) one(t *test, problems []string) {
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

func (c *count) sum() bool {
	fmt.Fprintf(c.out, "\n%d passed, %d failed", c.passed, c.failed)
	if c.broken > 0 {
		fmt.Fprintf(c.out, ", files with mistakes: %d", c.broken)
	}
	fmt.Fprintln(c.out)
	if c.passed+c.failed+c.broken == 0 {
		fmt.Fprintln(c.out, "no test was run; is --run right?")
		return false
	}
	return c.failed+c.broken == 0
}
