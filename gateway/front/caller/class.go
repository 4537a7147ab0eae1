package caller

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/gateway/network"
)

// Class is a class of callers, for limits that differ by it. A caller belongs to it if each condition that is
// set holds. A condition with several values holds if one of them does; two entries with one name are
// alternatives.
type Class struct {
	// Name is the name of the class, as other settings use it: letters, digits, hyphens and
	// underscores. Required; authenticated, anonymous and other have a
	// meaning of their own.
	Name string `yaml:"name"`
	// Authenticated is whether the caller has a token that was accepted. Default either.
	Authenticated *bool `yaml:"authenticated"`
	// Claims are the values that a claim of the token may have, by the path of the claim, such as tier or
	// org.plan. A claim that is a list has each of its elements. Default any.
	Claims map[string][]string `yaml:"claims"`
	// Scopes are scopes of the token. Default any.
	Scopes []string `yaml:"scopes"`
	// Roles are roles of the token. Default any.
	Roles []string `yaml:"roles"`
	// Clients are names that clients state for themselves, compared exactly. They prove nothing, so that a
	// class should not have more than others for its clients alone. Default any.
	Clients []string `yaml:"clients"`
	// Networks are networks or addresses of clients, such as 10.0.0.0/8. Default any.
	Networks []string `yaml:"networks"`
}

// maxClassName is the length of the longest name of a class, in bytes.
const maxClassName = 64

// Validate returns what is wrong with the class. Each of the joined errors begins with the name of a
// setting.
func (c Class) Validate() error {
	_, err := c.compile()
	return err
}

// isEmpty reports whether c has no condition.
func (c Class) isEmpty() bool {
	return c.Authenticated == nil && len(c.Claims) == 0 && len(c.Scopes) == 0 && len(c.Roles) == 0 && len(c.Clients) == 0 && len(c.Networks) == 0
}

// class is a compiled Class.
type class struct {
	Class
	claims   []claim // those of Class, as a list
	networks network.Set
}

type claim struct {
	path   string
	values []string
}

func (c Class) compile() (class, error) {
	var errs []error
	isWrong := func(r rune) bool { return !isLetterOrDigit(r) && r != '-' && r != '_' }
	switch {
	case c.Name == "":
		errs = append(errs, errors.New("name is missing; write one, which other settings use"))
	case c.Name == Anonymous, c.Name == Authenticated, c.Name == Other:
		errs = append(errs, fmt.Errorf("name %q has a meaning of its own; write another one", c.Name))
	case len(c.Name) > maxClassName, strings.ContainsFunc(c.Name, isWrong):
		errs = append(errs, fmt.Errorf("name must have 1 to %d letters, digits, hyphens and underscores, not %q", maxClassName, c.Name[:min(len(c.Name), 2*maxClassName)]))
	}
	if c.isEmpty() {
		errs = append(errs, errors.New("the class has no condition, so that it has all callers; write at least one, as networks"))
	}
	if c.Authenticated != nil && !*c.Authenticated && (len(c.Claims) > 0 || len(c.Scopes) > 0 || len(c.Roles) > 0) {
		errs = append(errs, errors.New("authenticated is false, and callers without a token have no claims, scopes and roles; remove one of them"))
	}
	networks, err := network.ParseSet("networks", c.Networks)
	compiled := class{Class: c, networks: networks}
	for path, values := range c.Claims {
		if len(values) == 0 {
			errs = append(errs, fmt.Errorf("claims.%s has no value, so that no caller has it; write the values", path))
		}
		compiled.claims = append(compiled.claims, claim{path, values})
	}
	return compiled, errors.Join(append(errs, err)...)
}

// has reports whether a caller belongs to the class.
func (c *class) has(of *Caller) bool {
	return (c.Authenticated == nil || *c.Authenticated == (of.Identity != nil)) &&
		(len(c.Clients) == 0 || of.Client != "" && slices.Contains(c.Clients, of.Client)) &&
		(len(c.Networks) == 0 || c.networks.Contains(of.IP)) &&
		(len(c.Scopes) == 0 || slices.ContainsFunc(c.Scopes, of.Identity.HasScope)) &&
		(len(c.Roles) == 0 || slices.ContainsFunc(c.Roles, of.Identity.HasRole)) &&
		c.hasClaims(of.Identity)
}

func (c *class) hasClaims(identity *auth.Identity) bool {
	for _, claim := range c.claims {
		value, ok := identity.Claim(claim.path)
		if !ok || !claim.has(value) {
			return false
		}
	}
	return true
}

// has reports whether the value of a claim, or an element of it, is among the values of c.
func (c claim) has(value any) bool {
	switch value := value.(type) {
	case string:
		return slices.Contains(c.values, value)
	case json.Number:
		return slices.Contains(c.values, string(value))
	case bool:
		return slices.Contains(c.values, strconv.FormatBool(value))
	case []any:
		return slices.ContainsFunc(value, c.has)
	}
	return false
}
