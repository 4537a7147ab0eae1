package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/internal/proc"
)

// report writes Markdown while results arrive.
type report struct {
	w      io.Writer
	missed int // how many figures are worse than due
}

func newReport(w io.Writer) *report {
	fmt.Fprintf(w, "%s; %s; Go %s; load average %s at the start.\n",
		time.Now().UTC().Format(time.DateOnly), proc.Machine(), strings.TrimPrefix(runtime.Version(), "go"), proc.LoadAverage())
	return &report{w: w}
}

// section begins a table, with a sentence about it.
func (r *report) section(title, text string, columns ...string) {
	fmt.Fprintf(r.w, "\n### %s\n\n%s\n\n| %s |\n|---|%s\n", title, text, strings.Join(columns, " | "), strings.Repeat("---:|", len(columns)-1))
}

// row writes a row of the table.
func (r *report) row(name string, figures ...figure) {
	fmt.Fprintf(r.w, "| %s |", name)
	for _, f := range figures {
		text := f.text
		if f.missed {
			text += " ✗"
			r.missed++
		}
		fmt.Fprintf(r.w, " %s |", text)
	}
	fmt.Fprintln(r.w)
}

// figure is a measured value.
type figure struct {
	text   string
	missed bool // it is worse than due
}

// plain returns a figure without a due value.
func plain(format string, args ...any) figure { return figure{text: fmt.Sprintf(format, args...)} }

// must returns a figure that is marked unless it has met its due value.
func must(met bool, format string, args ...any) figure {
	return figure{fmt.Sprintf(format, args...), !met}
}

// percent returns a share as a percentage that is at least due.
func percent(share, due float64) figure { return must(share >= due, "%.1f%%", share*100) }

// below returns a share as a percentage that is below due.
func below(share, due float64) figure { return must(share < due, "%.1f%%", share*100) }

// within returns a time that is at most due.
func within(d, due time.Duration) figure { return must(d <= due, "%s", short(d)) }

// short returns a time with three digits at most.
func short(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}

// proper returns the number of improper outcomes, of which there may be none.
func proper(runs ...outcomes) figure {
	sum := 0
	for _, r := range runs {
		n, example := r.improper()
		if sum += n; n > 0 {
			fmt.Fprintln(logOutput, "improper:", example)
		}
	}
	return must(sum == 0, "%d", sum)
}
