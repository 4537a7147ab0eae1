package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gatehouse-graphql/gatehouse/gateway/costlimit"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/network"
	"github.com/gatehouse-graphql/gatehouse/gateway/ratelimit"
	"github.com/gatehouse-graphql/gatehouse/internal/suggest"
	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// checkCallers checks who callers are and from where they may come. Each class and each list is validated
// alone, so that an error of it is about that one.
func (c *Config) checkCallers(k *checker) {
	k.reportErrors(parsePath("proxies"), c.Proxies.Validate())
	callers := parsePath("callers")
	k.reportErrors(callers, c.Callers.Validate())
	for i, class := range c.Callers.Classes {
		k.reportErrors(callers.Key("classes").Item(i), class.Validate())
	}
	c.eachNetworkLists(func(p yaml.Path, l *network.Lists) { k.reportErrors(p, l.Validate()) })
	routes := front.RoutePaths()
	for _, path := range c.Networks.Paths() {
		if !slices.Contains(routes, path) {
			k.report(parsePath("networks.routes").Key(path), fmt.Sprintf("%q is not the path of a route%s", path, suggest.DidYouMean(path, routes)))
		}
	}
}

// checkAdmission checks how operations are admitted.
func (c *Config) checkAdmission(k *checker) {
	k.reportErrors(parsePath("admission"), c.Admission.Validate())
}

// eachNetworkLists calls f with each block of lists of networks, which f may change, and with its path.
func (c *Config) eachNetworkLists(f func(p yaml.Path, l *network.Lists)) {
	p := parsePath("networks")
	f(p, &c.Networks.Lists)
	for _, path := range c.Networks.Paths() {
		l := c.Networks.Routes[path]
		f(p.Key("routes").Key(path), &l)
		c.Networks.Routes[path] = l
	}
}

// checkClasses checks each setting that names a class of callers.
func (c *Config) checkClasses(k *checker) {
	for i, entry := range c.Blocked {
		if entry.Class != "" {
			c.checkClass(k, parsePath("blocked").Item(i).Key("class"), entry.Class)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Admission.Classes)) {
		if name != caller.Other {
			c.checkClass(k, parsePath("admission.classes").Key(name), name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Cost.Classes)) {
		c.checkClass(k, parsePath("cost.classes").Key(name), name)
	}
	for i, name := range c.Cost.Expose {
		if name != costlimit.ExposeAll {
			c.checkClass(k, parsePath("cost.expose").Item(i), name)
		}
	}
	for i, rule := range c.RateLimits.Rules {
		p := parsePath("rateLimits.rules").Item(i)
		for j, name := range rule.Match.Classes {
			c.checkClass(k, p.Key("match").Key("classes").Item(j), name)
		}
		if rule.Tier == "" || rule.Tier == ratelimit.TierClass {
			for _, name := range slices.Sorted(maps.Keys(rule.Tiers)) {
				c.checkClass(k, p.Key("tiers").Key(name), name)
			}
		}
	}
}

// checkClass reports the name of a class of callers at p that is not one.
func (c *Config) checkClass(k *checker, p yaml.Path, name string) {
	if names := c.Callers.ClassNames(); !slices.Contains(names, name) {
		k.report(p, fmt.Sprintf("%q is not the name of a class in callers.classes%s", name, suggest.DidYouMean(name, names)))
	}
}
