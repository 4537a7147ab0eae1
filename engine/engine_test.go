package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"go.uber.org/goleak"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// from names the field of the graph that holds a parent's key.
var from = []string{"key"}

type parent struct {
	key  string
	keys []string
}

// backend has values for keys that begin with k. It records the keys of each call.
type backend struct {
	mu    sync.Mutex
	calls [][]string
	fail  map[string]bool
}

func (b *backend) batch(size int) Batch[string, *string] {
	return Batch[string, *string]{Identity: Identity{Request: "backend"}, MaxSize: size, Fetch: b.fetch}
}

func (b *backend) fetch(_ context.Context, keys []string) (map[string]*string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, slices.Sorted(slices.Values(keys)))
	values := map[string]*string{"not requested": nil}
	for _, k := range keys {
		if b.fail[k] {
			return nil, fmt.Errorf("%s fails", k)
		}
		if k[0] == 'k' {
			v := "value of " + k
			values[k] = &v
		}
	}
	return values, nil
}

func key(p *parent) *string {
	if p.key == "" {
		return nil
	}
	return &p.key
}

func text(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func TestLoadOne(t *testing.T) {
	b := &backend{}
	ctx := WithOperation(t.Context(), Options{})
	parents := []*parent{{key: "k1"}, nil, {key: "x"}, {key: ""}, {key: "k1"}, {key: "k2"}}
	got, err := LoadOne(ctx, parents, from, key, b.batch(0))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"value of k1", "null", "null", "null", "value of k1", "value of k2"}
	for i := range want {
		if text(got[i]) != want[i] {
			t.Errorf("parent %d got %s, want %s", i, text(got[i]), want[i])
		}
	}
	if len(b.calls) != 1 || !slices.Equal(b.calls[0], []string{"k1", "k2", "x"}) {
		t.Errorf("got calls for %v, want each key once in one batch", b.calls)
	}
	if _, err := LoadOne(ctx, parents, from, key, b.batch(0)); err != nil || len(b.calls) != 1 {
		t.Errorf("the keys were fetched again within the operation: %v %v", b.calls, err)
	}
	if _, err := LoadOne(WithOperation(t.Context(), Options{}), parents, from, key, b.batch(0)); err != nil || len(b.calls) != 2 {
		t.Errorf("another operation must fetch for itself: %v %v", b.calls, err)
	}
}

func TestMissingKeyHasTheBatchsMissingValue(t *testing.T) {
	b := Batch[string, []string]{Identity: Identity{Request: "lists"}, Missing: []string{}, Fetch: func(context.Context, []string) (map[string][]string, error) {
		return nil, nil
	}}
	got, err := LoadOne(t.Context(), []*parent{{key: "k1"}, {}}, from, key, b)
	if err != nil || got[0] == nil || got[1] != nil {
		t.Errorf("got %#v, %v; want an empty list for an unknown key and nil for none", got, err)
	}
}

func TestLoadMany(t *testing.T) {
	b := &backend{}
	parents := []*parent{{keys: []string{"k2", "x", "k1"}}, {}, nil, {keys: []string{}}}
	keys := func(p *parent) []string { return p.keys }
	for keepMissing, want := range map[bool][]string{false: {"value of k2", "value of k1"}, true: {"value of k2", "null", "value of k1"}} {
		got, err := LoadMany(WithOperation(t.Context(), Options{}), parents, from, keys, keepMissing, b.batch(0))
		if err != nil {
			t.Fatal(err)
		}
		var first []string
		for _, v := range got[0] {
			first = append(first, text(v))
		}
		if !slices.Equal(first, want) || got[1] != nil || got[2] != nil || got[3] == nil || len(got[3]) != 0 {
			t.Errorf("keepMissing %t: got %v and %v", keepMissing, first, got[1:])
		}
	}
}

func TestLoadAll(t *testing.T) {
	calls := 0
	all := LookupTable[[]int]{Identity: Identity{Request: "all"}, Missing: []int{}, Fetch: func(context.Context) (map[string][]int, error) {
		calls++
		return map[string][]int{"k1": {1}}, nil
	}}
	ctx := WithOperation(t.Context(), Options{})
	if got, err := LoadAll(ctx, []*parent{{}, nil}, from, key, all); err != nil || got[0] != nil || calls != 0 {
		t.Errorf("without keys: got %v, %v after %d calls", got, err, calls)
	}
	for range 2 {
		got, err := LoadAll(ctx, []*parent{{key: "k1"}, {key: "k2"}, {}, nil}, from, key, all)
		if err != nil || len(got[0]) != 1 || got[1] == nil || got[2] != nil || got[3] != nil {
			t.Errorf("got %v, %v", got, err)
		}
	}
	if calls != 1 {
		t.Errorf("%d calls in one operation, want 1", calls)
	}
	all.Identity.Request, all.Fetch = "fails", func(context.Context) (map[string][]int, error) { return nil, errors.New("no") }
	got, err := LoadAll(ctx, []*parent{{key: "k1"}, {}}, from, key, all)
	if list, ok := errors.AsType[graphql.BatchErrorList](err); !ok || len(got) != 2 || list[0] == nil || list[1] != nil {
		t.Errorf("got %v, %v; want an error for the parent with a key alone", got, err)
	}
}

