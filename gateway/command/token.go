package command

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gatehouse-graphql/gatehouse/auth/devtoken"
)

// demoSecret is the variable with the signing key of the demo.
const demoSecret = "GATEWAY_DEMO_SECRET"

func newToken(p Program, s environment) *cobra.Command {
	var claims devtoken.Claims
	var scopes []string
	c := &cobra.Command{
		Use:   "token",
		Short: "Print a bearer token for development",
		Long: `Prints a bearer token for development, signed with the key in ` + demoSecret + `
by HS256. A gateway accepts it if one of its issuers has the same secret` + demoHelp(p.HasDemo, ", as\nthat of --demo does") + `.
Do not use such a key in production.`,
		Example: fmt.Sprintf("  export %s=$(openssl rand -hex 32)\n  %s token --subject u1 --scope users:read --role admin --ttl 8h", demoSecret, p.Name),
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if claims.TTL <= 0 {
				return &usageError{c.CommandPath(), errors.New("--ttl must be above zero, as 1h")}
			}
			claims.Scope = strings.Join(scopes, " ")
			return printToken(s, claims)
		},
	}
	c.Flags().StringVar(&claims.Subject, "subject", "", "the user's `id`")
	c.Flags().StringSliceVar(&scopes, "scope", nil, "a `scope`; may be repeated")
	c.Flags().StringSliceVar(&claims.Roles, "role", nil, "a `role`; may be repeated")
	c.Flags().DurationVar(&claims.TTL, "ttl", devtoken.DefaultTTL, "the `time` until it expires")
	c.Flags().StringVar(&claims.Issuer, "issuer", p.Issuer, "the `issuer` (iss)")
	c.Flags().StringVar(&claims.Audience, "audience", p.Audience, "the `audience` (aud)")
	return c
}

func printToken(s environment, claims devtoken.Claims) error {
	secret := s.lookup(demoSecret)
	switch {
	case secret == "":
		return fmt.Errorf("%s is not set; set it to the gateway's secret of %d bytes or more, try: openssl rand -hex 32", demoSecret, devtoken.MinSecret)
	case len(secret) < devtoken.MinSecret:
		return fmt.Errorf("%s has %d bytes; it needs at least %d, try: openssl rand -hex 32", demoSecret, len(secret), devtoken.MinSecret)
	}
	token, err := devtoken.Sign([]byte(secret), claims)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, token)
	return err
}

// demoHelp returns a text of a help, or "" for a program without a demo.
func demoHelp(hasDemo bool, text string) string {
	if hasDemo {
		return text
	}
	return ""
}
