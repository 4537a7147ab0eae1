package main

import (
	"context"
	"slices"
	"sync"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
)

// mutations counts how often each change is carried out, in every mode.
func mutations(ctx context.Context, l *lab) error {
	l.report.section("Mutations",
		"Ten each of POST, PATCH and DELETE at once, with one bad replica of three and then with all bad. "+
			"Due: no change is carried out twice; with one bad replica each is carried out once, unless its connection was reset before it was read, which the gateway cannot know.",
		"mode", "one bad: once", "twice or more", "succeed", "all bad: once", "never", "twice or more", "improper")
	for _, m := range faulty.Modes(false) {
		if !includes(l.options.modes, string(m)) {
			continue
		}
		if err := l.playMutations(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) playMutations(ctx context.Context, m faulty.Mode) error {
	one, err := l.countChanges(ctx, m, 1)
	if err != nil {
		return err
	}
	all, err := l.countChanges(ctx, m, replicas)
	if err != nil {
		return err
	}
	count := len(one.sent)
	l.report.row(string(m), must(one.once == count || m == faulty.ResetOnAccept, "%d of %d", one.once, count), must(one.repeated == 0, "%d", one.repeated), plain("%d", one.sent.count(succeeded)),
		plain("%d of %d", all.once, count), plain("%d", count-all.once-all.repeated), must(all.repeated == 0, "%d", all.repeated), proper(one.sent, all.sent))
	return ctx.Err()
}

// changes are how many mutations were carried out once, and how many more often.
type changes struct {
	sent           outcomes
	once, repeated int
}

// countChanges sends mutations while the first replicas are bad. The timeout leaves time for another
// replica after connecting to one has taken the 2 s that it may.
func (l *lab) countChanges(ctx context.Context, m faulty.Mode, bad int) (c changes, err error) {
	s, err := l.start(ctx, plan{users: settings{"timeout": "4s"}})
	if err != nil {
		return c, err
	}
	defer s.stop()
	if err := play(faulty.Fault{Mode: m}, s.users[:bad]...); err != nil {
		return c, err
	}
	var sent [3]outcomes
	var all sync.WaitGroup
	for i, op := range []operation{createUser, updateUser, deleteUser} {
		all.Go(func() { sent[i] = s.burst(ctx, op, 10, 10) })
	}
	all.Wait()
	c.sent = slices.Concat(sent[:]...)
	byChange := map[string]int{}
	for _, server := range s.users {
		for change, n := range server.Counts().Changes {
			byChange[change] += n
		}
	}
	for _, n := range byChange {
		if n == 1 {
			c.once++
		} else {
			c.repeated++
		}
	}
	return c, nil
}