// A response may have good values for some keys, faulty values for others, and faulty values whose
// keys are unknown.
func TestErrorsOfSingleKeys(t *testing.T) {
	bad, lost := &decode.Fault{Index: []int{3}, Err: fault.New(fault.DownstreamService, "bad")}, &decode.Fault{Err: fault.New(fault.DownstreamService, "lost")}
	fetch := func(rest *decode.Fault) func(context.Context) (map[string]*string, error) {
		return func(context.Context) (map[string]*string, error) {
			v := "v"
			return map[string]*string{"good": &v}, fmt.Errorf("users: %w", &decode.KeyFaults{Keys: map[string]*decode.Fault{"bad": bad}, Rest: rest})
		}
	}
	parents := []*parent{{key: "good"}, {key: "bad"}, {key: "other"}, {}}
	for _, rest := range []*decode.Fault{nil, lost} {
		b := Batch[string, *string]{Identity: Identity{Request: "b"}, Fetch: func(ctx context.Context, _ []string) (map[string]*string, error) { return fetch(rest)(ctx) }}
		values, err := LoadOne(t.Context(), parents, from, key, b)
		all, allErr := LoadAll(t.Context(), parents, from, key, LookupTable[*string]{Identity: Identity{Request: "w"}, Fetch: fetch(rest)})
		for _, got := range []struct {
			values []*string
			err    error
		}{{values, err}, {all, allErr}} {
			want := graphql.BatchErrorList{nil, bad, nil, nil}
			if rest != nil {
				want[2] = rest
			}
			if list, ok := got.err.(graphql.BatchErrorList); !ok || !slices.Equal(list, want) || text(got.values[0]) != "v" || got.values[1] != nil || got.values[2] != nil {
				t.Errorf("rest %v: got %v, %v", rest, got.values, got.err)
			}
		}
	}
}

// In a list, a fault of a key's own value fails its element; an error of the call fails the list.
func TestFaultsInLists(t *testing.T) {
	bad := &decode.Fault{Index: []int{3}, Err: fault.New(fault.DownstreamService, "bad")}
	b := Batch[string, *string]{Identity: Identity{Request: "b"}, MaxSize: 1, Fetch: func(_ context.Context, keys []string) (map[string]*string, error) {
		switch keys[0] {
		case "bad":
			return nil, &decode.KeyFaults{Rest: bad}
		case "down":
			return nil, errors.New("down")
		}
		return map[string]*string{keys[0]: &keys[0]}, nil
	}}
	keys := func(p *parent) []string { return p.keys }
	parents := []*parent{{keys: []string{"a", "bad", "b"}}, {keys: []string{"bad"}}, {keys: []string{"a", "bad", "down"}}, {keys: []string{"a"}}}
	for _, keepMissing := range []bool{true, false} {
		for _, faults := range []*decode.Faults{{}, nil} {
			ctx := WithOperation(WithFaults(t.Context(), faults), Options{})
			got, err := LoadMany(ctx, parents, from, keys, keepMissing, b)
			list, ok := err.(graphql.BatchErrorList)
			if !ok || list[2] == nil || list[3] != nil || text(got[3][0]) != "a" {
				t.Fatalf("got %v, %v", got, err)
			}
			if keepMissing && faults != nil {
				found := faults.OfElements(got[0])
				if list[2].Error() != "down" || list[0] != nil || len(got[0]) != 3 || got[0][1] != nil || len(found) != 1 || !slices.Equal(found[0].Index, []int{1, 3}) || found[0].Null {
					t.Errorf("got %v with %v, %v", got[0], found, list[0])
				}
				continue
			}
			if f, ok := list[0].(*decode.Fault); !ok || !slices.Equal(f.Index, []int{1, 3}) || got[0] != nil {
				t.Errorf("keepMissing %t: got %v, %v", keepMissing, got[0], list[0])
			}
		}
	}
}

