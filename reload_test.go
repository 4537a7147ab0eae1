package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a gateway in a process of its own, whose settings are a ConfigMap as Kubernetes mounts it.
type process struct {
	t       *testing.T
	url     string
	cmd     *exec.Cmd
	folder  string // of the ConfigMap
	version int

	mu  sync.Mutex
	log strings.Builder // guarded by mu
}

// TestMain is the gateway itself in the processes that startProcess starts.
func TestMain(m *testing.M) {
	if args := os.Getenv("BE_THE_GATEWAY"); args != "" {
		os.Args = append([]string{"gateway"}, strings.Fields(args)...)
		main()
	}
	m.Run()
}

// startProcess starts a gateway with settings and further arguments, and stops it when the test ends.
func startProcess(t *testing.T, settings string, args ...string) *process {
	t.Helper()
	p := &process{t: t, folder: t.TempDir()}
	p.write(settings)
	if err := os.Symlink("..data/gateway.yaml", p.file()); err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), "BE_THE_GATEWAY=--config "+p.file()+" "+strings.Join(args, " "), "LEVEL=info")
	p.cmd.Dir = t.TempDir()
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	serving := make(chan string, 1)
	var reading sync.WaitGroup
	reading.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			fmt.Fprintln(p, lines.Text())
			var entry struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Msg == "serving" {
				serving <- entry.Address
			}
		}
	})
	t.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(20*time.Second, func() { _ = p.cmd.Process.Kill() })
		reading.Wait()
		if err := p.cmd.Wait(); err != nil || !kill.Stop() {
			t.Errorf("the gateway ended with %v; its log:\n%s", err, p.text())
		}
	})
	select {
	case address := <-serving:
		p.url = "http://" + address
	case <-time.After(20 * time.Second):
		t.Fatalf("the gateway did not start; its log:\n%s", p.text())
	}
	return p
}

func (p *process) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(line)
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func (p *process) file() string { return filepath.Join(p.folder, "gateway.yaml") }

// write replaces the file: by a folder with a new version, to which the link ..data then leads.
func (p *process) write(settings string) {
	p.t.Helper()
	before := filepath.Join(p.folder, fmt.Sprint("..", p.version))
	p.version++
	name := fmt.Sprint("..", p.version)
	for _, err := range []error{
		os.Mkdir(filepath.Join(p.folder, name), 0o700),
		os.WriteFile(filepath.Join(p.folder, name, "gateway.yaml"), []byte(settings), 0o600),
		os.Symlink(name, filepath.Join(p.folder, "..data_tmp")),
		os.Rename(filepath.Join(p.folder, "..data_tmp"), filepath.Join(p.folder, "..data")),
	} {
		if err != nil {
			p.t.Fatal(err)
		}
	}
	if p.version > 1 {
		if err := os.RemoveAll(before); err != nil {
			p.t.Fatal(err)
		}
	}
}

// metric returns the value of a metric.
func (p *process) metric(name string) float64 {
	p.t.Helper()
	res, err := http.Get(p.url + "/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	var value float64
	_, rest, ok := strings.Cut(string(page), "\n"+name+" ")
	if _, err := fmt.Sscan(rest, &value); !ok || err != nil {
		p.t.Fatalf("the metrics lack %s", name)
	}
	return value
}

const appliedReloads, refusedReloads = `gateway_config_reloads_total{outcome="applied"}`, `gateway_config_reloads_total{outcome="refused"}`

// await waits until a metric has reached a value.
func (p *process) await(name string, value float64) {
	p.t.Helper()
	for end := time.Now().Add(20 * time.Second); p.metric(name) < value; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("%s is %v, want %v; the log:\n%s", name, p.metric(name), value, p.text())
		}
	}
}

