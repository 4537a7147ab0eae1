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

// anyKey is a key that Go cannot always compare.
type anyKey [1]any

// A key that cannot be compared is the error of the field that has it. The keys before it
// are left to the others, who get their values, and nobody is left waiting.
func TestKeysThatCannotBeCompared(t *testing.T) {
	for name, allKeys := range map[string]bool{"all keys": true, "rounds": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := WithOperation(t.Context(), Options{})
				if allKeys {
					ctx = WithImmediateLoads(ctx)
				}
				b := Batch[anyKey, string]{Fetch: func(_ context.Context, keys []anyKey) (map[anyKey]string, error) {
					values := map[anyKey]string{}
					for _, k := range keys {
						values[k] = fmt.Sprint("value of ", k[0])
					}
					return values, nil
				}}
				var fields sync.WaitGroup
				var thrown atomic.Int64
				for i := range 20 {
					fields.Go(func() {
						defer func() {
							if recover() != nil {
								thrown.Add(1)
							}
						}()
						keys := []anyKey{{"a"}, {i}, {"b"}}
						if i%2 == 1 {
							keys[2] = anyKey{[]any{"no key"}}
						}
						found, errs := LoaderFor(ctx, b).Load(ctx, keys)
						if i%2 == 1 || errs != nil || found[0].Value != "value of a" || found[1].Value != fmt.Sprint("value of ", i) || found[2].Value != "value of b" {
							t.Errorf("%d: got %v, %v", i, found, errs)
						}
					})
				}
				fields.Wait()
				if thrown.Load() != 10 {
					t.Errorf("%d of 10 fields failed", thrown.Load())
				}
			})
		})
	}
}

// However Fetch ends, all who wait for it have an error, of its own chunk alone.
func TestFetchThatDoesNotReturn(t *testing.T) {
	for name, end := range map[string]func(){
		"a panic":               func() { panic("secret") },
		"a nil panic":           func() { panic(error(nil)) },
		"the goroutine's end":   runtime.Goexit,
		"a key that is no key":  func() { _ = map[any]int{}[[]int{}] },
		"a division by zero":    func() { _ = 1 / len(name()[:0]) },
		"an index out of range": func() { _ = []int{}[len(name())] },
	} {
		for how, allKeys := range map[string]bool{"all keys": true, "rounds": false} {
			t.Run(name+" with "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx := WithOperation(t.Context(), Options{})
					if allKeys {
						ctx = WithImmediateLoads(ctx)
					}
					b := Batch[string, string]{MaxSize: 2, Identity: Identity{Source: "s", Request: "GET /secret", Reading: "r"}, Fetch: func(_ context.Context, keys []string) (map[string]string, error) {
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

// A batch whose Fetch never ends holds those who wait for it no longer than their operation,
// or their own context.
func TestNobodyWaitsLongerThanTheOperation(t *testing.T) {
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
				if len(errs) != 3 || !errors.Is(errs[2], context.DeadlineExceeded) || time.Since(start) != time.Minute+grace {
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

// A batch that ends with its operation says why, and not that the operation has ended.
func TestLateBatchSaysWhoWasLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := Batch[string, string]{Fetch: func(ctx context.Context, _ []string) (map[string]string, error) {
			<-ctx.Done()
			time.Sleep(grace / 2)
			return nil, errors.New("users were late")
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ctx = WithOperation(ctx, Options{})
		_, errs := LoaderFor(ctx, b).Load(ctx, []string{"a"})
		if errs == nil || errs[0].Error() != "users were late" {
			t.Errorf("got %v", errs)
		}
	})
}

// What Fetch does with its keys is its own business.
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

// In a new epoch everything is fetched again, from the operation's budgets.
func TestEpochs(t *testing.T) {
	fetched := 0
	b := Batch[string, int]{Fetch: func(ctx context.Context, keys []string) (map[string]int, error) {
		fetched++
		inner := Batch[string, int]{Identity: Identity{Request: "inner"}, Fetch: func(context.Context, []string) (map[string]int, error) {
			return map[string]int{"k": fetched}, nil
		}}
		found, _ := LoaderFor(ctx, inner).Load(WithImmediateLoads(ctx), keys) // of the same epoch as the batch
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
	if Calls(ctx) != 3 {
		t.Errorf("the operation has made %d calls", Calls(ctx))
	}
	if found, errs := LoaderFor(WithEpoch(t.Context()), b).Load(t.Context(), []string{"k"}); errs != nil || found[0].Value != 4 {
		t.Errorf("an epoch of no operation: %v, %v", found, errs)
	}
}

// Batches share what they fetch if their identities are equal in every part, and only then.
func TestIdentityDecidesWhatIsShared(t *testing.T) {
	ctx := WithOperation(t.Context(), Options{})
	base := Batch[string, int]{MaxSize: 5, Identity: Identity{Source: "a", Request: "b", Caller: "c", Rules: "d", Reading: "e", Arguments: "f"}}
	same := base
	if LoaderFor(ctx, base) != LoaderFor(ctx, same) {
		t.Error("equal identities do not share")
	}
	keys := map[string]bool{string(base.Identity.AppendKey(nil)): true}
	for i := range reflect.TypeFor[Identity]().NumField() {
		for _, part := range []string{"", "x", "ab"} {
			other := base
			reflect.ValueOf(&other.Identity).Elem().Field(i).SetString(part)
			if LoaderFor(ctx, base) == LoaderFor(ctx, other) {
				t.Errorf("%s of %q shares", reflect.TypeFor[Identity]().Field(i).Name, part)
			}
			keys[string(other.Identity.AppendKey(nil))] = true
		}
	}
	if len(keys) != 1+3*reflect.TypeFor[Identity]().NumField() {
		t.Errorf("%d keys", len(keys))
	}
	other := base
	other.MaxSize = 6
	if LoaderFor(ctx, base) == LoaderFor(ctx, other) {
		t.Error("another size shares")
	}
	var values any = LoaderFor(ctx, Batch[string, string]{MaxSize: 5, Identity: base.Identity})
	if values == any(LoaderFor(ctx, base)) {
		t.Error("values of another type share")
	}
}

func TestAnyKey(t *testing.T) {
	seen := map[string]bool{}
	for i := range 10 {
		seen[AnyKey(i)] = true
	}
	if len(seen) != 10 || !slices.Equal(AnyKeys(), []string{AnyKey(0)}) || cap(AnyKeys()) != 1 {
		t.Errorf("got %v, %v", seen, AnyKeys())
	}
}

// More keys than may be joined are refused before any is copied or fetched.
func TestTooManyKeysCostNothing(t *testing.T) {
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
		t.Errorf("it took %d bytes", took)
	}
	if _, err := LoadOne(ctx, parents, from, key, b); fault.CodeOf(err) != fault.BadRequest {
		t.Errorf("nothing is left, but One gave %v", err)
	}
	lists := Batch[string, []string]{Fetch: func(context.Context, []string) (map[string][]string, error) {
		t.Error("something was fetched")
		return nil, nil
	}}
	if _, err := LoadOne(ctx, parents, from, key, lists); fault.CodeOf(err) != fault.BadRequest {
		t.Errorf("nothing is left, but One gave lists: %v", err)
	}
}
