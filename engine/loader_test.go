package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// mixedKey is a key that Go cannot always compare.
type mixedKey [1]any

// A key that cannot be compared panics in the field that has it. The keys before it are removed
// from the batch, so that the other fields load them and none waits forever.
func TestKeysThatCannotBeCompared(t *testing.T) {
	for name, immediate := range map[string]bool{"immediate loads": true, "a window": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := WithOperation(t.Context(), Options{})
				if immediate {
					ctx = WithImmediateLoads(ctx)
				}
				b := Batch[mixedKey, string]{Fetch: func(_ context.Context, keys []mixedKey) (map[mixedKey]string, error) {
					values := map[mixedKey]string{}
					for _, k := range keys {
						values[k] = fmt.Sprint("value of ", k[0])
					}
					return values, nil
				}}
				var fields sync.WaitGroup
				var panicked atomic.Int64
				for i := range 20 {
					fields.Go(func() {
						defer func() {
							if recover() != nil {
								panicked.Add(1)
							}
						}()
						keys := []mixedKey{{"a"}, {i}, {"b"}}
						if i%2 == 1 {
							keys[2] = mixedKey{[]any{"no key"}}
						}
						found, errs := LoaderFor(ctx, b).Load(ctx, keys)
						if i%2 == 1 || errs != nil || found[0].Value != "value of a" || found[1].Value != fmt.Sprint("value of ", i) || found[2].Value != "value of b" {
							t.Errorf("%d: got %v, %v", i, found, errs)
						}
					})
				}
				fields.Wait()
				if panicked.Load() != 10 {
					t.Errorf("%d of 10 fields failed", panicked.Load())
				}
			})
		})
	}
}

// However Fetch ends, every field that waits for its chunk gets an error, and other chunks are not
// affected.
func TestFetchThatDoesNotReturn(t *testing.T) {
	for name, end := range map[string]func(){
		"a panic":                       func() { panic("secret") },
		"a nil panic":                   func() { panic(error(nil)) },
		"the goroutine's end":           runtime.Goexit,
		"a key that cannot be compared": func() { _ = map[any]int{}[[]int{}] },
		"a division by zero":            func() { _ = 1 / len(name()[:0]) },
		"an index out of range":         func() { _ = []int{}[len(name())] },
	} {
		for how, immediate := range map[string]bool{"immediate loads": true, "a window": false} {
			t.Run(name+" with "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx := WithOperation(t.Context(), Options{})
					if immediate {
						ctx = WithImmediateLoads(ctx)
					}
					b := Batch[string, string]{MaxSize: 2, Identity: Identity{Source: "s", Request: "GET /secret", Extraction: "r"}, Fetch: func(_ context.Context, keys []string) (map[string]string, error) {
						time.Sleep(time.Second)
						if slices.Contains(keys, "bad") {
							end()
						}
						return map[string]string{keys[0]: "v", keys[1]: "v"}, nil
					}}
					var fields sync.WaitGroup
					for range 5 {
						fields.Go(func() {
							found, errs := LoaderFor(ctx, b).Load(ctx, []string{"a", "b", "bad", "c"})
							if errs == nil || errs[0] != nil || errs[1] != nil || found[0].Value != "v" {
								t.Errorf("got %v, %v", found, errs)
								return
							}
							f, ok := errors.AsType[*fault.Error](errs[2])
							if !ok || errs[3] == nil || f.Message != "internal error" || strings.Contains(f.Cause.Error(), "/secret") {
								t.Errorf("got %v, %v", errs[2], errs[3])
							}
						})
					}
					fields.Wait()
				})
			})
		}
	}
}

func name() string { return "some" }

// Fields that wait for a Fetch that never returns stop when their operation or their own context
// ends.
func TestWaitEndsWithTheOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		b := Batch[string, string]{Fetch: func(context.Context, []string) (map[string]string, error) {
			<-stuck
			return nil, nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ctx = WithOperation(ctx, Options{})
		start, fields := time.Now(), sync.WaitGroup{}
		for range 3 {
			fields.Go(func() {
				_, errs := LoaderFor(ctx, b).Load(ctx, []string{"a", "b", "c"})
				if len(errs) != 3 || !errors.Is(errs[2], context.DeadlineExceeded) || time.Since(start) != time.Minute+finishGrace {
					t.Errorf("got %v after %s", errs, time.Since(start))
				}
			})
			fields.Go(func() {
				own, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				_, errs := LoaderFor(ctx, b).Load(own, []string{"a"})
				if len(errs) != 1 || !errors.Is(errs[0], context.DeadlineExceeded) || time.Since(start) != time.Second {
					t.Errorf("got %v after %s", errs, time.Since(start))
				}
			})
		}
		fields.Wait()
		close(stuck)
	})
}

