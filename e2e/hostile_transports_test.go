package e2e

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	trusted "github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/listen"
	"github.com/gatehouse-graphql/gatehouse/internal/testcert"
)

// Bounds on all hostile queries together, over all transports.
const (
	// refusedWithin is the 95th percentile of the time that a refusal may take.
	refusedWithin = time.Second
	// servedWithin is the 95th percentile of the time that a request of another client may take meanwhile.
	servedWithin = 100 * time.Millisecond
	// maxGrowth bounds the memory that the process may take from the system in addition.
	maxGrowth = 300 << 20
)

// hostileClient is a client that speaks one version of HTTP, with or without TLS.
type hostileClient struct {
	name   string
	base   string
	major  int // version of HTTP
	client *http.Client
}

// connect returns a client of HTTP/1.1, or of HTTP/2 alone. authority is nil for plain HTTP.
func connect(t *testing.T, g *gatewayUnderTest, major int, authority *testcert.Authority) hostileClient {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(major == 1)
	protocols.SetHTTP2(major == 2 && authority != nil)
	protocols.SetUnencryptedHTTP2(major == 2 && authority == nil)
	transport := &http.Transport{Protocols: protocols}
	c := hostileClient{name: fmt.Sprintf("HTTP/%d", major), base: g.URL, major: major, client: &http.Client{Transport: transport}}
	if authority != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: authority.Pool()}
		c.name, c.base = c.name+" over TLS", strings.Replace(g.URL, "http://", "https://", 1)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return c
}

// send sends a request, with a body of JSON unless it is a GET.
func (c hostileClient) send(t *testing.T, method, path, body string) *response {
	t.Helper()
	r, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/graphql-response+json")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := c.client.Do(r)
	if err != nil {
		t.Errorf("%s: %v", c.name, err)
		return &response{}
	}
	if res.ProtoMajor != c.major {
		t.Errorf("the response came over %s, want %s", res.Proto, c.name)
	}
	return readResponse(t, res)
}

// sending is a way to send a query, which may be impossible for some.
type sending struct {
	name string
	send func(t *testing.T, c hostileClient, q hostileQuery) *response // nil if the query cannot be sent like that
}

// byPost and byGet send the text.
var (
	byPost = sending{"POST", func(t *testing.T, c hostileClient, q hostileQuery) *response {
		return c.send(t, http.MethodPost, "/graphql", requestBody(q.query))
	}}
	byGet = sending{"GET", func(t *testing.T, c hostileClient, q hostileQuery) *response {
		path := "/graphql?query=" + url.QueryEscape(q.query)
		if len(path) < 60_000 {
			return c.send(t, http.MethodGet, path, "")
		}
		if c.major == 1 { // the client of HTTP/2 does not even send a header that is too large
			if a := c.send(t, http.MethodGet, path, ""); len(path) > 70_000 && (a.Status != http.StatusRequestHeaderFieldsTooLarge || len(a.Body) > small) {
				t.Errorf("a URL of %d bytes: got %d %.300s", len(path), a.Status, a.Body)
			}
		}
		return nil
	}}
	byPath = sending{"GET by id in the path", func(t *testing.T, c hostileClient, q hostileQuery) *response {
		return c.send(t, http.MethodGet, "/graphql/"+trusted.Hash(q.query), "")
	}}
	byID = sending{"POST of documentId", func(t *testing.T, c hostileClient, q hostileQuery) *response {
		return c.send(t, http.MethodPost, "/graphql", fmt.Sprintf(`{"documentId":"sha256:%s"}`, trusted.Hash(q.query)))
	}}
	byRegistration = sending{"registration of a persisted query", func(t *testing.T, c hostileClient, q hostileQuery) *response {
		extensions := fmt.Sprintf(`"extensions":{"persistedQuery":{"version":1,"sha256Hash":%q}}`, trusted.Hash(q.query))
		a := c.send(t, http.MethodPost, "/graphql", strings.TrimSuffix(requestBody(q.query), "}")+","+extensions+"}")
		if after := c.send(t, http.MethodPost, "/graphql", "{"+extensions+"}"); after.codes() != "PERSISTED_QUERY_NOT_FOUND" {
			t.Errorf("the text was registered: %d %.300s", after.Status, after.Body)
		}
		return a
	}}
)