// query posts a query and returns the response's body.
func (p *process) query(query string) string {
	p.t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := http.Post(p.url+"/graphql", "application/json", strings.NewReader(string(body)))
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// product returns the URL of a service whose products have a name.
func product(t *testing.T, name string) string {
	t.Helper()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"sku": "a", "name": %q}`, name)
	}))
	t.Cleanup(service.Close)
	return service.URL
}

// settings returns settings with a source at url, and more of them.
func settings(url, more string) string {
	return fmt.Sprintf(`listen: 127.0.0.1:0
metrics: {public: true}
log: {format: json, level: "${LEVEL}"}
sources:
  users: {urls: [%q]}
  orders: {urls: [%q]}
  products: {urls: [%q]%s}
`, url, url, url, more)
}

const getName = `{ product(sku: "a") { name } }`

// The process follows its ConfigMap, reloads on SIGHUP and by its own command, and stays up with a bad
// file.
func TestReloadOfTheProcess(t *testing.T) {
	first, second := product(t, "first"), product(t, "second")
	p := startProcess(t, settings(first, ""))
	want := func(name string) {
		t.Helper()
		if got := p.query(getName); !strings.Contains(got, `"name":"`+name+`"`) {
			t.Errorf("%s, want %s", got, name)
		}
	}
	want("first")
	p.write(settings(second, ""))
	p.await(appliedReloads, 1)
	want("second")
	p.write(settings(first, ", timeot: 1s"))
	p.await(refusedReloads, 1)
	want("second")
	if log := p.text(); !strings.Contains(log, `gateway.yaml:7:`) || !strings.Contains(log, `did you mean \"timeout\"?`) {
		t.Errorf("the log lacks the place and the reason:\n%s", log)
	}
	p.write(settings(first, ""))
	p.await(appliedReloads, 2)
	want("first")

	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.await(appliedReloads, 3)
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), fmt.Sprintf("BE_THE_GATEWAY=reload --pid %d", p.cmd.Process.Pid))
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.await(appliedReloads, 4)
	want("first")
	if log := p.text(); strings.Contains(log, `"level":"WARN"`) && strings.Contains(log, "need a restart") {
		t.Errorf("a setting from the environment seems to have changed:\n%s", log)
	}
}

// With --demo the sources stay those of the demo.
func TestReloadOfTheDemo(t *testing.T) {
	p := startProcess(t, "listen: 127.0.0.1:0\nlog: {format: json}\nlimits: {depth: 9}\n", "--demo")
	const deep = `{ product(sku: "B-100") { category { name } } }`
	if got := p.query(deep); strings.Contains(got, "errors") {
		t.Fatal(got)
	}
	p.write("listen: 127.0.0.1:0\nlog: {format: json}\nlimits: {depth: 2}\nsources: {products: {urls: [http://127.0.0.1:1], timeout: 3s}}\n")
	p.await(appliedReloads, 1)
	if got := p.query(deep); !strings.Contains(got, "MAX_DEPTH_LIMIT") {
		t.Error(got)
	}
	if got := p.query(`{ product(sku: "B-100") { sku } }`); strings.Contains(got, "errors") {
		t.Errorf("after the reload: %s", got)
	}
}

// Two hundred reloads leave no goroutines and no descriptors behind.
func TestManyReloads(t *testing.T) {
	first, second := product(t, "first"), product(t, "second")
	p := startProcess(t, settings(first, ""))
	reload := func(n int) {
		t.Helper()
		applied := p.metric(appliedReloads)
		for i := range n {
			url := first
			if i%2 == 1 {
				url = second
			}
			p.write(settings(url, fmt.Sprintf(", connectTimeout: %dms, timeout: %ds", 1000+i%3, 5+i%2))) // another source each time
			if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			for applied++; p.metric(appliedReloads) < applied; {
				time.Sleep(time.Millisecond)
			}
			if got := p.query(getName); !strings.Contains(got, `"name"`) {
				t.Fatal(got)
			}
		}
	}
	measure := func() (goroutines, descriptors float64) {
		time.Sleep(200 * time.Millisecond) // for the connections of the last source
		return p.metric("go_goroutines"), p.metric("process_open_fds")
	}
	reload(5)
	goroutines, descriptors := measure()
	const few = 3 // idle connections of this test come and go; a leak of one in each reload is 200
	reload(200)
	for end := time.Now().Add(10 * time.Second); ; {
		nowGoroutines, nowDescriptors := measure()
		if nowGoroutines <= goroutines*1.1+few && nowDescriptors <= descriptors*1.1+few {
			t.Logf("goroutines %v, then %v; descriptors %v, then %v", goroutines, nowGoroutines, descriptors, nowDescriptors)
			return
		}
		if time.Now().After(end) {
			t.Fatalf("goroutines %v, then %v; descriptors %v, then %v", goroutines, nowGoroutines, descriptors, nowDescriptors)
		}
	}
}
