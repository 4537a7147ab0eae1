//go:build unix

package http1_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/http1"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// startServer starts a server in a process of its own, and returns its URL.
func startServer(b *testing.B) string {
	b.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), serverFor+"=1")
	in, err := child.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); child.Wait() })
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(url)
}

// cpu returns the CPU time of this process so far.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measured runs call by 64 concurrent callers, and reports the CPU time of all threads.
func measured(b *testing.B, call func() error) {
	b.SetParallelism(64 / runtime.GOMAXPROCS(0))
	b.ReportAllocs()
	before := cpu(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := call(); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
}

func transports() map[string]transport {
	return map[string]transport{
		"http1":   http1.New(http1.Options{MaxIdle: 64, MaxConns: 512}),
		"nethttp": &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 512},
	}
}

// BenchmarkRoundTrip measures a call over a reused connection, with the server in another
// process.
func BenchmarkRoundTrip(b *testing.B) {
	url := startServer(b)
	for _, size := range []string{"29kB", "300B"} {
		for name, t := range transports() {
			b.Run(size+"/"+name, func(b *testing.B) {
				defer t.CloseIdleConnections()
				measured(b, func() error {
					req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url+"/"+size, nil)
					if err != nil {
						return err
					}
					resp, err := t.RoundTrip(req)
					if err != nil {
						return err
					}
					defer resp.Body.Close()
					_, err = io.Copy(io.Discard, resp.Body)
					return err
				})
			})
		}
	}
}

// BenchmarkRest measures the same through rest.Client, as in the gateway.
func BenchmarkRest(b *testing.B) {
	url := startServer(b)
	for _, size := range []string{"29kB", "300B"} {
		for name, t := range transports() {
			b.Run(size+"/"+name, func(b *testing.B) {
				defer t.CloseIdleConnections()
				client := rest.Client{Service: strings.TrimPrefix(url, "http://"), Transport: t, Timeout: 10 * time.Second}
				measured(b, func() error {
					answer, err := client.Do(b.Context(), rest.New(http.MethodGet, "/"+size))
					if err == nil {
						answer.Release()
					}
					return err
				})
			})
		}
	}
}