// A parent whose key is faulty has the key's error, and its key is not fetched.
func TestFaultyKeys(t *testing.T) {
	faults := &decode.Faults{}
	shape := decode.NewShape("Parent", decode.Field{Name: "key"}, decode.Field{Name: "other"})
	read := func(body string) *parent {
		p, err := decode.Read("s", []byte(body), faults, func(d *decode.Decoder) *parent {
			o := d.Object(shape)
			p := decode.New[parent](&o)
			p.keys = []string{}
			for o.Next() {
				if text := d.String(); o.Field() == 0 {
					p.key = text
				}
			}
			return p
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	parents := []*parent{read(`{"key":5}`), nil, read(`{"key":"k1","other":5}`)}
	parents[0].key = "k0" // what a resolver would take for the key if it ignored the fault
	ctx := WithOperation(WithFaults(t.Context(), faults), Options{})
	requested := []string{}
	b := Batch[string, *string]{Identity: Identity{Request: "b"}, Fetch: func(_ context.Context, keys []string) (map[string]*string, error) {
		requested = append(requested, keys...)
		return nil, nil
	}}
	_, err := LoadOne(ctx, parents, from, key, b)
	_, manyErr := LoadMany(ctx, parents, from, func(p *parent) []string { return []string{p.key} }, true, b)
	_, allErr := LoadAll(ctx, parents, from, key, LookupTable[int]{Identity: Identity{Request: "w"}, Fetch: func(context.Context) (map[string]int, error) { return nil, nil }})
	for i, err := range []error{err, manyErr, allErr} {
		list, ok := err.(graphql.BatchErrorList)
		if !ok || fault.CodeOf(list[0]) != fault.DownstreamService || list[1] != nil || list[2] != nil {
			t.Errorf("%d: got %v", i, err)
		}
	}
	if !slices.Equal(requested, []string{"k1"}) {
		t.Errorf("requested %v", requested)
	}
	if _, err := LoadAll(ctx, parents[:1], from, key, LookupTable[int]{Identity: Identity{Request: "never"}}); err == nil {
		t.Error("no error although all keys are faulty")
	}
}

func TestErrorsStayWithTheirChunk(t *testing.T) {
	b := &backend{fail: map[string]bool{"k3": true}}
	parents := []*parent{{key: "k1"}, {key: "k2"}, {key: "k3"}, {key: "k4"}}
	got, err := LoadOne(t.Context(), parents, from, key, b.batch(2))
	list, ok := errors.AsType[graphql.BatchErrorList](err)
	if !ok || len(list) != 4 || list[0] != nil || list[1] != nil || list[2] == nil || list[3] == nil {
		t.Fatalf("errors are %v, want them for the second chunk alone", err)
	}
	if text(got[0]) != "value of k1" || got[2] != nil || len(b.calls) != 2 {
		t.Errorf("got %v over %v", got, b.calls)
	}
}

// A caller with immediate loads fetches at once and in a batch of its own, but only the keys that
// were not requested before.
func TestImmediateLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, b := make(chan struct{}), &backend{}
		batch := b.batch(0)
		batch.Fetch = func(ctx context.Context, keys []string) (map[string]*string, error) {
			<-release
			return b.fetch(ctx, keys)
		}
		ctx := WithImmediateLoads(WithOperation(t.Context(), Options{}))
		var nodes sync.WaitGroup
		load := func(keys ...string) {
			nodes.Go(func() {
				found, errs := LoaderFor(ctx, batch).Load(ctx, keys)
				for i, k := range keys {
					if errs != nil || text(found[i].Value) != "value of "+k {
						t.Errorf("%s: got %v, %v", k, found[i], errs)
					}
				}
			})
		}
		load("k1", "k2", "k1")
		synctest.Wait()
		start := time.Now()
		load("k2", "k3")
		load("k1")
		synctest.Wait()
		close(release)
		nodes.Wait()
		if time.Since(start) != 0 {
			t.Errorf("waited for %s, want no wait", time.Since(start))
		}
		slices.SortFunc(b.calls, slices.Compare)
		if len(b.calls) != 2 || !slices.Equal(b.calls[0], []string{"k1", "k2"}) || !slices.Equal(b.calls[1], []string{"k3"}) {
			t.Errorf("got calls for %v, want each key once", b.calls)
		}
	})
}

func TestPanicInFetchIsAnInternalError(t *testing.T) {
	b := Batch[string, int]{Identity: Identity{Request: "broken"}, Fetch: func(context.Context, []string) (map[string]int, error) { panic("secret") }}
	_, err := LoadOne(t.Context(), []*parent{{key: "k1"}}, from, key, b)
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != fault.Internal || f.Message != "internal error" {
		t.Errorf("a panic became %v, want an internal error that hides it", err)
	}
}

func TestLoadReturnsWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		b := Batch[string, int]{Identity: Identity{Request: "slow"}, Fetch: func(ctx context.Context, _ []string) (map[string]int, error) {
			select {
			case <-release:
			case <-ctx.Done():
			}
			return nil, ctx.Err()
		}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := LoadOne(WithOperation(ctx, Options{}), []*parent{{key: "k1"}}, from, key, b)
			done <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-done; err == nil {
			t.Error("no error after the caller left")
		}
		close(release)
	})
}

