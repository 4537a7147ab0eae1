package proc

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

// Process is a running program that listens on an address.
type Process struct {
	Name    string
	Address string

	cmd    *exec.Cmd
	exited chan error
}

// The bounds of starting and stopping.
const (
	StartTimeout = 20 * time.Second
	StopTimeout  = 5 * time.Second
)

// Start starts a command that listens on address, and waits until it does. name stands in errors. The
// caller sets what is to become of the command's output.
func Start(ctx context.Context, name, address string, cmd *exec.Cmd) (*Process, error) {
	p := &Process{Name: name, Address: address, cmd: cmd, exited: make(chan error, 1)}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() { p.exited <- p.cmd.Wait() }()
	if err := p.waitUntilListening(ctx); err != nil {
		p.Stop()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// waitUntilListening waits until the process accepts connections.
func (p *Process) waitUntilListening(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, StartTimeout)
	defer cancel()
	for retry := time.NewTicker(20 * time.Millisecond); ; {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.Address)
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

// Stop terminates the process, by SIGKILL after StopTimeout.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.exited:
		return
	case <-time.After(StopTimeout):
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// Signal sends a signal to the process.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// PID returns the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// FreeAddress returns a loopback address on which no process listens.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
