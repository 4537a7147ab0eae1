package admission

import "testing"

// BenchmarkAcquire is what admission costs an operation that need not wait, and one that queues.
func BenchmarkAcquire(b *testing.B) {
	operation := func(b *testing.B, l *Limiter, turn *Turn, r Request) { // whose turn is part of what the operation needs anyway
		if err := l.Acquire(b.Context(), turn, r); err != nil {
			b.Fatal(err)
		}
		turn.Release()
	}
	together := func(o Options, r Request) func(b *testing.B) {
		return func(b *testing.B) {
			l := newLimiter(o)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				turn := &Turn{}
				for pb.Next() {
					operation(b, l, turn, r)
				}
			})
		}
	}
	b.Run("alone", func(b *testing.B) {
		l := newLimiter(Options{})
		b.ReportAllocs()
		turn := &Turn{}
		for b.Loop() {
			operation(b, l, turn, Request{})
		}
	})
	b.Run("together", together(Options{}, Request{}))
	b.Run("classes", together(Options{Classes: map[string]Class{"anonymous": {}, "partner": {Weight: 3}}}, by("partner")))
	b.Run("callers", together(Options{MaxOperationsPerCaller: 100}, from("anonymous", "192.0.2.1")))
	b.Run("watermarks", together(Options{Watermarks: Watermarks{CPUPercent: 100}}, costing(5)))
	b.Run("queue", func(b *testing.B) {
		b.SetParallelism(8)
		together(Options{MaxOperations: 1}, Request{})(b)
	})
	b.Run("calls", func(b *testing.B) {
		l := newLimiter(Options{})
		b.ReportAllocs()
		var turn Turn
		_ = l.Acquire(b.Context(), &turn, Request{})
		for b.Loop() {
			_ = turn.BeginCall("users")
			turn.EndCall(b.Context(), "users")
		}
	})
}
