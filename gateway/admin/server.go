package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// The bounds of a connection to a Server.
const (
	readTimeout     = 5 * time.Second
	writeTimeout    = 2 * time.Minute // a profile takes 30 seconds by default
	idleTimeout     = 120 * time.Second
	shutdownTimeout = 5 * time.Second
	maxHeaderBytes  = 16 << 10
)

// Server serves operators on an address of its own.
type Server struct {
	// Name is what is served, for the log: "metrics". Setting is the setting with the address.
	Name, Setting string
	// Address is the address to listen on.
	Address string
	// Handler serves all requests.
	Handler http.Handler
}

// Start serves until stop is called. stop waits up to five seconds for requests in progress.
func (s Server) Start(log *slog.Logger) (stop func(), err error) {
	listener, err := net.Listen("tcp", s.Address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen for %s: %w; choose another address with %s", s.Name, err, s.Setting)
	}
	server := &http.Server{
		Handler:        s.Handler,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadTimeout:    readTimeout,
		WriteTimeout:   writeTimeout,
		IdleTimeout:    idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error(s.Name+" can no longer be read", "error", err)
		}
	}()
	log.Info("serving "+s.Name, "address", listener.Addr().String())
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		<-ended
	}, nil
}
