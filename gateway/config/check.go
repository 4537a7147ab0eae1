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

	"github.com/jub0bs/cors/cfgerrors"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// checker looks at what the settings mean. The rules of a part are the part's own, and
// asked of it; here are those of the program itself, and the finding of the place to
// which a complaint belongs.
type checker struct {
	root     *node
	mistakes *mistakes
	shape    []located // what could not even be read: more about it would be an echo
	demo     bool
}

func (c *Config) check(k *checker) {
	k.shape = slices.Clone(k.mistakes.found)
	c.checkProgram(k)
	c.checkCORS(k)
	k.ask(parsePath("cursors"), page.Options(c.Cursors).Validate())
	if !k.demo {
		c.checkIssuers(k)
		c.checkSources(k)
	}
	c.warn(k)
}

// complain keeps what a variable holds out of the text: it may be meant for another place.
func (k *checker) complain(p yaml.Path, text string) {
	if near(p, k.shape) {
		return
	}
	n, at := k.root.find(p)
	if n != nil && len(n.filled) > 0 {
		for _, value := range []string{n.text, shorten(n.text)} {
			text = strings.ReplaceAll(text, strconv.Quote(value), n.describe())
		}
	}
	k.mistakes.add(at, p, "%s", text)
}

func (c *Config) checkProgram(k *checker) {
	if problem := checkListen(c.Listen); problem != "" {
		k.complain(parsePath("listen"), problem)
	}
	if problem := checkListen(c.Metrics.Listen); problem != "" && c.Metrics.Listen != "" {
		k.complain(parsePath("metrics.listen"), problem)
	}
	if !slices.Contains([]string{LogAuto, LogJSON, LogText}, c.Log.Format) {
		k.complain(parsePath("log.format"), fmt.Sprintf("must be auto, json or text, not %q", c.Log.Format))
	}
	if !slices.Contains([]string{"", engine.EnginePlan, engine.EngineGqlgen}, c.Execution.Engine) {
		k.complain(parsePath("execution.engine"), fmt.Sprintf("must be plan or gqlgen, not %q", c.Execution.Engine))
	}
	negative := map[string]bool{
		"shutdown.delay":             c.Shutdown.Delay < 0,
		"shutdown.grace":             c.Shutdown.Grace < 0,
		"limits.body":                c.Limits.Body < 0,
		"execution.deadline":         c.Execution.Deadline < 0,
		"execution.maxCalls":         c.Execution.MaxCalls < 0,
		"execution.maxParallelCalls": c.Execution.MaxParallelCalls < 0,
		"execution.maxItems":         c.Execution.MaxItems < 0,
		"execution.maxValues":        c.Execution.MaxValues < 0,
		"execution.maxBytes":         c.Execution.MaxBytes < 0,
		"cors.maxAge":                c.CORS.MaxAge < 0,
	}
	for _, setting := range slices.Sorted(maps.Keys(negative)) {
		if negative[setting] {
			k.complain(parsePath(setting), "is negative; leave it out to get the default")
		}
	}
}

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

// checkCORS asks the front, whose library refuses dangerous rules.
func (c *Config) checkCORS(k *checker) {
	err := c.CORS.Validate()
	if err == nil {
		return
	}
	for one := range cfgerrors.All(err) {
		p, text := c.crossOrigin(one)
		k.complain(p, text)
	}
}

// crossOrigin puts the library's complaint into our words, at the setting to change.
func (c *Config) crossOrigin(err error) (yaml.Path, string) {
	p := parsePath("cors")
	origin := func(value string) yaml.Path {
		return p.Key("origins").Item(max(slices.Index(c.CORS.Origins, value), 0))
	}
	switch e := err.(type) {
	case *cfgerrors.UnacceptableOriginPatternError:
		return origin(e.Value), fmt.Sprintf("%q cannot be allowed; write scheme and host without a path, as https://shop.example.com", e.Value)
	case *cfgerrors.IncompatibleOriginPatternError:
		switch e.Reason {
		case "wildcard":
			return p.Key("credentials"), "cannot be true while all origins (\"*\") are allowed; list the origins, or leave credentials out, which bearer tokens do not need"
		case "insecure":
			return origin(e.Value), fmt.Sprintf("%q is not https, so the network could use the caller's credentials; use https, or leave credentials out", e.Value)
		default:
			return origin(e.Value), fmt.Sprintf("%q allows everybody's sites below a public suffix; name the site", e.Value)
		}
	case *cfgerrors.MaxAgeOutOfBoundsError:
		return p.Key("maxAge"), "must be at most 24h"
	}
	return p, err.Error()
}