// The error of a batch that fails because its operation has ended is the error of Fetch, which names
// the service that was too slow, and not that of the context.
func TestLateBatchKeepsItsOwnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := Batch[string, string]{Fetch: func(ctx context.Context, _ []string) (map[string]string, error) {
			<-ctx.Done()
			time.Sleep(finishGrace / 2)
			return nil, errors.New("users was too slow")
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ctx = WithOperation(ctx, Options{})
		_, errs := LoaderFor(ctx, b).Load(ctx, []string{"a"})
		if errs == nil || errs[0].Error() != "users was too slow" {
			t.Errorf("got %v", errs)
		}
	})
}

// Fetch may keep and reorder the keys that it gets.
func TestFetchMayChangeItsKeys(t *testing.T) {
	b := Batch[string, string]{Fetch: func(_ context.Context, keys []string) (map[string]string, error) {
		values := map[string]string{}
		for _, k := range keys {
			values[k] = "value of " + k
		}
		slices.Sort(keys)
		return values, nil
	}}
	ctx := WithImmediateLoads(WithOperation(t.Context(), Options{}))
	found, errs := LoaderFor(ctx, b).Load(ctx, []string{"c", "a", "b"})
	if errs != nil || found[0].Value != "value of c" || found[1].Value != "value of a" || found[2].Value != "value of b" {
		t.Errorf("got %v, %v", found, errs)
	}
}

// In a new epoch every key is fetched again, at the expense of the operation's budgets.
func TestEpochs(t *testing.T) {
	fetched := 0
	b := Batch[string, int]{Fetch: func(ctx context.Context, keys []string) (map[string]int, error) {
		fetched++
		inner := Batch[string, int]{Identity: Identity{Request: "inner"}, Fetch: func(context.Context, []string) (map[string]int, error) {
			return map[string]int{"k": fetched}, nil
		}}
		found, _ := LoaderFor(ctx, inner).Load(WithImmediateLoads(ctx), keys) // in the epoch of the batch
		return map[string]int{"k": found[0].Value}, SpendCall(ctx)
	}}
	ctx := WithImmediateLoads(WithOperation(t.Context(), Options{}))
	for i, ctx := range []context.Context{ctx, WithEpoch(ctx), WithEpoch(WithEpoch(ctx))} {
		for range 2 {
			got, err := LoadOne(ctx, []*parent{{key: "k"}}, from, key, b)
			if err != nil || got[0] != i+1 || fetched != i+1 {
				t.Errorf("epoch %d: got %v after %d fetches, %v", i, got, fetched, err)
			}
		}
	}
	if CallCount(ctx) != 3 {
		t.Errorf("the operation has made %d calls", CallCount(ctx))
	}
	if found, errs := LoaderFor(WithEpoch(t.Context()), b).Load(t.Context(), []string{"k"}); errs != nil || found[0].Value != 4 {
		t.Errorf("an epoch without an operation: %v, %v", found, errs)
	}
}

// Batches share a loader if and only if their identities are equal in every field.
func TestLoadersAreSharedByIdentity(t *testing.T) {
	ctx := WithOperation(t.Context(), Options{})
	base := Batch[string, int]{MaxSize: 5, Identity: Identity{Source: "a", Request: "b", Caller: "c", Rules: "d", Extraction: "e", Arguments: "f"}}
	same := base
	if LoaderFor(ctx, base) != LoaderFor(ctx, same) {
		t.Error("batches of equal identities do not share a loader")
	}
	keys := map[string]bool{string(base.Identity.AppendKey(nil)): true}
	for i := range reflect.TypeFor[Identity]().NumField() {
		for _, part := range []string{"", "x", "ab"} {
			other := base
			reflect.ValueOf(&other.Identity).Elem().Field(i).SetString(part)
			if LoaderFor(ctx, base) == LoaderFor(ctx, other) {
				t.Errorf("batches that differ in %s %q share a loader", reflect.TypeFor[Identity]().Field(i).Name, part)
			}
			keys[string(other.Identity.AppendKey(nil))] = true
		}
	}
	if len(keys) != 1+3*reflect.TypeFor[Identity]().NumField() {
		t.Errorf("different identities have only %d different keys", len(keys))
	}
	other := base
	other.MaxSize = 6
	if LoaderFor(ctx, base) == LoaderFor(ctx, other) {
		t.Error("batches that differ in MaxSize share a loader")
	}
	var values any = LoaderFor(ctx, Batch[string, string]{MaxSize: 5, Identity: base.Identity})
	if values == any(LoaderFor(ctx, base)) {
		t.Error("batches of different types share a loader")
	}
}

