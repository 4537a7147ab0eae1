package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is a program that serves on address.
type process struct {
	name    string
	address string
	cmd     *exec.Cmd
	ended   chan error
}

// The bounds of starting and stopping.
const (
	startTimeout = 20 * time.Second
	stopTimeout  = 5 * time.Second
)

// start runs a command that shall listen on address, and waits until it does.
func start(ctx context.Context, name, address string, command []string) (*process, error) {
	p := &process{name: name, address: address, cmd: exec.Command(command[0], command[1:]...), ended: make(chan error, 1)}
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w; make bench-peers builds it", name, err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	if err := p.listening(ctx); err != nil {
		p.stop()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// listening waits until somebody listens.
func (p *process) listening(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for retry := time.NewTicker(20 * time.Millisecond); ; {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.address)
		if err == nil {
			return conn.Close()
		}
		select {
		case end := <-p.ended:
			p.ended <- end
			return fmt.Errorf("ended instead of listening: %w", errors.Join(end, err))
		case <-ctx.Done():
			return fmt.Errorf("does not listen: %w", err)
		case <-retry.C:
		}
	}
}

// stop ends the process, by force if it does not end itself.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.ended:
		return
	case <-time.After(stopTimeout):
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// freeAddress is one on this machine that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