// checkIssuers asks auth about each issuer alone, to know which one it complains of.
func (c *Config) checkIssuers(k *checker) {
	alone := auth.Options(c.Auth)
	alone.Issuers = nil
	k.ask(parsePath("auth"), alone.Validate())
	seen := map[string]bool{}
	for i, issuer := range c.Auth.Issuers {
		p := issuerPath(i)
		if empty := k.unfilled(p.Key("secret")); empty != "" && issuer.KeyFile == "" && issuer.JWKS == "" {
			k.complain(p.Key("secret"), "is empty, since "+empty)
			continue
		}
		if seen[issuer.Issuer] && issuer.Issuer != "" {
			k.complain(p.Key("issuer"), fmt.Sprintf("%q is configured twice; keep one of them", issuer.Issuer))
		}
		seen[issuer.Issuer] = true
		alone.Issuers = c.Auth.Issuers[i : i+1]
		k.ask(p, alone.Validate())
	}
}

// unfilled says which variable left the setting at p empty; "" when none did.
func (k *checker) unfilled(p yaml.Path) string {
	n, _ := k.root.find(p)
	if n == nil || n.kind != scalar || n.text != "" || len(n.filled) == 0 {
		return ""
	}
	text := fmt.Sprintf("the environment variable %s is not set; set it", n.filled[0])
	if n.filled[0] == "GATEWAY_DEMO_SECRET" {
		text += fmt.Sprintf(" to %d bytes or more, or start with --demo, which makes a key of its own", auth.MinSecret)
	}
	return text
}

var sourceName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// checkSources builds each service alone and throws it away: none is called.
func (c *Config) checkSources(k *checker) {
	variable := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		p := sourcePath(name)
		if !sourceName.MatchString(name) {
			k.complain(p, "a source's name is made of letters, digits, - and _, and begins with a letter")
			continue
		}
		if other, taken := variable[environmentWord(name)]; taken {
			k.complain(p, fmt.Sprintf("the environment cannot tell %q from %q; rename one of them", name, other))
		}
		variable[environmentWord(name)] = name
		services, err := upstreams.New(upstreams.Options{name: c.Sources[name]}, slog.New(slog.DiscardHandler))
		if err == nil {
			services.Close()
		}
		k.ask(p, err)
	}
}

// ask reports each of the joined errors that a part gave about the block at p.
func (k *checker) ask(p yaml.Path, err error) {
	if err == nil {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			k.ask(p, one)
		}
		return
	}
	text := partPrefix.ReplaceAllString(err.Error(), "")
	at, text := k.refine(p, text)
	k.complain(at, text)
}

var (
	// partPrefix is how parts name themselves and the block, which the place tells better.
	partPrefix = regexp.MustCompile(`^(auth: |front: |source "[^"]*": |issuer ("(\\.|[^"\\])*"|number \d+): )+`)
	// ownSetting is the setting that a part's complaint begins with.
	ownSetting = regexp.MustCompile(`^(?:the )?([a-zA-Z.]+)(?:\[(\d+)\])?:? `)
)

// refine moves the place from a block to the setting in it that text begins with.
func (k *checker) refine(p yaml.Path, text string) (yaml.Path, string) {
	match := ownSetting.FindStringSubmatch(text)
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

// typeAt gives the type of the setting at p, nil when the shape has none.
func typeAt(t reflect.Type, p yaml.Path) reflect.Type {
	for _, s := range p {
		switch {
		case t.Kind() == reflect.Map, t.Kind() == reflect.Slice:
			t = t.Elem()
			continue
		case t.Kind() != reflect.Struct || shape(t) != mapping:
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

// warn tells what is odd and yet may be meant.
func (c *Config) warn(k *checker) {
	if len(c.Sources) == 0 && !k.demo {
		c.Warnings = append(c.Warnings, "no sources are configured, so the graph has no service to ask; "+
			"write them into gateway.yaml, or start with --demo")
	}
}
