package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/99designs/gqlgen/graphql"
	"go.uber.org/goleak"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// from is the field of the graph that holds a parent's key.
var from = []string{"key"}

type parent struct {
	key  string
	keys []string
}

// backend answers for keys that begin with k, and remembers what it was asked.
type backend struct {
	mu    sync.Mutex
	asked [][]string
	fail  map[string]bool
}

func (b *backend) batch(size int) Batch[string, *string] {
	return Batch[string, *string]{Name: "backend", MaxSize: size, Fetch: b.fetch}
}

func (b *backend) fetch(_ context.Context, keys []string) (map[string]*string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, slices.Sorted(slices.Values(keys)))
	values := map[string]*string{"never asked": nil}
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

func TestOne(t *testing.T) {
	b := &backend{}
	ctx := WithOperation(t.Context(), Options{})
	parents := []*parent{{key: "k1"}, nil, {key: "x"}, {key: ""}, {key: "k1"}, {key: "k2"}}
	got, err := One(ctx, parents, from, key, b.batch(0))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"value of k1", "null", "null", "null", "value of k1", "value of k2"}
	for i := range want {
		if text(got[i]) != want[i] {
			t.Errorf("parent %d got %s, want %s", i, text(got[i]), want[i])
		}
	}
	if len(b.asked) != 1 || !slices.Equal(b.asked[0], []string{"k1", "k2", "x"}) {
		t.Errorf("asked %v, want each key once in one batch", b.asked)
	}
	if _, err := One(ctx, parents, from, key, b.batch(0)); err != nil || len(b.asked) != 1 {
		t.Errorf("asked again within the operation: %v %v", b.asked, err)
	}
	if _, err := One(WithOperation(t.Context(), Options{}), parents, from, key, b.batch(0)); err != nil || len(b.asked) != 2 {
		t.Errorf("another operation must ask for itself: %v %v", b.asked, err)
	}
}

func TestMissing(t *testing.T) {
	b := Batch[string, []string]{Name: "lists", Missing: []string{}, Fetch: func(context.Context, []string) (map[string][]string, error) {
		return nil, nil
	}}
	got, err := One(t.Context(), []*parent{{key: "k1"}, {}}, from, key, b)
	if err != nil || got[0] == nil || got[1] != nil {
		t.Errorf("got %#v, %v; want an empty list for an unknown key and nil for none", got, err)
	}
}

