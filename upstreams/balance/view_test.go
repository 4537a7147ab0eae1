package balance

import (
	"math"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// Each word of endpoints is a letter, and maybe a zone (z or y), a priority (1), and "-" if it is not
// available.
func TestArrange(t *testing.T) {
	for _, test := range []struct {
		name      string
		endpoints string
		settings  Settings
		want      string // the candidates, and after a space other available endpoints
	}{
		{"all", "a b c", Settings{}, "abc"},
		{"one ejected", "a b- c", Settings{}, "ac"},
		{"none available", "a- b- c-", Settings{}, "abc"},
		{"first priority", "a1 b c1 d", Settings{}, "bd ac"},
		{"first priority is down", "a1 b- c1 d-", Settings{}, "ac"},
		{"first priority has one left", "a1 b- d", Settings{}, "d a"},
		{"all priorities are down", "a1- b-", Settings{}, "ab"},
		{"panic", "a b- c- d-", Settings{PanicThreshold: 30}, "abcd"},
		{"no panic yet", "a b- c-", Settings{PanicThreshold: 33}, "a"},
		{"another priority instead of panic", "a b- c- d1 e1", Settings{PanicThreshold: 50}, "de a"},
		{"panic of all priorities", "a b- c- d1 e1- f1-", Settings{PanicThreshold: 50}, "abc d"},
		{"own zone", "az by cz", Settings{Zone: "z"}, "ac b"},
		{"half of the own zone", "az by cz-", Settings{Zone: "z"}, "a b"},
		{"less than half of the own zone", "az by cz- dz-", Settings{Zone: "z"}, "ab"},
		{"no endpoint in the own zone", "ay by", Settings{Zone: "z"}, "ab"},
		{"zone after priority", "az1 by cz1", Settings{Zone: "z"}, "b ac"},
	} {
		var endpoints []*Endpoint
		for word := range strings.FieldsSeq(test.endpoints) {
			e := newEndpoint(Target{URL: &url.URL{Scheme: "http", Host: word[:1]}})
			target := Target{Priority: strings.Count(word, "1")}
			for _, zone := range []string{"z", "y"} {
				if strings.Contains(word[1:], zone) {
					target.Zone = zone
				}
			}
			e.setTarget(target)
			e.unhealthy = strings.HasSuffix(word, "-")
			endpoints = append(endpoints, e)
		}
		v := arrange(endpoints, test.settings, now())
		got := names(v.candidates)
		if len(v.others) > 0 {
			got += " " + names(v.others)
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func names(candidates []candidate) (s string) {
	for _, c := range candidates {
		s += c.String()
	}
	return s
}

// A call that has tried all endpoints of its zone goes to another zone, and back when there is no other.
func TestTriedZone(t *testing.T) {
	list := targets("abc")
	list[0].Zone, list[1].Zone, list[2].Zone = "z", "z", "y"
	b := New(list, Options{Settings: Settings{Zone: "z"}})
	all := b.Endpoints()
	if e := pick(t, b, Choice{Tried: all[:2]}).Endpoint; e != all[2] {
		t.Errorf("after a and b: %s", e)
	}
	b.SetHealthy(t.Context(), all[2], false, nil)
	if e := pick(t, b, Choice{Tried: all[:2]}).Endpoint; e == all[2] {
		t.Errorf("after a and b: %s, which is not available", e)
	}
}

// The share of an endpoint that is new, or back, grows over the time of the slow start.
func TestSlowStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(t, "a", Options{Settings: Settings{SlowStart: 10 * time.Second}})
		check := func(what string, want float64) {
			t.Helper()
			if got := float64(strings.Count(sendMany(t, b, nil, 1100), "b")) / 1100; math.Abs(got-want) > .02 {
				t.Errorf("%s it has %.3f of the calls, want %.3f", what, got, want)
			}
		}
		b.SetEndpoints(targets("ab"))
		check("at first", .1/1.1)
		time.Sleep(5 * time.Second)
		check("half way", .5/1.5)
		time.Sleep(5 * time.Second)
		check("at the end", .5)
		if v := b.view.Load(); v.until != 0 {
			t.Error("the view is still computed anew")
		}
		for b.Endpoints()[1].Available() {
			send(t, b, outcomes{"b": attempt.ServerError})
		}
		time.Sleep(2 * time.Second)
		check("back after an ejection", .1/1.1)
		b.SetEndpoints(targets("ab"))
		check("after the same endpoints were set again", .1/1.1)
	})
}

// The first endpoints have their whole share at once.
func TestNoSlowStartAtTheBeginning(t *testing.T) {
	list := targets("ab")
	list[0].Weight = 3
	b := New(list, Options{Settings: Settings{SlowStart: time.Hour}})
	if got := strings.Count(sendMany(t, b, nil, 400), "a"); got != 300 || b.view.Load().until != 0 {
		t.Errorf("a has %d of 400", got)
	}
}
