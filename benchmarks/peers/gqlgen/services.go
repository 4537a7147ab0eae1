package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/graph-gophers/dataloader/v7"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/peers/gqlgen/graph/model"
)

// services calls the services, over enough connections for all clients of the benchmarks.
type services struct {
	url    string
	client *http.Client
}

func newServices(url string) *services {
	return &services{url: url, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

// get fetches a path and decodes the response.
func get[T any](ctx context.Context, s *services, path string) (T, error) {
	var value T
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return value, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return value, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return value, fmt.Errorf("%s: %s", path, resp.Status)
	}
	err = json.NewDecoder(resp.Body).Decode(&value)
	return value, err
}

type loader = *dataloader.Loader[int, *model.User]

type loaderKey struct{}

func loaderOf(ctx context.Context) loader { return ctx.Value(loaderKey{}).(loader) }

// newLoader returns a loader that collects users for one millisecond. The default of 16 ms
// would only add latency.
func (s *services) newLoader() loader {
	return dataloader.NewBatchedLoader(s.users, dataloader.WithWait[int, *model.User](time.Millisecond))
}

var errNoUser = errors.New("there is no such user")

// users fetches users in one call, in the order of their ids.
func (s *services) users(ctx context.Context, ids []int) []*dataloader.Result[*model.User] {
	query := url.Values{}
	for _, id := range ids {
		query.Add("id", strconv.Itoa(id))
	}
	users, err := get[[]*model.User](ctx, s, "/users?"+query.Encode())
	byID := make(map[int]*model.User, len(users))
	for _, u := range users {
		byID[u.ID] = u
	}
	results := make([]*dataloader.Result[*model.User], len(ids))
	for i, id := range ids {
		results[i] = &dataloader.Result[*model.User]{Data: byID[id], Error: err}
		if err == nil && byID[id] == nil {
			results[i].Error = errNoUser
		}
	}
	return results
}
