package page

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

const secret = "a secret of thirty-two bytes, ok"

func newKey(t testing.TB, secret string) *Key {
	t.Helper()
	key, err := NewKey(Options{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func withKey(t testing.TB) context.Context {
	t.Helper()
	return WithKey(t.Context(), newKey(t, secret))
}

// pagedService is a service with a list, which it pages in each of the three ways.
type pagedService struct {
	list  []*int
	total bool // whether responses have it
	more  bool // whether they tell that
	most  int  // the most items in one response; 0 for any number
	last  int  // how it says that there is no next cursor: nil, "", a cursor with More: false, or not at all
	from  int  // the first page's number

	asked []Range
}

// newPagedService returns a service with n items, some of them null.
func newPagedService(n int) *pagedService {
	p := &pagedService{from: 1}
	for i := range n {
		if i%7 == 3 {
			p.list = append(p.list, nil)
			continue
		}
		p.list = append(p.list, new(i))
	}
	return p
}

func (p *pagedService) offset(_ context.Context, at Range) (Response[*int], error) {
	p.asked = append(p.asked, at)
	return p.respond(at.Offset, at.Size), nil
}

func (p *pagedService) page(_ context.Context, at Range) (Response[*int], error) {
	p.asked = append(p.asked, at)
	return p.respond((at.Page-p.from)*at.Size, at.Size), nil
}

func (p *pagedService) cursor(_ context.Context, at Range) (Response[*int], error) {
	p.asked = append(p.asked, at)
	start := 0
	if at.Cursor != nil {
		start, _ = strconv.Atoi(strings.TrimPrefix(*at.Cursor, "private/"))
	}
	response := p.respond(start, at.Size)
	next := start + len(response.Items)
	if next < len(p.list) || p.last >= 2 {
		response.NextCursor = new(fmt.Sprint("private/", next))
	} else if p.last == 1 {
		response.NextCursor = new("")
	}
	if p.last == 2 {
		response.HasMore = new(next < len(p.list))
	}
	return response, nil
}

func (p *pagedService) respond(start, size int) (a Response[*int]) {
	if p.most > 0 {
		size = min(size, p.most)
	}
	start = min(start, len(p.list))
	end := min(start+size, len(p.list))
	a.Items = p.list[start:end]
	if p.total {
		a.Total = new(int64(len(p.list)))
	}
	if p.more {
		a.HasMore = new(end < len(p.list))
	}
	return a
}

// fetch returns the service's function for a way to page.
func (p *pagedService) fetch(how Type) func(context.Context, Range) (Response[*int], error) {
	return map[Type]func(context.Context, Range) (Response[*int], error){Offset: p.offset, PageNumber: p.page, NextCursor: p.cursor}[how]
}

var types = []Type{Offset, PageNumber, NextCursor}

func TestFirst(t *testing.T) {
	for _, c := range []struct {
		name             string
		first            *int
		fallback, most   int
		items            int
		wrong            string
		calls, askedSize int
	}{
		{"the binding's default", nil, 3, 10, 3, "", 1, 4},
		{"the default", nil, 0, 0, DefaultFirst, "", 1, DefaultFirst + 1},
		{"a default above the most", nil, 50, 10, 10, "", 2, 10},
		{"the most unless told otherwise", new(DefaultMax), 0, 0, DefaultMax, "", 2, DefaultMax},
		{"more than that", new(DefaultMax + 1), 0, 0, 0, "first is 101, but at most 100 are given at a time", 0, 0},
		{"less than the most", new(9), 3, 10, 9, "", 1, 10},
		{"the most", new(10), 3, 10, 10, "", 2, 10},
		{"too many", new(500), 20, 200, 0, "first is 500, but at most 200 are given at a time", 0, 0},
		{"far too many", new(math.MaxInt), 20, math.MaxInt, 0, "at most 1073741824 are given", 0, 0},
		{"negative", new(-1), 20, 200, 0, "first is -1; ask for 0 to 200 items", 0, 0},
		{"none", new(0), 20, 200, 0, "", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPagedService(500)
			conn, err := Load(withKey(t), Request{Field: "Query.f", First: c.first, Default: c.fallback, Max: c.most}, p.offset)
			if c.wrong != "" {
				wantRefused(t, err, c.wrong)
			} else if err != nil {
				t.Fatal(err)
			}
			if len(conn.Items) != c.items || len(p.asked) != c.calls || c.calls > 0 && p.asked[0].Size != c.askedSize {
				t.Errorf("%d items, asked %+v", len(conn.Items), p.asked)
			}
		})
	}
}

func wantRefused(t *testing.T, err error, text string) {
	t.Helper()
	if fault.CodeOf(err) != fault.BadUserInput || !strings.Contains(err.Error(), text) {
		t.Errorf("%v, want %q as BAD_USER_INPUT", err, text)
	}
}

// numbers returns the numbers from 0 to n-1.
func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// The pages and calls for each way to page and for each combination of what a service sends
// besides the items.
func TestPages(t *testing.T) {
	for _, c := range []struct {
		name      string
		request   Request
		after     position
		responses []Response[int]
		asked     []Range
		items     []int
		next      bool
		end       position
		total     *int64
	}{
		{
			"offset: one more to see",
			Request{First: new(2)},
			position{},
			[]Response[int]{{Items: numbers(3)}},
			[]Range{{Size: 3}},
			numbers(2), true,
			position{skip: 2},
			nil,
		},
		{
			"offset: one more is not there",
			Request{First: new(3)},
			position{skip: 4},
			[]Response[int]{{Items: numbers(3)}},
			[]Range{{Size: 4, Offset: 4}},
			numbers(3), false,
			position{skip: 7},
			nil,
		},
		{
			"offset: a full page of the most, and an item after it",
			Request{First: new(3), Max: 3},
			position{},
			[]Response[int]{{Items: numbers(3)}, {Items: numbers(1)}},
			[]Range{{Size: 3}, {Size: 1, Offset: 3, Page: 4}},
			numbers(3), true,
			position{skip: 3},
			nil,
		},
		{
			"offset: a full page of the most, and nothing after it",
			Request{First: new(3), Max: 3},
			position{skip: 2},
			[]Response[int]{{Items: numbers(3)}, {}},
			[]Range{{Size: 3, Offset: 2}, {Size: 1, Offset: 5, Page: 6}},
			numbers(3), false,
			position{skip: 5},
			nil,
		},
		{
			"offset: a total",
			Request{First: new(2), ReportsMore: true},
			position{skip: 2},
			[]Response[int]{{Items: numbers(2), Total: new(int64(4))}},
			[]Range{{Size: 2, Offset: 2}},
			numbers(2), false,
			position{skip: 4},
			new(int64(4)),
		},
		{
			"offset: more wins over a total",
			Request{First: new(2), ReportsMore: true},
			position{},
			[]Response[int]{{Items: numbers(2), Total: new(int64(2)), HasMore: new(true)}},
			[]Range{{Size: 2}},
			numbers(2), true,
			position{skip: 2},
			new(int64(2)),
		},
		{
			"offset: an item in hand wins over both",
			Request{First: new(2)},
			position{},
			[]Response[int]{{Items: numbers(3), Total: new(int64(1)), HasMore: new(false)}},
			[]Range{{Size: 3}},
			numbers(2), true,
			position{skip: 2},
			new(int64(1)),
		},
		{
			"offset: told to tell, and does not",
			Request{First: new(2), ReportsMore: true},
			position{},
			[]Response[int]{{Items: numbers(2)}, {}},
			[]Range{{Size: 2}, {Size: 1, Offset: 2, Page: 3}},
			numbers(2), false,
			position{skip: 2},
			nil,
		},
		{
			"offset: a negative total is none",
			Request{First: new(2), ReportsMore: true},
			position{},
			[]Response[int]{{Items: numbers(2), Total: new(int64(-1))}, {Items: numbers(1)}},
			[]Range{{Size: 2}, {Size: 1, Offset: 2, Page: 3}},
			numbers(2), true,
			position{skip: 2},
			nil,
		},
		{
			"offset: far more than asked for",
			Request{First: new(2)},
			position{},
			[]Response[int]{{Items: numbers(900)}},
			[]Range{{Size: 3}},
			numbers(2), true,
			position{skip: 2},
			nil,
		},
		{
			"offset: fewer than there are",
			Request{First: new(5), ReportsMore: true},
			position{},
			[]Response[int]{{Items: numbers(2), Total: new(int64(9))}},
			[]Range{{Size: 5}},
			numbers(2), true,
			position{skip: 2},
			new(int64(9)),
		},
		{
			"offset: nothing, and so nothing to go on from",
			Request{First: new(2), ReportsMore: true},
			position{skip: 2},
			[]Response[int]{{HasMore: new(true)}},
			[]Range{{Size: 2, Offset: 2}},
			[]int{},
			false,
			position{},
			nil,
		},
		{
			"offset: the total alone",
			Request{First: new(0), WantsTotal: true},
			position{},
			[]Response[int]{{Items: numbers(1), Total: new(int64(9))}},
			[]Range{{Size: 1}},
			[]int{},
			false,
			position{},
			new(int64(9)),
		},

		{
			"pages: on a border, the last and full",
			Request{Type: PageNumber, First: new(2)},
			position{skip: 4},
			[]Response[int]{{Items: numbers(2)}},
			[]Range{{Size: 4, Offset: 4, Page: 2}},
			numbers(2), false,
			position{skip: 6},
			nil,
		},
		{
			"pages: the first, one more to see",
			Request{Type: PageNumber, First: new(2)},
			position{},
			[]Response[int]{{Items: numbers(3)}},
			[]Range{{Size: 3, Page: 1}},
			numbers(2), true,
			position{skip: 2},
			nil,
		},
		{
			"pages: the second within a longer page",
			Request{Type: PageNumber, First: new(2)},
			position{skip: 2},
			[]Response[int]{{Items: numbers(5)}},
			[]Range{{Size: 5, Page: 1}},
			[]int{2, 3},
			true,
			position{skip: 4},
			nil,
		},
		{
			"pages: the most, the last and full",
			Request{Type: PageNumber, First: new(2), Max: 2},
			position{skip: 4},
			[]Response[int]{{Items: numbers(2)}, {}},
			[]Range{{Size: 2, Offset: 4, Page: 3}, {Size: 1, Offset: 6, Page: 7}},
			numbers(2), false,
			position{skip: 6},
			nil,
		},
		{
			"pages: the most, with others behind",
			Request{Type: PageNumber, First: new(2), Max: 2, FirstPage: new(0)},
			position{},
			[]Response[int]{{Items: numbers(2)}, {Items: numbers(1)}},
			[]Range{{Size: 2}, {Size: 1, Offset: 2, Page: 2}},
			numbers(2), true,
			position{skip: 2},
			nil,
		},
		{
			"pages: beyond the total, since the service's pages are shorter",
			Request{Type: PageNumber, First: new(5), ReportsMore: true},
			position{skip: 10},
			[]Response[int]{{Items: numbers(2), Total: new(int64(9))}},
			[]Range{{Size: 5, Offset: 10, Page: 3}},
			numbers(2), true,
			position{skip: 15},
			new(int64(9)),
		},
		{
			"pages: counted from 0",
			Request{Type: PageNumber, First: new(2), FirstPage: new(0)},
			position{},
			[]Response[int]{{Items: numbers(1)}},
			[]Range{{Size: 3}},
			numbers(1), false,
			position{skip: 1},
			nil,
		},
		{
			"pages: between borders",
			Request{Type: PageNumber, First: new(3), Max: 3},
			position{skip: 4},
			[]Response[int]{{Items: numbers(3)}, {Items: numbers(3)}},
			[]Range{{Size: 3, Offset: 3, Page: 2}, {Size: 3, Offset: 6, Page: 3}},
			[]int{1, 2, 0},
			true,
			position{skip: 7},
			nil,
		},
		{
			"pages: the second ends as wanted",
			Request{Type: PageNumber, First: new(3), Max: 3},
			position{skip: 4},
			[]Response[int]{{Items: numbers(3)}, {Items: numbers(1)}},
			[]Range{{Size: 3, Offset: 3, Page: 2}, {Size: 3, Offset: 6, Page: 3}},
			[]int{1, 2, 0},
			false,
			position{skip: 7},
			nil,
		},
		{
			"pages: no second where the first ends",
			Request{Type: PageNumber, First: new(3), Max: 3},
			position{skip: 4},
			[]Response[int]{{Items: numbers(2)}},
			[]Range{{Size: 3, Offset: 3, Page: 2}},
			[]int{1},
			false,
			position{skip: 5},
			nil,
		},
		{
			"pages: a short one with others behind",
			Request{Type: PageNumber, First: new(3), ReportsMore: true},
			position{},
			[]Response[int]{{Items: numbers(2), Total: new(int64(9))}},
			[]Range{{Size: 3, Page: 1}},
			numbers(2), true,
			position{skip: 3},
			new(int64(9)),
		},
		{
			"pages: a second that is empty, with others behind",
			Request{Type: PageNumber, First: new(3), ReportsMore: true},
			position{skip: 4},
			[]Response[int]{{Items: numbers(3)}, {HasMore: new(true)}},
			[]Range{{Size: 3, Offset: 3, Page: 2}, {Size: 3, Offset: 6, Page: 3}},
			[]int{1, 2},
			true,
			position{skip: 9},
			nil,
		},
		{
			"pages: longer than asked for",
			Request{Type: PageNumber, First: new(2), Max: 2},
			position{},
			[]Response[int]{{Items: numbers(7), Total: new(int64(7))}},
			[]Range{{Size: 2, Page: 1}},
			numbers(2), true,
			position{skip: 2},
			new(int64(7)),
		},
		{
			"pages: both longer than asked for",
			Request{Type: PageNumber, First: new(3), Max: 3},
			position{skip: 4},
			[]Response[int]{{Items: numbers(7)}, {Items: numbers(7)}},
			[]Range{{Size: 3, Offset: 3, Page: 2}, {Size: 3, Offset: 6, Page: 3}},
			[]int{1, 2, 0},
			true,
			position{skip: 7},
			nil,
		},
		{
			"pages: nothing, and so nothing to go on from",
			Request{Type: PageNumber, First: new(2), ReportsMore: true},
			position{skip: 2},
			[]Response[int]{{HasMore: new(true)}},
			[]Range{{Size: 2, Offset: 2, Page: 2}},
			[]int{},
			false,
			position{},
			nil,
		},
		{
			"pages: the total alone",
			Request{Type: PageNumber, First: new(0), WantsTotal: true},
			position{},
			[]Response[int]{{Items: numbers(1), Total: new(int64(9))}},
			[]Range{{Size: 1, Page: 1}},
			[]int{},
			false,
			position{},
			new(int64(9)),
		},

		{
			"cursor: the first page",
			Request{Type: NextCursor, First: new(2)},
			position{},
			[]Response[int]{{Items: numbers(2), NextCursor: new("n")}},
			[]Range{{Size: 2}},
			numbers(2), true,
			position{cursor: "n"},
			nil,
		},
		{
			"cursor: one although the total says that there is no more",
			Request{Type: NextCursor, First: new(2)},
			position{},
			[]Response[int]{{Items: numbers(2), NextCursor: new("n"), Total: new(int64(2))}},
			[]Range{{Size: 2}},
			numbers(2), false,
			position{skip: 2},
			new(int64(2)),
		},
		{
			"cursor: in the middle",
			Request{Type: NextCursor, First: new(2)},
			position{cursor: "m", skip: 3},
			[]Response[int]{{Items: numbers(5), NextCursor: new("n")}},
			[]Range{{Size: 5, Cursor: new("m")}},
			[]int{3, 4},
			true,
			position{cursor: "n"},
			nil,
		},
		{
			"cursor: no more than the most",
			Request{Type: NextCursor, First: new(9), Max: 10},
			position{cursor: "m", skip: 3},
			[]Response[int]{{Items: numbers(10), NextCursor: new("n")}},
			[]Range{{Size: 10, Cursor: new("m")}},
			numbers(10)[3:], true,
			position{cursor: "n"},
			nil,
		},
		{
			"cursor: the last page",
			Request{Type: NextCursor, First: new(5)},
			position{cursor: "m"},
			[]Response[int]{{Items: numbers(2)}},
			[]Range{{Size: 5, Cursor: new("m")}},
			numbers(2), false,
			position{cursor: "m", skip: 2},
			nil,
		},
		{
			"cursor: an empty one is none",
			Request{Type: NextCursor, First: new(2)},
			position{},
			[]Response[int]{{Items: numbers(2), NextCursor: new("")}},
			[]Range{{Size: 2}},
			numbers(2), false,
			position{skip: 2},
			nil,
		},
		{
			"cursor: one although there is no more",
			Request{Type: NextCursor, First: new(2)},
			position{},
			[]Response[int]{{Items: numbers(2), NextCursor: new("n"), HasMore: new(false)}},
			[]Range{{Size: 2}},
			numbers(2), false,
			position{skip: 2},
			nil,
		},
		{
			"cursor: more without one",
			Request{Type: NextCursor, First: new(2)},
			position{},
			[]Response[int]{{Items: numbers(2), HasMore: new(true)}},
			[]Range{{Size: 2}},
			numbers(2), false,
			position{skip: 2},
			nil,
		},
		{
			"cursor: the same again",
			Request{Type: NextCursor, First: new(2)},
			position{cursor: "m"},
			[]Response[int]{{Items: numbers(2), NextCursor: new("m")}},
			[]Range{{Size: 2, Cursor: new("m")}},
			numbers(2), false,
			position{cursor: "m", skip: 2},
			nil,
		},
		{
			"cursor: more than asked for",
			Request{Type: NextCursor, First: new(2)},
			position{},
			[]Response[int]{{Items: numbers(7), NextCursor: new("n")}},
			[]Range{{Size: 2}},
			numbers(2), true,
			position{skip: 2},
			nil,
		},
		{
			"cursor: an empty page before others",
			Request{Type: NextCursor, First: new(2)},
			position{cursor: "m"},
			[]Response[int]{{NextCursor: new("n")}},
			[]Range{{Size: 2, Cursor: new("m")}},
			[]int{},
			true,
			position{cursor: "n"},
			nil,
		},
		{
			"cursor: behind the most",
			Request{Type: NextCursor, First: new(2), Max: 4},
			position{cursor: "m", skip: 5},
			[]Response[int]{{Items: numbers(4), NextCursor: new("n")}},
			[]Range{{Size: 4, Cursor: new("m")}},
			[]int{},
			true,
			position{cursor: "n", skip: 1},
			nil,
		},
		{
			"cursor: the total alone",
			Request{Type: NextCursor, First: new(0), WantsTotal: true},
			position{},
			[]Response[int]{{Items: numbers(1), NextCursor: new("n"), Total: new(int64(9))}},
			[]Range{{Size: 1}},
			[]int{},
			false,
			position{},
			new(int64(9)),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := withKey(t)
			c.request.Field = "Query.f"
			sealing, _ := newCursors(ctx, c.request)
			if c.after != (position{}) {
				c.request.After = new(sealing.seal(c.after))
			}
			var asked []Range
			conn, err := Load(ctx, c.request, func(_ context.Context, at Range) (Response[int], error) {
				asked = append(asked, at)
				return c.responses[len(asked)-1], nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.asked, asked); diff != "" {
				t.Errorf("asked: %s", diff)
			}
			want := Connection[int]{Items: c.items, HasNext: c.next, HasPrevious: c.after != (position{}), Total: c.total, Cursors: conn.Cursors}
			if len(c.items) > 0 {
				want.Start = &conn.Cursors[0]
			}
			if c.end != (position{}) {
				want.End = new(sealing.seal(c.end))
			}
			if diff := cmp.Diff(want, conn, cmpopts.IgnoreUnexported(conn)); diff != "" {
				t.Error(diff)
			}
			if len(conn.Cursors) != len(conn.Items) || conn.End != nil && len(conn.Items) > 0 && conn.Cursors[len(conn.Items)-1] != *conn.End {
				t.Errorf("cursors %q end with %q", conn.Cursors, *conn.End)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	broken := errors.New("broken")
	for _, how := range types {
		_, err := Load(withKey(t), Request{Field: "Query.f", Type: how}, func(context.Context, Range) (Response[int], error) {
			return Response[int]{}, broken
		})
		if !errors.Is(err, broken) {
			t.Error(how, err)
		}
	}
	if _, err := Load(t.Context(), Request{}, newPagedService(1).offset); err == nil || fault.CodeOf(err) != fault.Internal || !strings.Contains(err.Error(), "WithKey") {
		t.Error("without a key:", err)
	}
	for length, wrong := range map[int]bool{maxServiceCursor: false, maxServiceCursor + 1: true} {
		conn, err := Load(withKey(t), Request{Field: "Query.f", Type: NextCursor, First: new(1)}, func(context.Context, Range) (Response[int], error) {
			return Response[int]{Items: []int{1}, NextCursor: new(strings.Repeat("x", length))}, nil
		})
		if wrong != (fault.CodeOf(err) == fault.DownstreamService) || !wrong && len(*conn.End) > maxCursor {
			t.Error(length, err)
		}
	}
}

// A failure of the second call fails the page.
func TestSecondPageFails(t *testing.T) {
	ctx := withKey(t)
	p := newPagedService(9)
	first, err := Load(ctx, Request{Field: "Query.f", Type: PageNumber, First: new(2)}, p.page)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	conn, err := Load(ctx, Request{Field: "Query.f", Type: PageNumber, First: new(3), Max: 3, After: first.End}, func(ctx context.Context, at Range) (Response[*int], error) {
		if at.Page == 2 {
			return Response[*int]{}, broken
		}
		return p.page(ctx, at)
	})
	if !errors.Is(err, broken) || conn.Items != nil {
		t.Error(conn, err)
	}
}

// visitor reads a whole list page by page, with another number of items each time.
type visitor struct {
	*pagedService
	request Request
	random  *rand.Rand
	ctx     context.Context
	seen    []*int
	cursors []string
}

// Whatever the way to page, the sizes and what the service sends: each item comes once and in
// order, in as few calls as possible, and the end is known where it can be known.
func TestEveryItemOnce(t *testing.T) {
	ctx := withKey(t)
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 1))
		p := newPagedService(random.IntN(60))
		p.total, p.more, p.last, p.from = random.IntN(2) == 0, random.IntN(2) == 0, random.IntN(4), random.IntN(2)
		v := &visitor{pagedService: p, random: random, ctx: ctx, request: Request{
			Field: "Query.f", Type: types[seed%3], Max: 1 + random.IntN(20), FirstPage: &p.from, ReportsMore: (p.total || p.more) && random.IntN(2) == 0,
		}}
		if v.request.Type != PageNumber && (p.total || p.more || v.request.Type == NextCursor) && random.IntN(3) == 0 {
			p.most = 1 + random.IntN(v.request.Max)
		}
		if t.Run(fmt.Sprint(seed), v.walk); t.Failed() {
			return
		}
	}
}

func (v *visitor) walk(t *testing.T) {
	for more := true; more; {
		conn := v.step(t)
		v.seen, v.cursors = append(v.seen, conn.Items...), append(v.cursors, conn.Cursors...)
		if more = conn.HasNext; more {
			v.request.After = conn.End
		}
		if len(v.cursors) > len(v.list) {
			t.Fatalf("%d of %d items", len(v.cursors), len(v.list))
		}
	}
	if !slices.Equal(v.seen, v.list) {
		t.Errorf("%d of %d items, or not in order", len(v.seen), len(v.list))
	}
	v.anywhere(t)
}

// step requests the next page and checks what can be checked before the end of the list.
func (v *visitor) step(t *testing.T) Connection[*int] {
	before := len(v.seen)
	first := 1 + v.random.IntN(v.request.Max)
	v.request.First, v.asked = &first, nil
	conn, err := Load(v.ctx, v.request, v.fetch(v.request.Type))
	if err != nil {
		t.Fatal(err)
	}
	left := len(v.list) - before - len(conn.Items)
	if v.knows() && conn.HasNext != (left > 0) || left > 0 && !conn.HasNext {
		t.Errorf("hasNext is %v with %d items left", conn.HasNext, left)
	}
	if conn.HasPrevious != (v.request.After != nil) || len(conn.Items) > first || v.total && *conn.Total != int64(len(v.list)) {
		t.Errorf("of %d: %+v", first, conn)
	}
	v.calls(t, first, before)
	return conn
}

// knows reports whether the end can be known before an empty page comes: always, except that a
// service with cursors may send one with its last page.
func (v *visitor) knows() bool { return v.request.Type != NextCursor || v.last < 3 }

func (v *visitor) calls(t *testing.T, first, before int) {
	most := 1
	if v.request.Type == PageNumber && before%first != 0 || v.request.Type != NextCursor && !v.request.ReportsMore {
		most = 2
	}
	if v.request.Type != NextCursor && before == 0 && first < v.request.Max {
		most = 1
	}
	if len(v.asked) == 0 || len(v.asked) > most {
		t.Errorf("%d calls for %d items after %d", len(v.asked), first, before)
	}
	for _, at := range v.asked {
		if at.Size < 1 || at.Size > v.request.Max {
			t.Errorf("%d asked for at once, of at most %d", at.Size, v.request.Max)
		}
	}
}

// anywhere continues after any item, whether or not it is the last one of its page.
func (v *visitor) anywhere(t *testing.T) {
	for i, cursor := range v.cursors {
		v.request.After, v.request.First = &cursor, new(1+v.random.IntN(v.request.Max))
		conn, err := Load(v.ctx, v.request, v.fetch(v.request.Type))
		if err != nil {
			t.Fatal(err)
		}
		rest := v.list[i+1:]
		if len(conn.Items) > len(rest) || !slices.Equal(conn.Items, rest[:len(conn.Items)]) || len(rest) > 0 && len(conn.Items) == 0 && !conn.HasNext {
			t.Errorf("after item %d of %d come %d others", i, len(v.list), len(conn.Items))
		}
	}
}

// A service that filters items after paging, or sends fewer than it should, still has borders
// between pages, and no item between them is lost or repeated.
func TestShortPages(t *testing.T) {
	ctx := withKey(t)
	hidden := func(i int) bool { return i%3 == 1 || i >= 6 && i < 8 }
	service := func(_ context.Context, at Range) (a Response[int], err error) {
		for i := (at.Page - 1) * at.Size; i < min(at.Page*at.Size, 30); i++ {
			if !hidden(i) {
				a.Items = append(a.Items, i)
			}
		}
		a.Total = new(int64(30))
		return a, nil
	}
	var want, got []int
	for i := range 30 {
		if !hidden(i) {
			want = append(want, i)
		}
	}
	r := Request{Field: "Query.f", Type: PageNumber, First: new(5), ReportsMore: true}
	for {
		conn, err := Load(ctx, r, service)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, conn.Items...)
		if !conn.HasNext {
			break
		}
		r.After = conn.End
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkOf(b *testing.B) {
	ctx, p := withKey(b), newPagedService(1000)
	for _, how := range types {
		b.Run(fmt.Sprint(how), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.asked = nil
				if _, err := Load(ctx, Request{Field: "Query.f", Type: how, First: new(100)}, p.fetch(how)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Pages of many parents have no more items together than an operation may have.
func TestItemsAreSpent(t *testing.T) {
	ctx := engine.WithOperation(withKey(t), engine.Options{MaxItems: 7})
	for asked, fits := range []bool{true, true, false} {
		_, err := Load(ctx, Request{Field: "T.f", Parent: strconv.Itoa(asked), First: new(3)}, newPagedService(10).offset)
		if f, ok := errors.AsType[*fault.Error](err); fits != (err == nil) || !fits && (!ok || f.Code != fault.BadRequest) {
			t.Errorf("page %d: %v", asked, err)
		}
	}
}

// An Int holds totals of 32 bits. A larger one is an error of totalCount alone.
func TestIntTotal(t *testing.T) {
	ctx := engine.WithFaults(withKey(t), new(decode.Faults))
	type connection struct{ TotalCount *int }
	for total, fits := range map[int64]bool{0: true, math.MaxInt32: true, math.MaxInt32 + 1: false, math.MaxInt64: false} {
		conn := &connection{}
		var err error
		if conn.TotalCount, err = IntTotal(ctx, conn, &total); err != nil {
			t.Fatal(err)
		}
		faults := engine.FaultsOf(ctx).OfField(conn, "totalCount")
		if fits != (conn.TotalCount != nil && int64(*conn.TotalCount) == total) || fits != (len(faults) == 0) {
			t.Errorf("%d: %v with faults %v", total, conn.TotalCount, faults)
		}
	}
	if total, err := IntTotal(ctx, &connection{}, nil); total != nil || err != nil {
		t.Error(total, err)
	}
	if _, err := IntTotal(t.Context(), &connection{}, new(int64(math.MaxInt64))); fault.CodeOf(err) != fault.DownstreamService {
		t.Error("without a table for faults:", err)
	}
}
