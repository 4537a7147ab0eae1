package main

import (
	"context"
	"slices"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
)

// sourceTimeout is the timeout of sources in scenarios that wait for it.
const sourceTimeout = 2 * time.Second

// everyMode plays every mode, at one replica and then at all of them.
func everyMode(ctx context.Context, l *lab) error {
	return l.playModes(ctx, "Every mode", faulty.Modes(false), plan{})
}

func everyTLSMode(ctx context.Context, l *lab) error {
	authority, err := faulty.NewAuthority(l.folder)
	if err != nil {
		return err
	}
	modes := []faulty.Mode{faulty.Healthy, faulty.TLSHang, faulty.TLSBroken, faulty.HangBeforeHeaders, faulty.BreakMidBody, faulty.ResetMidBody, faulty.Refuse}
	return l.playModes(ctx, "TLS", modes, plan{
		products: settings{"tls": settings{"caFile": authority.File}},
		service: func(source string, _ int) (o faulty.Options) {
			if source == "products" {
				o.TLS = authority.Server
			}
			return o
		},
	})
}

func (l *lab) playModes(ctx context.Context, title string, modes []faulty.Mode, p plan) error {
	l.report.section(title,
		"Reads at once by 4 clients, 300 in all, while one replica of three is bad, then 6 at once while all are; the source's timeout is 2 s. "+
			"Due: 99 % succeed with one bad, unless it sends JSON of another shape, a redirect or too much; in any case each response is the right data or an error with a code and without text or address of a service, "+
			"within 3 s; and the gateway responds to health checks at the end.",
		"mode", "one bad: succeed", "p99", "all bad: succeed", "slowest", "codes", "improper", "alive")
	if p.products == nil {
		p.products = settings{}
	}
	p.products["timeout"] = sourceTimeout.String()
	for _, m := range modes {
		if !includes(l.options.modes, string(m)) {
			continue
		}
		if err := l.playMode(ctx, m, p); err != nil {
			return err
		}
	}
	return nil
}

// answers are the modes in which a replica gives an answer of its own, or one that is too large. It says
// nothing of the replica's health, since others may answer the same: the gateway must not show it as
// data, and nothing is due of other reads.
var answers = []faulty.Mode{
	faulty.ListForObject, faulty.StringForNumber, faulty.NullForNonNull, faulty.Redirect,
	faulty.HugeBody, faulty.EndlessBody, faulty.GzipBomb,
}

// playMode uses a new gateway for the second part, since a breaker that is open would spare it the mode.
func (l *lab) playMode(ctx context.Context, m faulty.Mode, p plan) error {
	one, err := l.start(ctx, p)
	if err != nil {
		return err
	}
	defer one.stop()
	if err := play(faulty.Fault{Mode: m}, one.products[0]); err != nil {
		return err
	}
	reads := one.burst(ctx, readProduct, 4, 300)
	all, err := l.start(ctx, p)
	if err != nil {
		return err
	}
	defer all.stop()
	if err := play(faulty.Fault{Mode: m}, all.products...); err != nil {
		return err
	}
	worst := all.burst(ctx, readProduct, 6, 6)
	alive := one.alive(ctx) && all.alive(ctx)
	success := percent(reads.success(), dueReads)
	if slices.Contains(answers, m) {
		success.missed = false
	}
	l.report.row(string(m), success, plain("%s", short(reads.quantile(0.99))),
		plain("%d of %d", worst.count(succeeded), len(worst)), within(max(worst.quantile(1), reads.quantile(1)), sourceTimeout+time.Second), plain("%s", worst.codes()),
		proper(reads, worst), must(alive, "%t", alive))
	return ctx.Err()
}
