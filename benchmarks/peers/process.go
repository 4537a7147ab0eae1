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

// process is a running program that serves on address.
type process struct {
	name    string
	address string
	cmd     *exec.Cmd
	exited  chan error
}

// The bounds of starting and stopping.
const (
	startTimeout = 20 * time.Second
	stopTimeout  = 5 * time.Second
)

// start starts a command that listens on address, and waits until it does.
func start(ctx context.Context, name, address string, command []string) (*process, error) {
	p := &process{name: name, address: address, cmd: exec.Command(command[0], command[1:]...), exited: make(chan error, 1)}
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w; make bench-peers builds it", name, err)
	}
	go func() { p.exited <- p.cmd.Wait() }()
	if err := p.waitUntilListening(ctx); err != nil {
		p.stop()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// waitUntilListening waits until the process accepts connections.
func (p *process) waitUntilListening(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for retry := time.NewTicker(20 * time.Millisecond); ; {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.address)
		if err == nil {
			return conn.Close()
		}
		select {
		case end := <-p.exited:
			p.exited <- end
			return fmt.Errorf("ended instead of listening: %w", errors.Join(end, err))
		case <-ctx.Done():
			return fmt.Errorf("does not listen: %w", err)
		case <-retry.C:
		}
	}
}

// stop terminates the process, by SIGKILL after stopTimeout.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.exited:
		return
	case <-time.After(stopTimeout):
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// freeAddress returns a loopback address on which no process listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