// Too many keys are refused before they are copied or fetched.
func TestTooMmixedKeysCostNothing(t *testing.T) {
	keys := make([]string, 200)
	parents := make([]*parent, 40_000)
	for i := range parents {
		parents[i] = &parent{keys: keys}
	}
	ctx := WithImmediateLoads(WithOperation(t.Context(), Options{}))
	b := Batch[string, string]{Fetch: func(context.Context, []string) (map[string]string, error) {
		t.Error("something was fetched")
		return nil, nil
	}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := LoadMany(ctx, parents, from, func(p *parent) []string { return p.keys }, true, b)
	runtime.ReadMemStats(&after)
	if fault.CodeOf(err) != fault.BadRequest || got != nil {
		t.Errorf("got %d, %v", len(got), err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
		t.Errorf("it allocated %d bytes", took)
	}
	if _, err := LoadOne(ctx, parents, from, key, b); fault.CodeOf(err) != fault.BadRequest {
		t.Errorf("with the budget used up, LoadOne returned %v", err)
	}
	lists := Batch[string, []string]{Fetch: func(context.Context, []string) (map[string][]string, error) {
		t.Error("something was fetched")
		return nil, nil
	}}
	if _, err := LoadOne(ctx, parents, from, key, lists); fault.CodeOf(err) != fault.BadRequest {
		t.Errorf("with the budget used up, LoadOne of lists returned %v", err)
	}
}

// tooMany is the error of a call for more keys than it can carry.
type tooMany struct{ parts int }

func (e *tooMany) Error() string   { return "too many keys" }
func (e *tooMany) SplitBatch() int { return e.parts }

// A batch of more keys than a call can carry is split until each call can be made. Each key is
// fetched once, and a key that fails alone fails alone.
func TestBatchesAreSplit(t *testing.T) {
	for name, parts := range map[string]int{"into 1": 1, "into 2": 2, "into 7": 7, "into more than there are": 5000} {
		for _, maxSize := range []int{0, 1, 10, 64, 1000} {
			var calls, longest atomic.Int64
			var mu sync.Mutex
			fetched := map[int]int{}
			b := Batch[int, string]{MaxSize: maxSize, Fetch: func(_ context.Context, keys []int) (map[int]string, error) {
				if len(keys) > 16 {
					return nil, fault.New(fault.Internal, "long").WithCause(&tooMany{parts})
				}
				calls.Add(1)
				longest.Store(max(longest.Load(), int64(len(keys))))
				values := map[int]string{}
				mu.Lock()
				defer mu.Unlock()
				for _, k := range keys {
					fetched[k]++
					values[k] = fmt.Sprint("value of ", k)
				}
				if len(keys) == 1 && keys[0] == 77 {
					return nil, &tooMany{parts}
				}
				return values, nil
			}}
			keys := make([]int, 500)
			for i := range keys {
				keys[i] = i
			}
			found, errs := LoaderFor(WithOperation(t.Context(), Options{}), b).Load(t.Context(), keys)
			if parts == 1 && (maxSize == 0 || maxSize > 16) {
				if errs == nil || fault.CodeOf(errs[0]) != fault.Internal {
					t.Errorf("%s, %d: an error that asks for no more parts is %v", name, maxSize, errs)
				}
				continue
			}
			for i := range keys {
				failed := errs != nil && errs[i] != nil
				if alone := maxSize == 1 || parts == 5000 && (maxSize == 0 || maxSize > 16); failed != (alone && i == 77) || !failed && found[i].Value != fmt.Sprint("value of ", i) || fetched[i] != 1 {
					t.Fatalf("%s, %d: key %d has %v, %v and was fetched %d times", name, maxSize, i, found[i], errs, fetched[i])
				}
			}
		}
	}
}
