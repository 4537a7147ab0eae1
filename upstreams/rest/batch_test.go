package rest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// A batch is too long if its URL or one of its headers is, wherever its keys are. A body has no such
// bound, and neither has one key alone.
func TestLengthOfBatches(t *testing.T) {
	long := []string{strings.Repeat("a", 60), strings.Repeat("b", 60)}
	for name, test := range map[string]struct {
		call *rest.Call
		want int // parts, 1 if the call can be sent
	}{
		"query":           {get("/").Query("ids", long).Batch(2, 100), 2},
		"query, exploded": {get("/").QueryExploded("id", long).Batch(2, 120), 2},
		"query within":    {get("/").Query("ids", long).Batch(2, 127), 1}, // /?ids=, a comma, 120 letters
		"query above":     {get("/").Query("ids", long).Batch(2, 126), 2},
		"path":            {get("/users/").SegmentList(long, false).Batch(2, 60), 3},
		"header":          {get("/").HeaderList("X-Ids", long, false).Batch(2, 100), 2},
		"cookie":          {get("/").Cookie("ids", long, false).Batch(2, 100), 2},
		"form":            {rest.New("POST", "/").Form(form("ids", long)).Batch(2, 100), 1},
		"one key":         {get("/").Query("ids", long[:1]).Batch(1, 10), 1},
		"many headers":    {get("/").Header("A", long[0]).Header("B", long[1]).Batch(2, 100), 1},
	} {
		err := test.call.Err()
		parts := 1
		if e, ok := errors.AsType[*rest.BatchError](err); ok {
			parts = e.SplitBatch()
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if parts != test.want {
			t.Errorf("%s: %d parts, want %d (%v)", name, parts, test.want, err)
		}
	}
}

// A service that finds a GET for several keys too long is asked for fewer. What a POST might have
// done is not done twice.
func TestRefusedLength(t *testing.T) {
	for name, test := range map[string]struct {
		call   *rest.Call
		status int
		want   int
	}{
		"414":     {get("/").Batch(3, 8000), 414, 2},
		"431":     {get("/").Batch(3, 8000), 431, 2},
		"400":     {get("/").Batch(3, 8000), 400, 1},
		"one key": {get("/").Batch(1, 8000), 414, 1},
		"no keys": {get("/"), 414, 1},
		"a POST":  {rest.New(http.MethodPost, "/").Batch(3, 8000), 414, 1},
	} {
		err := rest.StatusFault("s", test.call, &rest.Response{Status: test.status})
		if e, ok := errors.AsType[*rest.StatusError](err); !ok || e.SplitBatch() != test.want {
			t.Errorf("%s: %v is split into %d, want %d", name, err, e.SplitBatch(), test.want)
		}
	}
}

// The code of a value that does not fit its place says who can correct it.
func TestOriginOfValues(t *testing.T) {
	huge := strings.Repeat("x", 70_000)
	for name, test := range map[string]struct {
		call *rest.Call
		want fault.Code
	}{
		"a client's path":              {get("/").Segment(".."), fault.BadUserInput},
		"a service's path":             {get("/").ServiceValues().Segment(".."), fault.DownstreamService},
		"a service's missing path":     {get("/").ServiceValues().Segment(""), fault.DownstreamService},
		"a client's after a service's": {get("/").ServiceValues().Segment("1").ClientValues().Header("A", "\n"), fault.BadUserInput},
		"a service's after a client's": {get("/").Segment("1").ServiceValues().Header("A", "\n"), fault.DownstreamService},
		"a mistake of the schema":      {get("/").ServiceValues().Header("Host", "a"), fault.Internal},
		"a client's length":            {get("/").ServiceValues().Query("a", "1").ClientValues().Query("b", huge), fault.BadUserInput},
		"a service's length":           {get("/").Query("b", "1").ServiceValues().Query("a", huge), fault.DownstreamService},
		"a service's length, first":    {get("/").ServiceValues().Query("a", huge).ClientValues().Query("b", "1"), fault.DownstreamService},
		"a client's length, of both":   {get("/").ServiceValues().Query("a", huge[:30_000]).ClientValues().Query("b", huge[:40_000]), fault.BadUserInput},
		"a service's header":           {get("/").ServiceValues().Header("A", huge), fault.DownstreamService},
		"a service's cookie":           {get("/").ServiceValues().Cookie("A", huge, false), fault.DownstreamService},
	} {
		if got := fault.CodeOf(test.call.Err()); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func form(name string, v any) encode.Object { return encode.Object{{Name: name, Value: v}} }