// Lists of parents that are resolved in goroutines of their own, as gqlgen's executor does, make one
// batch.
func TestConcurrentListsMakeOneBatch(t *testing.T) {
	for range 20 {
		b := &backend{}
		ctx := WithOperation(t.Context(), Options{})
		var lists sync.WaitGroup
		for i := range 100 {
			lists.Go(func() {
				if _, err := LoadOne(ctx, []*parent{{key: "k" + strconv.Itoa(i%7)}, {key: "k" + strconv.Itoa(i)}}, from, key, b.batch(0)); err != nil {
					t.Error(err)
				}
			})
		}
		lists.Wait()
		if len(b.calls) != 1 || len(b.calls[0]) != 100 {
			t.Fatalf("%d batches, want one", len(b.calls))
		}
	}
}

func TestSpendCall(t *testing.T) {
	ctx := WithOperation(t.Context(), Options{MaxCalls: 3})
	var refused atomic.Int64
	var calls sync.WaitGroup
	for range 10 {
		calls.Go(func() {
			if SpendCall(ctx) != nil {
				refused.Add(1)
			}
		})
	}
	calls.Wait()
	if refused.Load() != 7 || CallCount(ctx) != 3 {
		t.Errorf("refused %d of 10, made %d; want 7 and 3", refused.Load(), CallCount(ctx))
	}
	if SpendCall(t.Context()) != nil || CallCount(t.Context()) != 0 {
		t.Error("outside an operation there is no budget")
	}
}

func TestMaxItems(t *testing.T) {
	lists := Batch[string, []int]{Identity: Identity{Request: "lists"}, Fetch: func(_ context.Context, keys []string) (map[string][]int, error) {
		return map[string][]int{keys[0]: {1, 2, 3}}, nil
	}}
	ctx := WithOperation(t.Context(), Options{MaxItems: 10})
	three := []*parent{{key: "k"}, {key: "k"}, {key: "k"}}
	if got, err := LoadOne(ctx, three, from, key, lists); err != nil || len(got) != 3 {
		t.Errorf("9 of 10 values: %v, %v", got, err)
	}
	if got, err := LoadOne(ctx, three, from, key, lists); fault.CodeOf(err) != fault.BadRequest || got != nil {
		t.Errorf("18 of 10 values: %v, %v", got, err)
	}
}

// A JSON scalar is a slice of bytes, but counts as one value.
func TestMaxItemsCountsValuesNotBytes(t *testing.T) {
	documents := Batch[string, json.RawMessage]{Identity: Identity{Request: "documents"}, Fetch: func(_ context.Context, keys []string) (map[string]json.RawMessage, error) {
		return map[string]json.RawMessage{keys[0]: []byte(`"more bytes than the budget has values"`)}, nil
	}}
	got, err := LoadOne(WithOperation(t.Context(), Options{MaxItems: 10}), []*parent{{key: "k"}}, from, key, documents)
	if err != nil || len(got) != 1 {
		t.Errorf("1 of 10 values: %s, %v", got, err)
	}
}

func BenchmarkLoadOne(b *testing.B) {
	parents := make([]*parent, 100)
	for i := range parents {
		parents[i] = &parent{key: "k" + strconv.Itoa(i%10)}
	}
	batch := Batch[string, *string]{Identity: Identity{Request: "b"}, Fetch: func(_ context.Context, keys []string) (map[string]*string, error) { return nil, nil }}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := LoadOne(WithOperation(b.Context(), Options{}), parents, from, key, batch); err != nil {
			b.Fatal(err)
		}
	}
}

// gqlgen's executor may write fewer values than a plan, unless maxValues is set.
func TestGqlgenValues(t *testing.T) {
	for set, want := range map[int][2]int{0: {DefaultMaxValues, DefaultMaxGqlgenValues}, 5: {5, 5}, 2_000_000: {2_000_000, 2_000_000}} {
		spends := [2]func(*Budget, int) error{(*Budget).SpendValues, (*Budget).SpendGqlgenValues}
		for i, spend := range spends {
			b := BudgetOf(WithOperation(t.Context(), Options{MaxValues: set}))
			if err := spend(b, want[i]); err != nil {
				t.Errorf("maxValues %d: %d values: %v", set, want[i], err)
			}
			if err := spend(b, 1); err == nil || !strings.Contains(err.Error(), strconv.Itoa(want[i])) {
				t.Errorf("maxValues %d: %d values and another: %v", set, want[i], err)
			}
		}
		b := BudgetOf(WithOperation(t.Context(), Options{MaxValues: set}))
		if err := errors.Join(b.SpendGqlgenValues(1), b.SpendValues(want[0]-1)); err != nil {
			t.Errorf("maxValues %d: the values of both executors: %v", set, err)
		}
		if b.SpendValues(1) == nil {
			t.Errorf("maxValues %d: the values of both executors do not count together", set)
		}
	}
}
