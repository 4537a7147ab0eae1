package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// A setting that is added must be entered as one that a reload takes up, or as one that needs a restart.
func TestEverySettingIsClassified(t *testing.T) {
	var all []string
	eachSetting(reflect.TypeFor[Config](), nil, func(p yaml.Path) { all = append(all, p.String()) })
	if !slices.Contains(all, "limits.depth") || !slices.Contains(all, "auth.issuers[0].secret") {
		t.Fatalf("the list of settings is incomplete: %q", all)
	}
	used := map[string]bool{}
	for _, setting := range all {
		found := ""
		for path := range reloads {
			if within(setting, path) && len(path) > len(found) {
				found = path
			}
		}
		if used[found] = true; found == "" {
			t.Errorf("%s is not in reloads: say there whether a running gateway takes it up", setting)
		}
	}
	for path := range reloads {
		if !used[path] {
			t.Errorf("reloads has %s, which is not a setting", path)
		}
	}
}

// within reports whether a setting is the one at path or lies in the block at path.
func within(setting, path string) bool {
	rest, ok := strings.CutPrefix(setting, path)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// eachSetting calls f with the path of each setting in a block of type t, with one element for each
// list and each map.
func eachSetting(t reflect.Type, p yaml.Path, f func(yaml.Path)) {
	switch {
	case kindOf(t) == scalar, kindOf(t) == list && kindOf(t.Elem()) == scalar:
		f(p)
	case t.Kind() == reflect.Slice:
		eachSetting(t.Elem(), p.Item(0), f)
	case t.Kind() == reflect.Map:
		eachSetting(t.Elem(), p.Key("name"), f)
	default:
		for _, field := range fieldsOf(t) {
			eachSetting(field.typ, p.Key(field.name), f)
		}
	}
}

const runningSettings = `
listen: :1
log: {level: info, format: json}
limits: {depth: 5}
cursors: {secret: 0123456789abcdef0123456789abcdef}
cors: {origins: [https://a.example]}
auth: {issuers: [{issuer: a, audiences: [x], algorithms: [HS256], secret: 0123456789abcdef0123456789abcdef}]}
sources:
  users: {urls: [http://u:1], timeout: 5s, headers: {X-Key: one}}
  orders: {urls: [http://o:1]}
`

func TestCompare(t *testing.T) {
	for name, c := range map[string]struct {
		replace []string
		want    Changes
	}{
		"nothing":            {nil, Changes{}},
		"comments and order": {[]string{"listen: :1\n", "# a comment\nlisten: ':1'\n"}, Changes{}},
		"what needs a restart": {
			[]string{"listen: :1", "listen: :2", "format: json", "format: text", "cursors: {secret: 0", "cursors: {secret: 1", "limits:", "metrics: {public: true}\nlimits:"},
			Changes{Restart: []string{"listen", "log.format", "metrics.public", "cursors.secret"}},
		},
		"what does not": {
			[]string{"level: info", "level: warn", "depth: 5", "depth: 6", "a.example", "b.example"},
			Changes{Live: []string{"log.level", "cors.origins", "limits.depth"}},
		},
		"callers": {
			[]string{"limits:", "proxies: {header: Forwarded}\ncallers: {classes: [{name: a, authenticated: true}]}\nnetworks: {deny: [10.0.0.0/8]}\nlimits:", "level: info", "level: info, clientAddress: true"},
			Changes{Live: []string{"log.clientAddress", "proxies.header", "callers.classes", "networks.deny"}},
		},
		"a source": {
			[]string{"http://u:1", "http://u:2", "X-Key: one", "X-Key: two"},
			Changes{Live: []string{"sources.users.urls[0].url", "sources.users.headers.X-Key"}},
		},
		"sources that come and go": {
			[]string{"orders:", "products:"}, Changes{Live: []string{"sources.orders", "sources.products"}},
		},
		"a setting that is removed": {[]string{", timeout: 5s", ""}, Changes{Live: []string{"sources.users.timeout"}}},
		"an issuer":                 {[]string{"audiences: [x]", "audiences: [y]"}, Changes{Live: []string{"auth.issuers[0].audiences"}}},
		"fewer issuers":             {[]string{"auth: {issuers: [{issuer: a, audiences: [x], algorithms: [HS256], secret: 0123456789abcdef0123456789abcdef}]}", "auth: {issuers: []}"}, Changes{Live: []string{"auth.issuers"}}},
	} {
		t.Run(name, func(t *testing.T) {
			running := load(t, runningSettings)
			next := load(t, strings.NewReplacer(c.replace...).Replace(runningSettings))
			if diff := gocmp.Diff(c.want, Compare(running, next)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			next.KeepRestartSettings(running)
			if diff := gocmp.Diff(Changes{Live: c.want.Live}, Compare(running, next)); diff != "" {
				t.Errorf("after keeping what needs a restart (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	if a, b := load(t, runningSettings), load(t, runningSettings+"\n"); a.Digest == b.Digest || a.Digest != DigestOf([]byte(runningSettings)) {
		t.Error("the digest is not that of the text")
	}
	if c, err := Load(LoadOptions{Path: t.TempDir() + "/none.yaml", Demo: true}); err != nil || c.Digest != (Digest{}) {
		t.Errorf("a missing file has the digest %x; %v", c.Digest, err)
	}
}
