package config

import (
	"fmt"
	"log/slog"
	"maps"
	"net"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
	"github.com/gatehouse-graphql/gatehouse/store"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// checker checks decoded settings. Each part checks its own Options; here are the rules of the
// program itself, and the search for the setting that an error of a part is about.
type checker struct {
	root           *node
	mistakes       *mistakes
	decodeFindings []finding // the mistakes before the check; see isEcho
	demo           bool
	hasDemo        bool // the program offers --demo
}

// check reports what is wrong with decoded settings, and adds warnings.
func (c *Config) check(k *checker) {
	k.decodeFindings = slices.Clone(k.mistakes.findings)
	c.checkProgram(k)
	c.checkTLS(k)
	k.reportErrors(parsePath("cors"), c.CORS.Validate())
	for i, entry := range c.Blocked {
		k.reportErrors(parsePath("blocked").Item(i), entry.Validate())
	}
	k.reportErrors(parsePath("csrf"), c.CSRF.Validate())
	k.reportErrors(parsePath("hsts"), c.HSTS.Validate())
	k.reportErrors(parsePath("cursors"), page.Options(c.Cursors).Validate())
	c.checkCallers(k)
	c.checkClasses(k)
	c.checkDocuments(k)
	c.checkAdmission(k)
	k.reportErrors(parsePath("rateLimits"), c.RateLimits.Validate())
	k.reportErrors(parsePath("store"), store.Options(c.Store).Validate())
	k.reportErrors(parsePath("cost"), c.Cost.Validate())
	if !k.demo {
		c.checkIssuers(k)
		c.checkSources(k)
	}
	c.warn(k)
}

// report adds a mistake at p. It replaces the value of a variable in the text by the variable's
// name, since the variable may hold a secret that is meant for another setting.
func (k *checker) report(p yaml.Path, text string) {
	n, at := k.root.find(p)
	if isEcho(p, n != nil, k.decodeFindings) {
		return
	}
	if n != nil && len(n.variables) > 0 {
		for _, value := range []string{n.text, shorten(n.text)} {
			text = strings.ReplaceAll(text, strconv.Quote(value), n.describe())
		}
	}
	k.mistakes.add(at, p, "%s", text)
}

// checkProgram checks the settings of the program itself.
func (c *Config) checkProgram(k *checker) {
	if problem := checkListen(c.Listen); problem != "" {
		k.report(parsePath("listen"), problem)
	}
	c.checkOwnListener(k, "metrics.listen", c.Metrics.Listen, map[string]string{"listen": c.Listen})
	c.checkOwnListener(k, "admin.listen", c.Admin.Listen, map[string]string{"listen": c.Listen, "metrics.listen": c.Metrics.Listen})
	c.checkOwnListener(k, "tls.redirect", c.TLS.Redirect, map[string]string{"listen": c.Listen, "metrics.listen": c.Metrics.Listen, "admin.listen": c.Admin.Listen})
	if !slices.Contains([]string{LogAuto, LogJSON, LogText}, c.Log.Format) {
		k.report(parsePath("log.format"), fmt.Sprintf("must be auto, json or text, not %q", c.Log.Format))
	}
	if !slices.Contains([]string{"", front.CompressionGzip, front.CompressionNone}, c.Compression) {
		k.report(parsePath("compression"), fmt.Sprintf("must be gzip or none, not %q", c.Compression))
	}
	if !slices.Contains([]string{"", engine.EnginePlan, engine.EngineGqlgen}, c.Execution.Engine) {
		text := fmt.Sprintf("must be plan or gqlgen, not %q", c.Execution.Engine)
		if present, ok := renamedValues["execution.engine"][c.Execution.Engine]; ok {
			text += fmt.Sprintf("; did you mean %q? That is its name now", present)
		}
		k.report(parsePath("execution.engine"), text)
	}
	negative := map[string]bool{
		"shutdown.delay":                  c.Shutdown.Delay < 0,
		"shutdown.grace":                  c.Shutdown.Grace < 0,
		"limits.body":                     c.Limits.Body < 0,
		"execution.deadline":              c.Execution.Deadline < 0,
		"execution.maxCalls":              c.Execution.MaxCalls < 0,
		"execution.maxParallelCalls":      c.Execution.MaxParallelCalls < 0,
		"execution.maxItems":              c.Execution.MaxItems < 0,
		"execution.maxValues":             c.Execution.MaxValues < 0,
		"execution.maxBytes":              c.Execution.MaxBytes < 0,
		"http.headerTimeout":              c.HTTP.HeaderTimeout < 0,
		"http.readTimeout":                c.HTTP.ReadTimeout < 0,
		"http.writeTimeout":               c.HTTP.WriteTimeout < 0,
		"http.idleTimeout":                c.HTTP.IdleTimeout < 0,
		"http.maxHeaderBytes":             c.HTTP.MaxHeaderBytes < 0,
		"http.http2.maxConcurrentStreams": c.HTTP.HTTP2.MaxConcurrentStreams < 0,
	}
	for _, setting := range slices.Sorted(maps.Keys(negative)) {
		if negative[setting] {
			k.report(parsePath(setting), "is negative; leave it out to get the default")
		}
	}
}

// checkOwnListener checks an address that is not clients', unless it is "". others are the addresses of
// other listeners, by setting.
func (c *Config) checkOwnListener(k *checker, setting, address string, others map[string]string) {
	if address == "" {
		return
	}
	if problem := checkListen(address); problem != "" {
		k.report(parsePath(setting), problem)
		return
	}
	for _, other := range slices.Sorted(maps.Keys(others)) {
		if collide(address, others[other]) {
			k.report(parsePath(setting), fmt.Sprintf("has the port of %s; write another one", other))
			return
		}
	}
}

// collide reports whether two addresses cannot be listened on at the same time. Addresses with different
// hosts are assumed to be different.
func collide(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || isUnspecified(hostA) || isUnspecified(hostB)
}

// isUnspecified reports whether a host is every address of the machine.
func isUnspecified(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// checkListen returns what is wrong with an address to listen on, or "".
func checkListen(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Sprintf("must be host:port or :port, as \":8080\", not %q", shorten(address))
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Sprintf("has the port %q; write one from 0 to 65535, 0 meaning any that is free", shorten(port))
	}
	return ""
}

// checkTLS reports what is wrong with the settings of connections and their files.
func (c *Config) checkTLS(k *checker) {
	k.reportErrors(parsePath("tls"), c.TLS.Validate())
	for i, certificate := range c.TLS.Certificates {
		k.reportErrors(parsePath("tls.certificates").Item(i), certificate.Validate())
	}
	k.reportErrors(parsePath("proxyProtocol"), c.ProxyProtocol.Validate())
}

// checkDocuments validates the settings of documents, and reads the manifests.
func (c *Config) checkDocuments(k *checker) {
	p := parsePath("documents")
	if err := c.Documents.Validate(); err != nil {
		k.reportErrors(p, err)
		return
	}
	if c.Documents.APQ.Enabled && c.Documents.APQ.Store == documents.StoreRedis && len(c.Store.Redis.URLs) == 0 {
		k.report(p.Key("apq").Key("store"), "is redis, but there is no store.redis; write its URL there, or store: memory")
	}
	c.Warnings = append(c.Warnings, c.Documents.Warnings()...)
	if c.Documents.Mode == documents.Enforce && c.Playground {
		c.Warnings = append(c.Warnings, "the playground's operations are refused, since documents.mode is enforce; to develop, set GATEWAY_DOCUMENTS_MODE=log")
	}
	if !c.Documents.UsesManifests() {
		return
	}
	var err error
	c.Manifests, err = documents.Load(c.Documents)
	k.reportErrors(p, err)
}

// checkIssuers validates each issuer alone, so that the error of auth is about that issuer.
func (c *Config) checkIssuers(k *checker) {
	alone := auth.Options(c.Auth)
	alone.Issuers = nil
	k.reportErrors(parsePath("auth"), alone.Validate())
	seen := map[string]bool{}
	for i, issuer := range c.Auth.Issuers {
		p := issuerPath(i)
		if empty := k.emptyVariable(p.Key("secret")); empty != "" && issuer.KeyFile == "" && issuer.JWKS == "" {
			k.report(p.Key("secret"), "is empty, since "+empty)
			continue
		}
		if seen[issuer.Issuer] && issuer.Issuer != "" {
			k.report(p.Key("issuer"), fmt.Sprintf("%q is configured twice; keep one of them", issuer.Issuer))
		}
		seen[issuer.Issuer] = true
		alone.Issuers = c.Auth.Issuers[i : i+1]
		k.reportErrors(p, alone.Validate())
	}
}

// emptyVariable returns which variable left the setting at p empty, or "" if none did.
func (k *checker) emptyVariable(p yaml.Path) string {
	n, _ := k.root.find(p)
	if n == nil || n.kind != scalar || n.text != "" || len(n.variables) == 0 {
		return ""
	}
	text := fmt.Sprintf("the environment variable %s is not set; set it", n.variables[0])
	if n.variables[0] == "GATEWAY_DEMO_SECRET" {
		text += fmt.Sprintf(" to %d bytes or more, or start with --demo, which makes a key of its own", auth.MinSecret)
	}
	return text
}

// checkSources builds a client for each source, which finds its mistakes, and closes it unused.
func (c *Config) checkSources(k *checker) {
	wrong := upstreams.CheckNames(slices.Collect(maps.Keys(c.Sources)))
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		p := sourcePath(name)
		if err := wrong[name]; err != nil {
			k.report(p, err.Error())
			continue
		}
		services, err := upstreams.New(upstreams.Options{name: c.Sources[name]}, slog.New(slog.DiscardHandler))
		if err == nil {
			services.Close()
		}
		k.reportErrors(p, err)
	}
}

