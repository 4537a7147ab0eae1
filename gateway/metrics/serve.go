package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// The bounds of a connection to a server of the page alone.
const (
	readTime     = 5 * time.Second
	answerTime   = 30 * time.Second
	idleTime     = 120 * time.Second
	stopTime     = 5 * time.Second
	maxHeaderLen = 16 << 10
)

// Serve serves the page alone on an address of its own, until stop is called. That waits a
// few seconds for readers.
func (m *Metrics) Serve(address string, log *slog.Logger) (stop func(), err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen for readers of metrics: %w; choose another address with metrics.listen", err)
	}
	routes := http.NewServeMux()
	routes.Handle("GET "+Path, m.handler)
	server := &http.Server{
		Handler:        routes,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadTimeout:    readTime,
		WriteTimeout:   answerTime,
		IdleTimeout:    idleTime,
		MaxHeaderBytes: maxHeaderLen,
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are no longer served", "error", err)
		}
	}()
	log.Info("serving metrics", "address", listener.Addr().String())
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		<-ended
	}, nil
}