// A hostile query has the same short refusal, in the same short time, whichever way it comes: as a text or as the
// id of a document in a manifest, over HTTP/1.1 and HTTP/2, with and without TLS. It cannot be registered as a
// persisted query. Meanwhile another client is served, and the memory stays within its bound.
func TestHostileQueriesOverEachTransport(t *testing.T) {
	queries := hostileQueries()
	registering := newGateway(t, func(c *config.Config) { c.Documents.APQ.Enabled = true })

	authority := testcert.NewAuthority(t, "authority")
	folder := t.TempDir()
	files := listen.Certificate{CertFile: filepath.Join(folder, "tls.crt"), KeyFile: filepath.Join(folder, "tls.key")}
	testcert.Write(t, authority.Issue(t, testcert.Options{}, "localhost", "127.0.0.1"), files.CertFile, files.KeyFile)
	manifest := map[string]string{}
	for _, q := range queries {
		manifest[trusted.Hash(q.query)] = q.query
	}
	text, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "manifest.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	listed := newGateway(t, func(c *config.Config) {
		c.TLS.Certificates = []listen.Certificate{files}
		c.Documents = trusted.Options{Mode: trusted.Log, Manifests: []trusted.Manifest{{Files: []string{path}}}}
	})
	// All but the one that is only refused because the request has no operationName are wrong when they are loaded.
	if want := fmt.Sprintf(`"wrong":%d,`, len(queries)-1); !strings.Contains(listed.Log.String(), want) {
		t.Errorf("the log lacks %s", want)
	}

	plain1, plain2 := connect(t, registering, 1, nil), connect(t, registering, 2, nil)
	secure1, secure2 := connect(t, listed, 1, authority), connect(t, listed, 2, authority)
	before := memoryOfProcess()
	var refused, served []time.Duration
	for _, way := range []struct {
		g *gatewayUnderTest
		c hostileClient
		sending
	}{
		{registering, plain1, byPost},
		{registering, plain1, byGet},
		{registering, plain1, byRegistration},
		{registering, plain2, byPost},
		{registering, plain2, byGet},
		{registering, plain2, byRegistration},
		{listed, secure1, byPost},
		{listed, secure1, byGet},
		{listed, secure1, byPath},
		{listed, secure1, byID},
		{listed, secure2, byPost},
		{listed, secure2, byGet},
		{listed, secure2, byPath},
		{listed, secure2, byID},
	} {
		t.Run(way.name+" over "+way.c.name, func(t *testing.T) {
			way.g.Shop.ResetCalls()
			for _, q := range queries {
				t.Run(q.name, func(t *testing.T) {
					canary := make(chan time.Duration)
					go func() {
						started := time.Now()
						a := way.c.send(t, http.MethodPost, "/graphql", requestBody("{__typename}"))
						if string(a.Data) != `{"__typename":"Query"}` {
							t.Errorf("another client got %d %.300s", a.Status, a.Body)
						}
						canary <- time.Since(started)
					}()
					started := time.Now()
					a := way.send(t, way.c, q)
					refused = append(refused, time.Since(started))
					served = append(served, <-canary)
					if a != nil {
						wantRefusal(t, way.g, a, http.StatusBadRequest, q.code, q.most)
					}
				})
			}
		})
	}
	if p := percentile95(refused); p > refusedWithin {
		t.Errorf("refusals took %s, want %s", p, refusedWithin)
	}
	if p := percentile95(served); p > servedWithin {
		t.Errorf("other clients waited %s, want %s", p, servedWithin)
	}
	if growth := int64(memoryOfProcess()) - int64(before); growth > maxGrowth {
		t.Errorf("the memory grew by %d MB, want %d MB", growth>>20, maxGrowth>>20)
	}
}

// percentile95 returns the time that 95 of 100 do not exceed.
func percentile95(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)*95/100]
}

// memoryOfProcess returns the bytes that the process has taken from the system and not returned yet.
func memoryOfProcess() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
