package balance

import (
	"testing"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// BenchmarkPick measures what a call costs here when all endpoints are available.
func BenchmarkPick(b *testing.B) {
	for _, policy := range Policies() {
		balancer := New(targets("abc"), Options{Settings: Settings{Policy: policy, Key: "$claims.sub"}})
		choice := Choice{Key: HashKey("user"), HasKey: balancer.policy.keyed()}
		ctx := b.Context()
		call := func() {
			lease, _ := balancer.Pick(choice)
			lease.Done(ctx, attempt.Unjudged, nil)
			lease.Judge(attempt.Success)
		}
		b.Run(policy, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
		b.Run(policy+"/parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					call()
				}
			})
		})
	}
}

func TestCallAllocatesNothing(t *testing.T) {
	for _, policy := range Policies() {
		b := New(targets("abc"), Options{Settings: Settings{Policy: policy, Key: "$claims.sub"}})
		ctx := t.Context()
		if n := testing.AllocsPerRun(100, func() {
			lease, _ := b.Pick(Choice{Key: 1, HasKey: b.policy.keyed()})
			lease.Done(ctx, attempt.Unjudged, nil)
			lease.Judge(attempt.Success)
		}); n != 0 {
			t.Errorf("%s: %v allocations", policy, n)
		}
	}
}