// reportErrors reports each of the joined errors that a part returned about the block at p.
func (k *checker) reportErrors(p yaml.Path, err error) {
	if err == nil {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			k.reportErrors(p, one)
		}
		return
	}
	text := partPrefix.ReplaceAllString(err.Error(), "")
	at, text := k.locate(p, text)
	k.report(at, text)
}

var (
	// partPrefix is how parts name themselves and the block, which the place of a mistake shows.
	partPrefix = regexp.MustCompile(`^(auth: |front: |source "[^"]*": |issuer ("(\\.|[^"\\])*"|number \d+): )+`)
	// settingPrefix is the setting with which an error of a part begins.
	settingPrefix = regexp.MustCompile(`^(?:the )?([a-zA-Z.]+)(?:\[(\d+)\])?:? `)
)

// locate returns the path of the setting with which text begins and the rest of the text, or its
// arguments if text does not begin with a setting of the block at p.
func (k *checker) locate(p yaml.Path, text string) (yaml.Path, string) {
	match := settingPrefix.FindStringSubmatch(text)
	if match == nil {
		return p, text
	}
	finer := append(slices.Clone(p), parsePath(match[1])...)
	if typeAt(reflect.TypeFor[Config](), finer) == nil {
		return p, text
	}
	if index, err := strconv.Atoi(match[2]); err == nil {
		finer = finer.Item(index)
	}
	return finer, text[len(match[0]):]
}

// typeAt returns the type of the setting at p within t, or nil if there is none.
func typeAt(t reflect.Type, p yaml.Path) reflect.Type {
	for _, s := range p {
		switch {
		case t.Kind() == reflect.Map, t.Kind() == reflect.Slice:
			t = t.Elem()
			continue
		case t.Kind() != reflect.Struct || kindOf(t) != mapping:
			return nil
		}
		at := slices.IndexFunc(fieldsOf(t), func(f field) bool { return f.name == s.Name })
		if at < 0 {
			return nil
		}
		t = fieldsOf(t)[at].typ
	}
	return t
}

// warn adds warnings about what is unusual but may be intended.
func (c *Config) warn(k *checker) {
	for i, entry := range c.Blocked {
		if entry.Ended(time.Now()) {
			c.Warnings = append(c.Warnings, fmt.Sprintf("blocked[%d].until has passed, so that the entry blocks nothing any more; remove it, or write a later time", i))
		}
	}
	if len(c.Sources) == 0 && !k.demo {
		warning := "no sources are configured, so the graph has no service to ask; write them into gateway.yaml"
		if k.hasDemo {
			warning += ", or start with --demo"
		}
		c.Warnings = append(c.Warnings, warning)
	}
}
