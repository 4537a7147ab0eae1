package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/internal/proc"
)

// replicas is how many replicas the sources users and products have.
const replicas = 3

// secret signs the tokens. Only the laboratory's own gateways accept them.
const secret = "the key of the fault laboratory, of 32 bytes or more"

// lab starts gateways and has the report.
type lab struct {
	options options
	folder  string // for the program and settings; removed at the end
	program string
	token   string
	report  *report
}

// newLab builds the gateway, unless the options name one.
func newLab(ctx context.Context, o options) (*lab, error) {
	folder, err := os.MkdirTemp("", "faults")
	if err != nil {
		return nil, err
	}
	l := &lab{options: o, folder: folder, program: o.gateway, report: newReport(os.Stdout)}
	if err := l.prepare(ctx); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *lab) close() { _ = os.RemoveAll(l.folder) }

func (l *lab) prepare(ctx context.Context) error {
	if l.program == "" {
		l.program = filepath.Join(l.folder, "gateway")
		fmt.Fprintln(os.Stderr, "building the gateway")
		if text, err := exec.CommandContext(ctx, "go", "build", "-o", l.program, ".").CombinedOutput(); err != nil {
			return fmt.Errorf("the gateway cannot be built; run this in the root of the repository: %w\n%s", err, text)
		}
	}
	token := exec.CommandContext(ctx, l.program, "token", "--subject", "U-1", "--ttl", "24h", "--role", "admin",
		"--scope", "users:read", "--scope", "users:write", "--scope", "orders:read", "--scope", "orders:write")
	token.Env = append(os.Environ(), "GATEWAY_DEMO_SECRET="+secret)
	text, err := token.Output()
	if err != nil {
		return fmt.Errorf("the gateway makes no token: %w", err)
	}
	l.token = strings.TrimSpace(string(text))
	return nil
}

// settings are those of a source, by their names in gateway.yaml.
type settings map[string]any

// plan says how the services and the gateway of a setup are started.
type plan struct {
	// users and products are further settings of these sources.
	users, products settings
	// service configures the replica of a source; the first has the number 0. Default: none.
	service func(source string, replica int) faulty.Options
	// replicas is how many replicas each source has. Default replicas.
	replicas int
}

// setup is a running gateway before running services.
type setup struct {
	*client
	gateway         *proc.Process
	users, products []*faulty.Server
	orders          *faulty.Server
	folder          string
	log             *os.File // nil if it is not kept
}

// start starts services and a gateway before them. The caller stops the setup.
func (l *lab) start(ctx context.Context, p plan) (*setup, error) {
	if p.replicas == 0 {
		p.replicas = replicas
	}
	s := &setup{}
	err := s.startServices(p)
	if err == nil {
		err = l.startGateway(ctx, s, p)
	}
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *setup) startServices(p plan) (err error) {
	start := func(source string, replica int) *faulty.Server {
		var o faulty.Options
		if p.service != nil {
			o = p.service(source, replica)
		}
		server, e := faulty.Start(faulty.Service(), o)
		err = errors.Join(err, e)
		return server
	}
	for i := range p.replicas {
		s.users = append(s.users, start("users", i))
		s.products = append(s.products, start("products", i))
	}
	s.orders = start("orders", 0)
	return err
}

// startGateway writes the settings and starts the gateway with them.
func (l *lab) startGateway(ctx context.Context, s *setup, p plan) (err error) {
	if s.folder, err = os.MkdirTemp(l.folder, "setup"); err != nil {
		return err
	}
	address, err := proc.FreeAddress()
	if err != nil {
		return err
	}
	if err := l.writeSettings(s, p, address); err != nil {
		return err
	}
	cmd := exec.Command(l.program, "--config", s.settingsFile())
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if l.options.logs != "" {
		if s.log, err = os.CreateTemp(l.options.logs, "gateway*.log"); err != nil {
			return err
		}
		cmd.Stdout, cmd.Stderr = s.log, s.log
	}
	s.gateway, err = proc.Start(ctx, "the gateway", address, cmd)
	if err != nil {
		return fmt.Errorf("%w: %.1000s", err, output.String())
	}
	s.client = newClient("http://"+address+"/graphql", l.token, s.addresses())
	return nil
}

func (s *setup) settingsFile() string { return filepath.Join(s.folder, "gateway.yaml") }

// writeSettings writes gateway.yaml. JSON is YAML, too.
func (l *lab) writeSettings(s *setup, p plan, address string) error {
	level := "error"
	if l.options.logs != "" {
		level = "info"
	}
	users := settings{"urls": urls(s.users), "forward": []string{"Authorization"}}
	products := settings{"urls": urls(s.products)}
	orders := settings{"urls": urls([]*faulty.Server{s.orders}), "forward": []string{"Authorization"}}
	for _, source := range []settings{users, products, orders} {
		if l.options.set == "" {
			break
		}
		if err := json.Unmarshal([]byte(l.options.set), &source); err != nil {
			return fmt.Errorf("-set: %w", err)
		}
	}
	maps.Copy(users, p.users)
	maps.Copy(products, p.products)
	text, err := json.MarshalIndent(map[string]any{
		"listen":  address,
		"log":     settings{"level": level, "format": "json"},
		"metrics": settings{"public": true},
		"auth": settings{"rolesClaim": "roles", "issuers": []settings{{
			"issuer": "gatehouse-demo", "audiences": []string{"shop"}, "algorithms": []string{"HS256"}, "secret": secret,
		}}},
		"cursors": settings{"secret": secret},
		"sources": map[string]settings{"users": users, "products": products, "orders": orders},
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(s.settingsFile(), text, 0o600)
}

func urls(servers []*faulty.Server) (list []string) {
	for _, s := range servers {
		list = append(list, s.URL())
	}
	return list
}

// all returns all servers.
func (s *setup) all() (list []*faulty.Server) {
	for _, server := range append(append([]*faulty.Server{s.orders}, s.users...), s.products...) {
		if server != nil {
			list = append(list, server)
		}
	}
	return list
}

// addresses returns the hosts and ports of all servers.
func (s *setup) addresses() (list []string) {
	for _, server := range s.all() {
		list = append(list, server.Address())
	}
	return list
}

// stop ends the gateway, then the services.
func (s *setup) stop() {
	if s.client != nil {
		s.client.close()
	}
	for _, server := range s.all() { // so that hanging calls do not delay the gateway's end
		_ = server.Play(faulty.Fault{Mode: faulty.Refuse})
	}
	if s.gateway != nil {
		s.gateway.Stop()
	}
	for _, server := range s.all() {
		server.Close()
	}
	if s.log != nil {
		_ = s.log.Close()
	}
}

// play has servers play a fault.
func play(f faulty.Fault, servers ...*faulty.Server) error {
	var err error
	for _, s := range servers {
		err = errors.Join(err, s.Play(f))
	}
	return err
}

// heal makes servers healthy.
func heal(servers ...*faulty.Server) error { return play(faulty.Fault{}, servers...) }

// reset sets the counts of all servers to zero.
func (s *setup) reset() {
	for _, server := range s.all() {
		server.Reset()
	}
}

// calls returns how many calls the servers had in all. In a mode in which no call can be read, each
// connection is one.
func calls(servers ...*faulty.Server) (n int) {
	for _, s := range servers {
		c := s.Counts()
		if total := c.Total(); total > 0 {
			n += total
		} else {
			n += c.Connections
		}
	}
	return n
}

// alive reports whether the gateway responds to a health check within a second.
func (s *setup) alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.gateway.Address+"/healthz", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// pause waits, or returns the error of ctx if it ends earlier.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
