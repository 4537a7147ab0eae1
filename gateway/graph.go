package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/gatehouse-graphql/gatehouse/engine/introspect"
	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

var _ command.Graph = Graph{}

// SDL returns the schema that clients see. It calls Schema with nil.
func (g Graph) SDL() string { return introspect.Print(g.Schema(nil).Schema()) }

// Check returns everything for which Serve would fail with the settings, joined, and what it would
// warn of. It does not use the network, so that it does not know whether an address can be listened
// on.
func (g Graph) Check(settings *config.Config) (warnings []string, err error) {
	collected := &warningCollector{}
	log := slog.New(collected)
	backends, err := upstreams.New(upstreams.Options(settings.Sources), log)
	if err != nil {
		return collected.warnings, err
	}
	defer backends.Close()
	err = g.checkSources(settings, backends.Sources(), log)
	_, wrong := front.New(settings.Front(), front.Deps{Schema: g.Schema(backends), Forwarded: backends.ForwardedHeaders(), Log: log})
	return collected.warnings, errors.Join(err, wrong)
}

// checkSources returns what the graph needs and the settings lack, joined. It warns of sources that
// no binding uses, whose names may be misspelt.
func (g Graph) checkSources(settings *config.Config, sources *upstreams.Sources, log *slog.Logger) error {
	for _, name := range slices.Sorted(maps.Keys(settings.Sources)) {
		if !slices.Contains(g.Requirements.Sources, name) {
			log.Warn(fmt.Sprintf("no binding of the graph uses sources.%s; remove it, unless handwritten resolvers call it", name))
		}
	}
	return sources.CheckRequirements(g.Requirements)
}

// warningCollector is a slog.Handler that keeps the messages of warnings, with their attributes.
type warningCollector struct{ warnings []string }

// Enabled implements slog.Handler.
func (*warningCollector) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}

// Handle implements slog.Handler.
func (c *warningCollector) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	separator := ": "
	r.Attrs(func(a slog.Attr) bool {
		text += separator + a.String()
		separator = ", "
		return true
	})
	c.warnings = append(c.warnings, text)
	return nil
}

// WithAttrs implements slog.Handler.
func (c *warningCollector) WithAttrs([]slog.Attr) slog.Handler { return c }

// WithGroup implements slog.Handler.
func (c *warningCollector) WithGroup(string) slog.Handler { return c }