func TestEach(t *testing.T) {
	b := &backend{}
	parents := []*parent{{keys: []string{"k2", "x", "k1"}}, {}, nil, {keys: []string{}}}
	keys := func(p *parent) []string { return p.keys }
	for keepMissing, want := range map[bool][]string{false: {"value of k2", "value of k1"}, true: {"value of k2", "null", "value of k1"}} {
		got, err := Each(WithOperation(t.Context(), Options{}), parents, from, keys, keepMissing, b.batch(0))
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

func TestWhole(t *testing.T) {
	calls := 0
	all := All[[]int]{Name: "all", Missing: []int{}, Fetch: func(context.Context) (map[string][]int, error) {
		calls++
		return map[string][]int{"k1": {1}}, nil
	}}
	ctx := WithOperation(t.Context(), Options{})
	if got, err := Whole(ctx, []*parent{{}, nil}, from, key, all); err != nil || got[0] != nil || calls != 0 {
		t.Errorf("without keys: got %v, %v after %d calls", got, err, calls)
	}
	for range 2 {
		got, err := Whole(ctx, []*parent{{key: "k1"}, {key: "k2"}, {}, nil}, from, key, all)
		if err != nil || len(got[0]) != 1 || got[1] == nil || got[2] != nil || got[3] != nil {
			t.Errorf("got %v, %v", got, err)
		}
	}
	if calls != 1 {
		t.Errorf("%d calls in one operation, want 1", calls)
	}
	all.Name, all.Fetch = "fails", func(context.Context) (map[string][]int, error) { return nil, errors.New("no") }
	got, err := Whole(ctx, []*parent{{key: "k1"}, {}}, from, key, all)
	if list, ok := errors.AsType[graphql.BatchErrorList](err); !ok || len(got) != 2 || list[0] == nil || list[1] != nil {
		t.Errorf("got %v, %v; want an error for the parent with a key alone", got, err)
	}
}

func TestErrorsStayWithTheirChunk(t *testing.T) {
	b := &backend{fail: map[string]bool{"k3": true}}
	parents := []*parent{{key: "k1"}, {key: "k2"}, {key: "k3"}, {key: "k4"}}
	got, err := One(t.Context(), parents, from, key, b.batch(2))
	list, ok := errors.AsType[graphql.BatchErrorList](err)
	if !ok || len(list) != 4 || list[0] != nil || list[1] != nil || list[2] == nil || list[3] == nil {
		t.Fatalf("errors are %v, want them for the second chunk alone", err)
	}
	if text(got[0]) != "value of k1" || got[2] != nil || len(b.asked) != 2 {
		t.Errorf("got %v over %v", got, b.asked)
	}
}

func TestPanicIsAFault(t *testing.T) {
	b := Batch[string, int]{Name: "broken", Fetch: func(context.Context, []string) (map[string]int, error) { panic("secret") }}
	_, err := One(t.Context(), []*parent{{key: "k1"}}, from, key, b)
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Internal || f.Text != "internal error" {
		t.Errorf("a panic became %v", err)
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		b := Batch[string, int]{Name: "slow", Fetch: func(ctx context.Context, _ []string) (map[string]int, error) {
			select {
			case <-release:
			case <-ctx.Done():
			}
			return nil, ctx.Err()
		}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := One(WithOperation(ctx, Options{}), []*parent{{key: "k1"}}, from, key, b)
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

// Lists that come from goroutines of their own, as gqlgen's executor sends them, make
// one batch.
func TestListsOfOneMomentMakeOneBatch(t *testing.T) {
	for range 20 {
		b := &backend{}
		ctx := WithOperation(t.Context(), Options{})
		var lists sync.WaitGroup
		for i := range 100 {
			lists.Go(func() {
				if _, err := One(ctx, []*parent{{key: "k" + strconv.Itoa(i%7)}, {key: "k" + strconv.Itoa(i)}}, from, key, b.batch(0)); err != nil {
					t.Error(err)
				}
			})
		}
		lists.Wait()
		if len(b.asked) != 1 || len(b.asked[0]) != 100 {
			t.Fatalf("%d batches, want one", len(b.asked))
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
	if refused.Load() != 7 || Calls(ctx) != 3 {
		t.Errorf("refused %d of 10, made %d; want 7 and 3", refused.Load(), Calls(ctx))
	}
	if SpendCall(t.Context()) != nil || Calls(t.Context()) != 0 {
		t.Error("outside an operation there is no budget")
	}
}

func TestMaxItems(t *testing.T) {
	lists := Batch[string, []int]{Name: "lists", Fetch: func(_ context.Context, keys []string) (map[string][]int, error) {
		return map[string][]int{keys[0]: {1, 2, 3}}, nil
	}}
	ctx := WithOperation(t.Context(), Options{MaxItems: 10})
	three := []*parent{{key: "k"}, {key: "k"}, {key: "k"}}
	if got, err := One(ctx, three, from, key, lists); err != nil || len(got) != 3 {
		t.Errorf("9 of 10 values: %v, %v", got, err)
	}
	if got, err := One(ctx, three, from, key, lists); fault.KindOf(err) != fault.BadRequest || got != nil {
		t.Errorf("18 of 10 values: %v, %v", got, err)
	}
}

// A JSON scalar is a slice too, but one value.
func TestMaxItemsCountsValuesNotBytes(t *testing.T) {
	documents := Batch[string, json.RawMessage]{Name: "documents", Fetch: func(_ context.Context, keys []string) (map[string]json.RawMessage, error) {
		return map[string]json.RawMessage{keys[0]: []byte(`"more bytes than the budget has values"`)}, nil
	}}
	got, err := One(WithOperation(t.Context(), Options{MaxItems: 10}), []*parent{{key: "k"}}, from, key, documents)
	if err != nil || len(got) != 1 {
		t.Errorf("1 of 10 values: %s, %v", got, err)
	}
}

func BenchmarkOne(b *testing.B) {
	parents := make([]*parent, 100)
	for i := range parents {
		parents[i] = &parent{key: "k" + strconv.Itoa(i%10)}
	}
	back := Batch[string, *string]{Name: "b", Fetch: func(_ context.Context, keys []string) (map[string]*string, error) { return nil, nil }}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := One(WithOperation(b.Context(), Options{}), parents, from, key, back); err != nil {
			b.Fatal(err)
		}
	}
}
